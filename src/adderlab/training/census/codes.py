"""Bits as 64-bit codes: the bits themselves while they fit, a hash of them beyond.

Rule: two rows of bits of the same length get the same code if they are the same, and of up to 64
bits only then. Beyond 64 bits the code is a hash: among a million different rows the odds that
any two share one are about 3 in a hundred million.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Int64, UInt8, UInt64

CODE_BITS: Final = 64
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


def code_of_bits(bits: Bool[np.ndarray, "*rest n"]) -> UInt64[np.ndarray, "*rest"]:
    """Return the code of the bits along the last axis, the first the most significant."""
    count = bits.shape[-1]
    if count <= CODE_BITS:
        places = np.uint64(1) << np.arange(count - 1, -1, -1, dtype=np.uint64)
        return bits.astype(np.uint64) @ places
    packed = np.packbits(bits, axis=-1)
    spare = -packed.shape[-1] % 8
    packed = np.pad(packed, [*[(0, 0)] * (packed.ndim - 1), (0, spare)])
    words = np.ascontiguousarray(packed).view(">u8").astype(np.uint64)
    return joined(words)


def words_of_bits(
    packed: UInt8[np.ndarray, "member bytes"], rows: int, width: int
) -> Int64[np.ndarray, "member rows"]:
    """Return each row's bits as one number, of bits that were packed row after row.

    Args:
        packed: by ``numpy.packbits``.
        rows: rows of a member.
        width: bits of a row, at most 62.
    """
    assert width < CODE_BITS - 1
    bits = np.unpackbits(packed, axis=1, count=rows * width).reshape(-1, rows, width)
    return bits.astype(np.int64) @ (1 << np.arange(width - 1, -1, -1, dtype=np.int64))


def joined(codes: UInt64[np.ndarray, "*rest n"]) -> UInt64[np.ndarray, "*rest"]:
    """Return one hash of the codes along the last axis; their order matters."""
    code = np.full(codes.shape[:-1], _GOLDEN)
    with np.errstate(over="ignore"):
        for place in range(codes.shape[-1]):
            code = _mixed(code * np.uint64(31) + codes[..., place] + _GOLDEN)
    return code


def _mixed(words: Any) -> Any:
    """Return words whose every bit depends on every bit given.

    References:
        Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (OOPSLA 2014): the
        finalizer of SplitMix64.
    """
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
