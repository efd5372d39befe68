"""The draws of :mod:`adderlab.training.draws`, compiled: the same numbers to the last bit.

Training a half adder takes less than a microsecond a member; NumPy takes 20 to draw its data.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba.extending import register_jitable

from adderlab.kernels.simd import LANES, counting_from, keep, spread, words_from
from adderlab.training.draws import BATCHES, DATA, START, UNIT
from adderlab.training.philox import HALF, LOW, philox

_philox: Final = register_jitable(philox)
_BY: Final = 64
"""Counters or members drawn side by side, so that LLVM makes vectors of them."""

_EIGHT: Final = np.uint64(8)
_MIDDLE: Final = np.int32(1 << 23)
_START: Final = np.uint64(START)
_DATA: Final = np.uint64(DATA)
_BATCHES: Final = np.uint64(BATCHES)


@register_jitable
def fill_start(seed: Any, members: Any, scale: Any, bounds: Any, start: Any) -> None:
    """Write each member's untrained parameters.

    Args:
        seed: below 2**32, as an unsigned 64-bit number.
        members: their numbers.
        scale: each member's factor.
        bounds: how far from 0 each parameter may start.
        start: where they are written, a member in each row.
    """
    words = np.empty((4, _BY), dtype=np.uint64)
    parameters = bounds.size
    for first in range(0, members.size, _BY):
        count = min(_BY, members.size - first)
        for block in range((parameters + 3) // 4):
            for i in range(count):
                member = members[first + i]
                w0, w1, w2, w3 = _philox(
                    np.uint64(block), np.uint64(0), member & LOW, member >> HALF, seed, _START
                )
                words[0, i] = w0
                words[1, i] = w1
                words[2, i] = w2
                words[3, i] = w3
            for j in range(min(4, parameters - 4 * block)):
                place = 4 * block + j
                for i in range(count):
                    unit = np.float32(np.int32(words[j, i] >> _EIGHT) - _MIDDLE) * UNIT
                    start[first + i, place] = (unit * bounds[place]) * scale[first + i]


@register_jitable
def fill_counts(seed: Any, members: Any, samples: Any, counts: Any) -> None:
    """Write how often each row is in each member's own samples.

    Args:
        seed: below 2**32, as an unsigned 64-bit number.
        members: their numbers.
        samples: how many each draws.
        counts: where they are written, a member in each row.
    """
    rows = counts.shape[1]
    end = np.uint64(rows)
    blocks = (samples + 3) // 4
    width = (blocks + LANES - 1) // LANES * LANES
    drawn = np.empty(4 * width, dtype=np.int32)  # word j of every counter side by side
    zero = spread(np.uint64(0))
    for index in range(members.size):
        low = spread(members[index] & LOW)
        high = spread(members[index] >> HALF)
        for block in range(0, width, LANES):
            counter = counting_from(block)
            w0, w1, w2, w3 = _philox(counter, zero, low, high, seed, _DATA)
            keep(drawn, block, (w0 * end) >> HALF)
            keep(drawn, width + block, (w1 * end) >> HALF)
            keep(drawn, 2 * width + block, (w2 * end) >> HALF)
            keep(drawn, 3 * width + block, (w3 * end) >> HALF)
        for word in range(4):  # beyond the last sample there is no row
            drawn[word * width + (samples - word + 3) // 4 : (word + 1) * width] = rows
        if rows <= 8:  # comparing all with each row runs in vectors, counting one by one does not
            rest = np.int32(samples)
            for row in range(1, rows):
                count = np.int32(0)
                for k in range(drawn.size):
                    count += np.int32(drawn[k] == row)
                counts[index, row] = count
                rest -= count
            counts[index, 0] = rest
        else:
            counts[index, :] = 0
            for k in range(drawn.size):
                if drawn[k] < rows:
                    counts[index, drawn[k]] += 1


@register_jitable
def draw_samples(
    seed: Any, members: Any, base: Any, samples: Any, first: Any, count: Any, chosen: Any
) -> Any:
    """Write which samples a group's draws ``first`` to ``first + count - 1`` look at.

    Args:
        seed: below 2**32, as an unsigned 64-bit number.
        members: the members' numbers.
        base: the first of the group's 16 among them.
        samples: how many there are to choose from.
        first: the number of the first draw: step times batch plus slot.
        count: how many draws.
        chosen: where they are written, 16 for each draw, flat; with room for 6 draws more.

    Returns:
        Where in ``chosen`` the first draw is.
    """
    total = np.uint64(samples)
    numbers = words_from(members, base)
    low = numbers & LOW
    high = numbers >> HALF
    first_block = first // 4
    for block in range(first_block, (first + count + 3) // 4):
        number = np.uint64(block)
        w0, w1, w2, w3 = _philox(
            spread(number & LOW), spread(number >> HALF), low, high, seed, _BATCHES
        )
        place = 4 * (block - first_block) * LANES
        keep(chosen, place, (w0 * total) >> HALF)
        keep(chosen, place + LANES, (w1 * total) >> HALF)
        keep(chosen, place + 2 * LANES, (w2 * total) >> HALF)
        keep(chosen, place + 3 * LANES, (w3 * total) >> HALF)
    return (first - 4 * first_block) * LANES
