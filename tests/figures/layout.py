"""What makes a drawing unreadable: text off the paper, or text over other text."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

SMALLEST = 11.0
"""Points."""

TOUCH = 0.25
"""Points by which two boxes may meet: a box has some air of its own above and below."""


def texts_of(figure: Figure) -> list[Any]:
    """Return the texts that are drawn."""
    return [one for one in figure.findobj(Text) if one.get_text().strip()]


def faults_of(figure: Figure) -> list[str]:
    """Return what can't be read, in words; empty for a drawing that can."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    width, height = figure.bbox.width, figure.bbox.height
    boxes = [(text, text.get_window_extent(renderer)) for text in texts_of(figure)]
    faults = [
        f"{text.get_text()!r} is off the paper"
        for text, box in boxes
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]
    faults += [
        f"{text.get_text()!r} is {text.get_fontsize()} points"
        for text, _ in boxes
        if text.get_fontsize() < SMALLEST
    ]
    faults += [
        f"{one.get_text()!r} and {two.get_text()!r} overlap"
        for (one, a), (two, b) in combinations(boxes, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > TOUCH and min(a.y1, b.y1) - max(a.y0, b.y0) > TOUCH
    ]
    return faults
