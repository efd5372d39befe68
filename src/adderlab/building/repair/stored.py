"""The numbers that a format holds, found among all numbers: the next one up, the next one down."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from adderlab.building.repair.intervals import Interval
from adderlab.formats import Format


def extremes(form: Format, within: Interval) -> tuple[Fraction, ...]:
    """Return the least and the greatest number of the format inside; nothing if none is."""
    found = (
        _at_least(form, within.low, or_equal=within.low_closed),
        _at_most(form, within.high, or_equal=within.high_closed),
    )
    return tuple(value for value in found if value is not None and within.contains(value))


def around(form: Format, value: Fraction, within: Interval) -> tuple[Fraction, ...]:
    """Return the format's numbers next to ``value``, itself if it is one, that lie inside."""
    found = (_at_least(form, value, or_equal=True), _at_most(form, value, or_equal=True))
    return tuple(one for one in found if one is not None and within.contains(one))


def _at_least(form: Format, value: Fraction | None, *, or_equal: bool) -> Fraction | None:
    """Return the format's least number that is at least, or above, ``value``."""
    if value is None or value < form.least:
        return Fraction(form.least)
    unit = _unit_above(form, value, or_equal=or_equal)
    count = value / unit
    found = unit * (math.ceil(count) if or_equal else math.floor(count) + 1)
    if form.levels:
        return next((Fraction(level) for level in form.levels if level >= found), None)
    return found if found <= form.largest else None


def _at_most(form: Format, value: Fraction | None, *, or_equal: bool) -> Fraction | None:
    """Return the format's greatest number that is at most, or below, ``value``."""
    levels = tuple(-level for level in reversed(form.levels))
    mirrored = replace(form, least=-form.largest, largest=-form.least, levels=levels)
    found = _at_least(mirrored, None if value is None else -value, or_equal=or_equal)
    return None if found is None else -found


def _unit_above(form: Format, value: Fraction, *, or_equal: bool) -> Fraction:
    """Return the spacing of the format's numbers just above ``value``."""
    if form.kind != "float":
        return Fraction(1)
    if not value:
        return Fraction(2) ** form.smallest
    size = abs(value)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** exponent:
        exponent -= 1  # now 2**exponent <= size < 2**(exponent + 1)
    if value < 0 and not or_equal and size == Fraction(2) ** exponent:
        exponent -= 1  # towards 0 from a power of two the numbers stand closer
    return Fraction(2) ** max(exponent - form.precision + 1, form.smallest)
