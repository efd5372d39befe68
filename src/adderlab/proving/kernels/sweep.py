"""All blocks of a task's rows through a kernel, on every core, until a limit or Ctrl-C.

Rule: what a kernel leaves open is evaluated exactly, and so is every row that may have a margin; so
the verdict, the count of wrong rows, the first of them and both margins are those of exact
arithmetic, whatever the order in which blocks end.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from fractions import Fraction
from typing import Any, Final

import numpy as np

from adderlab.formats import FP64
from adderlab.kernels.threads import cores
from adderlab.limits import Budget
from adderlab.nets import Network
from adderlab.nets.enclosure import Machine
from adderlab.proving.enumeration import Enumeration, right_rows
from adderlab.proving.kernels.kernel import Kernel
from adderlab.proving.kernels.margins import Margin
from adderlab.tasks import Task

LOOK_S: Final = 0.05
"""Seconds between two looks at the limits."""

MANY: Final = 256
"""Marked rows of a block from which a second run with narrower limits pays."""

AT_ONCE: Final = 1 << 12
"""Marked rows that are evaluated between two looks at whether to stop."""

NOTHING: Final = np.zeros(0, dtype=np.int64)


class Sweep:
    """One enumeration at work; its threads add to ``enumeration`` one block at a time."""

    def __init__(self, net: Network, task: Task, kernel: Kernel, enumeration: Enumeration) -> None:
        self.net, self.task, self.kernel = net, task, kernel
        self.enumeration = enumeration
        self.machine = Machine(net, FP64)
        self.of_0, self.of_1 = Margin(net, 0), Margin(net, 1)
        self.function: Callable[..., None] | None = None
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._blocks = itertools.count()

    def run(
        self,
        budget: Budget,
        on_share: Callable[[float], None],
        on_compile: Callable[[str], None],
        *,
        threads: int | None = None,
    ) -> None:
        """Sweep all blocks.

        Raises:
            CapReached: a limit is reached; what was swept stays in the enumeration.
        """
        self.function = self.kernel.compile(on_compile)
        count = min(threads or cores(), self.kernel.places.blocks)
        pool = ThreadPoolExecutor(count, thread_name_prefix="adderlab")
        waiting: set[Future[None]] = {pool.submit(self._work) for _ in range(count)}
        try:
            while waiting:
                # with a timeout, because some systems hear no Ctrl-C in a wait without one
                done, waiting = wait(waiting, timeout=LOOK_S)
                for future in done:
                    future.result()
                on_share(self.enumeration.rows / self.task.rows)
                if waiting:
                    budget.check()
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
        self.enumeration.of_0, self.enumeration.of_1 = self.of_0.value(), self.of_1.value()

    def _work(self) -> None:
        while not self._stop.is_set():
            block = next(self._blocks)
            if block >= self.kernel.places.blocks:
                return
            self._block(block)

    def _block(self, block: int) -> None:
        """Sweep a block, evaluate exactly what it leaves open, and add both up."""
        kernel, places = self.kernel, self.kernel.places
        assert self.function is not None
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
