"""The limits of a proof, time and memory, which engines check as they work."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Final

import psutil

from adderlab.errors import OptionError

MOST_MEMORY_BYTES: Final = 4 << 30


class CapReached(Exception):  # noqa: N818 -- an outcome, caught where engines are called
    """Time is up, or more memory or nodes are needed than the caps allow."""


def _memory_taken() -> int:
    return psutil.Process().memory_info().rss


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits on time and memory, counted from its creation.

    Attributes:
        deadline: by ``time.perf_counter``.
        max_memory_bytes: how much the process may grow, as the operating system counts it.
        memory_at_start: its resident bytes before.
    """

    deadline: float = math.inf
    max_memory_bytes: int = MOST_MEMORY_BYTES
    memory_at_start: int = field(default_factory=_memory_taken)

    @classmethod
    def of(
        cls, timeout_s: float | None = None, max_memory_bytes: int = MOST_MEMORY_BYTES
    ) -> Budget:
        """Return a budget that begins now.

        Raises:
            OptionError: a limit is not above 0.
        """
        if timeout_s is not None and not timeout_s > 0:
            raise OptionError(
                f"got {timeout_s:g}", where="timeout_s", remedy="give seconds above 0"
            )
        if max_memory_bytes <= 0:
            raise OptionError(
                f"got {max_memory_bytes}", where="max_memory_bytes", remedy="give a size like 2GB"
            )
        deadline = math.inf if timeout_s is None else time.perf_counter() + timeout_s
        return cls(deadline, max_memory_bytes)

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, never negative; infinite without a deadline."""
        return max(self.deadline - time.perf_counter(), 0.0)

    @property
    def memory_reached(self) -> str:
        """The reason that a verdict gives where the memory is used up."""
        size = self.max_memory_bytes
        text = f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"
        return f"the cap of {text} of memory was reached"

    def check(self) -> None:
        """Raise :class:`CapReached` where the time is up or the memory used up."""
        if time.perf_counter() > self.deadline:
            raise CapReached("the time was up")
        if _memory_taken() - self.memory_at_start > self.max_memory_bytes:
            raise CapReached(self.memory_reached)

    def share(self, parts: int) -> Budget:
        """Return a budget of one part in ``parts`` of the time that is left."""
        deadline = time.perf_counter() + self.seconds_left / parts
        return Budget(deadline, self.max_memory_bytes, self.memory_at_start)
