"""What a cell of a truth table says: a whole number, a bit in its spellings, or any value."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from adderlab import limits
from adderlab.tasks.task import whole_number

ANY: Final = -1
"""Stands for ``*``, ``-`` or ``x`` in a column of outputs."""
ANY_SPELLINGS: Final = frozenset({"*", "-", "x", "X"})

_BITS: Final = {
    **dict.fromkeys(("true", "t", "yes", "high", "h", "on"), 1),
    **dict.fromkeys(("false", "f", "no", "low", "l", "off"), 0),
}
_DECIMAL: Final = re.compile(r"[0-9]+[.,][0-9]*(?:[eE][+-]?[0-9]{1,3})?\Z")
_MINUS: Final = re.compile(r"-1(?:\.0*)?(?:[eE][+-]?0+)?\Z")
_DIGITS: Final = re.compile(r"[01]{2,60}\Z")

Reader: TypeAlias = Callable[[str], int | None]
"""From a cell to its number; ``None`` where there is none."""


def number(cell: str) -> int | None:
    """Return the whole number of a cell, which may have a decimal point: ``1.0``."""
    value = whole_number(cell)
    if value is None and _DECIMAL.match(cell):
        exact = Decimal(cell.replace(",", "."))
        value = int(exact) if exact == exact.to_integral_value() else None
    return value


def bit(cell: str) -> int | None:
    """Return the number of a cell in a column of bits: ``1.0`` or ``true`` too."""
    value = _BITS.get(cell.lower())
    return number(cell) if value is None else value


def signed_bit(cell: str) -> int | None:
    """Return the bit of a cell in a column of -1 and 1."""
    return 0 if _MINUS.match(cell) else {1: 1}.get(number(cell) or 0)


def binary(cell: str) -> int | None:
    """Return the number of a cell in a column of binary digits: ``01``."""
    return int(cell, 2) if _DIGITS.match(cell) else None


def is_signed(cells: Collection[str]) -> bool:
    """Return whether a column has -1 beside 1, and no other number."""
    values = {cell for cell in cells if cell not in ANY_SPELLINGS}
    return any(map(_MINUS.match, values)) and all(signed_bit(cell) is not None for cell in values)


def binary_width(cells: Collection[str]) -> int:
    """Return the number of digits that all cells of a column have; 0 where they differ."""
    lengths = {len(cell) if _DIGITS.match(cell) else 0 for cell in cells if not is_any(cell)}
    return lengths.pop() if len(lengths) == 1 else 0


def is_any(cell: str) -> bool:
    """Return whether an output with this cell may have any value."""
    return cell in ANY_SPELLINGS


@dataclass(frozen=True, slots=True)
class Content:
    """What the cells of a column hold.

    Attributes:
        width: the bits that its largest number needs.
        size: how many values it may have as an input.
        reader: how its cells are read.
        kind: ``bits``, ``signed``, ``binary`` or ``numbers``.
    """

    width: int
    size: int
    reader: Reader
    kind: str


def contents_of(columns: Sequence[Collection[str]]) -> list[Content]:
    """Return what the cells of each column hold, given the different cells of each."""
    widths = [binary_width(cells) for cells in columns]
    has_binary = any(
        width and any(cell[0] == "0" for cell in cells if not is_any(cell))
        for width, cells in zip(widths, columns, strict=True)
    )
    contents: list[Content] = []
    for cells, width in zip(columns, widths, strict=True):
        values = [bit(cell) for cell in limits.each(cells) if not is_any(cell)]
        largest = max((value for value in values if value is not None), default=0)
        if is_signed(cells):
            contents.append(Content(1, 2, signed_bit, "signed"))
        elif has_binary and width:
            contents.append(Content(width, 1 << width, binary, "binary"))
        elif largest <= 1:
            contents.append(Content(1, 2, bit, "bits"))
        else:
            contents.append(Content(largest.bit_length(), largest + 1, number, "numbers"))
    return contents
