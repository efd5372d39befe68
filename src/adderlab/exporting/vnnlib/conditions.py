"""When an output is wrong, as conditions of ``<=`` and ``>=``, which are all that VNN-LIB has.

Rule: in exact arithmetic an output meets a condition just where it is read as the wrong bit. The
outputs of a network of straight lines are multiples of a power of two, so that between the largest
that reads as 0 and the least that reads as 1 there is a number that no output is: compared with it,
no strict comparison is needed. Curves have no such grid: an output on the threshold itself then
counts as wrong, whatever it reads as, which is sound (what is unsatisfiable is right).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from adderlab.errors import NetworkError
from adderlab.nets import Network
from adderlab.nets.readout import Readout
from adderlab.nets.scaled import scaled_layers
from adderlab.nets.wiring import layer_number


@dataclass(frozen=True, slots=True)
class Condition:
    """``Y >= bound``, or ``Y <= bound``.

    Attributes:
        is_least: whether the bound is the least value that meets it.
        bound: the bound.
    """

    is_least: bool
    bound: Fraction

    def holds(self, value: Any) -> bool:
        """Return whether a value meets it."""
        return bool(value >= self.bound if self.is_least else value <= self.bound)


@dataclass(frozen=True, slots=True)
class Wrong:
    """When an output is wrong.

    Attributes:
        grid: what it is a multiple of; ``None`` where that is not known.
        of_0: where 0 is expected: one of these conditions is met.
        of_1: likewise 1.
    """

    grid: Fraction | None
    of_0: tuple[Condition, ...]
    of_1: tuple[Condition, ...]

    def conditions(self, expected: int) -> tuple[Condition, ...]:
        """Return the conditions where a bit is expected."""
        return self.of_1 if expected else self.of_0


def wrong_outputs(net: Network) -> tuple[Wrong, ...]:
    """Return when each output of a network is wrong.

    Raises:
        NetworkError: an exact readout of a network with curves.
    """
    layers = scaled_layers(net)
    grids: list[Fraction | None] = []
    for name in net.output_layers:
        number = layer_number(name) - 1
        grid = None if layers is None else Fraction(2) ** layers[number].value_exponent
        grids += [grid] * net.layers[number].n_out
    return tuple(_wrong(net.readout, grid) for grid in grids)


def _wrong(readout: Readout, grid: Fraction | None) -> Wrong:
    if readout.kind == "exact":
        if grid is None:
            raise NetworkError(
                "an exact readout of curves, which come near to 0 or 1 without a bound",
                where="readout",
                remedy="take a threshold, or export to onnx",
            )
        near = min(grid, Fraction(1)) / 2
        of_0, of_1 = (
            (Condition(False, bit - near), Condition(True, bit + near))
            for bit in (Fraction(0), Fraction(1))
        )
        return Wrong(grid, of_0, of_1)
    limit = dividing(readout, grid)
    return Wrong(grid, (Condition(True, limit),), (Condition(False, limit),))


def dividing(readout: Readout, grid: Fraction | None) -> Fraction:
    """Return a number that the outputs which read as 1 are above, and all others below.

    Args:
        readout: a threshold.
        grid: what the outputs are multiples of; the threshold itself is returned where it is not
            known.
    """
    limit = Fraction(readout.threshold)
    if grid is None:
        return limit
    place = limit / grid
    if place.denominator > 1:
        return limit
    return limit + grid / 2 if readout.convention == ">" else limit - grid / 2
