"""Integers of any width by a codebook: each different value once, in the bytes that it needs.

Rule: a tensor has one encoding. The codebook ascends, names no value twice and none that no code
stands for; each value takes as few bytes as hold it in two's complement, and codes and sizes have
the narrowest type. What is encoded in any other way is refused.

References:
    Weights as codes of a codebook: Han, Mao, Dally, "Deep Compression" (2016), section 3,
    https://arxiv.org/abs/1510.00149
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import limits
from adderlab.errors import NetworkFileError

if TYPE_CHECKING:
    from jaxtyping import Integer, Shaped, UInt8

LARGEST_VALUE_BYTES: Final = 1 << 20
"""Bytes of one value, in a file."""

_STEP: Final = 1 << 12
"""Values between two looks at the limits."""

_UNSIGNED: Final = (np.uint8, np.uint16, np.uint32, np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Whole numbers as codes of the values that occur.

    Attributes:
        codebook: the different values, ascending, as Python's own integers.
        codes: of each number, the place of its value in the codebook.
    """

    codebook: Shaped[np.ndarray, " values"]
    codes: Integer[np.ndarray, " count"]


def narrowest(largest: int) -> Any:
    """Return the narrowest unsigned type that holds a number."""
    return next(kind for kind in _UNSIGNED if largest <= np.iinfo(kind).max)


def coded(numbers: Iterable[int], count: int) -> Coded:
    """Return whole numbers with a codebook.

    Args:
        numbers: the numbers.
        count: how many they are.
    """
    places: dict[int, int] = {}
    codes = np.empty(count, dtype=np.int64)
    for at, number in enumerate(numbers):
        if not at % _STEP:
            limits.check()
        codes[at] = places.setdefault(number, len(places))
    return ascending(list(places), codes)


def ascending(values: list[int], codes: Integer[np.ndarray, " count"]) -> Coded:
    """Return numbers whose codebook names each value once, in any order, with one that ascends."""
    order = sorted(range(len(values)), key=values.__getitem__)
    codebook = np.empty(len(values), dtype=object)
    codebook[:] = [values[place] for place in order]
    ranks = np.empty(len(values), dtype=narrowest(max(len(values) - 1, 0)))
    ranks[order] = np.arange(len(values))
    return Coded(codebook, ranks[codes])


def size_of(value: int) -> int:
    """Return the bytes that a whole number takes in two's complement.

    Examples:
        >>> size_of(127), size_of(128), size_of(-128), size_of(0)
        (1, 2, 1, 1)
    """
    return max(value, ~value).bit_length() // 8 + 1


def to_bytes(
    codebook: Shaped[np.ndarray, " values"],
) -> tuple[Integer[np.ndarray, " values"], UInt8[np.ndarray, " size"]]:
    """Return the size of each value in bytes, and the values end to end, little-endian."""
    values = [int(value) for value in codebook]
    sizes = [size_of(value) for value in values]
    parts = [
        value.to_bytes(size, "little", signed=True)
        for value, size in zip(values, sizes, strict=True)
    ]
    kept = np.array(sizes, dtype=narrowest(max(sizes, default=0)))
    return kept, np.frombuffer(b"".join(parts), dtype=np.uint8)


def from_bytes(
    sizes: Integer[np.ndarray, " values"], data: UInt8[np.ndarray, " size"], *, where: str
) -> Shaped[np.ndarray, " values"]:
    """Return the codebook that :func:`to_bytes` wrote.

    Raises:
        NetworkFileError: it would not write it so.
    """
    _check_unsigned(sizes, "the sizes of a codebook", int(sizes.max(initial=0)), where)
    if sizes.size and not 1 <= int(sizes.min()) <= int(sizes.max()) <= LARGEST_VALUE_BYTES:
        raise _damaged(f"a value of a codebook has no size in 1..{LARGEST_VALUE_BYTES}", where)
    ends = np.cumsum(sizes, dtype=np.int64)
    total = int(ends[-1]) if ends.size else 0
    if data.dtype != np.uint8 or data.ndim != 1 or data.size != total:
        raise _damaged(
            f"the values of a codebook take {total} bytes, got {data.size} in {data.dtype}", where
        )
    raw = np.ascontiguousarray(data).data
    codebook = np.empty(sizes.size, dtype=object)
    start, before = 0, None
    for at, end in enumerate(ends.tolist()):
        if not at % _STEP or end - start > _STEP:
            limits.check()
        value = int.from_bytes(raw[start:end], "little", signed=True)
        if size_of(value) != end - start:
            raise _damaged(f"value {at} of a codebook takes more bytes than it needs", where)
        if before is not None and value <= before:
            raise _damaged(f"the codebook does not ascend at value {at}", where)
        codebook[at] = value
        start, before = end, value
    return codebook


def check_codes(codes: Integer[np.ndarray, "*shape"], count: int, *, where: str) -> None:
    """Raise unless the codes stand for the values of a codebook, each at least once.

    Args:
        codes: the codes.
        count: how many values the codebook has.
        where: names the file in errors.
    """
    _check_unsigned(codes, "codes", max(count - 1, 0), where)
    largest = int(codes.max(initial=0))
    if codes.size and largest >= count:
        raise _damaged(f"the code {largest} stands for none of {count} values", where)
    is_used = np.zeros(count, dtype=bool)
    is_used[codes] = True
    if not is_used.all():
        unused = int(np.argmin(is_used))
        raise _damaged(f"value {unused} of a codebook is used by no code", where)


def _check_unsigned(array: np.ndarray[Any, Any], what: str, largest: int, where: str) -> None:
    if array.dtype.kind != "u" or array.dtype != narrowest(largest):
        narrow = np.dtype(narrowest(largest)).name
        raise _damaged(f"{what} are of type {array.dtype}, not {narrow}", where)


def _damaged(what: str, where: str) -> NetworkFileError:
    return NetworkFileError(what, where=where, remedy="the file is damaged; write it again")
