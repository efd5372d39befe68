"""Limits on time and memory, which a command keeps from its start to its end.

Rule: a verb makes one :class:`Budget` when it begins and works within it (:func:`within`). Whatever
works in steps, in whichever room, calls :func:`check` between two of them. Time and memory are
measured; only memory whose size is known beforehand (a file's, an array's) is added to what was
measured, so that it is refused before it is taken.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, TypeVar

import psutil

from adderlab.errors import LimitError, OptionError

MOST_MEMORY_BYTES: Final = 4 << 30
TIME_UP: Final = "the time was up"

LOOK_EVERY_S: Final = 0.002
"""Seconds between two looks at the memory: each takes as long as many of the steps."""

STEPS_AT_ONCE: Final = 4096
"""Short steps, as reading a number, between two looks at the limits."""

Entry = TypeVar("Entry")


class CapReached(Exception):  # noqa: N818 -- an outcome, caught where engines are called
    """Time is up, or more memory or nodes are needed than the caps allow."""


def _memory_taken() -> int:
    """Return the resident bytes; where ``/proc`` is missing, the most that there were."""
    try:
        return psutil.Process().memory_info().rss
    except (psutil.Error, OSError):
        from resource import RUSAGE_SELF, getrusage

        unit = 1 if sys.platform == "darwin" else 1024
        return getrusage(RUSAGE_SELF).ru_maxrss * unit


@dataclass(slots=True, eq=False)
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
    _next_look: float = field(default=0.0, repr=False)

    @classmethod
    def of(
        cls, timeout_s: float | None = None, max_memory_bytes: int = MOST_MEMORY_BYTES
    ) -> Budget:
        """Return a budget that begins now.

        Within another one the memory is counted from where that one began, so that what a command
        took for reading or building is part of what its proof may take.

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
        outer = _CURRENT.get()
        if outer is None:
            return cls(deadline, max_memory_bytes)
        return cls(deadline, min(max_memory_bytes, outer.max_memory_bytes), outer.memory_at_start)

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

    @property
    def reached(self) -> str:
        """Which limit is reached, in words; empty while none is."""
        try:
            self.check()
        except CapReached as cap:
            return str(cap)
        return ""

    def check(self, more_bytes: int = 0) -> None:
        """Raise :class:`CapReached` where the time is up or the memory used up.

        Args:
            more_bytes: memory that is about to be taken, where its size is known.
        """
        now = time.perf_counter()
        if now > self.deadline:
            raise CapReached(TIME_UP)
        if now < self._next_look and not more_bytes:
            return
        self._next_look = now + LOOK_EVERY_S
        if _memory_taken() - self.memory_at_start + more_bytes > self.max_memory_bytes:
            self._next_look = 0.0
            raise CapReached(self.memory_reached)

    def at_least(self, seconds: float) -> Budget:
        """Return the same budget with so many seconds from now on, if fewer are left."""
        deadline = max(self.deadline, time.perf_counter() + seconds)
        return Budget(deadline, self.max_memory_bytes, self.memory_at_start)

    def share(self, parts: int) -> Budget:
        """Return a budget of one part in ``parts`` of the time that is left."""
        deadline = time.perf_counter() + self.seconds_left / max(parts, 1)
        return Budget(deadline, self.max_memory_bytes, self.memory_at_start)


_CURRENT: ContextVar[Budget | None] = ContextVar("budget", default=None)


NO_LIMITS: Final = Budget(max_memory_bytes=1 << 62, memory_at_start=0)
"""For what is to be finished whatever it takes."""


@contextmanager
def within(budget: Budget) -> Generator[Budget]:
    """Let :func:`check` look at this budget, in every room, until the block ends."""
    token = _CURRENT.set(budget)
    try:
        yield budget
    finally:
        _CURRENT.reset(token)


@contextmanager
def ending(doing: str, where: str) -> Generator[None]:
    """Where a limit is reached within the block, raise that it was.

    Args:
        doing: what was at work: ``a.safetensors was read``.
        where: the verb.

    Raises:
        LimitError: a limit is reached.
    """
    try:
        yield
    except CapReached as cap:
        remedy = "give more time" if str(cap) == TIME_UP else "take something smaller"
        raise LimitError(f"{cap} while {doing}", where=where, remedy=remedy) from None


def check(more_bytes: int = 0) -> None:
    """Raise :class:`CapReached` where a limit of the command at work is reached.

    Args:
        more_bytes: memory that is about to be taken, where its size is known.
    """
    budget = _CURRENT.get()
    if budget is not None:
        budget.check(more_bytes)


def each(entries: Iterable[Entry]) -> Generator[Entry]:
    """Yield the entries, with a :func:`check` before every :data:`STEPS_AT_ONCE` of them.

    Raises:
        CapReached: a limit of the command at work is reached.

    Examples:
        >>> sum(each([1, 2, 3]))
        6
    """
    steps = iter(entries)
    while part := list(islice(steps, STEPS_AT_ONCE)):
        check()
        yield from part
