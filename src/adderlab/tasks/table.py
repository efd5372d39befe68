"""Truth tables: a task given row by row, in a CSV file or inside a network file.

Rule: every input of the domain occurs in the table exactly once; a table that breaks this is
refused whole, with all of its faulty rows named at once.
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from adderlab.bits import Values, from_bits, integer_dtype, to_bits
from adderlab.blocks.numbers import counted
from adderlab.errors import TaskError
from adderlab.reading import Refusals, read_file
from adderlab.tasks.task import NAME, Rule, Task, Word, whole_number

LARGEST_FILE_BYTES: Final = 64 << 20
LARGEST_ROWS: Final = 1 << 24
LARGEST_OUTPUT_BITS: Final = 1 << 16
ANY: Final = -1
"""Stands for ``*`` in a column of outputs."""

_HEADER: Final = re.compile(
    r"(?P<way>in|out)\s+(?P<name>[^:<\s]+):(?P<width>[0-9]{1,7})(?:<(?P<bound>[0-9]{1,30}))?\Z"
)


def read_table(path: str | Path) -> Task:
    """Return the task that a CSV file spells out.

    The header names the words with direction and width, optionally a bound
    (``in a:2,in d:4<10,out c:3``); each line holds whole numbers (decimal, ``0b…``, ``0x…``);
    ``*`` in an output means any value.

    Raises:
        TaskError: the file is missing, not a regular file, over 64 MiB, not CSV of this form,
            or lacks, repeats or mistypes rows; all faulty rows are named.
    """
    where = str(path) or "table:"
    refusals = Refusals(
        TaskError, "give a CSV file", "split the task into smaller tables", where, ending=".csv"
    )
    raw = read_file(path, LARGEST_FILE_BYTES, refusals)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise TaskError(
            f"byte {error.start} is not UTF-8 text", where=where, remedy="save it as UTF-8"
        ) from None
    return parse_table(text, where=where)


def parse_table(text: str, *, where: str) -> Task:
    """Return the task that CSV text spells out; see :func:`read_table`."""
    try:
        lines = [
            (reader_line, [cell.strip() for cell in cells])
            for reader_line, cells in _numbered(text)
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error as error:
        raise TaskError(f"not CSV ({error})", where=where, remedy="separate by commas") from None
    if not lines:
        raise TaskError("the file is empty", where=where, remedy="begin with in a:1,in b:1,out c:2")
    line, header = lines[0]
    inputs, outputs = _words(header, where=f"{where} line {line}")
    places = sorted(range(len(header)), key=lambda place: header[place].startswith("out"))
    columns = _columns(inputs, outputs, lines[1:], places, where=where)
    return _task(inputs, outputs, columns, where=where)


def _numbered(text: str) -> Iterable[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text), strict=True)
    for cells in reader:
        yield reader.line_num, cells


def _words(header: list[str], *, where: str) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Return the input and output words that the header names, or raise with all its faults."""
    inputs: list[Word] = []
    outputs: list[Word] = []
    faults: list[str] = []
    for cell in header:
        match = _HEADER.match(cell)
        if match is None:
            faults.append(f"{cell!r} is not of the form 'in a:2', 'in d:4<10' or 'out c:3'")
            continue
        bound = match["bound"] and int(match["bound"])
        word = Word(match["name"], int(match["width"]), bound or None)
        if not NAME.match(word.name):
            faults.append(f"{word.name!r} is not a name of letters, digits and _")
        elif word.width < 1:
            faults.append(f"{word.name} must be at least 1 bit wide")
        elif word.bound is not None and word.bound > 1 << word.width:
            faults.append(f"{word.name} can't reach {word.bound} in {counted(word.width, 'bit')}")
        elif bound == 0 or (word.bound is not None and match["way"] == "out"):
            faults.append(f"{cell!r}: a bound is at least 1, and of an input")
        (inputs if match["way"] == "in" else outputs).append(word)
    names = [word.name for word in (*inputs, *outputs)]
    faults += sorted({f"{name} is named twice" for name in names if names.count(name) > 1})
    if not faults and not (inputs and outputs):
        faults.append("at least one 'in' and one 'out' word are needed")
    bits = sum(word.width for word in inputs)
    if not faults and (bits > 60 or Task("", tuple(inputs), (), dict).rows > LARGEST_ROWS):
        faults.append(f"a domain of {bits} input bits is beyond {LARGEST_ROWS} rows")
    bits = sum(word.width for word in outputs)
    if not faults and bits > LARGEST_OUTPUT_BITS:
        faults.append(f"{bits} output bits are beyond {LARGEST_OUTPUT_BITS}")
    if faults:
        raise TaskError(", and ".join(faults), where=where, remedy="correct the header")
    return tuple(inputs), tuple(outputs)


