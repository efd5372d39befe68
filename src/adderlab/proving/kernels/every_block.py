"""All blocks of a task's rows through a kernel, on every core, until a limit or Ctrl-C."""

from __future__ import annotations

import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Final

from adderlab.kernels.threads import cores
from adderlab.limits import Budget
from adderlab.proving.kernels.kernel import Kernel

LOOK_S: Final = 0.05
"""Seconds between two looks at the limits."""


class EveryBlock(ABC):
    """What is done with each block; several threads do it at once.

    Attributes:
        kernel: whose function is compiled before the first block.
    """

    function: Callable[..., None]

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._blocks = itertools.count()

    @property
    @abstractmethod
    def share(self) -> float:
        """The share of the rows that is done, 0 to 1."""

    @abstractmethod
    def _block(self, block: int) -> None:
        """Run the kernel on a block, and add up what it gives."""

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
            CapReached: a limit is reached.
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
                on_share(self.share)
                if waiting:
                    budget.check()
        finally:
            self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)

    def _work(self) -> None:
        while not self._stop.is_set():
            block = next(self._blocks)
            if block >= self.kernel.places.blocks:
                return
            self._block(block)
