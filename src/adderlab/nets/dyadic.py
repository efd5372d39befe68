"""Exact numbers: arrays of whole numbers that share one power of two.

Rule: nothing is ever rounded. Every stored parameter and every threshold is a dyadic rational
(a whole number times a power of two), and sums, products, relu, leaky relu and step of dyadic
rationals are dyadic again; so a network is evaluated in whole numbers, which is twenty times
faster than in fractions. Numbers that might leave 62 bits move to arrays of Python integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.bits import INT64_BITS
from adderlab.nets.convention import is_above

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, Shaped

_LIMIT: Final = 1 << INT64_BITS


@dataclass(frozen=True, slots=True, eq=False)
class Dyadic:
    """An array of exact values ``integers * 2**exponent``; ``int64`` or ``object`` inside."""

    integers: Shaped[np.ndarray, "*shape"]
    exponent: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.integers, np.ndarray):  # NumPy gives a number for shape ()
            own = np.empty((), dtype=getattr(self.integers, "dtype", np.object_))
            own[()] = self.integers
            object.__setattr__(self, "integers", own)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array of values."""
        return self.integers.shape

    @property
    def largest(self) -> int:
        """The largest magnitude among the whole numbers; 0 for an empty array."""
        if not self.integers.size:
            return 0
        return max(int(self.integers.max()), -int(self.integers.min()))

    def at(self, *index: int) -> Fraction:
        """Return one value as a fraction."""
        return to_fraction(int(self.integers[index]), self.exponent)

    def take(self, index: Any) -> Dyadic:
        """Return the values that NumPy indexing selects."""
        return Dyadic(self.integers[index], self.exponent)

    def to_floats(self) -> Float64[np.ndarray, "*shape"]:
        """Return each value rounded to the nearest double (infinite where beyond)."""
        if self.integers.dtype == np.int64 and self.largest <= 1 << 53:
            with np.errstate(over="ignore"):  # infinite where beyond, as documented
                return np.ldexp(self.integers.astype(np.float64), self.exponent)
        shift = self.exponent
        above, below = 1 << max(shift, 0), 1 << max(-shift, 0)
        flat = [_ratio(value * above, below) for value in self.integers.ravel().tolist()]
        return np.array(flat, dtype=np.float64).reshape(self.shape)

    @property
    def is_double(self) -> bool:
        """Whether every value is a double as it stands."""
        if self.largest.bit_length() <= 53 and -1074 <= self.exponent <= 970:
            return True
        for value in self.integers.ravel().tolist():
            if value:
                lowest = (value & -value).bit_length() - 1
                size = value.bit_length()
                at = self.exponent + lowest
                if size - lowest > 53 or at < -1074 or self.exponent + size > 1024:
                    return False
        return True

    def rescaled(self, exponent: int) -> Dyadic:
        """Return the same values over ``2**exponent``, which must not be above the present one."""
        shift = self.exponent - exponent
        if shift == 0:
            return self
        integers = self.integers
        if not integers.size or not self.largest:
            return Dyadic(integers, exponent)
        if self.largest.bit_length() + shift > INT64_BITS:
            integers = integers.astype(object)
        return Dyadic(integers * (1 << shift), exponent)

    def plus(self, other: Dyadic) -> Dyadic:
        """Return the sums, broadcast as NumPy does."""
        exponent = min(self.exponent, other.exponent)
        left, right = self.rescaled(exponent), other.rescaled(exponent)
        if left.largest + right.largest >= _LIMIT:
            return Dyadic(left.integers.astype(object) + right.integers.astype(object), exponent)
        return Dyadic(left.integers + right.integers, exponent)

    def times(self, other: Dyadic) -> Dyadic:
        """Return the products, broadcast as NumPy does."""
        exponent = self.exponent + other.exponent
        if self.largest * other.largest >= _LIMIT:
            return Dyadic(self.integers.astype(object) * other.integers.astype(object), exponent)
        return Dyadic(self.integers * other.integers, exponent)

    def matmul(self, other: Dyadic) -> Dyadic:
        """Return the matrix product of ``(batch, n)`` with ``(n, m)``."""
        exponent = self.exponent + other.exponent
        # at least 1 each: a row of zeros must not hide numbers too wide for a double
        bound = max(self.largest, 1) * max(other.largest, 1) * max(other.shape[0], 1)
        left, right = self.integers, other.integers
        if bound <= 1 << 53:
            floats = left.astype(np.float64) @ right.astype(np.float64)  # exact below 2**53
            return Dyadic(floats.astype(np.int64), exponent)
        if bound >= _LIMIT:
            left, right = left.astype(object), right.astype(object)
        return Dyadic(np.asarray(left @ right), exponent)

    def relu(self) -> Dyadic:
        """Return the larger of each value and 0."""
        return Dyadic(np.maximum(self.integers, 0), self.exponent)

    def leaky(self, slope: float) -> Dyadic:
        """Return each value, those below 0 times ``slope``."""
        scaled = self.times(dyadic_of(slope))
        exponent = min(self.exponent, scaled.exponent)
        below, above = scaled.rescaled(exponent), self.rescaled(exponent)
        return Dyadic(np.where(self.integers > 0, above.integers, below.integers), exponent)

    def exceeds(self, threshold: float, convention: str) -> Bool[np.ndarray, "*shape"]:
        """Return where the value is ``>`` or ``>=`` (the convention) the threshold, exactly."""
        limit = dyadic_of(threshold)
        exponent = min(self.exponent, limit.exponent)
        left, right = self.rescaled(exponent).integers, limit.rescaled(exponent).integers
        return np.asarray(is_above(left, right, convention), dtype=bool)


