"""A kind of failure as a card: what such a network says row by row, and which units are on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import SIZE, Sheet, width_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARGIN: Final = 14.0
ROW: Final = 22.0
GAP: Final = 22.0
UNIT: Final = 16.0
MOST_ROWS: Final = 16
MOST_UNITS: Final = 16


@dataclass(frozen=True, slots=True)
class KindRow:
    """One row of such a network's truth table.

    Attributes:
        inputs: the input words.
        expected: what they should give.
        got: what they give.
        is_right: whether that is right.
        on: for each hidden unit whether it is on there.
    """

    inputs: str
    expected: str
    got: str
    is_right: bool
    on: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of failure.

    Attributes:
        title: in one line: how frequent it is.
        rows: of an example; of more than 16 the first wrong ones.
        notes: lines below: what it is caused by.
    """

    title: str
    rows: tuple[KindRow, ...]
    notes: tuple[str, ...]


def kind_picture(kind: Kind, *, name: str) -> Picture:
    """Return the card of a kind of failure."""
    rows = shown_rows(kind.rows)
    said = [
        f"{row.inputs}: expected {row.expected}, got {row.got}, "
        f"{'right' if row.is_right else 'wrong'}, units on: {_units(row)}."
        for row in rows
    ]
    text = " ".join([f"{kind.title}.", *said, *(f"{note}." for note in kind.notes)])
    return render(name, kind.title, text, lambda: draw_kind(kind))


def shown_rows(rows: Sequence[KindRow]) -> list[KindRow]:
    """Return the rows that fit on a card: all of few, of many the first wrong ones."""
    if len(rows) <= MOST_ROWS:
        return list(rows)
    return [row for row in rows if not row.is_right][:MOST_ROWS]


def draw_kind(kind: Kind) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    rows = shown_rows(kind.rows)
    units = min(max((len(row.on) for row in rows), default=0), MOST_UNITS)
    headings = ("input", "expected", "got")
    cells = [(row.inputs, row.expected, row.got) for row in rows]
    widths = [
        max(width_of(heading), *(width_of(cell[place], bold=True) for cell in cells))
        for place, heading in enumerate(headings)
    ]
    ends = [MARGIN + sum(widths[: place + 1]) + GAP * place for place in range(3)]
    mark = ends[-1] + 16
    first = mark + 14 + GAP
    lines = [(kind.title, True), *((note, False) for note in kind.notes)]
    wide = max(width_of(text, bold=bold) for text, bold in lines)
    units_name = "hidden units on"
    table = first + max(units * UNIT, width_of(units_name))
    top = MARGIN + ROW + ROW
    height = top + ROW * len(rows) + (8 + 16.0 * len(kind.notes) if kind.notes else 0) + MARGIN
    sheet = Sheet(max(table, MARGIN + wide) + MARGIN, height)
    sheet.text(MARGIN, MARGIN + SIZE / 2, kind.title, bold=True, align="left")
    for x, heading in zip(ends, headings, strict=True):
        sheet.text(x, top - ROW / 2, heading, align="right", color="muted")
    sheet.text(first - UNIT / 2 + 4, top - ROW / 2, units_name, align="left", color="muted")
    sheet.line([(MARGIN, top), (table, top)])
    for number, (row, line) in enumerate(zip(rows, cells, strict=True)):
        y = top + ROW * (number + 0.5)
        if not row.is_right:
            left = MARGIN / 2
            sheet.box(left, y - ROW / 2, table - left, ROW, fill="wrong", opacity=0.1)
        for x, cell in zip(ends, line, strict=True):
            sheet.text(x, y, cell, align="right", bold=not row.is_right)
        sheet.mark(mark, y, right=row.is_right)
        for unit, is_on in enumerate(row.on[:units]):
            fill = "positive" if is_on else "paper"
            sheet.circle(first + UNIT * unit + 2, y, 5, fill=fill, edge="positive")
    y = top + ROW * len(rows) + 8
    for note in kind.notes:
        y += 16.0
        sheet.text(MARGIN, y - 8, note, align="left", color="muted")
    return sheet.figure


def _units(row: KindRow) -> str:
    on = [str(number) for number, is_on in enumerate(row.on, start=1) if is_on]
    return ", ".join(on) or "none"
