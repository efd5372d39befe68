"""Loss curves: one line a run, each with its last loss in the legend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks.numbers import fixed
from adderlab.blocks.picture import PALETTE, Picture
from adderlab.figures.picture import render
from adderlab.figures.style import drawing_on, shortened, written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMED: Final = 12
LOG_FROM: Final = 20.0
"""The ratio of the largest to the smallest loss from which the axis is logarithmic."""


def plot_losses(runs: Mapping[str, Sequence[tuple[int, float]]], *, ax: Axes | None = None) -> Axes:
    """Draw the loss curves of some runs.

    Args:
        runs: each run's pairs of step and loss by its name. A line ends with a cross where its
            loss becomes infinite or no number: the run diverged. Of more than 12 runs only the
            best and the worst are named.
        ax: the axes to draw on; new ones unless given.

    Returns:
        The axes, logarithmic where the losses span a factor of 20.

    Examples:
        >>> ax = plot_losses({"seed 0": [(0, 0.5), (100, 0.001)]})
        >>> ax.get_yscale()
        'log'
    """
    lines = {run: [p for p in points if math.isfinite(p[1])] for run, points in runs.items()}
    lines = {run: points for run, points in lines.items() if points}
    are_named = len(lines) <= MOST_NAMED
    order = sorted(lines, key=lambda run: lines[run][-1][1])
    labels = {run: shortened(run, 24) for run in lines}
    if not are_named:
        labels = {order[0]: f"best of {len(order)}", order[-1]: "worst"}
    with drawing_on(ax) as axes:
        for run, points in lines.items():
            is_finite = math.isfinite(runs[run][-1][1])
            end = _loss(points[-1][1]) if is_finite else "diverged"
            steps, losses = zip(*points, strict=True)
            (line,) = axes.plot(
                steps,
                losses,
                marker="o" if len(points) == 1 else "",
                label=written(f"{labels[run]}: {end}") if run in labels else "_",
            )
            if not are_named:
                _ = line.set(color=PALETTE["positive"], linestyle="-", alpha=0.3)
            if not is_finite:
                cross: dict[str, Any] = {"marker": "x", "markersize": 9, "markeredgewidth": 2.2}
                _ = axes.plot(steps[-1:], losses[-1:], color=PALETTE["wrong"], **cross)
        values = [loss for points in lines.values() for _, loss in points]
        if values and min(values) > 0 and max(values) / min(values) >= LOG_FROM:
            axes.set_yscale("log")
            axes.yaxis.set_major_formatter("{x:g}")
        elif not values or min(values) >= 0:
            _ = axes.set_ylim(bottom=0)
        _ = axes.set(xlabel="step", ylabel="loss")
        if lines:
            _ = axes.legend()
        return axes


def losses_picture(
    runs: Mapping[str, Sequence[tuple[int, float]]], *, name: str = "losses"
) -> Picture:
    """Return :func:`plot_losses` as a picture that says in words what it shows."""
    courses = [f"{run}: {_course(points)}." for run, points in runs.items()]
    return render(
        name,
        "Loss over the steps of training",
        " ".join(courses) or "No losses.",
        lambda ax: plot_losses(runs, ax=ax),
    )


def _loss(loss: float) -> str:
    """Return a loss with four decimals as the notebook prints it, a small one with its power."""
    return fixed(loss) if loss >= 0.001 or not loss else f"{loss:.1e}"


def _course(points: Sequence[tuple[int, float]]) -> str:
    """Return a run in words: where it began and where it ended."""
    known = [(step, loss) for step, loss in points if math.isfinite(loss)]
    if not known:
        return "no loss"
    (first, start), (last, end) = known[0], known[-1]
    course = f"loss {_loss(start)} at step {first}"
    if last != first:
        course += f", {_loss(end)} at step {last}"
    return course + ("" if math.isfinite(points[-1][1]) else ", then diverged")
