"""Success rates over a setting, each with its 95 % interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks.numbers import compact
from adderlab.blocks.picture import PALETTE, Picture
from adderlab.figures.picture import render
from adderlab.figures.style import drawing_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_TICKS: Final = 12
"""Points up to which each has a tick."""


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


def plot_success_rates(
    points: Sequence[RatePoint], x_name: str, *, is_log: bool = False, ax: Axes | None = None
) -> Axes:
    """Draw success rates over a setting, each with its 95 % interval; the run's own is hollow.

    Args:
        points: ascending.
        x_name: what the setting is called.
        is_log: whether the setting counts in powers of ten.
        ax: the axes to draw on; new ones unless given.

    Examples:
        >>> ax = plot_success_rates([RatePoint(2, 0.25, 0.2, 0.3)], "hidden units")
        >>> ax.get_xlabel()
        'hidden units'
    """
    xs = [point.x for point in points]
    shares = [point.share for point in points]
    below = [max(point.share - point.low, 0.0) for point in points]
    above = [max(point.high - point.share, 0.0) for point in points]
    color = PALETTE["positive"]
    with drawing_on(ax) as axes:
        _ = axes.errorbar(
            xs, shares, yerr=[below, above], color=color, linestyle="-", marker="o", capsize=3
        )
        for point in points:
            if point.is_own:
                hollow: dict[str, Any] = {
                    "markerfacecolor": PALETTE["paper"],
                    "markeredgecolor": color,
                }
                _ = axes.plot([point.x], [point.share], "o", markersize=9, zorder=5, **hollow)
        if is_log:
            axes.set_xscale("log")
            axes.xaxis.set_major_formatter("{x:g}")
        elif len(points) <= MOST_TICKS:
            _ = axes.set_xticks(xs)
        _ = axes.set(xlabel=x_name, ylabel="right on every row", ylim=(0, 1))
        axes.yaxis.set_major_formatter("{x:.0%}")
        return axes


def success_rates_picture(
    points: Sequence[RatePoint], x_name: str, *, name: str, is_log: bool = False
) -> Picture:
    """Return :func:`plot_success_rates` as a picture that says in words what it shows."""
    rates = [
        f"{compact(point.x)}: {point.share:.1%} ({point.low:.1%} to {point.high:.1%})"
        + (", the run's own" if point.is_own else "")
        for point in points
    ]
    title = f"How often a network is right, by {x_name}"
    return render(
        name,
        title,
        f"{title}, with 95 % intervals. {'; '.join(rates)}.",
        lambda ax: plot_success_rates(points, x_name, is_log=is_log, ax=ax),
    )
