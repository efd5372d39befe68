"""The census as columns: what pandas, polars and DuckDB find in ``census.parquet`` and ``blocks/``.

Rule: a block's file holds every column of the census, the tensors of ``keep``, and the losses;
reading it back gives the findings that were written, bit for bit. The census holds the same rows
without the tensors that only a few readers want.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.errors import RunFileError
from adderlab.nets.layout import Layout
from adderlab.reading import Refusals, opened
from adderlab.tasks import Task
from adderlab.training import Settings
from adderlab.training.census.codes import CODE_BITS
from adderlab.training.census.findings import Findings
from adderlab.training.census.symptoms import SYMPTOMS

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow import parquet

UNREAD: Final = Refusals(RunFileError, "delete it: the same command trains it again")
MOST_ROWS: Final = 64
"""Rows of a task up to which a member's whole table is a column beside its code."""

MAY_BE_NULL: Final = ("table_code", "pattern", "solution_class", "steps_to_solve")
"""Of members with non-finite weights, and of those that were never right."""

CONSTANT: Final = ("lr", "init_scale")
"""Floats that are the same in every row."""

TENSORS: Final = ("losses", "weights", "snapshots")
"""The columns of a block that the census leaves out."""


def block_bytes(findings: Findings, task: Task, settings: Settings, about: dict[str, Any]) -> bytes:
    """Return a block as the bytes of a parquet file.

    Args:
        findings: of its members.
        task: the task they were trained for.
        settings: of the population.
        about: the file's metadata: the layout of the tensors, the steps of the losses.
    """
    from pyarrow import parquet

    table = to_table(findings, task, settings).replace_schema_metadata(
        {"adderlab": json.dumps(about, sort_keys=True)}
    )
    stream = io.BytesIO()
    parquet.write_table(table, stream, **encodings_of(table.schema))
    return stream.getvalue()


def encodings_of(schema: pa.Schema) -> dict[str, Any]:
    """Return how a table's columns are encoded, as arguments of a Parquet writer.

    Floats are split by bytes, so that signs and exponents are compressed together; of what comes
    again and again a dictionary is kept; and members are differences.
    """
    import pyarrow as pa

    encoding: dict[str, str] = {}
    repeated: list[str] = []
    for field in schema:
        path, inner = field.name, field.type
        while pa.types.is_list(inner) or pa.types.is_fixed_size_list(inner):
            path, inner = f"{path}.list.element", inner.value_type
        if field.name == "member":
            encoding[path] = "DELTA_BINARY_PACKED"
        elif pa.types.is_floating(inner) and field.name not in CONSTANT:
            encoding[path] = "BYTE_STREAM_SPLIT"
        else:
            repeated.append(path)
    return {
        "compression": "zstd",
        "compression_level": 1,
        "use_dictionary": repeated,
        "column_encoding": encoding,
    }


def to_table(findings: Findings, task: Task, settings: Settings) -> pa.Table:
    """Return a block as a table."""
    import pyarrow as pa

    non_finite = ~findings.is_finite
    rows, widths = task.rows, settings.widths
    table_bits = rows * task.n_out
    columns: dict[str, Any] = {
        "member": pa.array(findings.members, pa.int64()),
        **_settings_columns(settings, len(findings)),
        "loss": pa.array(findings.loss, pa.float64()),
        "is_right": pa.array(findings.is_right, pa.bool_()),
        "rows_right": pa.array(findings.rows_right, pa.int32()),
        "table_code": _texts(findings.codes, lambda code: table_text(code, table_bits), non_finite),
        "margin": pa.array(findings.margin, pa.float64()),
        "pattern": _texts(
            findings.patterns, lambda code: pattern_column(code, rows, widths), non_finite
        ),
        "solution_class": _texts(findings.classes, lambda code: f"{code:016x}", non_finite),
        "dead_units": pa.array(findings.dead_units, pa.int32()),
        "steps_to_solve": pa.array(findings.solved_at, pa.int32(), mask=findings.solved_at < 0),
    }
    for place, symptom in enumerate(SYMPTOMS):
        columns[symptom.name] = pa.array(findings.symptoms[:, place], pa.bool_())
    if findings.tables is not None:
        columns["table"] = _lists(findings.tables, pa.int64(), non_finite)
    if findings.start is not None:
        columns["start"] = _fixed(findings.start)
    columns["losses"] = _fixed(findings.losses)
    if findings.weights is not None:
        columns["weights"] = _fixed(findings.weights)
    if findings.snapshots is not None:
        count, kept, parameters = findings.snapshots.shape
        inner = _fixed(findings.snapshots.reshape(count * kept, parameters))
        columns["snapshots"] = pa.FixedSizeListArray.from_arrays(inner, kept)
    return pa.table(columns)


