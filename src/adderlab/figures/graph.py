"""A network as a graph: where its units stand, which edges it has, and what is written on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from adderlab.blocks.numbers import compact
from adderlab.figures.edge_labels import Box, Edge, place_labels
from adderlab.figures.style import SIZE, width_of
from adderlab.nets import Layer, Network

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


@dataclass(frozen=True, slots=True)
class Style:
    """How large units are drawn, and what is written at them.

    Attributes:
        radius: of a unit.
        step: from one unit to the next.
        gap: from one column to the next.
        places: decimals of weights and biases; ``None`` where they are not written.
        has_names: whether hidden units are named and have their values written.
    """

    radius: float
    step: float
    gap: float
    places: int | None
    has_names: bool


@dataclass(frozen=True, slots=True)
class Graph:
    """A network laid out; ``y`` is measured from the middle of the columns.

    Attributes:
        style: how large units are drawn.
        columns: each unit's height.
        edges: between each column and the next, ``[to][from]``.
        weights: the same, as doubles.
        biases: of each column, as they are written; empty where there are none.
        labels: the middle of each edge's label; ``None`` where weights are not written.
    """

    style: Style
    columns: list[list[float]]
    edges: list[list[list[Edge]]]
    weights: list[np.ndarray]
    biases: list[list[str]]
    labels: list[list[tuple[float, float]]] | None

    @property
    def height(self) -> float:
        """From the highest unit's middle to the lowest's."""
        return max(column[-1] - column[0] for column in self.columns)


def is_drawn(net: Network) -> bool:
    """Return whether a network is small enough to draw unit by unit."""
    sizes = [net.n_in, *(layer.n_out for layer in net.layers)]
    edges = sum(n_from * n_to for n_from, n_to in pairwise(sizes))
    return (
        max(sizes) <= DRAWN_UNITS
        and max(net.n_in, net.n_out) <= NAMED_UNITS
        and len(sizes) <= DRAWN_COLUMNS
        and edges <= DRAWN_EDGES
    )


def lay_out(net: Network, values: Sequence[Sequence[str]] = ()) -> Graph:
    """Return the graph of a network that :func:`is_drawn`.

    Columns are spread until every weight has a place of its own; where that fails, the
    weights are not written at all.

    Args:
        net: the network.
        values: of each column, the values that will be written at its units, if any will.
    """
    sizes = [net.n_in, *(layer.n_out for layer in net.layers)]
    largest = max(sizes)
    edges = max(n_from * n_to for n_from, n_to in pairwise(sizes))
    if largest <= DETAILED_UNITS and edges <= LABELED_EDGES:
        places = 4 if edges <= PRECISE_EDGES else 2
        texts = [
            compact(value, places)
            for layer in net.layers
            for value in layer.weight.exact().to_floats().ravel().tolist()
        ]
        gap = max(90.0 + 16 * largest, 2.7 * max(map(width_of, texts)) + 60)
        radius = 17 if largest <= 4 else 13
        step = 2 * radius + (2 if values else 1) * LINE + (36 if largest <= 5 else 10)
        for stretch in (1.0, 1.2, 1.45, 1.75):
            style = Style(radius, step * stretch, gap, places, has_names=True)
            graph = _graph(net, style, values)
            if graph.labels is not None:
                return graph
    if largest <= NAMED_UNITS:
        style = Style(13, 44 if values else 31, 140, None, has_names=True)
    else:
        style = Style(3, 8, 150, None, has_names=False)
    return _graph(net, style, values)


def _graph(net: Network, style: Style, values: Sequence[Sequence[str]]) -> Graph:
    sizes = [net.n_in, *(layer.n_out for layer in net.layers)]
    largest = max(sizes)
    columns = [_heights(size, largest, style.step) for size in sizes]
    if not style.has_names:  # inputs and outputs are named all the same, and read out in two lines
        columns[0] = _heights(net.n_in, largest, style.step, least=NAMED_STEP)
        columns[-1] = _heights(
            net.n_out, largest, style.step, least=2 * NAMED_STEP if values else NAMED_STEP
        )
    weights = [layer.weight.exact().to_floats() for layer in net.layers]
    biases = [[""] * net.n_in, *(_biases(layer, style.places) for layer in net.layers)]
    edges = [
        [
            [
                _edge(
                    (place * style.gap, columns[place][source]),
                    ((place + 1) * style.gap, columns[place + 1][unit]),
                    style.radius,
                    compact(value, style.places) if style.places and value else "",
                )
                for source, value in enumerate(row.tolist())
            ]
            for unit, row in enumerate(layer)
        ]
        for place, layer in enumerate(weights)
    ]
    graph = Graph(style, columns, edges, weights, biases, None)
    if style.places is None:
        return graph
    taken = _written_at_units(graph, values)
    labels: list[list[tuple[float, float]]] = []
    for rows in edges:
        places = place_labels([edge for row in rows for edge in row if edge.label], taken)
        if places is None:
            return graph
        labels.append(places)
    return replace(graph, labels=labels)


def _biases(layer: Layer, places: int | None) -> list[str]:
    if layer.bias is None or places is None:
        return [""] * layer.n_out
    return [f"bias {compact(value, places)}" for value in layer.bias.exact().to_floats().tolist()]


def _written_at_units(graph: Graph, values: Sequence[Sequence[str]]) -> list[Box]:
    """Return the boxes of the units, and of the texts above or below them."""
    radius = graph.style.radius
    boxes: list[Box] = []
    for place, (column, biases) in enumerate(zip(graph.columns, graph.biases, strict=True)):
        for unit, (y, bias) in enumerate(zip(column, biases, strict=True)):
            x = place * graph.style.gap
            boxes.append(Box(x, y, 2 * radius + 8, 2 * radius))
            texts = [values[place][unit], bias] if values else [bias]
            for text, away in zip(texts, lines_at(y, radius), strict=False):
                if text:
                    boxes.append(Box(x, y + away, width_of(text, bold=True) + 4, LINE))
    return boxes


def lines_at(y: float, radius: float) -> tuple[float, float]:
    """Return where two lines at a unit stand: above it in the upper half, else below it.

    So they stay clear of most edges, which come from the middle.
    """
    sign = -1 if y < -1 else 1
    return sign * (radius + LINE / 2 + 1), sign * (radius + LINE * 1.5 + 1)


def _heights(size: int, largest: int, step: float, *, least: float = 0.0) -> list[float]:
    """Return the heights of a column; a short one is spread, though less than the longest."""
    own = max(step * (1 + (largest - size) / (3 * size)), least)
    return [own * (unit - (size - 1) / 2) for unit in range(size)]


def _edge(start: tuple[float, float], end: tuple[float, float], radius: float, label: str) -> Edge:
    """Return the edge from the rim of one circle to the rim of the other."""
    (x0, y0), (x1, y1) = start, end
    share = radius / math.hypot(x1 - x0, y1 - y0)
    dx, dy = (x1 - x0) * share, (y1 - y0) * share
    width = width_of(label) + 3 if label else 0.0
    return Edge((x0 + dx, y0 + dy), (x1 - dx, y1 - dy), label, width, SIZE + 2 if label else 0.0)
