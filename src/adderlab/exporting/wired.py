"""The numbers on which a cell with its wiring is run: the same ones for every target."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

import numpy as np

from adderlab.tasks.wirings import Wiring

WIDTHS: Final = (1, 2, 3, 8, 64)
"""Digits of the numbers."""

MOST: Final = 1 << 8
"""Operands of one width, all of them where they are no more."""

FEWEST: Final = 1 << 5
"""Of many digits, where what is carried ripples through all cells."""

DIGITS: Final = 1 << 10
"""Digits of one width between these two."""


def operands_of(wiring: Wiring, width: int) -> list[list[list[int]]]:
    """Return operands of some digits, each a list of them, the lowest first.

    They are all there are, where these are few; otherwise each operand at its ends and with a
    single digit that is not 0, and random ones.

    Args:
        wiring: whose operands they are.
        width: how many digits each has.
    """
    base, count = wiring.base, len(wiring.operands)
    if base ** (width * count) <= MOST:
        return [
            [list(own[at * width : at * width + width]) for at in range(count)]
            for own in np.ndindex(*[base] * (width * count))
        ]
    most = base - 1
    ends = [[0] * width, [most] * width, [1, *[0] * (width - 1)], [*[0] * (width - 1), most]]
    rows = [[ends[at] for at in places] for places in np.ndindex(*[len(ends)] * count)]
    draw = random.Random(width)  # noqa: S311 -- numbers to try, no secret
    while len(rows) < max(FEWEST, min(MOST, DIGITS // width)):
        rows.append([[draw.randrange(base) for _ in range(width)] for _ in range(count)])
    return rows


def widths_text(widths: Sequence[int] = WIDTHS) -> str:
    """Return which numbers these are, for people.

    Examples:
        >>> widths_text((1, 2, 8))
        'numbers of 1, 2 and 8 digits'
    """
    return f"numbers of {', '.join(map(str, widths[:-1]))} and {widths[-1]} digits"