def _columns(
    inputs: tuple[Word, ...],
    outputs: tuple[Word, ...],
    lines: list[tuple[int, list[str]]],
    places: list[int],
    *,
    where: str,
) -> dict[str, Values]:
    """Return each output's values in row order, or raise with every faulty line.

    ``places`` says at which place of a line each word stands, the inputs first.
    """
    words = (*inputs, *outputs)
    shape = Task("", inputs, outputs, dict)
    columns: dict[str, Values] = {}
    if sum(len(cells) == len(words) for _, cells in lines) >= shape.rows:  # else some are missing
        for word in outputs:
            columns[word.name] = np.full(shape.rows, ANY, dtype=integer_dtype(word.width))
    is_given = np.zeros(shape.rows, dtype=bool)
    faults: dict[str, list[int]] = {}
    for line, cells in lines:
        if len(cells) != len(words):
            faults.setdefault(
                f"{counted(len(words), 'value')} {'is' if len(words) == 1 else 'are'} needed", []
            ).append(line)
            continue
        values: dict[str, int] = {}
        for word, place in zip(words, places, strict=True):
            cell = cells[place]
            value = ANY if cell == "*" and word in outputs else whole_number(cell)
            if value is None:
                faults.setdefault(f"{word.name} is not a whole number", []).append(line)
            elif value >= word.size:
                faults.setdefault(f"{word.name} is outside {word.span}", []).append(line)
            else:
                values[word.name] = value
        if len(values) < len(words):
            continue
        index = shape.index_of(values)
        if is_given[index]:
            faults.setdefault("the input is in an earlier line too", []).append(line)
            continue
        is_given[index] = True
        for name, column in columns.items():
            column[index] = values[name]
    problems = [
        f"{rule} ({'lines' if len(at) > 1 else 'line'} {_listed(at)})"
        for rule, at in faults.items()
    ]
    missing = np.flatnonzero(~is_given)
    if missing.size and not faults:
        rows = [",".join(map(str, shape.row(int(i)).inputs.values())) for i in missing[:5]]
        more = f" and {missing.size - 5} more" if missing.size > 5 else ""
        problems.append(
            f"{missing.size} of {shape.rows} inputs are missing: {' '.join(rows)}{more}"
        )
    if problems:
        raise TaskError("; ".join(problems), where=where, remedy="correct these lines")
    return columns


def _listed(numbers: list[int]) -> str:
    """Return ascending numbers as text, runs joined: ``3, 5-9``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)


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


def _task(
    inputs: tuple[Word, ...],
    outputs: tuple[Word, ...],
    columns: Mapping[str, Values],
    *,
    where: str,
) -> Task:
    shape = Task("", inputs, outputs, dict)
    rule: Rule = _Lookup(shape, columns)
    record = {"table": _record(shape, columns)}
    has_any = any((column == ANY).any() for column in columns.values())
    return Task(
        name=f"table:{where}",
        inputs=inputs,
        outputs=outputs,
        rule=rule,
        title=f"{shape.rows} rows of a truth table",
        record=record,
        any_value=ANY if has_any else None,
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
    inputs, outputs = _words(header, where=where)
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
    task = _task(inputs, outputs, columns, where=f"sha256-{str(record['sha256'])[:12]}")
    if place != len(rows) or task.record != {"table": record}:
        raise refused
    return task
