"""Exact numbers: arrays of whole numbers that share one power of two.

Rule: nothing is ever rounded. Every stored parameter and every threshold is a dyadic rational
(a whole number times a power of two), and sums, products, relu, leaky relu and step of dyadic
rationals are dyadic again; so a network is evaluated in whole numbers, which is twenty times
faster than in fractions. Numbers that might leave 62 bits move to arrays of Python integers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import limits
from adderlab.bits import INT64_BITS
from adderlab.nets.convention import is_above

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, Int64, Shaped

_LIMIT: Final = 1 << INT64_BITS

_NUMBERS_AT_ONCE: Final = 1 << 16
"""Numbers that a loop of Python's looks at between two looks at the limits."""

_FLOATS_AT_ONCE: Final = 1 << 20
"""Numbers that NumPy takes apart at once, with a few arrays of that size beside it."""

_PRODUCTS_AT_ONCE: Final = {np.int64: 1 << 26, np.object_: 1 << 20}
"""Products of a matrix product between two looks at the limits: about a tenth of a second."""


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
            limits.check(16 * self.integers.size)
            with np.errstate(over="ignore"):  # infinite where beyond, as documented
                return np.ldexp(self.integers.astype(np.float64), self.exponent)
        shift = self.exponent
        above, below = 1 << max(shift, 0), 1 << max(-shift, 0)
        flat = self.integers.ravel()
        limits.check(8 * flat.size)
        floats = np.empty(flat.size, dtype=np.float64)
        for part in _parts(flat.size):
            floats[part] = [_ratio(value * above, below) for value in flat[part].tolist()]
        return floats.reshape(self.shape)

    @property
    def is_double(self) -> bool:
        """Whether every value is a double as it stands."""
        if self.largest.bit_length() <= 53 and -1074 <= self.exponent <= 970:
            return True
        flat = self.integers.ravel()
        return all(self._are_doubles(flat[part].tolist()) for part in _parts(flat.size))

    def _are_doubles(self, integers: list[int]) -> bool:
        for value in integers:
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
        dtype: Any = np.object_ if bound >= _LIMIT else np.int64
        products = _PRODUCTS_AT_ONCE[dtype]
        step = max(1, products // max(left.shape[0] * left.shape[1], 1))
        limits.check(8 * left.shape[0] * right.shape[1])
        result = np.zeros((left.shape[0], right.shape[1]), dtype=dtype)
        own = left.astype(dtype)
        for start in range(0, right.shape[1] if left.shape[1] else 0, step):
            limits.check()
            part = slice(start, start + step)
            result[:, part] = own @ right[:, part].astype(dtype)
        return Dyadic(result, exponent)

    def relu(self) -> Dyadic:
        """Return the larger of each value and 0."""
        return Dyadic(np.maximum(self.integers, 0), self.exponent)

    def leaky(self, slope: float | Float64[np.ndarray, " n"]) -> Dyadic:
        """Return each value, those below 0 times ``slope``: one, or one for each column."""
        scaled = self.times(from_floats(slope))
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


def nearest_double(value: Fraction) -> float:
    """Return the double nearest to a fraction, infinite where it is beyond all of them."""
    return _ratio(value.numerator, value.denominator)


def nearest_doubles(values: Any) -> Float64[np.ndarray, "*shape"]:
    """Return the doubles nearest to an array of fractions."""
    flat = [nearest_double(value) for value in values.ravel().tolist()]
    return np.array(flat, dtype=np.float64).reshape(values.shape)


def dyadic_of(value: float) -> Dyadic:
    """Return one double as an exact value of shape ``()``."""
    return from_floats(np.array(value, dtype=np.float64))


def _parts(count: int, size: int = _NUMBERS_AT_ONCE) -> Iterator[slice]:
    """Yield the parts of a flat array, with a look at the limits before each."""
    for start in range(0, count, size):
        limits.check()
        yield slice(start, start + size)


def from_integers(values: Any) -> Dyadic:
    """Return whole numbers, of any size, as exact values."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    if array.dtype == object:
        flat = array.ravel()
        parts = (flat[part].tolist() for part in _parts(flat.size))
        largest = max((max(abs(int(value)) for value in part) for part in parts), default=0)
        return Dyadic(array.astype(np.int64) if largest < _LIMIT else array)
    if array.dtype == np.uint64 or array.dtype == np.int64:
        big = array.size and max(int(array.max()), -int(array.min())) >= _LIMIT
        return Dyadic(array.astype(object if big else np.int64))
    return Dyadic(array.astype(np.int64))


def from_floats(values: Any) -> Dyadic:
    """Return finite floats of any format up to double as exact values."""
    array = np.asarray(values)
    flat = array.ravel()
    parts = list(_parts(flat.size, _FLOATS_AT_ONCE))
    kept = [_odd_parts(flat[part]) for part in parts] if len(parts) == 1 else None
    lowest, highest = 0, None
    for part in parts:
        integers, exponents = kept[0] if kept else _odd_parts(flat[part])
        nonzero = integers != 0
        if nonzero.any():
            own = exponents[nonzero]
            lengths = np.frexp(np.abs(integers[nonzero]).astype(np.float64))[1]
            lowest = int(own.min()) if highest is None else min(lowest, int(own.min()))
            highest = max(int((own + lengths).max()), highest if highest is not None else lowest)
        limits.check()
    if highest is None:
        return Dyadic(np.zeros(array.shape, dtype=np.int64))
    is_wide = highest - lowest > INT64_BITS
    limits.check(8 * flat.size)
    shifted = np.empty(flat.size, dtype=object if is_wide else np.int64)
    for part in parts:
        limits.check()
        integers, exponents = kept[0] if kept else _odd_parts(flat[part])
        shifts = np.where(integers != 0, exponents - lowest, 0)
        if is_wide:
            pairs = zip(integers.tolist(), shifts.tolist(), strict=True)
            shifted[part] = [number << shift for number, shift in pairs]
        else:
            shifted[part] = integers << shifts
    return Dyadic(shifted.reshape(array.shape), lowest)


def _odd_parts(
    values: Shaped[np.ndarray, " count"],
) -> tuple[Int64[np.ndarray, " count"], Int64[np.ndarray, " count"]]:
    """Return floats as odd numbers, or 0, times powers of two."""
    mantissas, exponents = np.frexp(values.astype(np.float64))
    integers = np.ldexp(mantissas, 53).astype(np.int64)
    zeros = np.frexp((integers & -integers).astype(np.float64))[1].astype(np.int64) - 1
    zeros[integers == 0] = 0
    return integers >> zeros, exponents.astype(np.int64) - 53 + zeros
