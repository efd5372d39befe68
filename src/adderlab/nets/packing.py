"""Whole numbers in few bits: how packed and wide tensors lie in their bytes.

Rule: least significant bits first, two's complement, padded to a byte at the end of a tensor;
ternary is {-1, 0, 1} in two bits and binary {-1, 1} in one. What was packed is read back bit
for bit, and bytes that no packing would give (set padding, the ternary -2) are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from adderlab.errors import NetworkFileError

if TYPE_CHECKING:
    from jaxtyping import Int64, Shaped, UInt8


MOST_KNOWN = 1 << 14
"""Different numbers of which one is kept while limbs are read."""


def packed_size(count: int, bits: int) -> int:
    """Return the bytes that ``count`` numbers of ``bits`` bits take."""
    return -(-count * bits // 8)


def pack(values: Int64[np.ndarray, " count"], bits: int) -> UInt8[np.ndarray, " size"]:
    """Return numbers packed into bytes; with one bit, -1 is stored as 1 and 1 as 0."""
    if bits == 1:
        planes = (values < 0).astype(np.uint8)
    else:
        places = np.arange(bits, dtype=np.int64)
        planes = ((values[:, None] >> places) & 1).astype(np.uint8).ravel()
    return np.packbits(planes, bitorder="little")


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
    planes = np.unpackbits(data, bitorder="little")
    if planes[count * bits :].any():
        raise NetworkFileError(
            "padding bits are set", where=where, remedy="the file is damaged; write it again"
        )
    planes = planes[: count * bits].reshape(count, bits)
    if bits == 1:
        return 1 - 2 * planes[:, 0].astype(np.int64)
    values = np.zeros(count, dtype=np.int64)
    for place in range(bits):
        values |= planes[:, place].astype(np.int64) << place
    return values - (planes[:, -1].astype(np.int64) << bits)


def to_limbs(values: Shaped[np.ndarray, " count"], limb_bytes: int) -> UInt8[np.ndarray, " size"]:
    """Return whole numbers as two's-complement limbs of ``limb_bytes`` bytes, little-endian."""
    limbs = bytearray(len(values) * limb_bytes)  # filled in place: a wide adder's are 100s of MB
    for at, value in enumerate(values):
        limb = int(value).to_bytes(limb_bytes, "little", signed=True)
        limbs[at * limb_bytes : (at + 1) * limb_bytes] = limb
    return np.frombuffer(limbs, dtype=np.uint8)


def from_limbs(
    data: UInt8[np.ndarray, " size"], count: int, limb_bytes: int, *, where: str
) -> Shaped[np.ndarray, " count"]:
    """Return the ``count`` whole numbers stored as limbs of ``limb_bytes`` bytes.

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
    known: dict[bytes, int] = {}  # of a wide adder's millions of numbers few differ: one of each
    values = np.empty(count, dtype=object)
    for i in range(count):
        limb = bytes(raw[i * limb_bytes : (i + 1) * limb_bytes])
        value = known.get(limb)
        if value is None:
            value = int.from_bytes(limb, "little", signed=True)
            if len(known) < MOST_KNOWN:
                known[limb] = value
        values[i] = value
    return values


def limb_bytes_for(values: Shaped[np.ndarray, " count"]) -> int:
    """Return the bytes of the smallest limb that holds every value."""
    bits = max((max(int(v), ~int(v)).bit_length() for v in values), default=0) + 1
    return -(-bits // 8)
