"""The powers of two on which a piecewise linear activation is one of whole numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from adderlab.nets.activations import Activation, Pieces
from adderlab.nets.dyadic import dyadic_of


@dataclass(frozen=True, slots=True)
class Scale:
    """Whole numbers for sums, and for values, of the units of one layer.

    Attributes:
        up: what sums are multiplied with, so that knots are whole numbers too.
        sums: the power of two that they are then multiples of.
        values: the power of two that values are multiples of.
    """

    up: int
    sums: int
    values: int

    @classmethod
    def of(cls, units: Sequence[Pieces], exponent: int) -> Scale:
        """Return the scale of units whose sums are multiples of ``2**exponent``."""
        knots = {knot for pieces in units for knot in pieces.knots}
        sums = min([exponent, *_exponents(knots)])
        lines = {line for pieces in units for line in pieces.lines}
        constants = {value for pieces in units for value in pieces.values}
        constants |= {line.intercept for line in lines}
        slopes = _exponents(line.slope for line in lines)
        values = [*(sums + slope for slope in slopes), *_exponents(constants)]
        return cls(1 << (exponent - sums), sums, min(values, default=0))

    def sum(self, number: float) -> int:
        """Return a knot as a whole number among sums."""
        return _whole(number, self.sums)

    def value(self, number: float) -> int:
        """Return a constant as a whole number among values."""
        return _whole(number, self.values)

    def slope(self, number: float) -> int:
        """Return what the whole number of a sum is multiplied with."""
        return _whole(number, self.values - self.sums)


def pieces_of_unit(activation: Activation, number: int) -> Pieces:
    """Return the pieces of what is applied to one unit's sum, which is no curve."""
    pieces = activation.of_unit(number).pieces
    assert pieces is not None, activation
    return pieces


def _exponents(numbers: Iterable[float]) -> list[int]:
    return [dyadic_of(number).exponent for number in numbers if number]


def _whole(number: float, exponent: int) -> int:
    if not number:
        return 0
    exact = dyadic_of(number)
    return int(exact.integers[()]) << (exact.exponent - exponent)
