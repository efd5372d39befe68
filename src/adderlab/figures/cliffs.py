"""Cliffs: up to which width a construction is proved in each number format, and what comes then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import Sheet, width_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

State: TypeAlias = Literal["proved", "refuted", "open", "not held"]
"""What is known at a width; ``not held``: the format does not even hold the stored numbers."""

WORDS: Final[dict[State, str]] = {
    "proved": "proved in every order",
    "refuted": "refuted",
    "open": "not proved",
    "not held": "its numbers do not fit",
}

CELL: Final = 5.8
GAP: Final = 0.9
HIGH: Final = 28.0
LOW: Final = 11.0
FLAT: Final = 3.0
ROW: Final = 43.0
MARGIN: Final = 14.0
LINE: Final = 16.0
NAMES: Final = 46.0
TICKS: Final = 8


def cliffs_picture(formats: Mapping[str, Sequence[State]], *, name: str = "cliffs") -> Picture:
    """Return what is known in each format at each width, a row a format, a column a width.

    Args:
        formats: by format, what is known at widths 1, 2, 3, …; as many for each.
        name: of the picture.
    """
    said = [f"{one}: {_course(states)}." for one, states in formats.items()]
    title = "Up to which width each format is exact"
    return render(name, title, " ".join(said), lambda: draw_cliffs(formats))


def draw_cliffs(formats: Mapping[str, Sequence[State]]) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    widths = max(map(len, formats.values()))
    left = MARGIN + max(NAMES, *(width_of(one, bold=True) + 10 for one in formats))
    across = widths * (CELL + GAP)
    bottom = MARGIN + ROW * len(formats)
    sheet = Sheet(left + across + MARGIN + 8, bottom + 3.5 * LINE + MARGIN)
    for number, (one, states) in enumerate(formats.items()):
        base = MARGIN + ROW * (number + 1) - 8
        sheet.text(MARGIN, base - HIGH / 2, one, align="left", bold=True)
        for place, state in enumerate(states):
            draw_state(sheet, left + place * (CELL + GAP), base, state)
        last = _proved_to(states)
        edge = left + last * (CELL + GAP)
        if 0 < last < len(states):
            text = f"{last} bits"
            sheet.line([(edge, base - HIGH - 3), (edge, base)], width=1.6)
            fits = edge + 6 + width_of(text, bold=True) < left + across
            x, align = (edge + 5, "left") if fits else (edge - 5, "right")
            sheet.text(x, base - HIGH + 4, text, align=align, bold=True, halo=not fits)
    for width in (1, *range(TICKS, widths + 1, TICKS)):
        x = left + (width - 1) * (CELL + GAP) + CELL / 2
        sheet.line([(x, bottom - 5), (x, bottom - 1)])
        sheet.text(x, bottom + LINE / 2, str(width))
    sheet.text(left + across / 2, bottom + 1.5 * LINE, "bits of an operand", color="muted")
    _draw_key(sheet, MARGIN, bottom + 3 * LINE, formats)
    return sheet.figure


def draw_state(sheet: Sheet, x: float, base: float, state: State, high: float = HIGH) -> None:
    """Draw one width, told apart by height and mark as well as by color."""
    if state == "proved":
        sheet.box(x, base - high, CELL, high, fill="right")
    elif state == "refuted":
        sheet.box(x, base - LOW, CELL, LOW, fill="wrong", opacity=0.18)
        sheet.mark(x + CELL / 2, base - LOW / 2, right=False, size=5.6)
    elif state == "open":
        sheet.box(x + 0.6, base - LOW, CELL - 1.2, LOW - 0.6, edge="muted")
    else:
        sheet.box(x, base - FLAT, CELL, FLAT, fill="faint")


def _draw_key(
    sheet: Sheet, left: float, base: float, formats: Mapping[str, Sequence[State]]
) -> None:
    """Draw what each shape says, those alone that occur."""
    x = left
    found = {state for states in formats.values() for state in states}
    for state, words in WORDS.items():
        if state in found:
            draw_state(sheet, x, base + LOW / 2, state, LOW)
            sheet.text(x + CELL + 5, base, words, align="left")
            x += CELL + 5 + width_of(words) + 18


def _proved_to(states: Sequence[State]) -> int:
    """Return how many widths from the first on are proved."""
    return next((place for place, one in enumerate(states) if one != "proved"), len(states))


def _course(states: Sequence[State]) -> str:
    """Return a row in words: ``proved from 1 to 9 bits, …``."""
    parts: list[str] = []
    start = 1
    for state, group in groupby(states):
        end = start + len(list(group)) - 1
        parts.append(f"{state} at {start}" if start == end else f"{state} from {start} to {end}")
        start = end + 1
    return ", ".join(parts) + " bits"
