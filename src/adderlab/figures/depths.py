"""Depth against weight size: what a construction pays for a wider word, in layers or in weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import Sheet, width_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH: Final = 390.0
HEIGHT: Final = 190.0
MARGIN: Final = 14.0
LINE: Final = 15.0
SMALLEST: Final = 2.6
LARGEST: Final = 6.0
HYPHEN: Final = "\u2010"
"""In names; the sheet sets a minus sign where it finds a hyphen-minus."""

INKS: Final = (("positive", ()), ("negative", (4.0, 1.6)), ("ink", (1.2, 1.4)))


@dataclass(frozen=True, slots=True)
class Size:
    """The size of one network.

    Attributes:
        width: bits of an operand.
        layers: affine layers.
        power: the power of two that its largest weight reaches.
        hidden: hidden units.
    """

    width: int
    layers: int
    power: int
    hidden: int


def depths_picture(sizes: Mapping[str, Sequence[Size]], *, name: str = "depths") -> Picture:
    """Return layers against largest weight, a line a construction, from narrow words to wide ones.

    Args:
        sizes: by construction, from the narrowest to the widest.
        name: of the picture.
    """
    said = [f"{one}: {_course(line)}." for one, line in sizes.items()]
    return render(name, "Depth against weight size", " ".join(said), lambda: draw_depths(sizes))


def draw_depths(sizes: Mapping[str, Sequence[Size]]) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    every = [size for line in sizes.values() for size in line]
    most_layers, most_power = max(one.layers for one in every), max(one.power for one in every)
    least_layers = min(one.layers for one in every)
    octaves = max(1.0, math.log2(most_layers / least_layers))
    ticks = sorted({1, *range(16, most_power + 1, 16), most_power})
    left = MARGIN + max(width_of(f"2^{one}") for one in ticks) + 12
    top = MARGIN + LINE + 12
    bottom = top + HEIGHT + 10
    sheet = Sheet(left + WIDTH + 30 + MARGIN, bottom + 2 * LINE + 8 + MARGIN)

    def across(layers: int) -> float:
        return left + 16 + (WIDTH - 16) * math.log2(layers / least_layers) / octaves

    def up(power: int) -> float:
        return top + HEIGHT * (1 - power / most_power)

    sheet.text(MARGIN, MARGIN + LINE / 2, "largest weight", align="left", color="muted")
    _draw_key(sheet, left + WIDTH + 30, MARGIN + LINE / 2, next(iter(sizes.values())))
    for power in ticks:
        y = up(power)
        sheet.line([(left, y), (left + WIDTH, y)], color="faint", width=0.7, zorder=1)
        sheet.text(left - 8, y, f"2^{power}", align="right")
    layers = least_layers
    while layers <= most_layers:
        x = across(layers)
        sheet.line([(x, bottom), (x, bottom + 4)])
        sheet.text(x, bottom + 4 + LINE / 2, str(layers))
        layers *= 2
    sheet.line([(left, bottom), (left + WIDTH, bottom)])
    sheet.text(left + WIDTH / 2, bottom + LINE * 1.5 + 6, "layers", color="muted")
    for (one, line), (color, dashes) in zip(sizes.items(), INKS, strict=False):
        points = [(across(size.layers), up(size.power)) for size in line]
        sheet.line(points, color=color, width=2.0, dashes=dashes)
        for place, (x, y) in enumerate(points):
            sheet.circle(x, y, _radius(place, len(line)), fill=color, edge=None)
        _name(sheet, one, line, points, left + WIDTH + 30)
    return sheet.figure


def _name(
    sheet: Sheet, name: str, line: Sequence[Size], points: Sequence[tuple[float, float]], far: float
) -> None:
    """Write a construction's name and size at its widest network."""
    (x, y), last = points[-1], line[-1]
    texts = (
        name.replace("-", HYPHEN),
        f"{last.layers} layers",
        f"{last.hidden:,} hidden units",
    )
    above = y - 17 - 2 * LINE
    is_beside = points[0][1] - y > abs(points[0][0] - x) or above < MARGIN + 2 * LINE
    wide = max(width_of(texts[0], bold=True), *map(width_of, texts[1:]))
    if is_beside:
        start, first = x + 14, y
    else:
        start, first = min(x - wide / 2, far - wide), above
    for number, text in enumerate(texts):
        sheet.text(start, first + number * LINE, text, align="left", bold=not number, halo=True)


def _draw_key(sheet: Sheet, far: float, y: float, line: Sequence[Size]) -> None:
    """Write which dot is which width, the last one ending at ``far``."""
    texts = [str(one.width) for one in line]
    texts[-1] += " bits"
    x = far - sum(width_of(text) for text in texts) - len(texts) * (2 * LARGEST + 13) + 9
    for place, text in enumerate(texts):
        sheet.circle(x + LARGEST, y, _radius(place, len(line)), fill="muted", edge=None)
        x += 2 * LARGEST + 4
        sheet.text(x, y, text, align="left", color="muted")
        x += width_of(text) + 9


def _radius(place: int, count: int) -> float:
    """Return the radius of a dot: the wider the word, the larger."""
    return LARGEST if count < 2 else SMALLEST + (LARGEST - SMALLEST) * place / (count - 1)


def _course(line: Sequence[Size]) -> str:
    return "; ".join(
        f"{one.width} bits take {one.layers} layers, {one.hidden} hidden units and weights to "
        f"2^{one.power}"
        for one in line
    )
