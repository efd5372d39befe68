"""A kind of failure as a card: what such a network says row by row, and which units are on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adderlab.blocks.picture import Picture
from adderlab.figures.picture import render
from adderlab.figures.style import drawing_on
from adderlab.figures.table import draw_table, mark, table_size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS: Final = 16
MOST_UNITS: Final = 16
COLUMNS: Final = ("input", "expected", "got", "", "hidden units on")
ON: Final = "●"
OFF: Final = "○"


@dataclass(frozen=True, slots=True)
class FailureRow:
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
class Failure:
    """A kind of failure.

    Attributes:
        title: in one line: how frequent it is.
        rows: of an example; of more than 16 the first wrong ones.
        notes: lines below: what it is caused by.
    """

    title: str
    rows: tuple[FailureRow, ...]
    notes: tuple[str, ...]


def plot_failure(failure: Failure, *, ax: Axes | None = None) -> Axes:
    """Draw the card of a kind of failure.

    Args:
        failure: the kind.
        ax: the axes to draw on; new ones of the right size unless given.

    Examples:
        >>> row = FailureRow("a 1, b 1", "2", "3", is_right=False, on=(True, False))
        >>> ax = plot_failure(Failure("10 % of the networks", (row,), ("dead unit",)))
        >>> ax.tables[0][1, 4].get_text().get_text()
        '● ○'
    """
    rows = shown_rows(failure.rows)
    with drawing_on(ax, size_of(failure), fills=True) as axes:
        return draw_table(
            axes,
            COLUMNS,
            _cells(rows),
            marks=[row.is_right for row in rows],
            title=failure.title,
            notes=failure.notes,
            words=(3, 4),
        )


def failure_picture(failure: Failure, *, name: str) -> Picture:
    """Return :func:`plot_failure` as a picture that says in words what it shows."""
    words = [
        f"{row.inputs}: expected {row.expected}, got {row.got}, "
        f"{'right' if row.is_right else 'wrong'}, units on: {_units(row)}."
        for row in shown_rows(failure.rows)
    ]
    return render(
        name,
        failure.title,
        " ".join([f"{failure.title}.", *words, *(f"{note}." for note in failure.notes)]),
        lambda ax: plot_failure(failure, ax=ax),
        size=size_of(failure),
        fills=True,
    )


def shown_rows(rows: Sequence[FailureRow]) -> list[FailureRow]:
    """Return the rows that fit on a card: all of few, of many the first wrong ones."""
    if len(rows) <= MOST_ROWS:
        return list(rows)
    return [row for row in rows if not row.is_right][:MOST_ROWS]


def size_of(failure: Failure) -> tuple[float, float]:
    """Return the size of a card, in inches."""
    cells = _cells(shown_rows(failure.rows))
    return table_size(COLUMNS, cells, title=failure.title, notes=failure.notes)


def _cells(rows: Sequence[FailureRow]) -> list[list[str]]:
    return [
        [
            row.inputs,
            row.expected,
            row.got,
            mark(row.is_right),
            " ".join(ON if is_on else OFF for is_on in row.on[:MOST_UNITS]),
        ]
        for row in rows
    ]


def _units(row: FailureRow) -> str:
    on = [str(number) for number, is_on in enumerate(row.on, start=1) if is_on]
    return ", ".join(on) or "none"
