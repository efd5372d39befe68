"""The steps at which losses are read, correctness is checked, and weights are kept.

Rule: it depends on the settings alone, and every engine follows it. Step 0 is the start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CHECK_EVERY: Final = 10
"""Steps between two checks whether all rows are right."""

POINTS: Final = 20


@dataclass(frozen=True, slots=True)
class Schedule:
    """The steps after which something is read, in ascending order.

    Attributes:
        steps: of the run.
        losses: where each member's loss over its own data is read: evenly, about 20 times.
        checks: where all rows are checked: every 10 steps and at the last.
        kept: where the parameters are kept; empty if they are not.
    """

    steps: int
    losses: tuple[int, ...]
    checks: tuple[int, ...]
    kept: tuple[int, ...]

    @property
    def events(self) -> tuple[int, ...]:
        """Every step after which anything is read."""
        return tuple(sorted({0, self.steps, *self.losses, *self.checks, *self.kept}))


def event_count(steps: int, keep_every: int | None = None) -> int:
    """Return about how many steps a schedule holds, without making it."""
    return steps // CHECK_EVERY + POINTS + kept_count(steps, keep_every)


def kept_count(steps: int, keep_every: int | None = None) -> int:
    """Return after how many steps a schedule keeps the parameters, without making it."""
    return 0 if keep_every is None else -(-steps // keep_every) + 1


def schedule(steps: int, keep_every: int | None = None) -> Schedule:
    """Return the schedule of a run of so many steps.

    Args:
        steps: updates.
        keep_every: parameters are kept at every multiple of this, and at the last step.

    Examples:
        >>> schedule(25, keep_every=10).kept
        (0, 10, 20, 25)
    """
    points = sorted({round(i * steps / POINTS) for i in range(POINTS + 1)})
    kept = () if keep_every is None else (*range(0, steps, keep_every), steps)
    return Schedule(steps, tuple(points), (*range(0, steps, CHECK_EVERY), steps), kept)
