"""The hidden units' values row by row, and which units are off on every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.blocks.numbers import compact
from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import Sheet, shortened, width_of
from adderlab.nets import Network, is_exact, trace
from adderlab.nets.truth import FEW, inputs_text, rows_text, rows_to_show
from adderlab.nets.walk import block_of_rows, unit_names, walk
from adderlab.tasks import Task

if TYPE_CHECKING:
    from jaxtyping import Float64
    from matplotlib.figure import Figure

    from adderlab.nets.truth import TruthRow

MOST_UNITS: Final = 24
MOST_ROWS_JUDGED: Final = 4096
MARGIN: Final = 14.0
ROW: Final = 26.0
LINE: Final = 16.0
PALEST, DARKEST = 0.06, 0.45
OFF: Final = "off on every row"


@dataclass(frozen=True, slots=True)
class Activations:
    """What is shown of the hidden units.

    Attributes:
        rows: the rows shown.
        names: the units shown.
        values: of each row and unit shown.
        off: the names of all units that are 0 on every row; ``None`` where that was not looked at.
        note: what was left out; empty if nothing was.
    """

    rows: tuple[TruthRow, ...]
    names: tuple[str, ...]
    values: Float64[np.ndarray, "row unit"]
    off: tuple[str, ...] | None
    note: str


def activations_picture(net: Network, task: Task, *, name: str = "activations") -> Picture | None:
    """Return each hidden unit's value on each row; ``None`` of a network without hidden units.

    The values are written; a larger one is darker, a negative one orange.
    """
    if not net.hidden:
        return None
    shown = activations_of(net, task)
    said = [
        f"{inputs_text(row)}: "
        + ", ".join(
            f"{unit} {compact(value)}" for unit, value in zip(shown.names, values, strict=True)
        )
        + "."
        for row, values in zip(shown.rows, shown.values.tolist(), strict=True)
    ]
    if shown.off is not None:
        said.append(f"Off on every row: {', '.join(shown.off) or 'none'}.")
    title = f"Hidden units of the network for {task.name}, row by row"
    return render(name, title, " ".join(said), lambda: draw_activations(shown, task))


def activations_of(net: Network, task: Task) -> Activations:
    """Return the values of the hidden units on the rows that the truth table shows."""
    shown = rows_to_show(net, task)
    names = tuple(name for column in unit_names(net, task)[1:-1] for name in column)
    if is_exact(net):
        values = _hidden(net, block_of_rows(task, [row.inputs for row in shown.rows]).inputs)
        off = _off_everywhere(net, task, names)
    else:
        ways = [walk(net, task, row.inputs) for row in shown.rows]
        values = np.array(
            [
                [float(unit.value.middle) for layer in way.layers[:-1] for unit in layer.units]
                for way in ways
            ]
        )
        is_off = (values == 0).all(axis=0)
        off = _named(names, is_off) if len(ways) == task.rows else None
    notes: list[str] = []
    if len(shown.rows) < task.rows:
        notes.append(f"{len(shown.rows)} of {rows_text(task.rows)}")
    if len(names) > MOST_UNITS:
        notes.append(f"{MOST_UNITS} of {len(names)} hidden units")
        if off:
            notes.append(f"{len(off)} are off on every row")
    return Activations(
        shown.rows, names[:MOST_UNITS], values[:, :MOST_UNITS], off, ", ".join(notes)
    )


def draw_activations(shown: Activations, task: Task) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`.

    Units stand below one another, because there may be more of them than rows.
    """
    places = 4 if len(shown.rows) <= FEW else 2
    words = [shortened(word.name, 12) for word in task.inputs]
    inputs = [[compact(value) for value in row.inputs.values()] for row in shown.rows]
    cells = [[compact(value, places) for value in unit] for unit in shown.values.T.tolist()]
    off = set(shown.off or ()) & set(shown.names)
    cell = 14 + max(width_of(text) for line in (*cells, *inputs) for text in line)
    cell = max(cell, 30.0)
    left = MARGIN + max(width_of(name, bold=True) for name in (*words, *shown.names)) + 12
    right = left + cell * len(shown.rows)
    width = max(right + (10 + width_of(OFF) if off else 0), MARGIN + width_of(shown.note)) + MARGIN
    top = MARGIN + LINE * len(words) + 5
    bottom = top + ROW * len(cells)
    sheet = Sheet(width, bottom + (LINE + 10 if shown.note else 0) + MARGIN)
    for number, word in enumerate(words):
        y = MARGIN + LINE * (number + 0.5)
        sheet.text(left - 12, y, word, align="right", color="muted")
        for place, line in enumerate(inputs):
            sheet.text(left + cell * (place + 0.5), y, line[number])
    largest = float(np.abs(shown.values).max()) or 1.0
    for number, (name, line, values) in enumerate(
        zip(shown.names, cells, shown.values.T.tolist(), strict=True)
    ):
        y = top + ROW * (number + 0.5)
        sheet.text(left - 12, y, name, align="right", bold=name not in off)
        for place, (text, value) in enumerate(zip(line, values, strict=True)):
            x = left + cell * place
            if value:
                fill = "positive" if value > 0 else "negative"
                opacity = PALEST + (DARKEST - PALEST) * min(abs(value) / largest, 1.0)
                sheet.box(x, y - ROW / 2, cell, ROW, fill=fill, opacity=opacity)
            sheet.text(x + cell / 2, y, text, color="ink" if value else "muted")
        if name in off:
            sheet.text(right + 10, y, OFF, color="muted", align="left")
    for number in range(len(cells) + 1):
        y = top + ROW * number
        sheet.line([(left, y), (right, y)], color="faint", width=0.7)
    for place in range(len(shown.rows) + 1):
        x = left + cell * place
        sheet.line([(x, top), (x, bottom)], color="faint", width=0.7)
    sheet.text(MARGIN, bottom + 8 + LINE / 2, shown.note, align="left", color="muted")
    return sheet.figure


def _hidden(net: Network, bits: np.ndarray) -> Float64[np.ndarray, "row unit"]:
    steps = list(trace(net, bits))[:-1]
    return np.concatenate([step.values.to_floats() for step in steps], axis=1)


def _off_everywhere(net: Network, task: Task, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the units that are exactly 0 on every row; ``None`` for a task of too many rows."""
    if task.rows > MOST_ROWS_JUDGED:
        return None
    is_on = np.zeros(len(names), dtype=bool)
    for block in task.blocks():
        steps = list(trace(net, block.inputs))[:-1]
        values = [np.asarray(step.values.integers != 0).any(axis=0) for step in steps]
        is_on |= np.concatenate(values).astype(bool)
    return _named(names, ~is_on)


def _named(names: tuple[str, ...], which: np.ndarray) -> tuple[str, ...]:
    return tuple(name for name, one in zip(names, which, strict=True) if one)
