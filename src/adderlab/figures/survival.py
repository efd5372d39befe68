"""Of many networks, the share that is still right in each number format, a line a method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import Sheet, width_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMN: Final = 52.0
HEIGHT: Final = 200.0
MARGIN: Final = 14.0
LINE: Final = 15.0
SWATCH: Final = 30.0
SIDE: Final = 6.0
INKS: Final = (
    ("negative", (1.2, 1.4)),
    ("positive", ()),
    ("ink", (6.0, 1.4, 1.2, 1.4)),
    ("muted", (4.0, 1.6)),
)
"""Color and dashes of each line, told apart in gray too."""


def survival_picture(
    shares: Mapping[str, Mapping[str, float]],
    formats: Sequence[str],
    *,
    name: str = "survival",
    title: str = "Networks that are still right, by number format",
) -> Picture:
    """Return the shares of networks that survive each format.

    Args:
        shares: by method, each format's share, 0 to 1; a format that is missing leaves a gap.
        formats: the formats from left to right.
        name: of the picture.
        title: what the networks are.
    """
    said = "; ".join(
        f"{method}: " + ", ".join(f"{one} {found[one]:.0%}" for one in formats if one in found)
        for method, found in shares.items()
    )
    return render(name, title, f"{said}.", lambda: draw_survival(shares, formats))


def draw_survival(shares: Mapping[str, Mapping[str, float]], formats: Sequence[str]) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    ticks = [(share / 100, f"{share} %") for share in range(0, 101, 25)]
    left = MARGIN + max(width_of(text) for _, text in ticks) + 10
    width = max(COLUMN * len(formats), _legend_width(shares))
    top = MARGIN + LINE + 14
    bottom = top + HEIGHT
    sheet = Sheet(left + width + MARGIN, bottom + LINE + 8 + MARGIN)
    _draw_legend(sheet, shares, left)
    for share, text in ticks:
        y = bottom - HEIGHT * share
        sheet.line([(left, y), (left + width, y)], color="faint", width=0.7, zorder=1)
        sheet.text(left - 8, y, text, align="right")
    sheet.line([(left, bottom), (left + width, bottom)])
    step = width / len(formats)
    middles = {form: left + step * (place + 0.5) for place, form in enumerate(formats)}
    for form, x in middles.items():
        sheet.text(x, bottom + 6 + LINE / 2, _named(form))
    for place, (_, found) in enumerate(shares.items()):
        color, dashes = INKS[place % len(INKS)]
        aside = SIDE * (place - (len(shares) - 1) / 2)  # equal shares stay side by side
        run: list[tuple[float, float]] = []
        for form in (*formats, ""):
            if form in found:
                run.append((middles[form] + aside, bottom - HEIGHT * found[form]))
                continue
            if len(run) > 1:
                sheet.line(run, color=color, width=1.6, dashes=dashes)
            for x, y in run:
                sheet.circle(x, y, 3, fill=color, edge=None)
            run = []
    return sheet.figure


def _legend_width(shares: Mapping[str, Mapping[str, float]]) -> float:
    return sum(SWATCH + 6 + width_of(method) + 18 for method in shares)


def _draw_legend(sheet: Sheet, shares: Mapping[str, Mapping[str, float]], left: float) -> None:
    x, y = left, MARGIN + LINE / 2
    for place, method in enumerate(shares):
        color, dashes = INKS[place % len(INKS)]
        sheet.line([(x, y), (x + SWATCH, y)], color=color, width=1.6, dashes=dashes)
        sheet.circle(x + SWATCH / 2, y, 3, fill=color, edge=None)
        sheet.text(x + SWATCH + 6, y, _named(method), align="left")
        x += SWATCH + 6 + width_of(method) + 18


def _named(name: str) -> str:
    """Return a name with hyphens that a sheet does not take for minus signs."""
    return name.replace("-", "\u2010")
