"""The losses of a population over the steps.

Rule: ``to_dict`` gives what ``run.json`` holds, and ``from_dict`` reads it back without a loss.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class LossQuantiles:
    """The quantiles of the members' losses over the steps.

    Attributes:
        steps: where the losses were read.
        by_share: for each share of the members, the loss below which they are at each step;
            infinite where fewer have a finite loss.
    """

    steps: tuple[int, ...]
    by_share: Mapping[float, tuple[float, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return ``steps`` and ``quantiles`` by share; an infinite loss is ``None``."""
        return {
            "steps": list(self.steps),
            "quantiles": {
                f"{share:g}": [loss if math.isfinite(loss) else None for loss in losses]
                for share, losses in self.by_share.items()
            },
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> LossQuantiles:
        """Return what :meth:`to_dict` gave."""
        return cls(
            tuple(entry["steps"]),
            {
                float(share): tuple(math.inf if loss is None else loss for loss in losses)
                for share, losses in entry["quantiles"].items()
            },
        )
