"""The network as a figure: units in columns, weights on the edges, one row's values if given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import compact, decimal
from adderlab.blocks.picture import PALETTE, Picture
from adderlab.figures.graph import LINE, Graph, is_drawn, lay_out, lines_at
from adderlab.figures.layers import draw_layers, layers_size
from adderlab.figures.picture import render
from adderlab.figures.style import (
    MARKS,
    POINTS,
    SIZE,
    drawing_on,
    scale_of,
    shortened,
    width_of,
    written,
)
from adderlab.nets import Network
from adderlab.nets.walk import Enclosed, Walk, nameless_task, unit_names, walk
from adderlab.nets.walk_blocks import readout_text, value_text
from adderlab.tasks import Task, as_task
from adderlab.tasks.wording import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN: Final = 14.0
DASHES: Final = (0, (2.8, 1.7))
SPELLED_OUT: Final = 8
"""Units a layer up to which the description says every sum."""


def plot_network(
    net: Network,
    task: Task | str | None = None,
    *,
    row: Mapping[str, int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a network with its weights.

    Positive weights are solid, negative ones dashed; a thicker edge is a larger weight. Up to
    8 units a layer the numbers are written; beyond 64 the layers are drawn as blocks.

    Args:
        net: any network.
        task: gives inputs and outputs their names; the network's own unless given.
        row: input words; each unit's value on them is written at it. Not in blocks.
        ax: the axes to draw on; new ones of the right size unless given.

    Returns:
        The axes, their unit a point, y downward.

    Raises:
        TaskError: the task does not fit, or ``row`` is none of its inputs.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> ax = plot_network(lecture, row={"a": 1, "b": 1})
        >>> ax.axison
        False
    """
    task = as_task(task) if task is not None else None
    target, way = _target(net, task, row)
    if not is_drawn(net):
        with drawing_on(ax, layers_size(net), fills=True) as axes:
            return draw_layers(net, axes)
    sheet = _sheet(net, target, way)
    with drawing_on(ax, sheet.size, fills=True) as axes:
        return _draw(sheet, axes)


def network_picture(
    net: Network,
    task: Task | str | None = None,
    *,
    row: Mapping[str, int] | None = None,
    name: str = "network",
) -> Picture:
    """Return :func:`plot_network` as a picture that says in words what it shows."""
    task = as_task(task) if task is not None else None
    target, way = _target(net, task, row)
    title = f"Network {net.shape}, {target.name}"
    return render(
        name,
        title if way is None else f"{title}, on {named(way.input)}",
        _described(net, target, way),
        lambda ax: plot_network(net, target, row=row, ax=ax),
        size=network_size(net, target, row),
        fills=True,
    )


def network_size(
    net: Network, task: Task | None = None, row: Mapping[str, int] | None = None
) -> tuple[float, float]:
    """Return the size in which a network is drawn without anything over anything, in inches."""
    target, way = _target(net, task, row)
    return _sheet(net, target, way).size if is_drawn(net) else layers_size(net)


def _target(
    net: Network, task: Task | None, row: Mapping[str, int] | None
) -> tuple[Task, Walk | None]:
    target = task or net.task or nameless_task(net)
    net.check_fits(target)
    return target, walk(net, target, row) if row is not None and is_drawn(net) else None


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """A network laid out with its texts, measured in points.

    Attributes:
        net: the network.
        way: a row's way through it, if one is shown.
        graph: where units and edges stand.
        values: of each column, the units' values.
        names: of each column, the units' names.
        inside: for each column whether the names stand within the units.
        rims: how far from a unit's middle its name reaches, by column.
        verdicts: the lines to the right of each output.
        left: where the first column stands.
        top: where the highest unit stands.
        width: of the drawing.
        height: of the drawing.
    """

    net: Network
    way: Walk | None
    graph: Graph
    values: list[list[Enclosed]]
    names: list[list[str]]
    inside: list[bool]
    rims: list[float]
    verdicts: list[list[str]]
    left: float
    top: float
    width: float
    height: float

    @property
    def size(self) -> tuple[float, float]:
        """In inches."""
        return self.width / POINTS, self.height / POINTS

    @property
    def texts(self) -> list[list[str]]:
        """The values as they are written."""
        return [[_text(value) for value in column] for column in self.values]


