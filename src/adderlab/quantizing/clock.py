"""The time that a search or a training may take, and how far it is.

Rule: what runs out of time gives back the best so far and says so; it never raises.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

TIME_UP: Final = "the time was up"


@dataclass(frozen=True, slots=True)
class Clock:
    """A deadline, and a function that is told the share of the work that is done.

    Attributes:
        deadline: by ``time.perf_counter``; infinite where there is no limit.
        on_share: called with the share of the work that is done, 0 to 1.
    """

    deadline: float = math.inf
    on_share: Callable[[float], None] = lambda share: None

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(self.deadline - time.perf_counter(), 0.0)

    @property
    def is_up(self) -> bool:
        """Whether the deadline has passed."""
        return time.perf_counter() >= self.deadline

    def share(self, parts: int, on_share: Callable[[float], None]) -> Clock:
        """Return the clock of one part in ``parts`` of the time that is left."""
        return Clock(time.perf_counter() + self.seconds_left / max(parts, 1), on_share)


NO_LIMIT: Final = Clock()
