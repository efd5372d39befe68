"""The rows that a number format may get wrong: all but those which a kernel finds far enough away.

Rule: a row is left out only where each output that matters lies on its right side of the threshold
by more than the kernel's bound and twice the format's own on any row
(:meth:`adderlab.nets.enclosure.Machine.largest_error`). Then the format's bound on that row alone,
which is no larger, leaves it no doubt either, whatever the order of summation.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.nets import Network
from adderlab.nets.enclosure import Machine
from adderlab.proving.kernels.chosen import close_share, kernel_of
from adderlab.proving.kernels.every_block import EveryBlock
from adderlab.proving.kernels.kernel import Kernel, Limits
from adderlab.tasks import Task

if TYPE_CHECKING:
    from jaxtyping import Int64

MOST_DOUBTFUL: Final = 0.25
"""The share of rows in doubt up to which a kernel pays."""

ROUNDED_UP: Final = 1 + 2.0**-20
"""Covers the roundings made in adding up bounds."""


class Doubtful(EveryBlock):
    """The rows in doubt, and the first of those that are surely wrong.

    Attributes:
        first_wrong: a row that the format gets wrong in every order; rows behind it are not kept.
    """

    def __init__(self, kernel: Kernel, task: Task, distance: float) -> None:
        super().__init__(kernel)
        self.task = task
        self.limits = Limits((-distance, -distance), distance, (-np.inf, -np.inf))
        self.first_wrong: int | None = None
        self._kept: list[Int64[np.ndarray, " rows"]] = []
        self._rows = 0

    @property
    def share(self) -> float:
        """The share of the rows that is done, 0 to 1."""
        return self._rows / self.task.rows

    def _block(self, block: int) -> None:
        """Keep a block's rows in doubt."""
        places = self.kernel.places
        expected = places.expected(block, self.kernel.bits)
        if not expected.rows:
            return
        swept = self.kernel.call(self.function, block, expected, self.limits)
        rows, wrong = (
            places.rows_of(places.words_of(block, own())) for own in (swept.marked, swept.wrong)
        )
        with self._lock:
            self._rows += expected.rows
            if len(wrong):
                known = [] if self.first_wrong is None else [self.first_wrong]
                self.first_wrong = min([*known, int(wrong.min())])
            self._kept.append(rows if self.first_wrong is None else rows[rows < self.first_wrong])

    def rows(self) -> Int64[np.ndarray, " rows"]:
        """Return the rows in doubt up to the first one that is surely wrong, ascending."""
        rows = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *self._kept]))
        if self.first_wrong is None:
            return rows
        return np.append(rows[rows < self.first_wrong], self.first_wrong)


def doubtful(net: Network, task: Task, machine: Machine) -> Doubtful | None:
    """Return the search for the rows that a format may get wrong; ``None`` where none pays.

    Args:
        net: that the kernel is of.
        task: what it should compute.
        machine: the network in the format.
    """
    error = machine.largest_error()
    threshold = Fraction(net.readout.threshold)
    if not np.isfinite(error) or not machine.form.holds(threshold):
        return None
    kernel = kernel_of(net, task)
    if kernel is None or not kernel.is_float:
        return None
    distance = (kernel.bound + 2 * error) * ROUNDED_UP
    if close_share(net, task, distance) > MOST_DOUBTFUL:
        return None
    return Doubtful(kernel, task, distance)
