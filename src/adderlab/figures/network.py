"""The network as a figure: units in columns, weights on the edges, one row's values if given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import compact, decimal
from adderlab.blocks.picture import PALETTE, Picture
from adderlab.figures.edge_labels import Edge
from adderlab.figures.graph import LINE, MARK, Graph, Unit, is_drawn, lay_out, lines_at
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
from adderlab.nets.wiring import INPUT, layer_number
from adderlab.tasks import Task, TaskLike, as_task
from adderlab.tasks.wording import named

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARGIN: Final = 14.0
DASHES: Final = (0, (2.8, 1.7))
DOTS: Final = (0, (1.0, 2.0))
MOST_NAMED: Final = 3
"""Layers of a column that its heading names."""

SPELLED_OUT: Final = 8
"""Units a layer up to which the description says every sum."""


def plot_network(
    net: Network,
    task: TaskLike | None = None,
    *,
    row: Mapping[str, int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw a network with its weights.

    Positive weights are solid, negative ones dashed; a thicker edge is a larger weight. Up to
    8 units a column the numbers are written; beyond 64 the layers are drawn as blocks.

    Args:
        net: any network; the layers of a graph stand by their distance from the input, and an edge
            that skips a column is led around its units.
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
    task: TaskLike | None = None,
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
        values: of the input and each layer, the units' values; empty where no row is shown.
        names: of each column, the units' names.
        captions: the heading of each column.
        inside: for each column whether the names stand within the units; those of marks never do.
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
    values: dict[str, list[Enclosed]]
    names: list[list[str]]
    captions: list[list[str]]
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

    def is_off(self, layer: str, place: int) -> bool:
        """Whether a row is shown, on which the unit is 0."""
        return bool(self.values) and _is_zero(self.values[layer][place])


def _sheet(net: Network, task: Task, way: Walk | None) -> _Sheet:
    values = _values(way)
    captions = _captions(net)
    least_gap = 0.0
    if not net.is_chain:
        widths = [max(map(width_of, lines)) for lines in captions]
        least_gap = MARGIN + max((left + right) / 2 for left, right in pairwise(widths))
    graph = lay_out(
        net,
        {name: [_text(value) for value in own] for name, own in values.items()},
        least_gap=least_gap,
    )
    style = graph.style
    known = _names(net, task)
    names = [
        [shortened(known[unit.layer][unit.place]) for unit in column] for column in graph.columns
    ]
    own_names = [
        [name for name, unit in zip(column, units, strict=True) if not unit.is_mark]
        for column, units in zip(names, graph.columns, strict=True)
    ]
    inside = [
        style.has_names and max(map(width_of, column)) <= 2 * style.radius - 4
        for column in own_names
    ]
    rims = [
        style.radius + (0 if is_in else 6 + max(map(width_of, column)))
        for is_in, column in zip(inside, own_names, strict=True)
    ]
    marked = [name for name, unit in zip(names[-1], graph.columns[-1], strict=True) if unit.is_mark]
    rims[-1] = max([rims[-1], *(MARK + 6 + width_of(name) for name in marked)])
    verdicts = _verdicts(way)
    left = max(rims[0], *(width_of(line) / 2 for line in captions[0]))
    right = max(
        rims[-1],
        *(width_of(line) / 2 for line in captions[-1]),
        *(rims[-1] + 34 + width_of(line, bold=True) for lines in verdicts for line in lines),
    )
    width = left + style.gap * (len(names) - 1) + right
    key = sum(30 + width_of(text) + 18 for text, *_ in _key(graph)) - 18
    around = style.radius + LINE * (int(style.places is not None) + int(way is not None)) + 12
    above, below = (max(around, reach + LINE) if reach else around for reach in graph.reach)
    top = MARGIN + LINE * max(map(len, captions)) + above
    return _Sheet(
        net=net,
        way=way,
        graph=graph,
        values=values,
        names=names,
        captions=captions,
        inside=inside,
        rims=rims,
        verdicts=verdicts,
        left=MARGIN + left,
        top=top,
        width=float(np.ceil(max(width, key) + 2 * MARGIN)),
        height=float(np.ceil(top + graph.height + below + LINE + MARGIN)),
    )


def _draw(sheet: _Sheet, ax: Axes) -> Axes:
    graph, style = sheet.graph, sheet.graph.style
    _ = ax.set(xlim=(0, sheet.width), ylim=(sheet.height, 0), aspect="equal")
    ax.set_axis_off()
    middle = sheet.top + graph.height / 2
    _draw_edges(sheet, ax, middle)
    for place, (column, names) in enumerate(zip(graph.columns, sheet.names, strict=True)):
        x = sheet.left + place * style.gap
        for number, line in enumerate(sheet.captions[place]):
            _write(ax, x, MARGIN + LINE * (number + 0.5), line, color="muted")
        for unit, name in zip(column, names, strict=True):
            y = middle + unit.y
            _draw_unit(sheet, ax, x, y, unit)
            if unit.is_mark:
                _write(ax, x + MARK + 6, y, name, align="left")
                continue
            _write_at_unit(sheet, ax, x, y, unit)
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

    def draw(edge: Edge, **line: Any) -> None:
        xs, ys = zip(*edge.points, strict=True)
        _ = ax.plot([sheet.left + x for x in xs], [middle + y for y in ys], **line)

    for link in graph.links:
        if not link.weight:
            draw(link.edge, color=PALETTE["faint"], linewidth=0.6, linestyle="-")
            continue
        strength = 1.0 if has_numbers else 0.2 + 0.6 * link.share
        if sheet.is_off(*link.source):
            strength *= 0.3
        draw(
            link.edge,
            color=PALETTE["positive" if link.weight > 0 else "negative"],
            linewidth=0.9 + 2.1 * link.share if has_numbers else 0.4 + 1.2 * link.share,
            linestyle="-" if link.weight > 0 else DASHES,
            alpha=strength,
        )
        if link.spot is not None:
            x, y = link.spot
            _write(ax, sheet.left + x, middle + y, link.edge.label, halo=True)
    for edge in graph.readings:
        draw(edge, color=PALETTE["muted"], linewidth=1.2, linestyle=DOTS)


def _draw_unit(sheet: _Sheet, ax: Axes, x: float, y: float, unit: Unit) -> None:
    """Draw a unit, filled where its value is not 0; of an output that stands before, a mark."""
    from matplotlib.patches import Circle

    style = sheet.graph.style
    if unit.is_mark:
        _ = ax.add_patch(Circle((x, y), MARK, color=PALETTE["muted"], zorder=3))
        return
    rim: dict[str, Any] = {"edgecolor": PALETTE["ink"], "linewidth": 1.2}
    circle = Circle((x, y), style.radius, facecolor=PALETTE["paper"], zorder=3, **rim)
    _ = ax.add_patch(circle)
    if sheet.values and not sheet.is_off(unit.layer, unit.place):
        shade = 0.25 if style.has_names else 1.0
        fill = Circle((x, y), style.radius, color=PALETTE["positive"], alpha=shade, zorder=4)
        _ = ax.add_patch(fill)


def _write_at_unit(sheet: _Sheet, ax: Axes, x: float, y: float, unit: Unit) -> None:
    """Write a unit's value on the row, if one is shown, and its bias."""
    style = sheet.graph.style
    lines = lines_at(unit.y, style.radius)
    if sheet.values and style.has_names:
        text = _text(sheet.values[unit.layer][unit.place])
        _write(ax, x, y + lines[0], text, bold=True, halo=True)
        lines = lines[1:]
    if unit.bias:
        _write(ax, x, y + lines[0], unit.bias, color="muted", halo=True)


