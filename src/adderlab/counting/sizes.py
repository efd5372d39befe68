"""Sizes as text, and counts as people write them: GB are powers of ten, GiB of two."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from adderlab.errors import OptionError
from adderlab.formats import FORMATS

LARGEST_PARAMETERS: Final = 10**18
DECIMAL_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")
BINARY_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
SUFFIXES: Final = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "t": 10**12}
"""What a letter after a number of parameters means: 7B is 7 * 10^9 of them."""


def bytes_by_format(parameters: int) -> dict[str, int]:
    """Return the bytes of that many parameters in each format of a fixed size."""
    return {form.name: form.bytes_of(parameters) for form in FORMATS.values() if form.bits}


def decimal_size(size: int) -> str:
    """Return a size in powers of ten.

    Examples:
        >>> decimal_size(68), decimal_size(2 * 10**12), decimal_size(16_060_522_496)
        ('68 bytes', '2 TB', '16.06 GB')
    """
    return _size(size, 1000, DECIMAL_UNITS)


def binary_size(size: int) -> str:
    """Return a size in powers of two.

    Examples:
        >>> binary_size(68), binary_size(2 * 10**12), binary_size(1 << 30)
        ('68 bytes', '1.819 TiB', '1 GiB')
    """
    return _size(size, 1024, BINARY_UNITS)


def _size(size: int, base: int, units: tuple[str, ...]) -> str:
    power = 0
    while power + 1 < len(units) and size >= base ** (power + 1):
        power += 1
    if not power:
        return f"{size} {'byte' if size == 1 else 'bytes'}"
    number = Decimal(size) / base**power
    rounded = f"{number:.4g}" if number < 1000 else f"{number:.0f}"
    text = f"{Decimal(rounded):f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {units[power]}"


def parameter_count(text: str | float) -> int:
    """Return a number of parameters: ``17``, ``500e9``, ``1_000_000``, ``7B``.

    Raises:
        OptionError: it is no whole number, or not in 1..10^18.

    Examples:
        >>> parameter_count("500e9"), parameter_count("1.5B")
        (500000000000, 1500000000)
    """
    match = re.fullmatch(
        r"([0-9][0-9_,]*(?:\.[0-9]+)?(?:[eE]\+?[0-9]{1,3})?)([kmbtKMBT]?)", f"{text}"
    )
    number: Decimal | None = None
    if match is not None:
        try:
            number = Decimal(re.sub("[_,]", "", match[1])) * SUFFIXES[match[2].lower()]
        except InvalidOperation:
            number = None
    if number is None or number != number.to_integral_value():
        raise OptionError(
            f"got {str(text)[:60]!r}, which is no whole number of parameters",
            where="parameters",
            remedy="give one like 17, 500e9 or 7B",
        )
    if not 1 <= number <= LARGEST_PARAMETERS:
        raise OptionError(
            f"got {str(text)[:60]!r}", where="parameters", remedy="give 1 to 10^18 parameters"
        )
    return int(number)
