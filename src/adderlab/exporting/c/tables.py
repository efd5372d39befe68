"""Numbers as constant tables of a header, and read back from one.

Rule: a literal is the number. Whole numbers are written in decimal, floats in decimal where that is
short and exact, else in hexadecimal; packed ones lie in their bytes as in a network's file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import limits
from adderlab.errors import NetworkFileError
from adderlab.nets import packing

if TYPE_CHECKING:
    from jaxtyping import Shaped

WIDTH: Final = 96
"""Characters of a line of a table."""

SIGNED: Final = {"int8_t": 8, "int16_t": 16, "int32_t": 32, "int64_t": 64}
UNSIGNED: Final = {"uint8_t": 8, "uint16_t": 16, "uint32_t": 32}
BYTES: Final = {
    **{name: bits // 8 for name, bits in (SIGNED | UNSIGNED).items()},
    "float": 4,
    "double": 8,
}

_TABLE: Final = re.compile(
    r"^static const (?P<type>\w+) (?P<name>\w+)(?P<shape>(?:\[\d+\])*) = (?P<body>[^;]*);",
    re.MULTILINE,
)
_NUMBER: Final = re.compile(
    r"INT64_MIN|[-+]?(?:0[xX][0-9a-fA-F.]+(?:p[-+]?\d+)?|\d[\d.]*(?:e[-+]?\d+)?)"
)


def signed_type(low: int, high: int) -> str | None:
    """Return the narrowest signed type that holds a range; ``None`` beyond 64 bits."""
    return next(
        (name for name, bits in SIGNED.items() if -(1 << bits - 1) <= low and high < 1 << bits - 1),
        None,
    )


def unsigned_type(high: int) -> str:
    """Return the narrowest unsigned type that holds numbers from 0 on, below ``2**32``."""
    return next(name for name, bits in UNSIGNED.items() if high < 1 << bits)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A constant table.

    Attributes:
        name: what follows the header's name in its own: ``fc1_weight``.
        numbers: what it holds: whole numbers, or doubles.
        type: of its entries.
        bits: of each number, where they are packed into bytes.
    """

    name: str
    numbers: Shaped[np.ndarray, "*shape"]
    type: str
    bits: int = 0

    @property
    def size_bytes(self) -> int:
        """The bytes that it takes."""
        if self.bits:
            return packing.packed_size(self.numbers.size, self.bits)
        return self.numbers.size * BYTES[self.type]

    def text(self, base: str) -> str:
        """Return its definition."""
        if self.bits:
            packed = packing.pack(self.numbers.ravel().astype(np.int64), self.bits)
            return _definition(base, self, (packed.size,), [f"0x{byte:02x}" for byte in packed])
        literal = float_literal if self.type in ("float", "double") else int_literal
        texts = [
            literal(number, self.type) for number in limits.each(self.numbers.ravel().tolist())
        ]
        return _definition(base, self, self.numbers.shape, texts)

    def difference(self, base: str, tables: Mapping[str, ReadTable]) -> str:
        """Return where the same table as it was read holds something else, or nothing."""
        name = f"{base}_{self.name}"
        read = tables.get(name)
        if read is None:
            return f"there is no table {name}"
        size = packing.packed_size(self.numbers.size, self.bits) if self.bits else self.numbers.size
        if read.type != self.type or len(read.numbers) != size:
            return f"{name} is another table than the network's"
        numbers: Any = np.array(read.numbers, dtype=object)
        if self.bits:
            try:
                raw = numbers.astype(np.uint8)
                numbers = packing.unpack(raw, self.numbers.size, self.bits, where=name)
            except (NetworkFileError, OverflowError):
                return f"{name} holds bytes that no packing gives"
        own = self.numbers.ravel()
        wrong = np.flatnonzero(numbers != own)
        if not wrong.size:
            return ""
        at = int(wrong[0])
        place = "".join(f"[{index}]" for index in np.unravel_index(at, self.numbers.shape))
        return f"{name}{place} is {numbers[at]}, and the network's is {own[at]}"


@dataclass(frozen=True, slots=True)
class ReadTable:
    """A table as it was read from a header: its numbers in the order in which they stand."""

    type: str
    numbers: Sequence[int | float]


def read_tables(text: str) -> dict[str, ReadTable]:
    """Return the tables of a header by name."""
    plain = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return {
        match["name"]: ReadTable(
            match["type"],
            [_number(literal) for literal in limits.each(_NUMBER.findall(match["body"]))],
        )
        for match in _TABLE.finditer(plain)
    }


def int_literal(number: int, type_: str = "") -> str:
    """Return a whole number as C has it; the least of 64 bits has no literal of its own."""
    del type_
    return "INT64_MIN" if number == -(1 << 63) else str(number)


def float_literal(number: float, type_: str) -> str:
    """Return a float as a literal that is exactly that number.

    Examples:
        >>> float_literal(-0.75, "float"), float_literal(0.1, "double")
        ('-0.75f', '0x1.999999999999ap-4')
    """
    suffix = "f" if type_ == "float" else ""
    short = repr(number)
    if len(short) <= 8 and "e" not in short and Fraction(short) == Fraction(number):
        return short + suffix
    mantissa, exponent = number.hex().split("p")
    return f"{mantissa.rstrip('0').rstrip('.')}p{exponent}{suffix}"


def _number(literal: str) -> int | float:
    if literal == "INT64_MIN":
        return -(1 << 63)
    plain = literal.lower()
    if "p" in plain:
        return float.fromhex(plain)
    if "x" in plain:
        return int(plain, 16)
    return float(plain) if "." in plain or "e" in plain else int(plain)


def _definition(base: str, table: Table, shape: tuple[int, ...], texts: Sequence[str]) -> str:
    """Return a table of one or two dimensions; each row of a matrix on lines of its own."""
    sizes = "".join(f"[{size}]" for size in shape)
    head = f"static const {table.type} {base}_{table.name}{sizes} ="
    if len(shape) == 1:
        line = f"{head} {{{', '.join(texts)}}};"
        if len(line) <= WIDTH:
            return line
        return f"{head} {{\n{_wrapped(texts, '  ')}\n}};"
    rows = [texts[start : start + shape[1]] for start in range(0, len(texts), shape[1])]
    lines = [f"  {{{', '.join(row)}}}" for row in limits.each(rows)]
    lines = [
        line if len(line) <= WIDTH else f"  {{\n{_wrapped(row, '    ')}\n  }}"
        for line, row in zip(lines, rows, strict=True)
    ]
    body = ",\n".join(lines)
    return f"{head} {{\n{body}\n}};"


def _wrapped(texts: Sequence[str], indent: str) -> str:
    """Return texts with commas between them, several to a line."""
    lines: list[str] = []
    line: list[str] = []
    length = len(indent)
    for text in limits.each(texts):
        if line and length + len(text) + 2 > WIDTH:
            lines.append(indent + ", ".join(line))
            line, length = [], len(indent)
        line.append(text)
        length += len(text) + 2
    lines.append(indent + ", ".join(line))
    return ",\n".join(lines)