def _draw_verdicts(sheet: _Sheet, ax: Axes, middle: float) -> None:
    """Write right of each output how it is read, and below what was expected, with its mark."""
    if sheet.way is None:
        return
    x = sheet.left + sheet.graph.style.gap * (len(sheet.names) - 1) + sheet.rims[-1] + 10
    for unit, (lines, output) in enumerate(zip(sheet.verdicts, sheet.way.outputs, strict=True)):
        y = middle + sheet.graph.columns[-1][unit].y
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
    for text, color, dashes in _key(sheet.graph):
        _ = ax.plot([x, x + 24], [y, y], color=PALETTE[color], linewidth=2.0, linestyle=dashes)
        _write(ax, x + 30, y, text, color="muted", align="left")
        x += 30 + width_of(text) + 18


def _key(graph: Graph) -> list[tuple[str, str, Any]]:
    """Return the kinds of lines: what each means, its color, its dashes."""
    read_out = [("read out", "muted", DOTS)] if graph.readings else []
    return [("positive", "positive", "-"), ("negative", "negative", DASHES), *read_out]


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


def _captions(net: Network) -> list[list[str]]:
    """Return the headings of the columns: what each is, its activation, how it is read."""
    readout = "must be 0 or 1" if net.readout.kind == "exact" else f"1 where {net.readout}"
    kinds = [str(layer.activation) for layer in net.layers]
    if net.is_chain:
        hidden = [
            [f"hidden {place}" if len(net.widths) > 1 else "hidden", kind]
            for place, kind in enumerate(kinds[:-1], start=1)
        ]
        last = [kinds[-1]] if kinds[-1] != "identity" else []
        return [["inputs"], *hidden, ["outputs", *last, readout]]

    def named(names: Sequence[str]) -> list[str]:
        lines = [
            name
            if kinds[layer_number(name) - 1] == "identity"
            else f"{name}, {kinds[layer_number(name) - 1]}"
            for name in names
        ]
        more = len(lines) - MOST_NAMED
        return [*lines[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]

    _, *hidden, last = net.wiring.columns()
    return [["inputs"], *map(named, hidden), ["outputs", *named(last), readout]]


def _names(net: Network, task: Task) -> dict[str, tuple[str, ...]]:
    """Return the names of the units of the input and of each layer."""
    layers = (INPUT, *(node.name for node in net.wiring.layers))
    return dict(zip(layers, unit_names(net, task), strict=True))


def _values(way: Walk | None) -> dict[str, list[Enclosed]]:
    """Return the values of all units, layer by layer; nothing without a walk."""
    if way is None:
        return {}
    inputs = [product.factor for product in way.layers[0].units[0].products]
    return {INPUT: inputs} | {
        layer.name: [unit.value for unit in layer.units] for layer in way.layers
    }


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
        parts += _sums(net, _names(net, task))
    if way is not None:
        parts.append(f"On {named(way.input)}:")
        parts += [
            f"{unit.name} is {value_text(unit.value)}."
            for place in net.hidden_layers
            for unit in way.layers[place].units
        ]
        for output in way.outputs:
            expected = "" if output.expected is None else f", expected {output.expected}"
            parts.append(f"{output.name}: {readout_text(way.readout, output)}{expected}.")
    return " ".join(parts)


def _sums(net: Network, names: dict[str, tuple[str, ...]]) -> list[str]:
    sums: list[str] = []
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        units = names[node.name]
        sources = [source for name in node.reads for source in names[name]]
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
