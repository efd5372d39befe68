"""The header of a truth table: names, directions and widths, and what people leave out of it.

Rules: what a header states is taken as stated. Missing widths follow from the cells, missing
directions from the rows: the inputs' combinations occur exactly once. What was assumed is noted,
and what has two readings is refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

from adderlab import limits
from adderlab.errors import TaskError
from adderlab.tasks.cells import Content
from adderlab.tasks.grid import Grid
from adderlab.tasks.task import NAME

_FULL: Final = re.compile(
    r"(?:(?P<way>in|out)(?:put)?\s+)?"
    r"(?P<name>[^:<\s]+):(?P<width>[0-9]{1,7})(?:<(?P<bound>[0-9]{1,30}))?\Z",
    re.IGNORECASE,
)
_WAY: Final = re.compile(r"(in|out)(?:put)?s?[\s:]\s*(.+)", re.IGNORECASE)
_PREFIX: Final = re.compile(r"(in|out)(?:put)?s?(?:_.*|[0-9]*)\Z", re.IGNORECASE)
_OUTPUTS: Final = re.compile(
    r"(?:y|z|q|f|sum|carry|cout|(?:carry|c|sum|s|borrow|b)_?out|result|target|label|expected|"
    r"diff|difference|borrow|product|parity|majority)_?[0-9]*\Z",
    re.IGNORECASE,
)
"""Names that outputs usually have; they decide only where the rows agree."""
_MOST_SEARCHED: Final = 12
"""Columns of which all selections are tried."""


@dataclass(frozen=True, slots=True)
class Column:
    """A cell of the header.

    Attributes:
        text: as written.
        name: of the word.
        way: ``in``, ``out``, or empty where it is not stated.
        width: in bits, where it is stated.
        bound: of the values, where it is stated.
        is_full: whether direction and width are both stated.
    """

    text: str
    name: str
    way: str = ""
    width: int | None = None
    bound: int | None = None

    @property
    def is_full(self) -> bool:
        """Whether direction and width are both stated."""
        return bool(self.way) and self.width is not None


def column_of(cell: str) -> Column | None:
    """Return what a cell of the header says; ``None`` where it is no name of a word."""
    full = _FULL.match(cell)
    if full:
        bound = int(full["bound"]) if full["bound"] else None
        return Column(cell, full["name"], (full["way"] or "").lower(), int(full["width"]), bound)
    match = _WAY.match(cell)
    rest = match[2] if match else cell
    name = re.sub(r"[^A-Za-z0-9_]+", "_", rest).strip("_")
    if ":" in rest or "<" in rest or not NAME.match(name):
        return None
    prefix = _PREFIX.match(name)
    way = match[1] if match else prefix[1] if prefix else ""
    return Column(cell, name, way.lower())


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of the columns, to find the inputs among them.

    Attributes:
        grid: the cells.
        columns: what the header says.
        contents: what the cells hold.
    """

    grid: Grid
    columns: Sequence[Column]
    contents: Sequence[Content]

    def enumerates(self, places: Sequence[int]) -> bool:
        """Return whether the values at these places are all combinations, each once."""
        sizes = [self.size(place) for place in places]
        count = len(self.lines)
        if not places or math.prod(sizes) != count:
            return False
        return len(set(self._combinations(places))) == count

    def counts_up(self, places: Sequence[int]) -> bool:
        """Return whether the combinations at these places are in counting order."""
        numbers = list(self._combinations(places))
        return self.enumerates(places) and numbers == sorted(numbers)

    def size(self, place: int) -> int:
        """Return how many values the column at this place has as an input."""
        column, content = self.columns[place], self.contents[place]
        width = column.width
        if column.bound is not None or width is not None:
            return column.bound or 1 << min(width or 0, 64)
        return content.size

    @property
    def lines(self) -> list[list[str]]:
        """The cells of the lines that have as many as the header; others are named later."""
        width = len(self.grid.header)
        return [cells for _, cells in self.grid.lines if len(cells) == width]

    def _combinations(self, places: Sequence[int]) -> list[tuple[int, ...]]:
        read = [(place, self.contents[place].reader) for place in places]
        rows = [
            [reader(cells[place]) for place, reader in read] for cells in limits.each(self.lines)
        ]
        return [
            tuple(number for number in row if number is not None) for row in rows if None not in row
        ]