def read_block(path: Path, members: range, points: int) -> Findings:
    """Return the findings of a block that are counted, without the tensors kept beside them.

    Args:
        path: its file.
        members: whose block it is.
        points: how many losses each of them has.

    Raises:
        RunFileError: it is no such block.
    """
    import pyarrow as pa

    with opened(path, UNREAD) as (file, _):
        try:
            return _findings(file, members, points)
        except (pa.ArrowException, ArithmeticError, LookupError, OSError, ValueError) as error:
            reason = " ".join(str(error).split())[:80]
            raise RunFileError(
                f"not the block of {counted(len(members), 'member')} that it should be ({reason})",
                where=str(path),
                remedy="delete it: the same command trains it again",
            ) from None


def open_table(file: BinaryIO) -> parquet.ParquetFile:
    """Return a Parquet file that is open for reading, one column after the other."""
    from pyarrow import parquet

    return parquet.ParquetFile(file, pre_buffer=False)


def _findings(file: BinaryIO, members: range, points: int) -> Findings:
    source = open_table(file)
    schema = source.schema_arrow
    if source.metadata.num_rows != len(members):
        raise ValueError(f"it has {counted(source.metadata.num_rows, 'row')}")
    types = _types(points)
    for name, type_ in types.items():
        if name not in schema.names or schema.field(name).type != type_:
            raise ValueError(f"its column {name} is missing or of another type")
    table = source.read(columns=list(types))
    for name in types:
        if name not in MAY_BE_NULL and table[name].null_count:
            raise ValueError(f"its column {name} has gaps")
    if table["member"].to_numpy().tolist() != list(members):
        raise ValueError("its members are others")

    def numbers(name: str) -> Any:
        return table[name].to_numpy()

    losses = table["losses"].combine_chunks()
    return Findings(
        members=numbers("member"),
        loss=numbers("loss"),
        is_right=numbers("is_right").astype(bool),
        rows_right=numbers("rows_right"),
        codes=_codes(table["table_code"], _code_of_table),
        margin=numbers("margin"),
        is_finite=~np.asarray(table["table_code"].is_null()),
        dead_units=numbers("dead_units"),
        symptoms=np.stack([numbers(symptom.name).astype(bool) for symptom in SYMPTOMS], axis=1),
        patterns=_codes(table["pattern"], _code_of_pattern),
        classes=_codes(table["solution_class"], lambda text: int(text, 16)),
        solved_at=table["steps_to_solve"].fill_null(-1).to_numpy().astype(np.int32),
        losses=np.asarray(losses.flatten()).reshape(len(table), -1),
    )


def _types(points: int) -> dict[str, pa.DataType]:
    """Return the columns that are read, with their types."""
    import pyarrow as pa

    return {
        "member": pa.int64(),
        "loss": pa.float64(),
        "is_right": pa.bool_(),
        "rows_right": pa.int32(),
        "table_code": pa.string(),
        "margin": pa.float64(),
        "pattern": pa.string(),
        "solution_class": pa.string(),
        "dead_units": pa.int32(),
        "steps_to_solve": pa.int32(),
        **{symptom.name: pa.bool_() for symptom in SYMPTOMS},
        "losses": pa.list_(pa.float32(), points),
    }


