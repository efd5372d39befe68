"""The operations that all derivatives of a chain take, with and without reuse, by its length."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from adderlab.blocks.numbers import compact
from adderlab.figures.losses import Axis
from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import Sheet, width_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH: Final = 300.0
HEIGHT: Final = 200.0
MARGIN: Final = 14.0
LINE: Final = 15.0

_INKS: Final = (("negative", (4.0, 1.6)), ("positive", ()))
"""Color and dashes of each line: told apart in gray too."""


def operations_picture(
    counts: Mapping[str, Sequence[tuple[int, int]]], *, name: str = "operations"
) -> Picture:
    """Return how the operations grow with the length of a chain.

    Args:
        counts: pairs of length and operations by the name of the way they are done; two ways.
        name: of the picture.
    """
    ends = [f"{way}: {pairs[-1][1]} operations at {pairs[-1][0]}." for way, pairs in counts.items()]
    title = "Operations for all derivatives of a chain, by its length"
    return render(name, title, " ".join(ends), lambda: _draw(counts))


def _draw(counts: Mapping[str, Sequence[tuple[int, int]]]) -> Figure:
    longest = max(pairs[-1][0] for pairs in counts.values())
    most = max(count for pairs in counts.values() for _, count in pairs)
    across, up = Axis(0, max(longest, 2)), Axis(0, most * 1.05)
    ticks = [(up.share(value), compact(value)) for value in up.ticks()]
    ends = {way: f"{way}: {pairs[-1][1]}" for way, pairs in counts.items()}
    left = MARGIN + max(width_of("operations"), *(width_of(text) for _, text in ticks)) + 10
    right = max(map(width_of, ends.values())) + 15
    top = MARGIN + LINE + 12
    sheet = Sheet(left + WIDTH + right + MARGIN, top + HEIGHT + 2 * LINE + 8 + MARGIN)
    bottom = top + HEIGHT
    sheet.text(left - 8, MARGIN + LINE / 2, "operations", align="right", color="muted")
    for share, text in ticks:
        y = bottom - HEIGHT * share
        sheet.line([(left, y), (left + WIDTH, y)], color="faint", width=0.7, zorder=1)
        sheet.text(left - 8, y, text, align="right")
    for value in across.ticks():
        if value == int(value):
            x = left + WIDTH * across.share(value)
            sheet.line([(x, bottom), (x, bottom + 4)])
            sheet.text(x, bottom + 4 + LINE / 2, compact(value))
    sheet.line([(left, bottom), (left + WIDTH, bottom)])
    sheet.text(left + WIDTH / 2, bottom + LINE * 1.5 + 6, "functions in the chain", color="muted")
    places: list[float] = []
    for (way, pairs), (color, dashes) in zip(counts.items(), _INKS, strict=True):
        path = [
            (left + WIDTH * across.share(at), bottom - HEIGHT * up.share(count))
            for at, count in pairs
        ]
        if len(path) > 1:
            sheet.line(path, color=color, width=2.0, dashes=dashes)
        for x, y in path if len(path) <= 12 else ():
            sheet.circle(x, y, 3, fill=color, edge=None)
        x, y = path[-1]
        place = y
        while any(abs(place - other) < LINE for other in places):
            place -= LINE  # the two ends meet where the chain is short: one name above the other
        places.append(place)
        edge = left + WIDTH
        sheet.line([(x + 3, y), (max(x + 3, edge), y), (edge + 8, place)], color="muted", width=0.7)
        sheet.text(edge + 11, place, ends[way], align="left")
    return sheet.figure
