"""A sheet to draw on: measured in points, x to the right and y down, colors by name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks.numbers import with_minus
from adderlab.figures.picture import PALETTE, plain

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.path import Path

SIZE: Final = 11.0
"""Points; the smallest text of any figure."""

DROP: Final = 0.07
"""How far a line is set below its middle, as a share of its size: few letters descend."""

LONGEST_NAME: Final = 18


class Sheet:
    """A drawing of given size, empty at first."""

    def __init__(self, width: float, height: float) -> None:
        from matplotlib.figure import Figure
        from matplotlib.transforms import Affine2D

        self.width, self.height = math.ceil(width), math.ceil(height)  # whole pixels of a PNG
        self.figure: Figure = Figure(figsize=(self.width / 72, self.height / 72), dpi=72)
        points = Affine2D().scale(1 / self.width, -1 / self.height).translate(0, 1)
        self._transform = points + self.figure.transFigure

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = SIZE,
        color: str = "ink",
        bold: bool = False,
        align: str = "center",
        halo: bool = False,
    ) -> None:
        """Write one line, its middle at height ``y``; ``halo`` clears the paper behind it."""
        box: dict[str, Any] = {"facecolor": PALETTE["paper"], "edgecolor": "none", "pad": 1.5}
        _ = self.figure.text(
            x,
            y + DROP * size,
            with_minus(plain(text)),
            fontsize=size,
            color=PALETTE[color],
            weight="bold" if bold else "normal",
            ha=align,
            va="center",
            bbox=box if halo else None,
            zorder=5,
            transform=self._transform,
        )

    def line(
        self,
        points: Iterable[Sequence[float]],
        *,
        color: str = "ink",
        width: float = 1.0,
        dashes: tuple[float, ...] = (),
        opacity: float = 1.0,
        zorder: float = 2,
    ) -> None:
        """Draw a line through the points."""
        from matplotlib.lines import Line2D

        line = Line2D(
            *zip(*points, strict=True),
            color=PALETTE[color],
            linewidth=width,
            alpha=opacity,
            solid_capstyle="round",
            zorder=zorder,
        )
        if dashes:
            line.set_linestyle((0, dashes))
        self._add(line)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str | None = None,
        opacity: float = 1.0,
        edge: str | None = None,
        zorder: float = 1,
    ) -> None:
        """Draw a rectangle, its upper left corner at ``(x, y)``."""
        from matplotlib.patches import Rectangle

        patch = Rectangle((x, y), width, height, zorder=zorder, **_inked(fill, opacity, edge))
        self._add(patch)

    def shape(self, path: Path, *, fill: str, opacity: float = 1.0, zorder: float = 1) -> None:
        """Fill an area."""
        from matplotlib.patches import PathPatch

        patch = PathPatch(path, zorder=zorder, **_inked(fill, opacity, None))
        self._add(patch)

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: str = "paper",
        opacity: float = 1.0,
        edge: str | None = "ink",
        zorder: float = 3,
    ) -> None:
        """Draw a circle."""
        from matplotlib.patches import Circle

        patch = Circle((x, y), radius, zorder=zorder, **_inked(fill, opacity, edge))
        self._add(patch)

    def _add(self, artist: Artist) -> None:
        artist.set_transform(self._transform)
        _ = self.figure.add_artist(artist)

    def mark(self, x: float, y: float, *, right: bool, size: float = 9.0) -> None:
        """Draw a check mark or a cross: told apart by shape, in any color."""
        half = size / 2
        if right:
            strokes = [[(x - half, y), (x - 0.25 * half, y + half), (x + half, y - half)]]
        else:
            strokes = [
                [(x - half, y - half), (x + half, y + half)],
                [(x - half, y + half), (x + half, y - half)],
            ]
        for stroke in strokes:
            self.line(stroke, color="right" if right else "wrong", width=2.2, zorder=6)


@lru_cache(maxsize=4096)
def width_of(text: str, *, size: float = SIZE, bold: bool = False) -> float:
    """Return how wide a line of text is, in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    drawn = with_minus(plain(text))
    font = FontProperties(family=["DejaVu Sans"], weight="bold" if bold else "normal", size=size)
    return float(text_to_path.get_text_width_height_descent(drawn, font, False)[0])


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """Return a long name with its middle left out."""
    if len(name) <= longest:
        return name
    tail = (longest - 1) // 2
    return f"{name[: longest - 1 - tail]}…{name[-tail:]}"


def _inked(fill: str | None, opacity: float, edge: str | None) -> dict[str, Any]:
    from matplotlib.colors import to_rgba

    return {
        "facecolor": to_rgba(PALETTE[fill], opacity) if fill else "none",
        "edgecolor": PALETTE[edge] if edge else "none",
        "linewidth": 1.2 if edge else 0.0,
    }