def _sheet(net: Network, task: Task, way: Walk | None) -> _Sheet:
    values = _values(way)
    graph = lay_out(net, [[_text(value) for value in column] for column in values])
    style = graph.style
    names = [[shortened(name) for name in column] for column in unit_names(net, task)]
    inside = [
        style.has_names and max(map(width_of, column)) <= 2 * style.radius - 4 for column in names
    ]
    rims = [
        style.radius + (0 if is_in else 6 + max(map(width_of, column)))
        for is_in, column in zip(inside, names, strict=True)
    ]
    captions = [_caption(net, place) for place in range(len(names))]
    verdicts = _verdicts(way)
    left = max(rims[0], *(width_of(line) / 2 for line in captions[0]))
    right = max(
        rims[-1],
        *(width_of(line) / 2 for line in captions[-1]),
        *(rims[-1] + 34 + width_of(line, bold=True) for lines in verdicts for line in lines),
    )
    width = left + style.gap * (len(names) - 1) + right
    key = sum(30 + width_of(text) for text in ("positive", "negative")) + 18
    around = style.radius + LINE * (int(style.places is not None) + int(way is not None)) + 12
    top = MARGIN + LINE * max(map(len, captions)) + around
    return _Sheet(
        net=net,
        way=way,
        graph=graph,
        values=values,
        names=names,
        inside=inside,
        rims=rims,
        verdicts=verdicts,
        left=MARGIN + left,
        top=top,
        width=float(np.ceil(max(width, key) + 2 * MARGIN)),
        height=float(np.ceil(top + graph.height + around + LINE + MARGIN)),
    )


def _draw(sheet: _Sheet, ax: Axes) -> Axes:
    graph, style = sheet.graph, sheet.graph.style
    _ = ax.set(xlim=(0, sheet.width), ylim=(sheet.height, 0), aspect="equal")
    ax.set_axis_off()
    middle = sheet.top + graph.height / 2
    _draw_edges(sheet, ax, middle)
    texts = sheet.texts
    for place, column in enumerate(sheet.names):
        x = sheet.left + place * style.gap
        for number, line in enumerate(_caption(sheet.net, place)):
            _write(ax, x, MARGIN + LINE * (number + 0.5), line, color="muted")
        for unit, name in enumerate(column):
            y = middle + graph.columns[place][unit]
            is_on = bool(sheet.values) and not _is_zero(sheet.values[place][unit])
            _draw_unit(sheet, ax, x, y, is_on=is_on)
            lines = lines_at(y - middle, style.radius)
            if sheet.values and style.has_names:
                _write(ax, x, y + lines[0], texts[place][unit], bold=True, halo=True)
                lines = lines[1:]
            if graph.biases[place][unit]:
                bias = graph.biases[place][unit]
                _write(ax, x, y + lines[0], bias, color="muted", halo=True)
            if sheet.inside[place]:
                _write(ax, x, y, name)
            elif place == 0:
                _write(ax, x - style.radius - 6, y, name, align="right")
            elif place == len(sheet.names) - 1:
                _write(ax, x + style.radius + 6, y, name, align="left")
    _draw_verdicts(sheet, ax, middle)
    _draw_key(sheet, ax)
    return ax


def _draw_edges(sheet: _Sheet, ax: Axes, middle: float) -> None:
    """Draw the edges with their weights; faint where the unit they come from is 0."""
    graph = sheet.graph
    has_numbers = graph.style.places is not None
    for place, (rows, weights) in enumerate(zip(graph.edges, graph.weights, strict=True)):
        largest = float(abs(weights).max()) or 1.0
        spots = iter(graph.labels[place] if graph.labels is not None else ())
        for unit, row in enumerate(rows):
            for source, edge in enumerate(row):
                value = float(weights[unit, source])
                xs = [sheet.left + edge.start[0], sheet.left + edge.end[0]]
                ys = [middle + edge.start[1], middle + edge.end[1]]
                if not value:
                    _ = ax.plot(xs, ys, color=PALETTE["faint"], linewidth=0.6, linestyle="-")
                    continue
                share = abs(value) / largest
                strength = 1.0 if has_numbers else 0.2 + 0.6 * share
                if sheet.values and _is_zero(sheet.values[place][source]):
                    strength *= 0.3
                _ = ax.plot(
                    xs,
                    ys,
                    color=PALETTE["positive" if value > 0 else "negative"],
                    linewidth=0.9 + 2.1 * share if has_numbers else 0.4 + 1.2 * share,
                    linestyle="-" if value > 0 else DASHES,
                    alpha=strength,
                )
                if edge.label and graph.labels is not None:
                    x, y = next(spots)
                    _write(ax, sheet.left + x, middle + y, edge.label, halo=True)


def _draw_unit(sheet: _Sheet, ax: Axes, x: float, y: float, *, is_on: bool) -> None:
    """Draw a unit, filled where its value is not 0."""
    from matplotlib.patches import Circle

    style = sheet.graph.style
    rim: dict[str, Any] = {"edgecolor": PALETTE["ink"], "linewidth": 1.2}
    circle = Circle((x, y), style.radius, facecolor=PALETTE["paper"], zorder=3, **rim)
    _ = ax.add_patch(circle)
    if is_on:
        shade = 0.25 if style.has_names else 1.0
        fill = Circle((x, y), style.radius, color=PALETTE["positive"], alpha=shade, zorder=4)
        _ = ax.add_patch(fill)


