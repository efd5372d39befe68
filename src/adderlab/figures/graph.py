"""A network as a graph: where its units stand, which edges it has, and what is written on them.

Layers stand in columns by their distance from the input; all that is read out is in the last one. A
layer that others read too stands in a column of its own, and its outputs have marks in the last.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from adderlab.blocks.numbers import compact
from adderlab.figures.edge_labels import Box, Edge, place_labels
from adderlab.figures.routes import Wall, routes
from adderlab.figures.style import SIZE, width_of
from adderlab.nets import Layer, Network
from adderlab.nets.wiring import INPUT

LINE: Final = 14.0
"""Points from one line of text to the next."""

LABELED_EDGES: Final = 40
"""Between two columns; above it no weights are written."""

DETAILED_UNITS: Final = 8
PRECISE_EDGES: Final = 6
"""Between two columns; above it weights are written with two decimals instead of four."""

NAMED_UNITS: Final = 20
NAMED_STEP: Final = 16.0
DRAWN_UNITS: Final = 64
DRAWN_COLUMNS: Final = 7
DRAWN_EDGES: Final = 1500

MARK: Final = 4.0
"""Radius of the mark of an output whose unit stands in an earlier column."""

APART: Final = 0.5
"""How much farther units of two layers of one column are from each other, in steps."""


@dataclass(frozen=True, slots=True)
class Style:
    """How large units are drawn, and what is written at them.

    Attributes:
        radius: of a unit.
        step: from one unit to the next.
        gap: from one column to the next.
        places: decimals of weights and biases; ``None`` where they are not written.
        has_names: whether hidden units are named and have their values written.
        lane: from one edge to the next where several pass between two units.
    """

    radius: float
    step: float
    gap: float
    places: int | None
    has_names: bool
    lane: float


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit in its column.

    Attributes:
        layer: its layer's name.
        place: its place there.
        y: its height, measured from the middle of the columns.
        bias: as it is written; empty where there is none.
        is_mark: whether it only marks an output in the last column.
    """

    layer: str
    place: int
    y: float
    bias: str = ""
    is_mark: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """A weight between two units.

    Attributes:
        edge: where it runs.
        weight: as a double.
        share: of its layer's largest.
        source: the layer's name and place of the unit from which it comes.
        spot: the middle of its label; ``None`` where weights are not written.
    """

    edge: Edge
    weight: float
    share: float
    source: tuple[str, int]
    spot: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Graph:
    """A network laid out; ``y`` is measured from the middle of the columns.

    Attributes:
        style: how large units are drawn.
        columns: the units of each column, from above.
        links: the weights, layer by layer.
        readings: the lines from units to their marks.
        is_labeled: whether weights are written.
    """

    style: Style
    columns: list[list[Unit]]
    links: list[Link]
    readings: list[Edge]
    is_labeled: bool

    @property
    def height(self) -> float:
        """From the highest unit's middle to the lowest's."""
        return max(column[-1].y - column[0].y for column in self.columns)

    @property
    def reach(self) -> tuple[float, float]:
        """How far edges go above the highest unit's middle, and below the lowest's."""
        edges = [link.edge for link in self.links] + self.readings
        heights = [y for edge in edges for _, y in edge.points]
        half = self.height / 2
        return max(0.0, -half - min(heights)), max(0.0, max(heights) - half)


def is_drawn(net: Network) -> bool:
    """Return whether a network is small enough to draw unit by unit."""
    columns = _columns(net)
    edges = sum(layer.n_in * layer.n_out for layer in net.layers)
    return (
        max(_units_in(column) for column in columns) <= DRAWN_UNITS
        and max(net.n_in, net.n_out) <= NAMED_UNITS
        and len(columns) <= DRAWN_COLUMNS
        and edges <= DRAWN_EDGES
    )


def lay_out(
    net: Network, values: Mapping[str, Sequence[str]] | None = None, *, least_gap: float = 0.0
) -> Graph:
    """Return the graph of a network that :func:`is_drawn`.

    Columns are spread until every weight has a place of its own; where that fails, the
    weights are not written at all.

    Args:
        net: the network.
        values: of each layer, the values that will be written at its units, if any will.
        least_gap: from one column to the next, at least.
    """
    largest = max(_units_in(column) for column in _columns(net))
    edges = _most_edges(net)
    if largest <= DETAILED_UNITS and edges <= LABELED_EDGES:
        places = 4 if edges <= PRECISE_EDGES else 2
        texts = [
            compact(value, places)
            for layer in net.layers
            for value in layer.weight.exact().to_floats().ravel().tolist()
        ]
        gap = max(90.0 + 16 * largest, 2.7 * max(map(width_of, texts)) + 60, least_gap)
        radius = 17 if largest <= 4 else 13
        step = 2 * radius + (2 if values else 1) * LINE + (36 if largest <= 5 else 10)
        for stretch in (1.0, 1.2, 1.45, 1.75):
            style = Style(radius, step * stretch, gap, places, has_names=True, lane=15)
            graph = _graph(net, style, values or {})
            if graph.is_labeled:
                return graph
    if largest <= NAMED_UNITS:
        style = Style(13, 44 if values else 31, max(140, least_gap), None, has_names=True, lane=7)
    else:
        style = Style(3, 8, max(150, least_gap), None, has_names=False, lane=3)
    return _graph(net, style, values or {})


