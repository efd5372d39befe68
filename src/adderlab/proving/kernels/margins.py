"""The rows that may have a margin, kept until all rows are known: few are evaluated exactly.

Rule: a candidate is dropped only where another one's distance is surely no larger; what is left at
the end is evaluated exactly, and the least distance of all is the margin.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.nets import Network, outputs
from adderlab.nets.dyadic import to_fraction
from adderlab.nets.enclosure import Enclosure
from adderlab.tasks import RowBlock

if TYPE_CHECKING:
    from jaxtyping import Float64, UInt8

MOST_KEPT: Final = 1 << 12
"""Candidates that are kept before those that are left are evaluated exactly."""


class Margin:
    """The least distance of outputs that should be one bit.

    Args:
        net: of lines alone.
        bit: that the outputs should be.
    """

    def __init__(self, net: Network, bit: int) -> None:
        self.net, self.bit = net, bit
        self.at_most = math.inf
        self.exact: Fraction | None = None
        self._inputs: list[UInt8[np.ndarray, "rows n_in"]] = []
        self._units: list[Any] = []
        self._low: list[Float64[np.ndarray, " rows"]] = []

    def add(self, block: RowBlock, enclosure: Enclosure) -> None:
        """Take the outputs of some rows into account."""
        belongs = block.expected == self.bit
        if block.cares is not None:
            belongs &= block.cares
        if not belongs.any():
            return
        sign = 1 if self.bit else -1
        low, high = enclosure.distances(self.net.readout.threshold, sign)
        self.at_most = min(self.at_most, float(high[belongs].min()))
        rows, units = np.nonzero(belongs & (low <= self.at_most))
        if rows.size:
            self._inputs.append(block.inputs[rows])
            self._units.append(units)
            self._low.append(low[rows, units])
            if sum(map(len, self._units)) > MOST_KEPT:
                self._decide()

    def take(self, distance: Fraction | None) -> None:
        """Take an exact distance into account."""
        if distance is not None and (self.exact is None or distance < self.exact):
            self.exact = distance
            self.at_most = min(self.at_most, _up(distance))

    def value(self) -> Fraction | None:
        """Return the least distance, exactly; ``None`` where no output should be this bit."""
        self._decide()
        return self.exact

    def _decide(self) -> None:
        """Evaluate exactly the candidates that may still be the least."""
        if not self._units:
            return
        inputs, units = np.concatenate(self._inputs), np.concatenate(self._units)
        keep = np.concatenate(self._low) <= self.at_most
        self._inputs, self._units, self._low = [], [], []
        if keep.any():
            raw = outputs(self.net, inputs[keep])
            values = raw.integers[np.arange(len(units[keep])), units[keep]]
            extreme = int(values.min() if self.bit else values.max())
            value = to_fraction(extreme, raw.exponent)
            self.take(self.net.readout.distance(value, self.bit))


def _up(distance: Fraction) -> float:
    """Return a double that is not below a fraction."""
    near = float(distance)
    return near if Fraction(near) >= distance else float(np.nextafter(near, np.inf))
