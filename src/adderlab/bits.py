"""Whole numbers to rows of bits and back; the only place where bit order is decided.

Rule: most significant bit first, always. Numbers of up to 62 bits live in ``int64`` arrays,
wider ones in ``object`` arrays of Python integers; both are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Shaped, UInt8

INT64_BITS: Final = 62
"""Widest number held in an ``int64`` array: one bit of room for a sum, one for the sign."""

Values: TypeAlias = Any
"""A whole number, or an array of them; rules on words work on both alike."""


def integer_dtype(width: int) -> Any:
    """Return the NumPy type that holds ``width``-bit whole numbers, and their sums, exactly."""
    return np.int64 if width <= INT64_BITS else np.object_


def to_bits(values: Values, width: int) -> UInt8[np.ndarray, "*batch width"]:
    """Return the ``width`` low bits of each whole number, most significant first.

    Args:
        values: a whole number or an array of them, none negative.
        width: bits per number, at least 1.
    """
    numbers = np.asarray(values, dtype=integer_dtype(width))
    shifts = range(width - 1, -1, -1)
    columns = [np.asarray((numbers >> shift) & 1, dtype=np.uint8) for shift in shifts]
    return np.stack(columns, axis=-1)


def from_bits(bits: Shaped[np.ndarray, "*batch width"]) -> Values:
    """Return the whole numbers whose bits, most significant first, are the last axis."""
    width = bits.shape[-1]
    dtype = integer_dtype(width)
    numbers: Values = np.zeros(bits.shape[:-1], dtype=dtype)
    for place in range(width):
        numbers = (numbers << 1) | bits[..., place].astype(dtype)
    return numbers


def popcount(values: Values, width: int) -> Values:
    """Return how many of the ``width`` low bits are one, of a number or of each in an array."""
    total = (values >> 0) & 1
    for place in range(1, width):
        total = total + ((values >> place) & 1)
    return total


def bit_names(word: str, width: int) -> Iterator[str]:
    """Yield the names of a word's bits: ``c1``, ``c0``; a one-bit word goes by its bare name."""
    if width == 1:
        yield word
        return
    for place in reversed(range(width)):
        yield f"{word}{place}"
