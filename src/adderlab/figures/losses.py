"""Loss curves: one line a run, each named at its end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adderlab.blocks.numbers import compact, fixed, round_step
from adderlab.figures.picture import Picture, render
from adderlab.figures.sheet import Sheet, shortened, width_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH: Final = 300.0
HEIGHT: Final = 210.0
MARGIN: Final = 14.0
LINE: Final = 15.0
MOST_NAMED: Final = 12
LOG_FROM: Final = 20.0
"""The ratio of the largest to the smallest loss from which the axis is logarithmic."""

COLORS: Final = ("positive", "negative", "ink", "muted")
DASHES: Final = ((), (4.0, 1.6), (1.2, 1.4), (6.0, 1.4, 1.2, 1.4))


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: from where to where, and whether it counts in powers of ten."""

    low: float
    high: float
    is_log: bool = False

    def share(self, value: float) -> float:
        """Return how far along a value stands, 0 to 1."""
        if self.is_log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return a few round values."""
        if not self.is_log:
            return self._even()
        slack = min(self.low, self.high - self.low) / 1000
        powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for parts in ((1, 2, 5), (1,)):
            found = [part * 10.0**power for power in powers for part in parts]
            inside = [one for one in found if self.low - slack <= one <= self.high + slack]
            if parts != (1,) and len(inside) < 2:  # too narrow a range for powers of ten
                return self._even()
            if len(inside) <= 6:
                return inside
        return inside[:: -(-len(inside) // 6)]

    def _even(self) -> list[float]:
        step = round_step((self.high - self.low) / 4)
        first, last = math.ceil(self.low / step), math.floor(self.high / step + 1e-9)
        return [place * step for place in range(first, last + 1)]


def losses_picture(
    runs: Mapping[str, Sequence[tuple[int, float]]], *, name: str = "losses"
) -> Picture:
    """Return the loss curves of some runs.

    Args:
        runs: each run's pairs of step and loss by its name. Where a loss is infinite or no
            number the line is broken: the run diverged.
        name: of the picture.
    """
    said = [f"{run}: {_course(points)}." for run, points in runs.items()]
    title = "Loss over the steps of training"
    return render(name, title, " ".join(said) or "No losses.", lambda: draw_losses(runs))


def draw_losses(runs: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Return the drawing; call it within :func:`adderlab.figures.picture.drawing`."""
    lines = {
        run: [(step, loss) for step, loss in points if math.isfinite(loss)]
        for run, points in runs.items()
    }
    lines = {run: points for run, points in lines.items() if points}
    across, up = _axes([point for points in lines.values() for point in points])
    ticks = [(up.share(value), compact(value)) for value in up.ticks()]
    ends = _named_ends(lines, runs, up)
    left = MARGIN + max([width_of("loss"), *(width_of(text) for _, text in ticks)]) + 10
    right = max([20.0, *(width_of(text) + 15 for _, text in ends.values())])
    top = MARGIN + LINE + 12
    sheet = Sheet(left + WIDTH + right + MARGIN, top + HEIGHT + 2 * LINE + 8 + MARGIN)
    bottom = top + HEIGHT
    sheet.text(left - 8, MARGIN + LINE / 2, "loss", align="right", color="muted")
    for share, text in ticks:
        y = bottom - HEIGHT * share
        sheet.line([(left, y), (left + WIDTH, y)], color="faint", width=0.7, zorder=1)
        sheet.text(left - 8, y, text, align="right")
    for value in across.ticks():
        x = left + WIDTH * across.share(value)
        sheet.line([(x, bottom), (x, bottom + 4)])
        sheet.text(x, bottom + 4 + LINE / 2, compact(value))
    sheet.line([(left, bottom), (left + WIDTH, bottom)])
    sheet.text(left + WIDTH / 2, bottom + LINE * 1.5 + 6, "step", color="muted")
    few = len(lines) <= MOST_NAMED
    for number, (run, points) in enumerate(lines.items()):
        color, dashes = _ink(number) if few else ("positive", ())
        path = [
            (left + WIDTH * across.share(step), bottom - HEIGHT * up.share(loss))
            for step, loss in points
        ]
        sheet.line(path, color=color, width=2.0, dashes=dashes, opacity=1.0 if few else 0.3)
        if not math.isfinite(runs[run][-1][1]):
            sheet.mark(*path[-1], right=False)
        elif len(path) == 1:
            sheet.circle(*path[0], 3, fill=color, edge=None)
        if run in ends:
            place, text = ends[run]
            x, y, edge = path[-1][0], bottom - HEIGHT * place, left + WIDTH
            line = [(x + 3, path[-1][1]), (max(x + 3, edge), path[-1][1]), (edge + 12, y)]
            sheet.line(line, color="muted", width=0.7)
            sheet.text(edge + 15, y, text, align="left")
    return sheet.figure


def _ink(number: int) -> tuple[str, tuple[float, ...]]:
    """Return color and dashes of a run, none like another's: told apart in gray by the dashes."""
    return COLORS[number % 4], DASHES[(number + number // 4) % 4]


def _axes(points: list[tuple[int, float]]) -> tuple[Axis, Axis]:
    steps = [step for step, _ in points] or [0]
    losses = [loss for _, loss in points] or [1.0]
    low, high = min(losses), max(losses)
    across = Axis(min(0, *steps), max(1, *steps))
    if low > 0 and high / low >= LOG_FROM:
        return across, Axis(low / 1.5, high * 1.5, is_log=True)
    return across, Axis(min(0.0, low), high * 1.05 if high > 0 else 1.0)


def _named_ends(
    lines: Mapping[str, Sequence[tuple[int, float]]],
    runs: Mapping[str, Sequence[tuple[int, float]]],
    up: Axis,
) -> dict[str, tuple[float, str]]:
    """Return where each run's name stands and how it reads, none over another.

    Of many runs only the best and the worst are named.
    """
    ends = sorted((points[-1][1], run) for run, points in lines.items())
    titles = {run: shortened(run, 24) for _, run in ends}
    if len(ends) > MOST_NAMED:
        titles = {ends[0][1]: f"best of {len(ends)}", ends[-1][1]: "worst"}
        ends = [ends[0], ends[-1]]
    places = _apart([up.share(loss) for loss, _ in ends], LINE / HEIGHT)
    return {
        run: (
            place,
            f"{titles[run]}: {_loss(loss) if math.isfinite(runs[run][-1][1]) else 'diverged'}",
        )
        for place, (loss, run) in zip(places, ends, strict=True)
    }


def _loss(loss: float) -> str:
    """Return a loss with four decimals as the notebook prints it, a small one with its power."""
    return fixed(loss) if loss >= 0.001 or not loss else f"{loss:.1e}"


def _apart(places: list[float], room: float) -> list[float]:
    """Return ascending places moved as little as need be to stand ``room`` apart.

    Groups of places that are too close are spread around their middle, and joined to the next
    group where they then meet; all stay between 0 and 1, if there is room, and off the axis.
    """
    low = room / 2
    groups: list[tuple[float, int]] = []  # middle and size
    for place in places:
        groups.append((place, 1))
        while True:
            middle, size = groups[-1]
            half = room * (size - 1) / 2
            groups[-1] = max(min(middle, 1 - half), low + half), size
            if len(groups) < 2:
                break
            (one, first), (two, second) = groups[-2:]
            if two - one >= room * (first + second) / 2:
                break
            groups[-2:] = [((one * first + two * second) / (first + second), first + second)]
    return [
        middle + room * (place - (size - 1) / 2) for middle, size in groups for place in range(size)
    ]


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
