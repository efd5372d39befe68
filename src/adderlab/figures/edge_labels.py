"""Where an edge's number is written: on its own edge, clear of other edges and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

PLACES: Final = tuple(round(0.14 + 0.04 * step, 2) for step in range(19))
"""How far along an edge a label may stand, 0 at its start and 1 at its end."""

CLEAR: Final = 2.0
"""Points between two labels."""

PAST: Final = 5.0
"""Points at which another edge passes a label."""

_OVERLAP, _CROSSING, _STRAYING, _OFF_CENTER = 1000.0, 12.0, 4.0, 20.0


@dataclass(frozen=True, slots=True)
class Edge:
    """A line between two points; only one with a label is written on.

    Attributes:
        start: the left end.
        end: the right end.
        label: the text; empty for none.
        width: of the label.
        height: of the label.
        path: of a line that is not straight, its points from start to end.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    label: str = ""
    width: float = 0.0
    height: float = 0.0
    path: tuple[tuple[float, float], ...] = ()

    @property
    def points(self) -> tuple[tuple[float, float], ...]:
        """All points, from start to end."""
        return self.path or (self.start, self.end)

    def at(self, place: float) -> tuple[float, float]:
        """Return the point a share of the way along."""
        (x0, y0), (x1, y1) = self.start, self.end
        x = x0 + place * (x1 - x0)
        return x, self._height(x) if self.path else y0 + place * (y1 - y0)

    def heights(self, left: float, right: float) -> tuple[float, float]:
        """Return the least and the largest height between two places, or its own ends."""
        (x0, y0), (x1, y1) = self.start, self.end
        ends = [min(max(x, x0), x1) for x in (left, right)]
        if not self.path:
            slope = (y1 - y0) / (x1 - x0)
            heights = [y0 + slope * (x - x0) for x in ends]
        else:
            heights = list(map(self._height, ends))
            heights += [y for x, y in self.path if ends[0] < x < ends[1]]
        return min(heights), max(heights)

    def _height(self, x: float) -> float:
        xs, ys = zip(*self.path, strict=True)
        return float(np.interp(x, xs, ys))


@dataclass(frozen=True, slots=True)
class Box:
    """A place that is taken, by its middle and its size."""

    x: float
    y: float
    width: float
    height: float


def place_labels(edges: Sequence[Edge], taken: Sequence[Box]) -> list[tuple[float, float]] | None:
    """Return the middle of each edge's label, or ``None`` where no clear places were found.

    All labels start in one column, the one that is best for all; then each in turn moves to
    where it disturbs least, until none moves. What disturbs most is another label, then an
    edge that runs through the label, then leaving the column, then standing at an edge's end.
    """
    labeled = [number for number, edge in enumerate(edges) if edge.label]
    if not labeled:
        return [edge.at(0.5) for edge in edges]
    boxes = np.array([[edges[i].width / 2, edges[i].height / 2] for i in labeled])
    points = np.array([[edges[i].at(place) for place in PLACES] for i in labeled])
    burdens = np.array(
        [
            [
                _crossings(edges, i, points[row, place], boxes[row]) * _CROSSING
                + _hits(taken, points[row, place], boxes[row]) * _OVERLAP
                for place in range(len(PLACES))
            ]
            for row, i in enumerate(labeled)
        ]
    )
    best: tuple[float, list[int]] | None = None
    for column in range(len(PLACES)):
        cost, chosen = _settled(points, boxes, burdens, column)
        if best is None or cost < best[0]:
            best = cost, chosen
    assert best is not None
    if best[0] >= _OVERLAP:
        return None
    places = [edge.at(0.5) for edge in edges]
    for row, i in enumerate(labeled):
        places[i] = edges[i].at(PLACES[best[1][row]])
    return places


def _settled(
    points: np.ndarray, boxes: np.ndarray, burdens: np.ndarray, column: int
) -> tuple[float, list[int]]:
    """Return the cost and the places reached from all labels standing in one column."""
    count = len(points)
    chosen = [column] * count
    away = np.abs(np.arange(len(PLACES)) - column) * _STRAYING
    away += np.abs(np.array(PLACES) - 0.5) * _OFF_CENTER
    costs = np.zeros((count, len(PLACES)))
    for _ in range(6):
        moved = False
        for row in range(count):
            here = points[np.arange(count), chosen]
            room = boxes + boxes[row] + CLEAR
            apart = np.abs(points[row][:, None, :] - here[None])  # place, label, axis
            overlaps = (apart < room[None]).all(axis=2)
            overlaps[:, row] = False
            costs[row] = overlaps.sum(axis=1) * _OVERLAP + burdens[row] + away
            best = int(np.argmin(costs[row]))
            if costs[row, best] < costs[row, chosen[row]]:
                chosen[row], moved = best, True
        if not moved:
            break
    return float(costs[np.arange(count), chosen].sum()), chosen


def _hits(taken: Sequence[Box], point: np.ndarray, box: np.ndarray) -> int:
    """Return how many taken places a label's box meets."""
    return sum(
        abs(point[0] - place.x) < box[0] + place.width / 2
        and abs(point[1] - place.y) < box[1] + place.height / 2
        for place in taken
    )


def _crossings(edges: Sequence[Edge], own: int, point: np.ndarray, box: np.ndarray) -> int:
    """Return how many other edges run through a label, or close by."""
    count = 0
    box = box + PAST
    for number, edge in enumerate(edges):
        left, right = point[0] - box[0], point[0] + box[0]
        if number == own or edge.end[0] <= edge.start[0]:
            continue
        if edge.end[0] < left or right < edge.start[0]:
            continue
        low, high = edge.heights(left, right)
        count += low < point[1] + box[1] and high > point[1] - box[1]
    return count
