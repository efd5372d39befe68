"""Up to which width each adder is exact in each number format: derived, not measured.

Rule: a format computes a network exactly, in every order of summation, if it holds every stored
value and if in no sum the positive terms, or the negative ones, can add up to more than the
format counts without a gap: ``2**p`` for a float of p bits, ``2**31 - 1`` for integers, whose
sums are int32. ``benchmarks/safe_widths.py`` builds and proves every width up to 64 and stops if a
proof disagrees with what is derived here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import count
from typing import Final

from adderlab.formats import FORMATS, Format

INT32_LARGEST: Final = (1 << 31) - 1


@dataclass(frozen=True, slots=True)
class Requirement:
    """What a construction requires of a number format.

    Attributes:
        values: at a width, the stored numbers that are hardest to hold.
        largest_sum: at a width, the most that terms of one sign add up to in any sum, each unit
            anywhere between its least and its largest value.
        settled: the width from which on neither changes; ``None`` if both grow for ever.
    """

    values: Callable[[int], tuple[int, ...]]
    largest_sum: Callable[[int], int]
    settled: int | None


def _one_layer_values(width: int) -> tuple[int, ...]:
    # biases and weights of the highest position: -2^N, 1 - 2^N, 2^(N-1); its first lacks -2^N
    largest = 1 << width
    return (1 - largest, largest >> 1, -2, 0) if width == 1 else (-largest, 1 - largest, -2, 0)


def _one_layer_sum(width: int) -> int:
    """Return the largest sum of the one-layer adder: ``2**(N+1) + 2**(N-1) - 3``.

    The operands' lowest i + 1 bits add up to at most ``2**(i+2) - 2``, so the relus of position i
    reach ``2**(i+1) - 1`` and ``2**(i+1) - 2``. The highest sum bit adds the most: 2 of its two
    bits, ``2**(N-1) - 1`` of the carry in, and twice ``2**N - 2`` of the carry out.

    No wider adder is exact: with all input bits 1 these terms are all there at once, their sum is
    odd, and a float rounds an odd number above ``2**p``. Adding the positive terms first then gives
    0 or 2 where 1 is right.
    """
    return (2 << width) + (1 << width >> 1) - 3


def _ripple_sum(width: int) -> int:
    """Return the largest sum of the ripple adder: 4 from 3 bits on.

    The next position's two bits, 2, and ``relu(t - 1)`` of a t in 0..3, another 2, whose negative
    terms are ``relu(t - 2)`` and a bias of at most 2. At the lowest position t is below 3. Every
    further layer has the same sums, and some that only pass a unit on.
    """
    return min(width + 1, 4)


def _prefix_sum(width: int) -> int:
    """Return the largest sum of the prefix adder: 5 from 4 bits on.

    Where two single positions pass a carry on, ``P_high + P_low - 1`` with each P as
    ``a + b - 2 G``: 2 + 2 less 2 + 2 + 1. In later layers P is a unit, 0 or 1, and G the sum of
    two, so that no sum is above 3. Below 4 bits no two positions pass anything on together: 1 + 2
    of a P and a G at 2 and 3 bits, the two bits alone at 1.
    """
    return (2, 3, 3, 5)[min(width, 4) - 1]


REQUIREMENTS: Final[dict[str, Requirement]] = {
    "one-layer": Requirement(_one_layer_values, _one_layer_sum, settled=None),
    "ripple": Requirement(lambda width: (-2, 1, 0), _ripple_sum, settled=3),
    "prefix": Requirement(lambda width: (-2, 1, 0), _prefix_sum, settled=4),
}
"""By method."""


@cache
def exact_width(method: str, format: str) -> int | None:
    """Return the largest width up to which a construction is exact in a number format.

    Args:
        method: ``one-layer``, ``ripple`` or ``prefix``.
        format: the format of the weights and of the arithmetic.

    Returns:
        A width, 0 if not even one bit can be added, or ``None``: every width is exact.

    Examples:
        >>> exact_width("one-layer", "fp32"), exact_width("ripple", "int2")
        (22, None)
    """
    form, requirement = FORMATS[format], REQUIREMENTS[method]
    if form.kind == "wide":
        return None
    for width in count(1):
        if not _is_exact(form, requirement, width):
            return width - 1
        if width == requirement.settled:
            break
    return None


def exact_widths(method: str) -> dict[str, int | None]:
    """Return :func:`exact_width` by format; empty for a method that adds no words of any width."""
    return {name: exact_width(method, name) for name in FORMATS} if method in REQUIREMENTS else {}


def _is_exact(form: Format, requirement: Requirement, width: int) -> bool:
    held = all(form.holds(Fraction(value)) for value in requirement.values(width))
    whole = min(1 << form.precision, form.largest) if form.kind == "float" else INT32_LARGEST
    return held and requirement.largest_sum(width) <= whole
