"""Charts over a population: success rates with their intervals, and quantiles of the loss."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adderlab.blocks.numbers import compact
from adderlab.figures.losses import Axis
from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import Sheet, width_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH: Final = 300.0
HEIGHT: Final = 190.0
MARGIN: Final = 14.0
LINE: Final = 15.0
SMALLEST_LOSS: Final = 1e-12
"""Losses below this are drawn as this: fp32 has nothing to say down there."""


@dataclass(frozen=True, slots=True)
class RatePoint:
    """A measured rate.

    Attributes:
        x: what it was measured at.
        share: the rate, 0 to 1.
        low: the lower end of its 95 % interval.
        high: the upper end.
        is_own: whether this is what the run itself had.
    """

    x: float
    share: float
    low: float
    high: float
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class _Frame:
    """A plot on a sheet, with its axes drawn."""

    sheet: Sheet
    left: float
    top: float
    x: Axis
    y: Axis

    def at(self, x: float, y: float) -> tuple[float, float]:
        share = min(max(self.y.share(y), 0.0), 1.0)
        return self.left + WIDTH * self.x.share(x), self.top + HEIGHT * (1 - share)


def rates_picture(
    points: Sequence[RatePoint], x_name: str, *, name: str, is_log: bool = False
) -> Picture:
    """Return success rates over a setting, each with its 95 % interval.

    Args:
        points: ascending.
        x_name: what the setting is called.
        name: of the picture.
        is_log: whether the setting counts in powers of ten.
    """
    said = [
        f"{compact(one.x)}: {one.share:.1%} ({one.low:.1%} to {one.high:.1%})"
        + (", the run's own" if one.is_own else "")
        for one in points
    ]
    title = f"How often a network is right, by {x_name}"
    text = f"{title}, with 95 % intervals. {'; '.join(said)}."
    return render(name, title, text, lambda: draw_rates(points, x_name, is_log=is_log))


def draw_rates(points: Sequence[RatePoint], x_name: str, *, is_log: bool) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    low, high = points[0].x, points[-1].x
    if is_log:
        across = Axis(low / 1.3, high * 1.3, is_log=True)
    else:
        room = max((high - low) * 0.06, 0.5)
        across = Axis(low - room, high + room)
    ticks = across.ticks() if is_log else [one.x for one in points]
    if len(ticks) > 12:
        ticks = across.ticks()
    frame = _framed(across, Axis(0.0, 1.0), ticks, x_name, "right on every row", _share)
    sheet = frame.sheet
    sheet.line([frame.at(one.x, one.share) for one in points], color="positive", width=1.6)
    for one in points:
        (x, bottom), (_, top) = frame.at(one.x, one.low), frame.at(one.x, one.high)
        sheet.line([(x, bottom), (x, top)], color="positive", width=1.4)
        for y in (bottom, top):
            sheet.line([(x - 3, y), (x + 3, y)], color="positive", width=1.4)
        place = frame.at(one.x, one.share)
        fill = "paper" if one.is_own else "positive"
        sheet.circle(*place, 4.5 if one.is_own else 3.0, fill=fill, edge="positive", zorder=4)
    return sheet.figure


def quantiles_picture(
    steps: Sequence[int], quantiles: Mapping[float, Sequence[float]], *, name: str = "loss"
) -> Picture:
    """Return the quantiles of a population's losses over the steps.

    Args:
        steps: ascending.
        quantiles: the loss at each step, by the share of members that are below it; an odd
            number of them, the middle one is the median. Infinite where members diverged.
        name: of the picture.
    """
    order = sorted(quantiles)
    ends = "; ".join(
        f"{share:.0%} of the networks end below {compact(quantiles[share][-1], 6)}"
        for share in order
    )
    title = "The losses of all networks over the steps of training"
    return render(name, title, f"{title}. {ends}.", lambda: draw_quantiles(steps, quantiles))


def draw_quantiles(steps: Sequence[int], quantiles: Mapping[float, Sequence[float]]) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    from matplotlib.path import Path

    order = sorted(quantiles)
    lines = {share: [max(value, SMALLEST_LOSS) for value in quantiles[share]] for share in order}
    known = [value for line in lines.values() for value in line if math.isfinite(value)] or [1.0]
    top = max(known)
    lines = {share: [min(value, top) for value in line] for share, line in lines.items()}
    up = Axis(min(known) / 1.5, top * 1.5, is_log=True)
    across = Axis(0, max(1, steps[-1]))
    names = [f"{share:.0%}" for share in order]
    frame = _framed(
        across, up, across.ticks(), "step", "loss", compact, right=max(map(width_of, names)) + 16
    )
    sheet = frame.sheet
    for depth, (below, above) in enumerate(zip(order, reversed(order), strict=True)):
        if below >= above:
            break
        forth = [frame.at(step, value) for step, value in zip(steps, lines[below], strict=True)]
        back = [frame.at(step, value) for step, value in zip(steps, lines[above], strict=True)]
        area = Path([*forth, *reversed(back), forth[0]], closed=True)
        sheet.shape(area, fill="positive", opacity=0.18 + 0.16 * depth)
    middle = order[len(order) // 2]
    median = [frame.at(step, value) for step, value in zip(steps, lines[middle], strict=True)]
    sheet.line(median, color="ink", width=2.0)
    last = 0.0
    for share, text in sorted(zip(order, names, strict=True), reverse=True):
        y = frame.at(steps[-1], lines[share][-1])[1]
        y = max(y, last + 12) if last else y
        last = y
        place = frame.left + WIDTH + 6
        sheet.text(place, y, text, align="left", bold=share == middle)
    return sheet.figure


def _framed(
    across: Axis,
    up: Axis,
    ticks: Sequence[float],
    x_name: str,
    y_name: str,
    text_of: object,
    *,
    right: float = 20.0,
) -> _Frame:
    """Return a sheet with axes, ticks and names."""
    assert callable(text_of)
    heights = [(value, str(text_of(value))) for value in up.ticks()]
    left = MARGIN + max([20.0, *(width_of(text) for _, text in heights)]) + 10
    top = MARGIN + LINE + 10
    sheet = Sheet(left + WIDTH + right + MARGIN, top + HEIGHT + 2 * LINE + 8 + MARGIN)
    frame = _Frame(sheet, left, top, across, up)
    bottom = top + HEIGHT
    sheet.text(MARGIN, MARGIN + LINE / 2, y_name, align="left", color="muted")
    for value, text in heights:
        y = frame.at(across.low, value)[1]
        sheet.line([(left, y), (left + WIDTH, y)], color="faint", width=0.7, zorder=1)
        sheet.text(left - 8, y, text, align="right")
    sheet.line([(left, bottom), (left + WIDTH, bottom)])
    for value in ticks:
        x = frame.at(value, up.low)[0]
        sheet.line([(x, bottom), (x, bottom + 4)])
        sheet.text(x, bottom + 4 + LINE / 2, compact(value))
    sheet.text(left + WIDTH / 2, bottom + LINE * 1.5 + 6, x_name, color="muted")
    return frame


def _share(value: float) -> str:
    return f"{value:.0%}"
