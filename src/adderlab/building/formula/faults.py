"""The faults of a formula: noted with line and column, raised all at once; and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adderlab.errors import FormulaError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from fractions import Fraction

LARGEST_TEXT: Final = 1 << 20
"""Characters of a formula."""
DEEPEST: Final = 100
"""Parentheses inside one another."""
LONGEST_NUMBER: Final = 400
"""Characters of a number, and the magnitude of its exponent; fp64 ends at 1e309."""
LARGEST_BITS: Final = 4096
"""Bits of a constant's numerator and denominator, and of a word that is named whole."""
_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class Spot:
    """A line and a column of the source, both counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line} column {self.column}"


def fault(what: str, spot: Spot, remedy: str) -> FormulaError:
    """Return a fault that :func:`located` or :func:`raise_all` completes."""
    return FormulaError(what, where=str(spot), remedy=remedy)


def located(fault: FormulaError, where: str) -> FormulaError:
    """Return a fault with the file that it stands in."""
    return FormulaError(fault.what, where=f"{where} {fault.where}", remedy=fault.remedy)


def raise_all(faults: Sequence[FormulaError], *, where: str) -> None:
    """Raise one error that names every fault; do nothing where there is none."""
    if len(faults) == 1:
        raise located(faults[0], where)
    if faults:
        what = " ".join(f"({number}) {fault}" for number, fault in enumerate(faults[:_LISTED], 1))
        raise FormulaError(f"{len(faults)} faults: {what}{_more(len(faults))}", where=where)


def listed(names: Sequence[str]) -> str:
    """Return the first few names as text, and how many more there are."""
    return ", ".join(names[:_LISTED]) + _more(len(names))


def _more(count: int) -> str:
    return f" and {count - _LISTED} more" if count > _LISTED else ""


def checked(value: Fraction, spot: Spot) -> Fraction:
    """Return a product of constants, or raise where it has grown beyond the limit.

    Raises:
        FormulaError: numerator or denominator has over :data:`LARGEST_BITS` bits.
    """
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
        raise fault(
            f"the constants multiply to a number of over {LARGEST_BITS} bits",
            spot,
            "take smaller constants",
        )
    return value
