"""A grid of settings trained from one start: which pixels converge, and which are right.

Rule: every pixel trains the same member: the same draws for its start, the same data, the same
batches. Only what is on the axes differs, so every difference is due to the settings.

What a pixel shows is Sohl-Dickstein's measure. Let v be a run's losses, each divided by the first
and cut off at 10^6. A run converges if it ends below where it began; its measure is then minus
the mean of v, else the mean of 1/v. So near the boundary both are large, and far from it small:
how fast it learned, or how fast it diverged. A loss that only stays where it was does not
converge either, so the two classes are called: converges, does not converge.

References:
    Sohl-Dickstein, "The boundary of neural network trainability is fractal" (2024),
    https://arxiv.org/abs/2402.06184
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.runs.maps.axes import Axis
from adderlab.runs.times import Stopwatch
from adderlab.training.census.surveys import path_of
from adderlab.training.choice import ENSEMBLE, choose
from adderlab.training.judging import judge
from adderlab.training.members import member_bytes, train_members
from adderlab.training.work import members_at_once

if TYPE_CHECKING:
    from jaxtyping import Bool, Float32

    from adderlab.tasks import Task
    from adderlab.training import Settings
    from adderlab.training.members import Members

LARGEST_LOSS: Final = 1e6
LAST_PART: Final = 0.1
DENSE: Final = 16
EACH: Final = ("lr", "init", "momentum")
"""Axes along which one population can differ, member by member; along others, a population each."""

BAND_MEMBERS: Final = 1 << 16
BAND_BYTES: Final = 1 << 28
BAND_WORK: Final = 1 << 31
"""Products of a weight and a value in a band: half a second of a kernel, lost by an interrupt."""

MOST_LOOKED_UP: Final = 64
"""Kernels that are looked up in the cache, for a map that takes one for each value of an axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """Some rows of a map.

    Attributes:
        measure: minus the mean loss of a run that converged, else the mean inverse loss.
        success: whether the network is right on every row.
    """

    measure: Float32[np.ndarray, "y x"]
    success: Bool[np.ndarray, "y x"]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The grid of a map.

    Attributes:
        task: the task to learn.
        settings: those that are on no axis; every pixel trains their ``member``.
        x: the axis to the right.
        y: the axis upwards.
        columns: pixels to the right.
        rows: pixels upwards.
        has_kernels: whether all its kernels are compiled already, so that none takes any time.
    """

    task: Task
    settings: Settings
    x: Axis
    y: Axis
    columns: int
    rows: int
    has_kernels: bool = False

    @property
    def band(self) -> int:
        """Rows that are trained at once: half a second of a kernel, or a block of PyTorch's."""
        largest = self.settings_at(self.x.high, self.y.high)
        by_memory = BAND_BYTES // member_bytes(self.task, largest)
        products = self.task.rows * largest.parameters(self.task) * max(largest.steps, 1)
        by_work = BAND_WORK // products
        if ENSEMBLE in self.paths():
            by_work = members_at_once(self.task, largest) * len(self._kinds(self.x, self.columns))
        members = min(BAND_MEMBERS, by_memory, by_work)
        return max(1, members // self.columns)

    @property
    def bands(self) -> int:
        """How many of them there are."""
        return -(-self.rows // self.band)

    def rows_of(self, number: int) -> slice:
        """Return the rows of a band, the first at the bottom of the map."""
        return slice(number * self.band, min((number + 1) * self.band, self.rows))

    @property
    def populations(self) -> int:
        """How many populations the map takes: values of the axes along which none can differ."""
        return len(self._kinds(self.x, self.columns)) * len(self._kinds(self.y, self.rows))

    def _kinds(self, axis: Axis, count: int) -> Any:
        return np.unique(axis.values(count)) if axis.name not in EACH else np.zeros(1)

    def path_at(self, x: float, y: float) -> str:
        """Return the engine of the pixel at ``x`` and ``y``: by how many others share it."""
        settings = self.settings_at(x, y)
        if self.has_kernels:
            return choose(self.task, settings).path
        networks = self.columns * self.rows // self.populations
        return path_of(self.task, settings, networks)

    def finds_kernels(self) -> bool:
        """Return whether kernels for all pixels are compiled already, here or in the cache."""
        from adderlab.training.kernels.engine import has_kernel

        if self.populations > MOST_LOOKED_UP:
            return False
        every = [
            self.settings_at(x, y)
            for x in self._kinds_or_low(self.x, self.columns)
            for y in self._kinds_or_low(self.y, self.rows)
        ]
        paths = [choose(self.task, settings).path for settings in every]
        return ENSEMBLE not in paths and all(
            has_kernel(self.task, settings, path)
            for settings, path in zip(every, paths, strict=True)
        )

    def _kinds_or_low(self, axis: Axis, count: int) -> Any:
        return [axis.low] if axis.name in EACH else self._kinds(axis, count)

    def paths(self) -> tuple[str, ...]:
        """Return the engines at the corners of the map: a wide axis may need two."""
        xs, ys = (self.x.low, self.x.high), (self.y.low, self.y.high)
        return tuple(sorted({self.path_at(x, y) for x in xs for y in ys}))

    def settings_at(self, x: float, y: float) -> Settings:
        """Return the settings of the pixel at ``x`` and ``y``."""
        changes = {
            axis.kind.setting: int(value) if axis.kind.whole else float(value)
            for axis, value in ((self.x, x), (self.y, y))
        }
        return replace(self.settings, **changes)

    def train(
        self,
        number: int,
        *,
        threads: int | None = None,
        on_progress: Callable[[int], None] = lambda done: None,
        on_compile: Callable[[str], None] = lambda text: None,
        watch: Stopwatch | None = None,
    ) -> Pixels:
        """Train the rows of a band and return them.

        Args:
            number: the number of the band.
            threads: as in :func:`adderlab.training.members.train_members`.
            on_progress: called with the pixels done since the last call.
            on_compile: as in :func:`adderlab.training.members.train_members`.
            watch: takes the time of training and of judging.
        """
        watch = watch or Stopwatch()
        xs = self.x.values(self.columns)
        ys = self.y.values(self.rows)[self.rows_of(number)]
        shape = (len(ys), len(xs))
        measure = np.empty(shape, dtype=np.float32)
        success = np.empty(shape, dtype=bool)
        for row_set, column_set in self._alike(xs, ys):
            some_x, some_y = xs[column_set], ys[row_set]
            progress = _Pixels(on_progress, self.settings_at(some_x[0], some_y[0]).steps)
            with watch.part("compiling"):
                self._compile(some_x, some_y, on_compile)
            with watch.part("training"):
                trained = self._trained(some_x, some_y, threads, progress.add, on_compile)
            part = np.ix_(row_set, column_set)
            small = (len(row_set), len(column_set))
            measure[part] = measure_of(trained.losses, trained.loss_steps).reshape(small)
            with watch.part("judging"):
                judged = judge(self.task, trained.settings, trained.arrays)
            success[part] = judged.is_right.reshape(small)
            progress.end(len(row_set) * len(column_set))
        return Pixels(measure, success)

    def _compile(self, xs: Any, ys: Any, on_compile: Callable[[str], None]) -> None:
        """Compile a kernel first, so that the seconds are those of training alone."""
        x, y = float(xs[0]), float(ys[0])
        path = self.path_at(x, y)
        if path != ENSEMBLE:
            no_members = np.zeros(0, dtype=np.uint64)
            settings = self.settings_at(x, y)
            _ = train_members(self.task, settings, no_members, path=path, on_compile=on_compile)

    def _alike(self, xs: Any, ys: Any) -> list[tuple[Any, Any]]:
        """Return rows and columns that one population can train: equal but for EACH."""
        return [
            (row_set, column_set)
            for row_set in _equal(ys, self.y)
            for column_set in _equal(xs, self.x)
        ]

    def _trained(
        self,
        xs: Any,
        ys: Any,
        threads: int | None,
        on_progress: Callable[[int], None],
        on_compile: Callable[[str], None],
    ) -> Members:
        chosen = self.settings_at(float(xs[0]), float(ys[0]))
        across, up = np.tile(xs, len(ys)), np.repeat(ys, len(xs))
        each: dict[str, Any] = {
            axis.kind.setting: values
            for axis, values in ((self.x, across), (self.y, up))
            if axis.name in EACH
        }
        members = np.full(len(across), self.settings.member or 0, dtype=np.uint64)
        return train_members(
            self.task,
            chosen,
            members,
            loss_steps=loss_steps(chosen.steps),
            threads=threads,
            on_progress=on_progress,
            path=self.path_at(float(xs[0]), float(ys[0])),
            on_compile=on_compile,
            **each,
        )


class _Pixels:
    """Progress in pixels, from an engine's progress in steps of members."""

    def __init__(self, on_progress: Callable[[int], None], steps: int) -> None:
        self.on_progress, self.steps = on_progress, max(steps, 1)
        self.done = self.reported = 0

    def add(self, member_steps: int) -> None:
        """Report the pixels that were completed since the last report."""
        self.done += member_steps
        pixels = self.done // self.steps - self.reported
        if pixels > 0:
            self.reported += pixels
            self.on_progress(pixels)

    def end(self, pixels: int) -> None:
        """Report the remaining pixels."""
        self.on_progress(pixels - self.reported)
        self.reported = pixels


def _equal(values: Any, axis: Axis) -> list[Any]:
    """Return the places of equal values; all of them where members may differ."""
    if axis.name in EACH:
        return [np.arange(len(values))]
    return [np.flatnonzero(values == value) for value in np.unique(values)]


def loss_steps(steps: int) -> tuple[int, ...]:
    """Return the steps at which a pixel's loss is read: dense where runs that diverge blow up.

    Every one of the first 16, then each about an eighth further than the last, and the last.

    Examples:
        >>> loss_steps(20)
        (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20)
    """
    listed = list(range(min(DENSE, steps) + 1))
    while listed[-1] < steps:
        listed.append(min(steps, listed[-1] + max(1, listed[-1] // 8)))
    return tuple(listed)


def measure_of(
    losses: Float32[np.ndarray, "member points"], steps: tuple[int, ...]
) -> Float32[np.ndarray, " member"]:
    """Return the measure of each run: below 0 if it converged, above if it did not.

    Args:
        losses: at ``steps``.
        steps: a loss stands for the steps up to the next one, so the means are over steps.
    """
    values = losses.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        v = values / values[:, :1]
    v = np.where(np.isfinite(v), np.minimum(v, LARGEST_LOSS), LARGEST_LOSS)
    widths = np.diff(np.array([*steps, steps[-1] + 1])).astype(np.float64)
    late = np.array(steps) >= (1 - LAST_PART) * steps[-1]
    converges = np.average(v[:, late], axis=1, weights=widths[late]) < 1
    inverse = np.average(1 / np.maximum(v, 1 / LARGEST_LOSS), axis=1, weights=widths)
    mean = np.average(v, axis=1, weights=widths)
    return np.where(converges, -mean, inverse).astype(np.float32)
