"""Which of the values that work is taken.

Rule: only a value that the tensor can store is taken, and it is exactly the one stored. Among
those the network's margin decides; then the margin that leaves out the outputs which stood
just on the threshold before and were right (0 + 0 gives exactly 0 in the lecture's network,
whatever its weights, and would hide how well the wrong row was mended); then the smallest
change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Final, TypeAlias

from adderlab.building.repair.intervals import Interval, Intervals
from adderlab.building.repair.lines import Envelope, at_least, is_endless
from adderlab.building.repair.stored import around, extremes
from adderlab.formats import Format

Margin: TypeAlias = Callable[[Intervals], Envelope]
"""A margin as a function of the changed number, on the numbers asked for."""

ENOUGH: Final = Fraction(1)
"""The margin that is enough where it grows without end: the distance between the bits 0 and 1."""


def best_value(
    works: Intervals, margins: Sequence[Margin], form: Format, before: Fraction
) -> Fraction | None:
    """Return the value to take, ``None`` where the format holds none of those that work.

    Args:
        works: the values that work; ``before`` is not among them.
        margins: what is to be large, the first deciding first.
        form: the format that stores the value.
        before: the value that is there now.
    """
    if not any(extremes(form, part) for part in works.parts):
        return None
    good = works
    for margin in margins:
        good = highest(margin(good), form)
    nearest = (value for part in good.parts for value in _nearest(part, form, before))
    return min(nearest, key=lambda value: abs(value - before))


def highest(margin: Envelope, form: Format) -> Intervals:
    """Return the values where a margin is as large as a stored value makes it.

    On a piece a line is highest at an end, so the best stored value is one of those next to the
    ends of the pieces. A margin that grows without end has no best value, or the format's
    largest number: there it is enough to reach 1. (It never only approaches a height at an open
    end: what follows a step is constant between its flips, and without steps nothing jumps.)
    """
    level = max(line.at(value) for piece, line in margin for value in extremes(form, piece))
    return at_least(margin, min(level, ENOUGH) if is_endless(margin) else level)


def _nearest(part: Interval, form: Format, before: Fraction) -> tuple[Fraction, ...]:
    """Return the stored values that come into question in an interval beside ``before``.

    They are those next to its nearer end. Where that end is not inside, a row is wrong on it, and
    the first number beyond it would all but touch it: then to the middle, of a half-line to one
    beyond the end.
    """
    end, is_closed = (
        (part.low, part.low_closed)
        if part.low is not None and part.low > before
        else (part.high, part.high_closed)
    )
    aim = end if is_closed and end is not None else part.sample
    return around(form, aim, part) or extremes(form, part)
