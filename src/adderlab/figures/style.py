"""The style of all figures: one style sheet, and axes to draw on.

matplotlib is imported when something is drawn, not before.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from functools import lru_cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final

from adderlab.blocks.numbers import with_minus
from adderlab.blocks.picture import plain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE: Final = 11.0
"""Points; the smallest text of any figure."""

POINTS: Final = 72
"""Points in an inch."""

LONGEST_NAME: Final = 18

MARKS: Final = {True: "✔", False: "✘"}
"""Right and wrong, different in shape too; heavy enough for a projector."""

_LOCK: Final = threading.RLock()  # matplotlib's settings belong to the whole process


@contextmanager
def styled() -> Generator[None]:
    """Let everything within be drawn in our style, whatever the user's is.

    The user's settings are put back afterwards. One thread draws at a time.
    """
    import matplotlib.style

    sheet = files("adderlab.figures") / "adderlab.mplstyle"
    with _LOCK, as_file(sheet) as path, matplotlib.style.context(["default", str(path)]):
        yield


@contextmanager
def drawing_on(
    ax: Axes | None, size: tuple[float, float] | None = None, *, fills: bool = False
) -> Generator[Axes]:
    """Yield the axes to draw on: those given, or new ones of a figure in our style.

    Args:
        ax: the axes of a user, drawn on in the user's style.
        size: of a new figure, in inches; that of the style sheet unless given.
        fills: whether new axes fill the figure, as a drawing without ticks does.
    """
    if ax is not None:
        yield ax
        return
    with styled():
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=size, layout=None if fills else "constrained")
        yield figure.add_axes((0, 0, 1, 1)) if fills else figure.add_subplot()


def scale_of(ax: Axes) -> float:
    """Return the size of a drawing in points on axes that may be too small for it, at most 1."""
    width, height = (abs(high - low) for low, high in (ax.get_xlim(), ax.get_ylim()))
    pixels = POINTS / ax.figure.dpi
    scale = min(ax.bbox.width * pixels / width, ax.bbox.height * pixels / height)
    return min(1.0, round(scale, 4))


@lru_cache(maxsize=4096)
def width_of(text: str, *, bold: bool = False) -> float:
    """Return how wide a line of text is, in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=["DejaVu Sans"], weight="bold" if bold else "normal", size=SIZE)
    width = text_to_path.get_text_width_height_descent(written(text), font, False)[0]
    return float(width)


def written(text: str) -> str:
    """Return text as a figure shows it: a typeset minus sign, and nothing that no font knows."""
    return with_minus(plain(text))


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """Return a long name with its middle left out."""
    if len(name) <= longest:
        return name
    tail = (longest - 1) // 2
    return f"{name[: longest - 1 - tail]}…{name[-tail:]}"
