"""Tasks whose outputs are given row by row, and how a network file stores them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from adderlab.bits import Values, from_bits, to_bits
from adderlab.errors import TaskError
from adderlab.tasks.cells import ANY
from adderlab.tasks.task import Rule, Task, Word
from adderlab.tasks.words import header_columns, stated_words


@dataclass(frozen=True, slots=True)
class _Lookup:
    """The rule of a table: find the row, return its outputs."""

    shape: Task
    columns: Mapping[str, Values] = field(repr=False)

    def __call__(self, words: Mapping[str, Values]) -> dict[str, Values]:
        index = sum(
            (words[word.name] * weight for word, weight in self.weights()), start=0
        )  # fmt: skip
        return {name: column[index] for name, column in self.columns.items()}

    def weights(self) -> Iterable[tuple[Word, int]]:
        weight = self.shape.rows
        for word in self.shape.inputs:
            weight //= word.size
            yield word, weight


def task_of_columns(
    inputs: tuple[Word, ...],
    outputs: tuple[Word, ...],
    columns: Mapping[str, Values],
    *,
    name: str,
    title: str = "",
    notes: tuple[str, ...] = (),
) -> Task:
    """Return the task with the given outputs, each an array in the order of the rows."""
    shape = Task("", inputs, outputs, dict)
    rule: Rule = _Lookup(shape, columns)
    record = {"table": _record(shape, columns)}
    has_any = any((column == ANY).any() for column in columns.values())
    return Task(
        name=name,
        inputs=inputs,
        outputs=outputs,
        rule=rule,
        title=title or f"{shape.rows} rows of a truth table",
        record=record,
        any_value=ANY if has_any else None,
        notes=notes,
    )


def _record(shape: Task, columns: Mapping[str, Values]) -> dict[str, Any]:
    """Return the canonical record: the words, the packed rows, and the SHA-256 of both.

    For each output word two bit planes in row order: its bits, then whether it matters.
    """
    planes: list[Any] = []
    for word in shape.outputs:
        values = columns[word.name]
        free = np.asarray(values == ANY)
        planes.append(np.packbits(to_bits(np.where(free, 0, values), word.width)))
        planes.append(np.packbits(~free))
    rows = b"".join(plane.tobytes() for plane in planes)
    words: dict[str, Any] = {
        "in": [[w.name, w.width, w.bound] for w in shape.inputs],
        "out": [[w.name, w.width] for w in shape.outputs],
    }
    canonical = json.dumps(words, separators=(",", ":")).encode() + rows
    digest = hashlib.sha256(canonical).hexdigest()
    return {**words, "rows": base64.b64encode(rows).decode("ascii"), "sha256": digest}


def table_from_record(record: Any, *, where: str) -> Task:
    """Return the task stored inline in a network file.

    Raises:
        TaskError: the record is not of the form that :func:`read_table` tasks are stored in.
    """
    refused = TaskError(
        "the inline truth table is damaged", where=where, remedy="build the network again"
    )
    if not isinstance(record, dict) or set(record) != {"in", "out", "rows", "sha256"}:
        raise refused
    try:
        header = [f"in {n}:{w}" + (f"<{b}" if b is not None else "") for n, w, b in record["in"]]
        header += [f"out {n}:{w}" for n, w in record["out"]]
        rows = base64.b64decode(record["rows"], validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise refused from None
    columns_read = header_columns(header, where=where)
    if not all(column.is_full for column in columns_read):
        raise refused
    inputs, outputs = stated_words(columns_read, where=where)
    shape = Task("", inputs, outputs, dict)
    columns: dict[str, Values] = {}
    place = 0
    for word in outputs:
        sizes = [-(-shape.rows * word.width // 8), -(-shape.rows // 8)]
        bits, cares = (
            np.unpackbits(np.frombuffer(rows[start : start + size], dtype=np.uint8), count=count)
            if len(rows) >= start + size
            else None
            for start, size, count in (
                (place, sizes[0], shape.rows * word.width),
                (place + sizes[0], sizes[1], shape.rows),
            )
        )
        if bits is None or cares is None:
            raise refused
        values = from_bits(bits.reshape(shape.rows, word.width))
        columns[word.name] = np.where(cares == 1, values, ANY)
        place += sum(sizes)
    name = f"table:sha256-{str(record['sha256'])[:12]}"
    task = task_of_columns(inputs, outputs, columns, name=name)
    if place != len(rows) or task.record != {"table": record}:
        raise refused
    return task
