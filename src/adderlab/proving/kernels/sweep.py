"""The enumeration of a task's rows in a kernel: right or wrong, and how far from the threshold.

Rule: what a kernel leaves open is evaluated exactly, and so is every row that may have a margin; so
the verdict, the count of wrong rows, the first of them and both margins are those of exact
arithmetic, whatever the order in which blocks end.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np

from adderlab.formats import FP64
from adderlab.limits import Budget
from adderlab.nets import Network
from adderlab.nets.enclosure import Machine
from adderlab.proving.enumeration import Enumeration, right_rows
from adderlab.proving.kernels.every_block import EveryBlock
from adderlab.proving.kernels.kernel import Kernel
from adderlab.proving.kernels.margins import Margin
from adderlab.tasks import Task

MANY: Final = 256
"""Marked rows of a block from which a second run with narrower limits pays."""

AT_ONCE: Final = 1 << 12
"""Marked rows that are evaluated between two looks at whether to stop."""

NOTHING: Final = np.zeros(0, dtype=np.int64)


class Sweep(EveryBlock):
    """One enumeration at work; its threads add to ``enumeration`` one block at a time."""

    def __init__(self, net: Network, task: Task, kernel: Kernel, enumeration: Enumeration) -> None:
        super().__init__(kernel)
        self.net, self.task = net, task
        self.enumeration = enumeration
        self.machine = Machine(net, FP64)
        self.of_0, self.of_1 = Margin(net, 0), Margin(net, 1)

    @property
    def share(self) -> float:
        """The share of the rows that is done, 0 to 1."""
        return self.enumeration.rows / self.task.rows

    def run(
        self,
        budget: Budget,
        on_share: Callable[[float], None],
        on_compile: Callable[[str], None],
        *,
        threads: int | None = None,
    ) -> None:
        """Sweep all blocks, and find the margins.

        Raises:
            CapReached: a limit is reached; what was swept stays in the enumeration.
        """
        super().run(budget, on_share, on_compile, threads=threads)
        self.enumeration.of_0, self.enumeration.of_1 = self.of_0.value(), self.of_1.value()

    def _block(self, block: int) -> None:
        """Sweep a block, evaluate exactly what it leaves open, and add both up."""
        kernel, places = self.kernel, self.kernel.places
        expected = places.expected(block, kernel.bits)
        if not expected.rows:
            return
        margins = self.of_0.at_most, self.of_1.at_most
        swept = kernel.call(self.function, block, expected, kernel.limits(*margins))
        if swept.marked_count > MANY:  # narrower limits, from the block's own least distances
            margins = tuple(
                known if own is None else min(known, own + kernel.bound)
                for known, own in zip(margins, (swept.of_0, swept.of_1), strict=True)
            )
            swept = kernel.call(self.function, block, expected, kernel.limits(*margins))
        close = Enumeration(rows=expected.rows, wrong=swept.wrong_count)
        marked = swept.marked() if swept.marked_count else NOTHING
        if swept.wrong_count:
            wrong = np.setdiff1d(swept.wrong(), marked, assume_unique=True)
            rows = places.rows_of(places.words_of(block, wrong))
            close.first_wrong = int(rows.min())
        for start in range(0, len(marked), AT_ONCE):
            if self._stop.is_set():
                return
            self._evaluate(places.words_of(block, marked[start : start + AT_ONCE]), close)
        with self._lock:
            if not kernel.bound and self.net.readout.kind == "threshold":
                self.of_0.take(self._distance(swept.of_0))
                self.of_1.take(self._distance(swept.of_1))
            _add(self.enumeration, close)

    def _distance(self, own: Any) -> Fraction | None:
        """Return a distance of the kernel's, exactly."""
        return None if own is None else Fraction(own) * Fraction(2) ** self.kernel.exponent

    def _evaluate(self, words: dict[str, Any], close: Enumeration) -> None:
        """Evaluate rows in double, or exactly where that leaves one open, and add them up."""
        block = self.task.block_of(words)
        enclosure = self.machine.enclose(block.inputs)
        is_right = right_rows(self.net, block, enclosure, close)
        close.wrong += int(np.count_nonzero(~is_right))
        if not is_right.all():
            first = int(self.kernel.places.rows_of(words)[~is_right].min())
            close.first_wrong = _least(close.first_wrong, first)
        with self._lock:
            self.of_0.add(block, enclosure)
            self.of_1.add(block, enclosure)


def _least(known: Any, other: Any) -> Any:
    """Return the smaller of two numbers, either of which may be missing."""
    if known is None or other is None:
        return other if known is None else known
    return min(known, other)


def _add(total: Enumeration, part: Enumeration) -> None:
    """Add a block to what is known of all."""
    total.rows += part.rows
    total.wrong += part.wrong
    total.exact_rows += part.exact_rows
    total.first_wrong = _least(total.first_wrong, part.first_wrong)
