"""Numbers as text: a few decimals, never a nonzero number as 0, never two numbers as one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Final

LARGEST_WRITTEN_OUT: Final = 10**9
DURATIONS: Final = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
LARGEST_COMPACT: Final = 10**6


def decimal(value: Fraction | float, places: int = 4) -> str:
    """Return ``value`` rounded to ``places`` decimals, without zeros at the end.

    What would vanish or run long is written with a power of ten.

    Examples:
        >>> decimal(Fraction(1, 4)), decimal(-1.17519999), decimal(1e-7), decimal(2.0**40)
        ('0.25', '-1.1752', '1e-07', '1.1e+12')
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "?"
    exact = Fraction(value)
    scaled = round(exact * 10**places)
    if exact and (not scaled or abs(exact) >= LARGEST_WRITTEN_OUT):
        return _with_power(exact)
    whole, rest = divmod(abs(scaled), 10**places)
    text = f"{whole}.{rest:0{places}}".rstrip("0").rstrip(".")
    return f"-{text}" if scaled < 0 else text


def significant(value: Fraction | float, digits: int = 6) -> str:
    """Return ``value`` to so many significant digits, whatever its size.

    Examples:
        >>> significant(Fraction(2, 3)), significant(Fraction(10) ** 400)
        ('0.666667', '1.00000e+400')
    """
    try:
        return f"{float(value):.{digits}g}"
    except OverflowError:
        exact = Fraction(value)
        return f"{Decimal(exact.numerator) / exact.denominator:.{digits}g}"


def count_text(count: int) -> str:
    """Return a count exactly; beyond 2^20 a power of two is written as one.

    Examples:
        >>> count_text(17), count_text(1 << 128), count_text(10**7)
        ('17', '2^128', '10000000')
    """
    is_power = count > 1 << 20 and count & (count - 1) == 0
    return f"2^{count.bit_length() - 1}" if is_power else str(count)


def digits(value: int) -> str:
    """Return a whole number in decimal, of any length (``str`` stops at 4,300 digits).

    Examples:
        >>> len(digits(-(10**9999)))
        10001
    """
    if value < 0:
        return f"-{digits(-value)}"
    length = value.bit_length() * 3 // 20  # about half of its digits
    if length < 2000:
        return str(value)
    high, low = divmod(value, 10**length)
    return digits(high) + digits(low).zfill(length)


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a count with its noun, in the singular where the count is 1.

    Args:
        count: how many there are.
        noun: in the singular.
        plural: where it is not the noun with an s.

    Examples:
        >>> counted(1, "class", "classes"), counted(2, "class", "classes"), counted(0, "row")
        ('1 class', '2 classes', '0 rows')
    """
    return f"{count_text(count)} {noun if count == 1 else plural or noun + 's'}"


def duration_text(seconds: float) -> str:
    """Return a duration in the unit that it is read best in.

    Examples:
        >>> duration_text(1.2e-6), duration_text(0.2286875), duration_text(3.2)
        ('1.2 µs', '229 ms', '3.2 s')
    """
    unit, name = next((pair for pair in DURATIONS if seconds >= pair[0]), DURATIONS[-1])
    value = seconds / unit
    return f"{value:.1f} {name}" if value < 100 else f"{value:.0f} {name}"


def compact(value: Fraction | float, places: int = 4) -> str:
    """Return ``value`` as :func:`decimal` does, a large one with fewer digits."""
    if isinstance(value, float) and not math.isfinite(value):
        return decimal(value)
    if abs(value) >= LARGEST_COMPACT:
        return _with_power(Fraction(value))
    return decimal(value, places if abs(value) < 100 else 1)


def fixed(value: Fraction | float, places: int = 4) -> str:
    """Return a raw output with all its decimals, as the notebook prints it; -0.0000 as 0.0000."""
    if abs(value) >= LARGEST_WRITTEN_OUT or not math.isfinite(value):
        return decimal(value)
    rounded = round(float(value), places) + 0.0
    return f"{rounded:.{places}f}" if rounded or not value else decimal(value)


def is_written_exactly(value: Fraction, places: int) -> bool:
    """Return whether :func:`decimal` writes the number itself, nothing rounded."""
    return abs(value) < LARGEST_WRITTEN_OUT and (value * 10**places).denominator == 1


def decimal_apart(value: Fraction, other: Fraction, places: int = 4) -> str:
    """Return ``value`` as text that differs from ``other``'s unless the two are equal."""
    if value == other:
        return decimal(value, places)
    for more in (places, places + 4, places + 8, places + 16):
        if decimal(value, more) != decimal(other, more):
            return decimal(value, more)
    sign = "-" if value < other else "+"
    return f"{decimal(other, places)} {sign} {decimal(abs(value - other), places)}"


def exact(value: float) -> str:
    """Return a number as it is read back to the same bits, short where that is enough.

    Examples:
        >>> exact(10.0), exact(1.2345678)
        ('10', '1.2345678')
    """
    short = f"{value:g}"
    return short if float(short) == value else repr(float(value))


def apart(values: Sequence[float]) -> list[str]:
    """Return numbers along an axis as texts with enough digits to distinguish them.

    Examples:
        >>> apart([1.0, 1.5]), apart([1.2345671, 1.2345672])
        (['1', '1.5'], ['1.2345671', '1.2345672'])
    """
    if len(values) < 2:
        return [exact(float(f"{value:.12g}")) for value in values]
    gap = min(abs(b - a) for a, b in pairwise(sorted(values)))
    for digits in range(17):
        texts = [f"{value:.{digits}g}" if digits else compact(value) for value in values]
        if all(
            abs(float(text) - value) <= gap / 1000
            for text, value in zip(texts, values, strict=True)
        ):
            return texts
    return [repr(float(value)) for value in values]


def round_step(least: float) -> float:
    """Return the least of 1, 2, 2.5 and 5 times a power of ten that is not below ``least``."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(n * power for n in (1, 2, 2.5, 5, 10) if n * power >= least)


def with_minus(text: str) -> str:
    """Return the text with a typeset minus sign in place of each hyphen."""
    return text.replace("-", "−")


def _with_power(value: Fraction) -> str:
    try:
        near = float(value)
    except OverflowError:
        near = math.inf
    if near and math.isfinite(near):
        return f"{near:.2g}"
    sign = "-" if value < 0 else ""
    power = abs(value.numerator).bit_length() - value.denominator.bit_length()
    return f"{sign}2^{power}"
