"""Heights on a plane as shapes: the lines of one height, and the areas between two heights."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float64
    from matplotlib.path import Path

TOLERANCE: Final = 0.4
"""Points by which a simplified outline may be off: half a cell of the grid."""


class Contours:
    """The heights of a grid whose lines stand at given places on the sheet."""

    def __init__(
        self,
        across: Float64[np.ndarray, " x"],
        down: Float64[np.ndarray, " y"],
        values: Float64[np.ndarray, "y x"],
        *,
        closed_below: bool = False,
    ) -> None:
        from contourpy import FillType, LineType, contour_generator

        self.low, self.high = float(values.min()), float(values.max())
        self._closed_below = closed_below
        self._generator: Any = contour_generator(
            across, down, values, line_type=LineType.Separate, fill_type=FillType.OuterOffset
        )

    def lines(self, level: float) -> list[Float64[np.ndarray, "point 2"]]:
        """Return the lines of one height; none where the surface does not pass it."""
        cut = self._cut(level)
        if not self.low <= cut < self.high:
            return []
        found = [simplified(points) for points in self._generator.lines(cut)]
        return [points for points in found if np.ptp(points, axis=0).max() > TOLERANCE]

    def area(self, low: float, high: float) -> Path | None:
        """Return the area from ``low`` to ``high``, holes and all; ``None`` if it is empty.

        What is level at ``high`` belongs to it, unless bands are closed below.
        """
        from matplotlib.path import Path

        rings: list[Float64[np.ndarray, "point 2"]] = []
        polygons, offsets = self._generator.filled(self._cut(low), self._cut(high))
        for points, ends in zip(polygons, offsets, strict=True):
            rings += [simplified(points[start:end]) for start, end in pairwise(ends)]
        rings = [ring for ring in rings if len(ring) > 3]
        if not rings:
            return None
        codes = [[Path.MOVETO, *[Path.LINETO] * (len(ring) - 2), Path.CLOSEPOLY] for ring in rings]
        return Path(np.concatenate(rings), np.concatenate(codes))

    def _cut(self, level: float) -> float:
        return math.nextafter(level, -math.inf) if self._closed_below else level


def simplified(points: Float64[np.ndarray, "point 2"]) -> Float64[np.ndarray, "point 2"]:
    """Return the line without the points that lie within :data:`TOLERANCE` of the rest.

    References:
        Douglas, Peucker, "Algorithms for the reduction of the number of points required to
        represent a digitized line or its caricature" (1973), doi:10.3138/FM57-6770-U75U-7727.
    """
    kept = np.zeros(len(points), dtype=bool)
    kept[[0, -1]] = True
    open_parts = [(0, len(points) - 1)]
    while open_parts:
        first, last = open_parts.pop()
        if last - first < 2:
            continue
        inner = points[first + 1 : last] - points[first]
        chord = points[last] - points[first]
        length = float(np.hypot(*chord))
        away = (
            np.abs(inner[:, 0] * chord[1] - inner[:, 1] * chord[0]) / length
            if length
            else np.hypot(inner[:, 0], inner[:, 1])
        )
        farthest = int(np.argmax(away))
        if away[farthest] > TOLERANCE:
            middle = first + 1 + farthest
            kept[middle] = True
            open_parts += [(first, middle), (middle, last)]
    return points[kept]


def spaced(line: Float64[np.ndarray, "point 2"], step: float) -> Float64[np.ndarray, "point 2"]:
    """Return points along a line, ``step`` apart."""
    lengths = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    places = np.arange(0.0, along[-1], step)
    return np.stack([np.interp(places, along, line[:, axis]) for axis in (0, 1)], axis=-1)
