"""Success rates with their confidence intervals, and the interval of a difference of two."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Z: Final = 1.959963984540054
"""The 0.975 quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often something happened.

    Attributes:
        count: how often it did.
        of: how often it could have.
    """

    count: int
    of: int

    @property
    def share(self) -> float | None:
        """The share; ``None`` where it could never have happened."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval; everything where nothing was tried."""
        return wilson_interval(self.count, self.of) if self.of else (0.0, 1.0)

    def is_above(self, other: Rate) -> bool:
        """Return whether it is above another rate, beyond what chance explains."""
        return bool(self.of and other.of) and difference_interval(self, other)[0] > 0

    def to_dict(self) -> dict[str, Any]:
        """Return ``count``, ``of``, their ``share`` and its ``interval``, two numbers."""
        return {
            "count": self.count,
            "of": self.of,
            "share": self.share,
            "interval": list(self.interval),
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Rate:
        """Return what :meth:`to_dict` gave."""
        return cls(entry["count"], entry["of"])

    def __str__(self) -> str:
        if self.share is None:
            return "none tried"
        low, high = self.interval
        return f"{self.share:.1%} of {self.of} ({low:.1%} to {high:.1%})"


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """Return the 95 % interval of a success rate.

    References:
        Wilson, "Probable inference, the law of succession, and statistical inference",
        JASA 22 (1927).
    """
    rate = successes / trials
    center = rate + Z * Z / (2 * trials)
    half = Z * math.sqrt(rate * (1 - rate) / trials + Z * Z / (4 * trials * trials))
    scale = 1 + Z * Z / trials
    low, high = (center - half) / scale, (center + half) / scale
    return (0.0 if successes == 0 else low), (1.0 if successes == trials else high)


def difference_interval(first: Rate, second: Rate) -> tuple[float, float]:
    """Return the 95 % interval of one rate less another, of separate trials.

    References:
        Newcombe, "Interval estimation for the difference between independent proportions",
        Statistics in Medicine 17 (1998), method 10.
    """
    p, q = first.count / first.of, second.count / second.of
    (p_low, p_high), (q_low, q_high) = first.interval, second.interval
    below = math.hypot(p - p_low, q_high - q)
    above = math.hypot(p_high - p, q - q_low)
    return p - q - below, p - q + above
