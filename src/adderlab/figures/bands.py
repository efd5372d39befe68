"""Into which bands of height a surface is cut: round ones, with an edge at the threshold."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adderlab.blocks.numbers import compact, round_step
from adderlab.nets import Network

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float64

MOST_BANDS: Final = 10


@dataclass(frozen=True, slots=True)
class Bands:
    """The heights between which a surface has one color.

    Attributes:
        levels: from the lowest to the highest.
        middle: the level that parts blue from orange: the threshold, or 1/2 of an exact readout.
        strong: the levels that are drawn strong: the threshold, or 0 and 1.
        ticks: the levels as text.
        closed_below: whether a band holds its lower level, as under ``>=``, or its upper one.
    """

    levels: list[float]
    middle: float
    strong: list[float]
    ticks: list[str]
    closed_below: bool

    @property
    def inks(self) -> list[tuple[str, float]]:
        """The color and opacity of each band, stronger away from the middle."""
        below = self.levels.index(self.middle)
        above = len(self.levels) - 1 - below
        far = max(below, above, 2) - 1
        return [
            *(("below", 0.55 + 0.35 * place / far) for place in reversed(range(below))),
            *(("above", 0.16 + 0.54 * place / far) for place in range(above)),
        ]


def bands_of(net: Network, values: Float64[np.ndarray, "y x"]) -> Bands:
    """Return about ten bands of a round height that cover the surface."""
    inner = [0.0, 0.5, 1.0] if net.readout.kind == "exact" else [net.readout.threshold]
    strong = [inner[0], inner[-1]] if len(inner) > 1 else inner
    low, high = min(float(values.min()), inner[0]), max(float(values.max()), inner[-1])
    span = max(high - low, 1e-6 * abs(inner[0])) or 1.0
    step = round_step(span / MOST_BANDS)
    below = max(1, math.ceil((inner[0] - low) / step))
    above = max(1, math.ceil((high - inner[-1]) / step))
    levels = [
        *(inner[0] - step * place for place in range(below, 0, -1)),
        *inner,
        *(inner[-1] + step * place for place in range(1, above + 1)),
    ]
    places = min(max(3, 1 - math.floor(math.log10(step))), 12)
    ticks = [compact(level, places) for level in levels]
    closed_below = net.readout.convention == ">="
    return Bands(levels, inner[len(inner) // 2], strong, ticks, closed_below)
