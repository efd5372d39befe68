"""Random numbers that are a function of where they are used: Philox4x32-10.

Rule: four words of 32 bits depend on a counter of four words and a key of two, and on nothing
else. There is no state, so a draw is the same in any order, thread and batch. The arithmetic is
written once; NumPy runs it on arrays, and Numba compiles it on single words.

References:
    Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC '11,
    https://doi.org/10.1145/2063384.2063405
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import UInt64

ROUNDS: Final = 10
MULTIPLY_0: Final = np.uint64(0xD2511F53)
MULTIPLY_1: Final = np.uint64(0xCD9E8D57)
WEYL_0: Final = np.uint64(0x9E3779B9)
WEYL_1: Final = np.uint64(0xBB67AE85)
LOW: Final = np.uint64(0xFFFFFFFF)
HALF: Final = np.uint64(32)


def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> tuple[Any, Any, Any, Any]:
    """Return the four words for a counter and a key.

    Args:
        c0: the counter's first word: an unsigned 64-bit number below 2**32, or an array of them.
        c1: the second.
        c2: the third.
        c3: the fourth.
        k0: the key's first word.
        k1: the second.

    Examples:
        >>> zero = np.uint64(0)
        >>> [f"{int(word):08x}" for word in philox(zero, zero, zero, zero, zero, zero)]
        ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    for _ in range(ROUNDS):
        product_0 = MULTIPLY_0 * c0
        product_1 = MULTIPLY_1 * c2
        c0, c1, c2, c3 = (
            (product_1 >> HALF) ^ c1 ^ k0,
            product_1 & LOW,
            (product_0 >> HALF) ^ c3 ^ k1,
            product_0 & LOW,
        )
        k0 = (k0 + WEYL_0) & LOW
        k1 = (k1 + WEYL_1) & LOW
    return c0, c1, c2, c3


def words(
    seed: int,
    stream: int,
    members: UInt64[np.ndarray, " member"],
    first: int,
    count: int,
) -> UInt64[np.ndarray, "member count"]:
    """Return words ``first`` to ``first + count - 1`` of each member's stream.

    A member's words are numbered from 0; four consecutive ones share a counter, whose first two
    words are their number over 4 and whose last two are the member's. The key is the seed and
    the number of the stream.

    Args:
        seed: below 2**32.
        stream: what the words are for: one number for each purpose.
        members: the members' numbers.
        first: the first word's number.
        count: how many words.
    """
    blocks = np.arange(first // 4, -(-(first + count) // 4), dtype=np.uint64)
    low, high = (blocks & LOW)[None], (blocks >> HALF)[None]
    member_low, member_high = (members & LOW)[:, None], (members >> HALF)[:, None]
    key = np.uint64(seed), np.uint64(stream)
    drawn = np.stack(philox(low, high, member_low, member_high, *key), axis=-1)
    place = first % 4
    return drawn.reshape(len(members), 4 * len(blocks))[:, place : place + count]