def _settings_columns(settings: Settings, count: int) -> dict[str, Any]:
    """Return the settings that censuses are compared by, the same in every row."""
    import pyarrow as pa

    columns = {
        "seed": pa.scalar(settings.seed, pa.int64()),
        "hidden": pa.scalar(sum(settings.widths), pa.int32()),
        "lr": pa.scalar(float(settings.lr), pa.float64()),
        "init_scale": pa.scalar(float(settings.init_scale), pa.float64()),
        "steps": pa.scalar(settings.steps, pa.int64()),
        "batch": pa.scalar(settings.batch, pa.int64()),
        "optimizer": pa.scalar(settings.optimizer, pa.string()),
        "activation": pa.scalar(settings.activation, pa.string()),
    }
    return {name: pa.repeat(value, count) for name, value in columns.items()}


def table_text(code: int, bits: int) -> str:
    """Return a table's code as hexadecimal digits; a ``#`` before one that is a hash."""
    return f"{code:0{-(-bits // 4)}x}" if bits <= CODE_BITS else f"#{code:016x}"


def _code_of_table(text: str) -> int:
    return int(text.lstrip("#"), 16)


@lru_cache(1 << 16)
def pattern_column(code: int, rows: int, widths: tuple[int, ...]) -> str:
    """Return a pattern: ``0111 0001 0000``, layers apart by a bar; of many bits a hash.

    Args:
        code: of the bits.
        rows: of the task.
        widths: units of each hidden layer.
    """
    count = rows * sum(widths)
    if count > CODE_BITS:
        return f"#{code:016x}"
    bits = f"{code:0{count}b}"
    units = [bits[i : i + rows] for i in range(0, len(bits), rows)]
    layers: list[str] = []
    for width in widths:
        layers.append(" ".join(units[:width]))
        units = units[width:]
    return " | ".join(layers)


def _code_of_pattern(text: str) -> int:
    if text.startswith("#"):
        return int(text[1:], 16)
    return int(text.replace(" ", "").replace("|", ""), 2)


def _texts(codes: Any, to_text: Callable[[int], str], missing: Any) -> pa.Array:
    """Return a text for each code, made once for those that are alike."""
    import pyarrow as pa

    encoded = pa.array(codes, pa.uint64()).dictionary_encode()
    words = pa.array([to_text(code) for code in encoded.dictionary.to_pylist()], pa.string())
    places = pa.array(encoded.indices.to_numpy(), mask=missing)
    return pa.DictionaryArray.from_arrays(places, words).cast(pa.string())


def _codes(column: Any, to_code: Callable[[str], int]) -> Any:
    """Return what a column of texts stands for; 0 where it is empty."""
    encoded = column.combine_chunks().dictionary_encode()
    words = [to_code(text) for text in encoded.dictionary.to_pylist()]
    kinds = np.array([*words, 0], dtype=np.uint64)
    return kinds[encoded.indices.fill_null(len(words)).to_numpy()]


def _fixed(values: Any) -> pa.Array:
    """Return a list of the same length in each row: an ARRAY of DuckDB, an Array of polars."""
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(values, dtype=np.float32).ravel(), pa.float32())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _lists(values: Any, kind: Any, missing: Any) -> pa.Array:
    import pyarrow as pa

    width = values.shape[1]
    offsets = pa.array(np.arange(len(values) + 1, dtype=np.int32) * width)
    flat = pa.array(np.ascontiguousarray(values).ravel(), kind)
    return pa.ListArray.from_arrays(offsets, flat, mask=pa.array(missing))


def about_block(task: Task, settings: Settings, loss_steps: tuple[int, ...]) -> dict[str, Any]:
    """Return a block's metadata: how its tensors are laid out, and its settings."""
    layout = [
        {
            "tensor": place.name,
            "shape": list(place.shape),
            "first": place.first,
            "count": place.size,
        }
        for place in Layout(settings.sizes(task)).places()
    ]
    return {
        "task": task.name,
        "settings": asdict(settings),
        "layout": layout,
        "loss_steps": list(loss_steps),
    }
