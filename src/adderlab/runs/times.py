"""How long some work took, and its parts.

Rule: of work that is done beside other work, only the time that it was waited for is a part.

Examples:
    >>> str(Times(4.44, (("training", 1.21), ("causes", 2.1), ("figures", 0.004))))
    '4.4 s in all: training 1.2 s, causes 2.1 s'
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from adderlab.blocks.numbers import duration_text

LEAST_NAMED_S: Final = 0.005
"""Parts that take less are left out."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long some work took, and its parts.

    Attributes:
        seconds: of all of it, also of what is no part.
        parts: names and seconds, in the order in which they began.
    """

    seconds: float = 0.0
    parts: tuple[tuple[str, float], ...] = ()

    def __str__(self) -> str:
        named = self.named()
        return f"{duration_text(self.seconds)} in all" + (f": {named}" if named else "")

    def named(self) -> str:
        """Return the parts with their names, those of almost no time left out."""
        return ", ".join(
            f"{name} {duration_text(part)}" for name, part in self.parts if part >= LEAST_NAMED_S
        )


class Stopwatch:
    """Takes the time of work from now on, and of its parts; a part may come several times."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._parts: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Generator[None]:
        """Count the time within the block as a part's."""
        start = time.perf_counter()
        _ = self._parts.setdefault(name, 0.0)
        try:
            yield
        finally:
            self._parts[name] += time.perf_counter() - start

    def seconds_of(self, name: str) -> float:
        """Return the seconds of a part so far."""
        return self._parts.get(name, 0.0)

    def times(self) -> Times:
        """Return the times so far."""
        return Times(time.perf_counter() - self._start, tuple(self._parts.items()))
