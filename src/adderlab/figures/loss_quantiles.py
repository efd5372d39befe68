"""The losses of a population: their quantiles over the steps of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import compact
from adderlab.blocks.picture import PALETTE, Picture
from adderlab.figures.picture import render
from adderlab.figures.style import drawing_on

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SMALLEST_LOSS: Final = 1e-12
"""Losses below this are drawn as this: fp32 has nothing to say down there."""


def plot_loss_quantiles(
    steps: Sequence[int],
    quantiles: Mapping[float, Sequence[float]],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the quantiles of a population's losses over the steps.

    Args:
        steps: ascending.
        quantiles: the loss at each step, by the share of members that are below it; an odd
            number of them, the middle one is the median. Infinite where members diverged.
        ax: the axes to draw on; new ones unless given.

    Returns:
        The axes, logarithmic in the loss.

    Examples:
        >>> ax = plot_loss_quantiles([1, 2], {0.25: [1, 0.1], 0.5: [1, 0.5], 0.75: [1, 0.9]})
        >>> [text.get_text() for text in ax.get_legend().get_texts()]
        ['median', '25% to 75%']
    """
    order = sorted(quantiles)
    values = np.array([quantiles[share] for share in order], dtype=np.float64)
    is_known = np.isfinite(values)
    top = float(values[is_known].max()) if is_known.any() else 1.0
    values = np.clip(np.where(is_known, values, top), SMALLEST_LOSS, top)
    with drawing_on(ax) as axes:
        middle = len(order) // 2
        line: dict[str, Any] = {"color": PALETTE["ink"], "linestyle": "-"}
        _ = axes.plot(steps, values[middle], label="median", **line)
        for depth in reversed(range(middle)):
            _ = axes.fill_between(
                steps,
                values[depth],
                values[-1 - depth],
                color=PALETTE["positive"],
                alpha=0.18 + 0.16 * depth,
                linewidth=0,
                label=f"{order[depth]:.0%} to {order[-1 - depth]:.0%}",
            )
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        _ = axes.set(xlabel="step", ylabel="loss")
        _ = axes.set_xlim(left=0, right=max(1, steps[-1]))
        _ = axes.legend(loc="lower left")
        return axes


def loss_quantiles_picture(
    steps: Sequence[int], quantiles: Mapping[float, Sequence[float]], *, name: str = "loss"
) -> Picture:
    """Return :func:`plot_loss_quantiles` as a picture that says in words what it shows."""
    ends = "; ".join(
        f"{share:.0%} of the networks end below {compact(quantiles[share][-1], 6)}"
        for share in sorted(quantiles)
    )
    title = "The losses of all networks over the steps of training"
    text = f"{title}. {ends}."
    return render(name, title, text, lambda ax: plot_loss_quantiles(steps, quantiles, ax=ax))
