"""The hidden units' values row by row, and which units are off on every row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import compact
from adderlab.blocks.picture import PALETTE, Picture
from adderlab.figures.picture import render
from adderlab.figures.style import POINTS, drawing_on, shortened, width_of, written
from adderlab.nets import Network, is_exact, trace
from adderlab.nets.dyadic import nearest_double
from adderlab.nets.truth import FEW, inputs_text, rows_text, rows_to_show
from adderlab.nets.walk import block_of_rows, unit_names, walk
from adderlab.tasks import Task, TaskLike, as_task

if TYPE_CHECKING:
    from jaxtyping import Float64
    from matplotlib.axes import Axes

    from adderlab.nets.truth import TruthRow

MOST_UNITS: Final = 24
MOST_ROWS_JUDGED: Final = 4096
ROW: Final = 26.0
DARKEST: Final = 0.45
SHADES: Final = 128
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


def plot_activations(net: Network, task: TaskLike, *, ax: Axes | None = None) -> Axes:
    """Draw each hidden unit's value on each row, a unit a line.

    The values are written; a larger one is darker, a negative one orange. Units stand below one
    another, because there may be more of them than rows.

    Args:
        net: a network with hidden units.
        task: whose rows are taken, those that its truth table shows.
        ax: the axes to draw on; new ones of the right size unless given.

    Examples:
        >>> import adderlab
        >>> net = adderlab.build("half-adder", method="lecture").network
        >>> ax = plot_activations(net, net.task)
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['h1', 'h2', 'h3']
    """
    task = as_task(task)
    from matplotlib.colors import CenteredNorm, ListedColormap, to_rgba

    shown = activations_of(net, task)
    values = shown.values.T
    places = 4 if len(shown.rows) <= FEW else 2
    off = set(shown.off or ()) & set(shown.names)
    colors = [
        *(to_rgba(PALETTE["negative"], alpha) for alpha in np.linspace(DARKEST, 0, SHADES)),
        *(to_rgba(PALETTE["positive"], alpha) for alpha in np.linspace(0, DARKEST, SHADES)),
    ]
    with drawing_on(ax, size_of(shown)) as axes:
        _ = axes.pcolormesh(
            values,
            cmap=ListedColormap(colors),
            norm=CenteredNorm(halfrange=float(np.abs(values).max()) or 1.0),
            edgecolors=PALETTE["faint"],
            linewidth=0.7,
        )
        for (unit, row), value in np.ndenumerate(values):
            color = PALETTE["ink" if value else "muted"]
            text = written(compact(float(value), places))
            _ = axes.text(
                row + 0.5, unit + 0.5, text, ha="center", va="center_baseline", color=color
            )
        axes.grid(visible=False)
        axes.tick_params(length=0)
        axes.xaxis.tick_top()
        words = [
            "\n".join(f"{shortened(name, 12)} {value}" for name, value in row.inputs.items())
            for row in shown.rows
        ]
        _ = axes.set_xticks(np.arange(len(words)) + 0.5, words, parse_math=False)
        _ = axes.set_yticks(np.arange(len(values)) + 0.5, shown.names, parse_math=False)
        axes.invert_yaxis()
        for side in axes.spines.values():
            side.set_visible(False)
        for unit, name in enumerate(shown.names):
            if name in off:
                where: dict[str, Any] = {
                    "xy": (1, unit + 0.5),
                    "xycoords": axes.get_yaxis_transform(),
                }
                shift: dict[str, Any] = {
                    "xytext": (8, 0),
                    "textcoords": "offset points",
                    "va": "center",
                }
                _ = axes.annotate(OFF, color=PALETTE["muted"], **where, **shift)
        if shown.note:
            _ = axes.set_xlabel(shown.note, loc="left")
        return axes


def activations_picture(
    net: Network, task: TaskLike, *, name: str = "activations"
) -> Picture | None:
    """Return :func:`plot_activations` as a picture; ``None`` of a network without hidden units."""
    task = as_task(task)
    if not net.hidden:
        return None
    shown = activations_of(net, task)
    lines = [
        f"{inputs_text(row)}: "
        + ", ".join(
            f"{unit} {compact(value)}" for unit, value in zip(shown.names, values, strict=True)
        )
        + "."
        for row, values in zip(shown.rows, shown.values.tolist(), strict=True)
    ]
    if shown.off is not None:
        lines.append(f"Off on every row: {', '.join(shown.off) or 'none'}.")
    return render(
        name,
        f"Hidden units of the network for {task.name}, row by row",
        " ".join(lines),
        lambda ax: plot_activations(net, task, ax=ax),
        size=size_of(shown),
    )


def size_of(shown: Activations) -> tuple[float, float]:
    """Return the size in which every number has room, in inches."""
    places = 4 if len(shown.rows) <= FEW else 2
    texts = [compact(value, places) for value in shown.values.ravel().tolist()]
    texts += [
        f"{shortened(name, 12)} {value}" for row in shown.rows for name, value in row.inputs.items()
    ]
    cell = 14 + max(map(width_of, texts), default=20.0)
    names = 24 + max(width_of(name) for name in shown.names)
    note = width_of(OFF) + 16 if shown.off else 0
    words = max((len(row.inputs) for row in shown.rows), default=1)
    height = ROW * len(shown.names) + 15 * words + 24 + (20 if shown.note else 0)
    return (names + cell * len(shown.rows) + note + 8) / POINTS, height / POINTS


def activations_of(net: Network, task: Task) -> Activations:
    """Return the values of the hidden units on the rows that the truth table shows."""
    shown = rows_to_show(net, task)
    columns = unit_names(net, task)
    names = tuple(name for place in net.hidden_layers for name in columns[place + 1])
    if is_exact(net):
        values = _hidden(net, block_of_rows(task, [row.inputs for row in shown.rows]).inputs)
        off = _off_everywhere(net, task, names)
    else:
        ways = [walk(net, task, row.inputs) for row in shown.rows]
        values = np.array(
            [
                [
                    nearest_double(unit.value.middle)
                    for place in net.hidden_layers
                    for unit in way.layers[place].units
                ]
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


def _hidden(net: Network, bits: np.ndarray) -> Float64[np.ndarray, "row unit"]:
    steps = list(trace(net, bits))
    return np.concatenate([steps[place].values.to_floats() for place in net.hidden_layers], axis=1)


def _off_everywhere(net: Network, task: Task, names: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the units that are exactly 0 on every row; ``None`` for a task of too many rows."""
    if task.rows > MOST_ROWS_JUDGED:
        return None
    is_on = np.zeros(len(names), dtype=bool)
    for block in task.blocks():
        steps = list(trace(net, block.inputs))
        hidden = [steps[place].values.integers for place in net.hidden_layers]
        values = [np.asarray(integers != 0).any(axis=0) for integers in hidden]
        is_on |= np.concatenate(values).astype(bool)
    return _named(names, ~is_on)


def _named(names: tuple[str, ...], which: np.ndarray) -> tuple[str, ...]:
    return tuple(name for name, is_named in zip(names, which, strict=True) if is_named)