def _draw_verdicts(sheet: _Sheet, ax: Axes, middle: float) -> None:
    """Write right of each output how it is read, and below what was expected, with its mark."""
    if sheet.way is None:
        return
    x = sheet.left + sheet.graph.style.gap * (len(sheet.names) - 1) + sheet.rims[-1] + 10
    for unit, (lines, output) in enumerate(zip(sheet.verdicts, sheet.way.outputs, strict=True)):
        y = middle + sheet.graph.columns[-1][unit]
        _write(ax, x, y - LINE / 2 * (len(lines) - 1), lines[0], align="left")
        if len(lines) > 1:
            is_bold = not output.is_right
            _write(ax, x, y + LINE / 2, lines[1], align="left", bold=is_bold)
            end = x + width_of(lines[1], bold=is_bold) + 6
            color = "right" if output.is_right else "wrong"
            mark = MARKS[bool(output.is_right)]
            _write(ax, end, y + LINE / 2, mark, align="left", color=color, bold=True)


def _draw_key(sheet: _Sheet, ax: Axes) -> None:
    x, y = MARGIN, sheet.height - MARGIN - LINE / 2
    for text, dashes in (("positive", "-"), ("negative", DASHES)):
        _ = ax.plot([x, x + 24], [y, y], color=PALETTE[text], linewidth=2.0, linestyle=dashes)
        _write(ax, x + 30, y, text, color="muted", align="left")
        x += 30 + width_of(text) + 18


def _write(
    ax: Axes,
    x: float,
    y: float,
    text: str,
    *,
    color: str = "ink",
    bold: bool = False,
    align: str = "center",
    halo: bool = False,
) -> None:
    """Write one line, its middle at ``(x, y)``; ``halo`` clears the paper behind it."""
    box: dict[str, Any] = {"facecolor": PALETTE["paper"], "edgecolor": "none", "pad": 1.5}
    _ = ax.text(
        x,
        y,
        written(text),
        fontsize=SIZE * scale_of(ax),
        color=PALETTE[color],
        weight="bold" if bold else "normal",
        ha=align,
        va="center_baseline" if not halo else "center",
        bbox=box if halo else None,
        zorder=5,
        parse_math=False,
    )


def _caption(net: Network, place: int) -> list[str]:
    """Return the heading of a column: what it is, its activation, how it is read."""
    if place == 0:
        return ["inputs"]
    kind = str(net.layers[place - 1].activation)
    if place < len(net.layers):
        return [f"hidden {place}" if len(net.widths) > 1 else "hidden", kind]
    readout = "must be 0 or 1" if net.readout.kind == "exact" else f"1 where {net.readout}"
    return ["outputs", *([kind] if kind != "identity" else []), readout]


def _values(way: Walk | None) -> list[list[Enclosed]]:
    """Return the values of all units, column by column; nothing without a walk."""
    if way is None:
        return []
    inputs = [product.factor for product in way.layers[0].units[0].products]
    return [inputs, *([unit.value for unit in layer.units] for layer in way.layers)]


def _text(value: Enclosed) -> str:
    return ("" if value.is_exact else "≈") + compact(value.middle)


def _is_zero(value: Enclosed) -> bool:
    return value.is_exact and not value.low


def _verdicts(way: Walk | None) -> list[list[str]]:
    """Return the lines to the right of each output: how it is read, and what was expected."""
    if way is None:
        return []
    return [
        [readout_text(way.readout, output)]
        + ([] if output.expected is None else [f"expected {output.expected}"])
        for output in way.outputs
    ]


def _described(net: Network, task: Task, way: Walk | None) -> str:
    """Return what the figure says: each unit's sum, of a larger network the sizes."""
    parts = [f"{net!r}."]
    if is_drawn(net) and max(net.n_in, *(layer.n_out for layer in net.layers)) <= SPELLED_OUT:
        parts += _sums(net, unit_names(net, task))
    if way is not None:
        parts.append(f"On {named(way.input)}:")
        parts += [
            f"{unit.name} is {value_text(unit.value)}."
            for layer in way.layers[:-1]
            for unit in layer.units
        ]
        for output in way.outputs:
            expected = "" if output.expected is None else f", expected {output.expected}"
            parts.append(f"{output.name}: {readout_text(way.readout, output)}{expected}.")
    return " ".join(parts)


def _sums(net: Network, names: list[tuple[str, ...]]) -> list[str]:
    sums: list[str] = []
    for sources, units, layer in zip(names, names[1:], net.layers, strict=False):
        weights = layer.weight.exact().to_floats()
        biases = layer.bias.exact().to_floats() if layer.bias is not None else np.zeros(len(units))
        for unit, row, bias in zip(units, weights, biases, strict=True):
            terms = [
                f"{decimal(float(weight))} {source}"
                for source, weight in zip(sources, row, strict=True)
                if weight
            ]
            terms += [decimal(float(bias))] if bias or not terms else []
            total = " + ".join(terms).replace("+ -", "- ")
            kind = layer.activation.kind
            sums.append(f"{unit} = {total if kind == 'identity' else f'{kind}({total})'}.")
    return sums
