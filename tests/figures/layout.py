"""What makes a drawing unreadable: text off the paper or over other text, colors too alike."""

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


def drawn_texts(figure: Figure) -> list[tuple[str, float, Any]]:
    """Return each text that is drawn, with its size and its box; ticks out of view are not."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # the layout is made when it is drawn
    texts: list[tuple[str, float, Any]] = []
    draw = Text.draw

    def note(text: Text, renderer: Any, *arguments: Any, **options: Any) -> None:
        if text.get_text().strip() and text.get_visible():
            texts.append((text.get_text(), text.get_fontsize(), text.get_window_extent(renderer)))
        draw(text, renderer, *arguments, **options)

    Text.draw = note
    try:
        canvas.draw()
    finally:
        Text.draw = draw
    return texts


def faults_of(figure: Figure) -> list[str]:
    """Return what can't be read, in words; empty for a drawing that can."""
    texts = drawn_texts(figure)
    width, height = figure.bbox.width, figure.bbox.height
    faults = [
        f"{text!r} is off the paper"
        for text, _, box in texts
        if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height
    ]
    faults += [f"{text!r} is {size} points" for text, size, _ in texts if size < SMALLEST]
    faults += [
        f"{first!r} and {second!r} overlap"
        for (first, _, a), (second, _, b) in combinations(texts, 2)
        if min(a.x1, b.x1) - max(a.x0, b.x0) > TOUCH and min(a.y1, b.y1) - max(a.y0, b.y0) > TOUCH
    ]
    return faults


def luminance(code: str) -> float:
    """Return how light a color is, from 0 to 1, by WCAG's formula."""
    parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