def _columns(net: Network) -> list[list[tuple[str, int, bool]]]:
    """Return the layers of each column with their sizes, and whether they are marks alone."""
    wiring = net.wiring
    sizes = {INPUT: net.n_in}
    sizes |= {node.name: layer.n_out for node, layer in zip(wiring.layers, net.layers, strict=True)}
    inner = wiring.inner
    columns = [[(name, sizes[name], False) for name in column] for column in wiring.columns()[:-1]]
    return [*columns, [(name, sizes[name], name in inner) for name in wiring.output.reads]]


def _units_in(column: Sequence[tuple[str, int, bool]]) -> int:
    return sum(size for _, size, _ in column)


def _most_edges(net: Network) -> int:
    """Return the most edges between two neighboring columns, those that pass by included."""
    column_of = {
        name: place for place, column in enumerate(net.wiring.columns()) for name in column
    }
    layers = {node.name: layer for node, layer in zip(net.wiring.layers, net.layers, strict=True)}
    changes = [0] * (len(net.wiring.columns()) + 1)
    for node in net.wiring.layers:
        for name in node.reads:
            n_from = net.n_in if name == INPUT else layers[name].n_out
            changes[column_of[name]] += n_from * layers[node.name].n_out
            changes[column_of[node.name]] -= n_from * layers[node.name].n_out
    return max(accumulate(changes))


def _graph(net: Network, style: Style, values: Mapping[str, Sequence[str]]) -> Graph:
    columns = _placed(net, style, has_values=bool(values))
    spots = {
        (unit.layer, unit.place): (place, unit.y)
        for place, column in enumerate(columns)
        for unit in column
        if not unit.is_mark
    }
    sizes = {INPUT: net.n_in}
    links: list[Link] = []
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        weights = layer.weight.exact().to_floats()
        largest = float(abs(weights).max()) or 1.0
        sources = [(name, place) for name in node.reads for place in range(sizes[name])]
        for unit, row in enumerate(weights):
            for source, value in zip(sources, row.tolist(), strict=True):
                label = compact(value, style.places) if style.places and value else ""
                edge = _edge(style, spots[source], spots[node.name, unit], label)
                links.append(Link(edge, value, abs(value) / largest, source))
        sizes[node.name] = layer.n_out
    marks = [
        (spots[unit.layer, unit.place], (len(columns) - 1, unit.y))
        for unit in columns[-1]
        if unit.is_mark
    ]
    readings = [_edge(style, start, end, "", end_radius=MARK) for start, end in marks]
    taken = _written_at_units(style, columns, values)
    edges = _routed(style, [*(link.edge for link in links), *readings], taken, len(columns))
    links = [
        replace(link, edge=edge) for link, edge in zip(links, edges[: len(links)], strict=True)
    ]
    graph = Graph(style, columns, links, edges[len(links) :], is_labeled=False)
    return graph if style.places is None else _labeled(graph, taken)


def _placed(net: Network, style: Style, *, has_values: bool) -> list[list[Unit]]:
    """Return the units of each column."""
    columns = _columns(net)
    biases = {
        node.name: _biases(layer, style.places)
        for node, layer in zip(net.wiring.layers, net.layers, strict=True)
    }
    biases[INPUT] = [""] * net.n_in
    span = max(_units_in(column) + APART * (len(column) - 1) for column in columns)
    placed: list[list[Unit]] = []
    for place, column in enumerate(columns):
        least = 0.0
        if not style.has_names:  # inputs and outputs are named all the same
            if place == 0:
                least = NAMED_STEP
            elif place == len(columns) - 1:  # and read out in two lines
                least = 2 * NAMED_STEP if has_values else NAMED_STEP
        heights = iter(_heights([size for _, size, _ in column], span, style.step, least=least))
        placed.append(
            [
                Unit(name, unit, next(heights), "" if is_mark else biases[name][unit], is_mark)
                for name, size, is_mark in column
                for unit in range(size)
            ]
        )
    return placed


def _labeled(graph: Graph, taken: list[Box]) -> Graph:
    """Return the graph with a place for each label, or without labels.

    Edges between neighboring columns first, gap by gap; then those that skip a column.
    """
    gap = graph.style.gap
    groups: dict[int, list[int]] = {}
    for number, link in enumerate(graph.links):
        if link.edge.label:
            first, last = (round(x / gap) for x, _ in (link.edge.start, link.edge.end))
            groups.setdefault(first if last == first + 1 else len(graph.columns), []).append(number)
    is_chain = len(graph.columns) not in groups and not graph.readings
    spots: dict[int, tuple[float, float]] = {}
    for place in sorted(groups):
        numbers = groups[place]
        others = [] if is_chain else [*graph.readings]
        if not is_chain:
            others += [
                link.edge
                for number, link in enumerate(graph.links)
                if link.edge.label and number not in numbers
            ]
        edges = [graph.links[number].edge for number in numbers]
        middles = place_labels([*edges, *(replace(edge, label="") for edge in others)], taken)
        if middles is None:
            return graph
        for number, edge, middle in zip(numbers, edges, middles, strict=False):
            spots[number] = middle
            taken = [*taken, Box(*middle, edge.width, edge.height)]
    links = [replace(link, spot=spots.get(number)) for number, link in enumerate(graph.links)]
    return replace(graph, links=links, is_labeled=True)


