"""How far a search or a training may go, and how far it is.

Rule: what reaches a limit gives back the best so far and says so; it never raises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from adderlab.limits import NO_LIMITS, TIME_UP, Budget

__all__ = ["NO_LIMIT", "TIME_UP", "Clock"]


@dataclass(frozen=True, slots=True)
class Clock:
    """A budget, and a function that is told the share of the work that is done.

    Attributes:
        budget: the time and memory there is.
        on_share: called with the share of the work that is done, 0 to 1.
    """

    budget: Budget = NO_LIMITS
    on_share: Callable[[float], None] = lambda share: None

    @property
    def seconds_left(self) -> float:
        """Seconds until the deadline, never negative."""
        return self.budget.seconds_left

    @property
    def is_up(self) -> bool:
        """Whether a limit is reached."""
        return bool(self.budget.reached)

    def share(self, parts: int, on_share: Callable[[float], None]) -> Clock:
        """Return the clock of one part in ``parts`` of the time that is left."""
        return Clock(self.budget.share(parts), on_share)


NO_LIMIT: Final = Clock()
