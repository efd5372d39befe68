"""The truth table as a figure: expected and got, raw outputs, right or wrong by mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adderlab.blocks.numbers import decimal, fixed
from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import Sheet, shortened, width_of
from adderlab.nets import Network
from adderlab.nets.truth import ShownRows, TruthRow, bits_text, inputs_text, rows_to_show
from adderlab.tasks import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ROW: Final = 24.0
MARGIN: Final = 14.0
GAP: Final = 26.0
MOST_RAW: Final = 8
"""Outputs up to which the raw values are written; of more, the worst distance to the threshold."""


def truth_table_picture(net: Network, task: Task, *, name: str = "truth-table") -> Picture:
    """Return the truth table of a network: all of up to 16 rows, else the first wrong ones."""
    shown = rows_to_show(net, task)
    said = [
        f"{inputs_text(row)}: "
        + (
            f"expected {bits_text(task, row.expected, '*')}, "
            f"got {bits_text(task, row.got, '?')}, {'right' if row.is_right else 'wrong'}"
            if shown.is_judged
            else ""
        )
        + (f", outputs {', '.join(map(decimal, row.raw))}." if task.n_out <= MOST_RAW else ".")
        for row in shown.rows
    ]
    return render(
        name,
        f"Truth table of the network for {task.name}",
        " ".join([f"{shown.note}.".capitalize(), *said] if shown.note else said),
        lambda: draw_truth_table(shown, task),
    )


def draw_truth_table(shown: ShownRows, task: Task) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    headings = [shortened(word.name, 12) for word in task.inputs]
    if shown.is_judged:
        headings += ["expected", "got"]
    if task.n_out <= MOST_RAW:
        headings += [shortened(bit, 12) for bit in task.output_bits]
    else:
        headings += ["distance"]
    cells = [_cells(row, shown, task) for row in shown.rows]
    widths = [
        max(width_of(heading, bold=True), *(width_of(line[place], bold=True) for line in cells))
        for place, heading in enumerate(headings)
    ]
    mark = width_of("wrong", bold=True) + 20 if shown.is_judged else 0.0
    width = 2 * MARGIN + sum(widths) + GAP * (len(widths) - 1) + (GAP + mark if mark else 0)
    width = max(width, width_of(shown.note) + 2 * MARGIN)
    top = MARGIN + ROW
    sheet = Sheet(width, top + ROW * len(cells) + (ROW if shown.note else 0.0) + MARGIN / 2)
    ends = [MARGIN + sum(widths[: i + 1]) + GAP * i for i in range(len(widths))]
    for x, heading in zip(ends, headings, strict=True):
        sheet.text(x, top - ROW / 2, heading, align="right", color="muted")
    sheet.line([(MARGIN, top), (width - MARGIN, top)], color="ink")
    for number, (row, line) in enumerate(zip(shown.rows, cells, strict=True)):
        y = top + ROW * (number + 0.5)
        wrong = shown.is_judged and not row.is_right
        if wrong:
            left = MARGIN / 2
            sheet.box(left, y - ROW / 2, width - 2 * left, ROW, fill="wrong", opacity=0.1)
        for x, cell in zip(ends, line, strict=True):
            sheet.text(x, y, cell, align="right", bold=wrong)
        if shown.is_judged:
            sheet.mark(ends[-1] + GAP + 5, y, right=row.is_right)
            if wrong:
                sheet.text(ends[-1] + GAP + 17, y, "wrong", align="left", color="wrong", bold=True)
        if number < len(cells) - 1:
            bottom = y + ROW / 2
            sheet.line([(MARGIN, bottom), (width - MARGIN, bottom)], color="faint", width=0.7)
    bottom = top + ROW * len(cells)
    sheet.line([(MARGIN, bottom), (width - MARGIN, bottom)], color="ink")
    sheet.text(MARGIN, bottom + ROW / 2 + 2, shown.note, align="left", color="muted")
    return sheet.figure


def _cells(row: TruthRow, shown: ShownRows, task: Task) -> list[str]:
    cells = [decimal(value) for value in row.inputs.values()]
    if shown.is_judged:
        cells += [bits_text(task, row.expected, "*"), bits_text(task, row.got, "?")]
    if task.n_out <= MOST_RAW:
        return [*cells, *map(fixed, row.raw)]
    distance = shown.distance(row)
    return [*cells, "" if distance is None else fixed(distance)]