def join(parts: Sequence[Dyadic]) -> Dyadic:
    """Return arrays of values as one, by their last axis."""
    exponent = min(part.exponent for part in parts)
    return Dyadic(
        np.concatenate([part.rescaled(exponent).integers for part in parts], axis=-1), exponent
    )


def to_fraction(integer: int, exponent: int) -> Fraction:
    """Return ``integer * 2**exponent``."""
    if exponent >= 0:
        return Fraction(integer << exponent)
    return Fraction(integer, 1 << -exponent)


def _ratio(integer: int, divisor: int) -> float:
    """Return a quotient of whole numbers as the nearest double, which Python's division gives."""
    try:
        return integer / divisor
    except OverflowError:
        return float("inf") if integer > 0 else float("-inf")


def dyadic_of(value: float) -> Dyadic:
    """Return one double as an exact value of shape ``()``."""
    return from_floats(np.array(value, dtype=np.float64))


def from_integers(values: Any) -> Dyadic:
    """Return whole numbers, of any size, as exact values."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if array.dtype == object:
        largest = max((abs(int(value)) for value in array.ravel()), default=0)
        return Dyadic(array.astype(np.int64) if largest < _LIMIT else array)
    if array.dtype == np.uint64 or array.dtype == np.int64:
        big = array.size and max(int(array.max()), -int(array.min())) >= _LIMIT
        return Dyadic(array.astype(object if big else np.int64))
    return Dyadic(array.astype(np.int64))


def from_floats(values: Any) -> Dyadic:
    """Return finite floats of any format up to double as exact values."""
    array = np.asarray(values).astype(np.float64)
    mantissas, exponents = np.frexp(array)
    integers = np.ldexp(mantissas, 53).astype(np.int64)
    exponents = exponents.astype(np.int64) - 53
    nonzero = integers != 0
    if not nonzero.any():
        return Dyadic(np.zeros(array.shape, dtype=np.int64))
    zeros = np.zeros_like(integers)
    lowest = integers[nonzero] & -integers[nonzero]
    zeros[nonzero] = np.frexp(lowest.astype(np.float64))[1] - 1
    integers, exponents = integers >> zeros, exponents + zeros
    exponent = int(exponents[nonzero].min())
    shifts = np.where(nonzero, exponents - exponent, 0)
    lengths = np.frexp(np.abs(integers).astype(np.float64))[1]
    if int((lengths + shifts).max()) > INT64_BITS:
        wide = [int(n) << int(s) for n, s in zip(integers.ravel(), shifts.ravel(), strict=True)]
        shifted = np.empty(len(wide), dtype=object)
        shifted[:] = wide
        return Dyadic(shifted.reshape(array.shape), exponent)
    return Dyadic(integers << shifts, exponent)
