"""The way of an edge that skips columns: between the units that stand there, or around them.

Rule: an edge that meets nothing is a straight line. Any other passes each column on its way
level, in a lane of its own between two units or beyond the last, and bends in between.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

Point: TypeAlias = tuple[float, float]
Lane: TypeAlias = tuple[int, float]
"""A column, and the lower end of the free space there."""

CROWDED: Final = 4.0
"""Points of detour that a point of height missing for a lane of its own is worth."""

PIECES: Final = 12
"""Straight pieces of a bend."""


@dataclass(frozen=True, slots=True)
class Wall:
    """What stands in a column.

    Attributes:
        x: of the column.
        half: how far its units and their texts reach to either side.
        taken: the heights that they take, from above to below, none over another.
    """

    x: float
    half: float
    taken: tuple[tuple[float, float], ...]

    def spaces(self) -> list[tuple[float, float]]:
        """Return the free heights, those above and below everything included."""
        ends = [-math.inf, *(end for pair in self.taken for end in pair), math.inf]
        return [(low, high) for low, high in zip(ends[::2], ends[1::2], strict=True) if low < high]

    def lets_pass(self, start: Point, end: Point) -> bool:
        """Return whether a straight line meets nothing here."""
        heights = [_height(start, end, x) for x in (self.x - self.half, self.x + self.half)]
        return any(low < min(heights) and max(heights) < high for low, high in self.spaces())


def routes(
    lines: Sequence[tuple[Point, Point]], walls: Mapping[int, Wall], lane_height: float
) -> list[list[Point]]:
    """Return the points of each line, from start to end; two where it is straight.

    Args:
        lines: their ends, from left to right.
        walls: the columns by their place.
        lane_height: from one lane to the next, where there is room.
    """
    chosen: dict[Lane, list[tuple[float, int]]] = {}
    spaces: dict[Lane, tuple[float, float]] = {}
    passed: list[list[Lane]] = []
    for number, (start, end) in enumerate(lines):
        between = [place for place, wall in walls.items() if start[0] < wall.x < end[0]]
        lanes: list[Lane] = []
        if not all(walls[place].lets_pass(start, end) for place in between):
            here = start
            for place in between:
                wall = walls[place]
                height = _height(here, end, wall.x)
                costs: list[tuple[float, int]] = []
                for at, space in enumerate(wall.spaces()):
                    lines_there = len(chosen.get((place, space[0]), ())) + 1
                    missing = max(0.0, lines_there * lane_height - (space[1] - space[0]))
                    costs.append((_away(height, space) + CROWDED * missing, at))
                space = wall.spaces()[min(costs)[1]]
                lane = (place, space[0])
                lanes.append(lane)
                spaces[lane] = space
                chosen.setdefault(lane, []).append((height, number))
                here = (wall.x, min(max(height, space[0]), space[1]))
        passed.append(lanes)
    heights = {
        (lane, number): y
        for lane, wishes in chosen.items()
        for number, y in _lanes(spaces[lane], wishes, lane_height).items()
    }
    return [
        _bent(start, [(walls[lane[0]], heights[lane, number]) for lane in lanes], end)
        for number, ((start, end), lanes) in enumerate(zip(lines, passed, strict=True))
    ]


def _height(start: Point, end: Point, x: float) -> float:
    return start[1] + (end[1] - start[1]) * (x - start[0]) / (end[0] - start[0])


def _away(height: float, space: tuple[float, float]) -> float:
    return max(space[0] - height, height - space[1], 0.0)


def _lanes(
    space: tuple[float, float], wishes: Sequence[tuple[float, int]], lane_height: float
) -> dict[int, float]:
    """Return each line's height in a space: in the order of the wishes, none over another."""
    low, high = space
    count = len(wishes)
    step = min(lane_height, (high - low) / (count + 1))
    reach = step * (count - 1) / 2
    middle = sum(height for height, _ in wishes) / count
    middle = min(max(middle, low + step + reach), high - step - reach)
    return {number: middle + step * at - reach for at, (_, number) in enumerate(sorted(wishes))}


def _bent(start: Point, passes: Sequence[tuple[Wall, float]], end: Point) -> list[Point]:
    """Return a line that is level where it passes a column."""
    if not passes:
        return [start, end]
    points = [start]
    for at, (wall, y) in enumerate(passes):
        points += _bend(points[-1], (wall.x - wall.half, y), leaves_level=at > 0, ends_level=True)
        points.append((wall.x + wall.half, y))
    return points + _bend(points[-1], end, leaves_level=True, ends_level=False)


def _bend(start: Point, end: Point, *, leaves_level: bool, ends_level: bool) -> list[Point]:
    points: list[Point] = []
    for piece in range(1, PIECES + 1):
        share = piece / PIECES
        if leaves_level and ends_level:
            rise = share * share * (3 - 2 * share)
        else:
            rise = share * share if leaves_level else 1 - (1 - share) ** 2
        x = start[0] + (end[0] - start[0]) * share
        points.append((x, start[1] + (end[1] - start[1]) * rise))
    return points
