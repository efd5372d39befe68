"""Whole numbers in few bits: how packed tensors, and wide ones of old files, lie in their bytes.

Rule: least significant bits first, two's complement, padded to a byte at the end of a tensor;
ternary is {-1, 0, 1} in two bits and binary {-1, 1} in one. What was packed is read back bit
for bit, and bytes that no packing would give (set padding, the ternary -2) are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adderlab import limits
from adderlab.errors import NetworkFileError
from adderlab.nets.codebook import Coded, ascending

if TYPE_CHECKING:
    from jaxtyping import Int64, UInt8

LIMBS_AT_ONCE = 1 << 10
"""Limbs that are read between two looks at the limits."""

PACKED_AT_ONCE = 1 << 18
"""Numbers of 1 to 32 bits that are packed or unpacked between two looks; a multiple of 8."""


def packed_size(count: int, bits: int) -> int:
    """Return the bytes that ``count`` numbers of ``bits`` bits take."""
    return -(-count * bits // 8)


def pack(values: Int64[np.ndarray, " count"], bits: int) -> UInt8[np.ndarray, " size"]:
    """Return numbers packed into bytes; with one bit, -1 is stored as 1 and 1 as 0."""
    data = np.empty(packed_size(len(values), bits), dtype=np.uint8)
    for start in range(0, len(values), PACKED_AT_ONCE):
        limits.check()
        part = values[start : start + PACKED_AT_ONCE]
        if bits == 1:
            planes = (part < 0).astype(np.uint8)
        else:
            places = np.arange(bits, dtype=np.int64)
            planes = ((part[:, None] >> places) & 1).astype(np.uint8).ravel()
        own = np.packbits(planes, bitorder="little")
        data[start * bits // 8 :][: len(own)] = own
    return data


def unpack(
    data: UInt8[np.ndarray, " size"], count: int, bits: int, *, where: str
) -> Int64[np.ndarray, " count"]:
    """Return the ``count`` numbers of ``bits`` bits that were packed into ``data``.

    Raises:
        NetworkFileError: the size is not that of so many numbers, or padding bits are set.
    """
    if data.size != packed_size(count, bits):
        raise NetworkFileError(
            f"{count} numbers of {bits} bits take {packed_size(count, bits)} bytes, "
            f"got {data.size}",
            where=where,
            remedy="the file is damaged; write it again",
        )
    used = count * bits % 8
    if used and int(data[-1]) >> used:
        raise NetworkFileError(
            "padding bits are set", where=where, remedy="the file is damaged; write it again"
        )
    limits.check(8 * count)
    values = np.empty(count, dtype=np.int64)
    for start in range(0, count, PACKED_AT_ONCE):
        limits.check()
        end = min(start + PACKED_AT_ONCE, count)
        part = data[start * bits // 8 : packed_size(end, bits)]
        values[start:end] = _unpacked(part, end - start, bits)
    return values


def _unpacked(
    data: UInt8[np.ndarray, " size"], count: int, bits: int
) -> Int64[np.ndarray, " count"]:
    """Return the first ``count`` numbers of ``bits`` bits."""
    planes = np.unpackbits(data, count=count * bits, bitorder="little").reshape(count, bits)
    if bits == 1:
        return 1 - 2 * planes[:, 0].astype(np.int64)
    values = np.zeros(count, dtype=np.int64)
    for place in range(bits):
        values |= planes[:, place].astype(np.int64) << place
    return values - (planes[:, -1].astype(np.int64) << bits)


def from_limbs(
    data: UInt8[np.ndarray, " size"], count: int, limb_bytes: int, *, where: str
) -> Coded:
    """Return the ``count`` whole numbers stored as limbs of ``limb_bytes`` bytes.

    Limbs are two's complement, little-endian. They are what files of the format ``wide`` held
    before they held codebooks.

    Raises:
        NetworkFileError: the size is not that of so many limbs.
    """
    if data.size != count * limb_bytes:
        raise NetworkFileError(
            f"{count} limbs of {limb_bytes} bytes take {count * limb_bytes}, got {data.size}",
            where=where,
            remedy="the file is damaged; write it again",
        )
    raw = np.ascontiguousarray(data).data
    places: dict[bytes, int] = {}  # of a wide adder's millions of numbers few differ
    codes = np.empty(count, dtype=np.int64)
    for at in range(count):
        if not at % LIMBS_AT_ONCE:
            limits.check()
        limb = bytes(raw[at * limb_bytes : (at + 1) * limb_bytes])
        codes[at] = places.setdefault(limb, len(places))
    values = [int.from_bytes(limb, "little", signed=True) for limb in places]
    return ascending(values, codes)
