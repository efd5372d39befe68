"""The truth table as a figure: expected and got, raw outputs, right or wrong by mark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adderlab.blocks.numbers import decimal, fixed
from adderlab.blocks.picture import Picture
from adderlab.figures.picture import render
from adderlab.figures.style import drawing_on, shortened
from adderlab.figures.table import draw_table, mark, table_size
from adderlab.nets import Network
from adderlab.nets.truth import ShownRows, TruthRow, bits_text, inputs_text, rows_to_show
from adderlab.tasks import Task, TaskLike, as_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_RAW: Final = 8
"""Outputs up to which the raw values are written; of more, the worst distance to the threshold."""


def plot_truth_table(net: Network, task: TaskLike, *, ax: Axes | None = None) -> Axes:
    """Draw the truth table of a network: all of up to 16 rows, else the first wrong ones.

    Args:
        net: any network.
        task: what it is judged by.
        ax: the axes to draw on; new ones of the right size unless given.

    Examples:
        >>> import adderlab
        >>> net = adderlab.build("half-adder", method="lecture").network
        >>> ax = plot_truth_table(net, net.task)
        >>> ax.tables[0][4, 3].get_text().get_text()
        '11'
    """
    task = as_task(task)
    shown = rows_to_show(net, task)
    columns, rows = _columns(shown, task), _rows(shown, task)
    notes = [shown.note] if shown.note else []
    with drawing_on(ax, size_of(shown, task), fills=True) as axes:
        marks = [row.is_right for row in shown.rows] if shown.is_judged else ()
        words = [len(columns) - 1] if shown.is_judged else []
        return draw_table(axes, columns, rows, marks=marks, notes=notes, words=words)


def truth_table_picture(net: Network, task: TaskLike, *, name: str = "truth-table") -> Picture:
    """Return :func:`plot_truth_table` as a picture that says in words what it shows."""
    task = as_task(task)
    shown = rows_to_show(net, task)
    words = [
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
        " ".join([f"{shown.note}.".capitalize(), *words] if shown.note else words),
        lambda ax: plot_truth_table(net, task, ax=ax),
        size=size_of(shown, task),
        fills=True,
    )


def size_of(shown: ShownRows, task: Task) -> tuple[float, float]:
    """Return the size of the table, in inches."""
    notes = [shown.note] if shown.note else []
    return table_size(_columns(shown, task), _rows(shown, task), notes=notes)


def _columns(shown: ShownRows, task: Task) -> list[str]:
    columns = [shortened(word.name, 12) for word in task.inputs]
    columns += ["expected", "got"] if shown.is_judged else []
    if task.n_out <= MOST_RAW:
        columns += [shortened(bit, 12) for bit in task.output_bits]
    else:
        columns += ["distance"]
    return [*columns, *([""] if shown.is_judged else [])]


def _rows(shown: ShownRows, task: Task) -> list[list[str]]:
    return [_cells(row, shown, task) for row in shown.rows]


def _cells(row: TruthRow, shown: ShownRows, task: Task) -> list[str]:
    cells = [decimal(value) for value in row.inputs.values()]
    if shown.is_judged:
        cells += [bits_text(task, row.expected, "*"), bits_text(task, row.got, "?")]
    distance = shown.distance(row)
    if task.n_out <= MOST_RAW:
        cells += map(fixed, row.raw)
    else:
        cells.append("" if distance is None else fixed(distance))
    return [*cells, *([mark(row.is_right)] if shown.is_judged else [])]