def _routed(style: Style, edges: list[Edge], taken: list[Box], columns: int) -> list[Edge]:
    """Return the edges, those that skip columns around what stands there."""
    gap = style.gap
    skipping = [
        number
        for number, edge in enumerate(edges)
        if round(edge.end[0] / gap) - round(edge.start[0] / gap) > 1
    ]
    if not skipping:
        return edges
    walls = {place: _wall(style, taken, place) for place in range(1, columns - 1)}
    lines = [(edges[number].start, edges[number].end) for number in skipping]
    ways = routes(lines, walls, style.lane)
    for number, way in zip(skipping, ways, strict=True):
        if len(way) > 2:
            edges[number] = replace(edges[number], path=tuple(way))
    return edges


def _wall(style: Style, taken: list[Box], place: int) -> Wall:
    """Return what stands in a column, with some air around it."""
    x, air = place * style.gap, 3.0 if style.has_names else 0.5
    own = [box for box in taken if box.x == x]
    heights: list[tuple[float, float]] = []
    for low, high in sorted(
        (box.y - box.height / 2 - air, box.y + box.height / 2 + air) for box in own
    ):
        if heights and low <= heights[-1][1]:
            heights[-1] = heights[-1][0], max(high, heights[-1][1])
        else:
            heights.append((low, high))
    half = min(max(box.width for box in own) / 2, 0.3 * style.gap)
    return Wall(x, half, tuple(heights))


def _biases(layer: Layer, places: int | None) -> list[str]:
    if layer.bias is None or places is None:
        return [""] * layer.n_out
    return [f"bias {compact(value, places)}" for value in layer.bias.exact().to_floats().tolist()]


def _written_at_units(
    style: Style, columns: Sequence[Sequence[Unit]], values: Mapping[str, Sequence[str]]
) -> list[Box]:
    """Return the boxes of the units, and of the texts above or below them."""
    radius = style.radius
    boxes: list[Box] = []
    for place, column in enumerate(columns):
        for unit in column:
            x = place * style.gap
            own = MARK if unit.is_mark else radius
            boxes.append(Box(x, unit.y, 2 * own + 8, 2 * own))
            if unit.is_mark or not style.has_names:
                continue
            texts = [values[unit.layer][unit.place], unit.bias] if values else [unit.bias]
            for text, away in zip(texts, lines_at(unit.y, radius), strict=False):
                if text:
                    boxes.append(Box(x, unit.y + away, width_of(text, bold=True) + 4, LINE))
    return boxes


def lines_at(y: float, radius: float) -> tuple[float, float]:
    """Return where two lines at a unit stand: above it in the upper half, else below it.

    So they stay clear of most edges, which come from the middle.
    """
    sign = -1 if y < -1 else 1
    return sign * (radius + LINE / 2 + 1), sign * (radius + LINE * 1.5 + 1)


def _heights(
    sizes: Sequence[int], longest: float, step: float, *, least: float = 0.0
) -> list[float]:
    """Return the heights of a column; a short one is spread, though less than the longest.

    Args:
        sizes: of the column's layers.
        longest: the steps that the longest column takes, one for each unit.
        step: between its units.
        least: between the units of any.
    """
    steps: list[float] = []
    for group, own_size in enumerate(sizes):
        first = len(steps) + APART * group
        steps += [first + at for at in range(own_size)]
    size = steps[-1] + 1
    own = max(step * (1 + (longest - size) / (3 * size)), least)
    return [own * (at - (size - 1) / 2) for at in steps]


def _edge(
    style: Style,
    start: tuple[int, float],
    end: tuple[int, float],
    label: str,
    *,
    end_radius: float | None = None,
) -> Edge:
    """Return the edge from the rim of one circle to the rim of the other.

    Args:
        style: how large they are.
        start: a column and a height there.
        end: another one.
        label: what is written on it.
        end_radius: of the other circle, if it is no unit.
    """
    (x0, y0), (x1, y1) = ((place * style.gap, y) for place, y in (start, end))
    distance = math.hypot(x1 - x0, y1 - y0)
    share = style.radius / distance
    dx, dy = (x1 - x0) * share, (y1 - y0) * share
    share = share if end_radius is None else end_radius / distance
    ex, ey = (x1 - x0) * share, (y1 - y0) * share
    width = width_of(label) + 3 if label else 0.0
    height = SIZE + 2 if label else 0.0
    return Edge((x0 + dx, y0 + dy), (x1 - ex, y1 - ey), label, width, height)