def with_ways(
    grid: Grid,
    columns: Sequence[Column],
    contents: Sequence[Content],
    *,
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> tuple[list[Column], str]:
    """Return the columns, each with its direction, and why, where it is not stated.

    Raises:
        TaskError: a name is not in the header, or there are two readings or none.
    """
    if inputs or outputs:
        return _as_named(grid, columns, inputs, outputs), ""
    unknown = [place for place, column in enumerate(columns) if not column.way]
    if not unknown:
        return list(columns), ""
    ways = {column.way for column in columns if column.way}
    if len(ways) == 1:
        (way,) = ways
        other = "out" if way == "in" else "in"
        return _filled(columns, dict.fromkeys(unknown, other)), f"as the {way}puts are marked"
    rows = _Rows(grid, columns, contents)
    if ways:
        stated = [place for place, column in enumerate(columns) if column.way == "in"]
        is_out, is_in = rows.enumerates(stated), rows.enumerates(sorted([*stated, *unknown]))
        if is_out == is_in:
            raise _ambiguous(grid, columns, "some columns are marked and some are not")
        filled = _filled(columns, dict.fromkeys(unknown, "out" if is_out else "in"))
        return filled, "as those inputs occur in every combination once"
    places, reason = _inputs_of(rows)
    chosen = {place: "in" if place in places else "out" for place in unknown}
    return _filled(columns, chosen), reason


def _filled(columns: Sequence[Column], ways: dict[int, str]) -> list[Column]:
    return [
        replace(column, way=ways.get(place, column.way)) for place, column in enumerate(columns)
    ]


def _as_named(
    grid: Grid, columns: Sequence[Column], inputs: Sequence[str], outputs: Sequence[str]
) -> list[Column]:
    """Return the columns with the directions that the caller names; others are left out."""
    known = {name: column for column in columns for name in (column.name, column.text)}
    unknown = [name for name in (*inputs, *outputs) if name not in known]
    both = sorted({known[n].name for n in inputs if n in known} & {
        known[n].name for n in outputs if n in known
    })  # fmt: skip
    if unknown or both:
        names = ", ".join(column.name for column in columns)
        what = f"no column is named {', '.join(unknown)}"
        if not unknown:
            what = f"{', '.join(both)} is named as an input and as an output"
        raise TaskError(what, where=grid.where, remedy=f"there are {names}")
    ins = {known[name].name for name in inputs}
    outs = {known[name].name for name in outputs}
    ways = [
        "in" if column.name in ins else "out" if column.name in outs else "" for column in columns
    ]
    if not (ins and outs):
        ways = [way or ("out" if ins else "in") for way in ways]
    return [replace(column, way=way) for column, way in zip(columns, ways, strict=True)]


def _inputs_of(rows: _Rows) -> tuple[tuple[int, ...], str]:
    """Return the places of the inputs where no direction is stated, and why it is these."""
    count = len(rows.columns)
    named = _named_as_inputs(rows.columns)
    by_name = tuple(named) if 0 < len(named) < count else ()
    if rows.enumerates(by_name):
        return by_name, "by their names"
    leading = [tuple(range(k)) for k in range(1, count) if rows.enumerates(range(k))]
    reason = "as those inputs occur in every combination once"
    if len(leading) == 1:
        (first,) = leading
        last = tuple(range(count - len(first), count))
        if rows.counts_up(last) and not rows.counts_up(first):
            raise _ambiguous(
                rows.grid, rows.columns, "the first columns and the last may be inputs"
            )
        return first, reason
    if len(leading) > 1:
        raise _ambiguous(rows.grid, rows.columns, "more or fewer of the first may be inputs")
    selections = (
        [
            places
            for size in range(1, count)
            for places in combinations(range(count), size)
            if rows.enumerates(places)
        ]
        if count <= _MOST_SEARCHED
        else []
    )
    if len(selections) == 1:
        return selections[0], reason
    if by_name and not selections:
        return by_name, "by their names"  # the rows that are missing or repeated are named next
    short = next((line for line, cells in rows.grid.lines if len(cells) != count), None)
    if short is not None and not selections:
        raise TaskError(
            f"{count} values are needed ({rows.grid.unit} {short})",
            where=rows.grid.where,
            remedy=f"correct this {rows.grid.unit}",
        )
    why = "several selections of columns" if selections else "no columns"
    raise _ambiguous(rows.grid, rows.columns, f"{why} have every combination exactly once")


def _named_as_inputs(columns: Sequence[Column]) -> list[int]:
    """Return the places of columns that are neither named nor written as outputs usually are."""
    names = {column.name for column in columns}
    parts = [names.intersection(re.findall(r"\w+", c.text)) - {c.text} for c in columns]
    operands: set[str] = set().union(*parts)  # of a heading like "p xor q"
    return [
        place
        for place, column in enumerate(columns)
        if column.name in operands or not (parts[place] or _OUTPUTS.match(column.name))
    ]


def _ambiguous(grid: Grid, columns: Sequence[Column], why: str) -> TaskError:
    names = ",".join(column.name for column in columns[:-1]) or "a"
    remedy = f"write in and out before the names, or inputs={names}"
    if grid.unit == "line":
        remedy = f"write in and out before the names, or table:{grid.where}:inputs={names}"
    return TaskError(
        f"inputs and outputs can't be told apart: {why}", where=grid.where, remedy=remedy
    )
