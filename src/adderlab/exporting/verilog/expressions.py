"""Sums, activations and readouts as expressions of Verilog.

Rule: every operand is signed, and a literal has the bits of its number and one for its sign. An
expression is then taken at the width of the widest of its operands and of the wire that it is
assigned to, sign-extended, modulo a power of two: as the wire holds the value, the wire gets it.

References:
    IEEE 1364-2001, 4.4 (bit lengths of expressions) and 4.5 (signed expressions).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import Final

from adderlab.nets.readout import Readout
from adderlab.nets.scaled import Bends, Line, Range, Terms

HEX_FROM: Final = 64
"""Bits from which a literal is written in hexadecimal."""


def width_of(own: Range) -> int:
    """Return the bits that hold a range in two's complement.

    Examples:
        >>> [width_of(Range(*ends)) for ends in ((0, 0), (0, 1), (-2, 1), (-1, 4))]
        [1, 2, 2, 4]
    """
    ends = (own.low, own.high)
    return 1 + max((number if number >= 0 else ~number).bit_length() for number in ends)


def literal(number: int) -> str:
    """Return a whole number as a signed literal, its sign before it.

    Examples:
        >>> literal(2), literal(-128), literal(0)
        ("3'sd2", "-9'sd128", "1'sd0")
    """
    size = abs(number)
    width = size.bit_length() + 1
    text = f"'sd{size}" if width <= HEX_FROM else f"'sh{size:x}"
    return f"{'-' if number < 0 else ''}{width}{text}"


def sum_parts(terms: Terms, bias: int, wires: Sequence[str], factor: int = 1) -> list[str]:
    """Return a sum, a term to each part, so that a long one can be broken between them.

    Args:
        terms: the wires that are summed, by their places, with their factors.
        bias: what is added.
        wires: the names of the wires.
        factor: what the factors are divided by before, and their sum multiplied with after.
    """
    parts = list(_signed((weight // factor, wires[place]) for place, weight in terms))
    if factor != 1 and parts:
        parts = [f"{literal(factor)} * ({parts[0]}", *parts[1:]]
        parts[-1] += ")"
    if bias or not parts:
        sign = "" if not parts and bias >= 0 else "- " if bias < 0 and parts else "+ "
        sign = "-" if not parts and bias < 0 else sign
        parts.append(sign + literal(abs(bias)))
    return parts


def _signed(products: Iterator[tuple[int, str]]) -> Iterator[str]:
    is_first = True
    for weight, wire in products:
        product = wire if abs(weight) == 1 else f"{literal(abs(weight))} * {wire}"
        if is_first:
            yield f"-{product}" if weight < 0 else product
        else:
            yield f"- {product}" if weight < 0 else f"+ {product}"
        is_first = False


def activated(bends: Bends, wire: str, sums: Range, values: Range) -> str:
    """Return what an activation makes of a sum; the name of the wire where that is the sum.

    Args:
        bends: the activation.
        wire: the sum.
        sums: its range.
        values: the range of the result.
    """
    pieces = _pieces(bends, sums)
    if bends.is_relu and len(pieces) > 1:
        kept, width = width_of(values), width_of(sums)
        part = wire if kept == width else f"{wire}[{kept - 1}:0]"
        return f"{wire}[{width - 1}] ? {kept}'sd0 : {part}"
    text = _line(pieces[0][1], wire)
    for first, line in pieces[1:]:  # from the lowest piece up: the text grows around what is below
        text = f"{_at_least(wire, first)} ? {_line(line, wire)} : {_bracketed(text)}"
    return text


def _bracketed(text: str) -> str:
    return f"({text})" if "?" in text else text


def _at_least(wire: str, number: int) -> str:
    """Return that a wire is at least a number."""
    return f"({wire} > {literal(number - 1)})" if number > 0 else f"({wire} >= {literal(number)})"


def _line(line: Line, wire: str) -> str:
    if not line.factor:
        return literal(line.constant)
    return " ".join(sum_parts(((0, line.factor),), line.constant, [wire]))


def _pieces(bends: Bends, sums: Range) -> list[tuple[int, Line]]:
    """Return the lines that sums of a range meet, each with the least sum that is on it.

    A knot belongs to the line before it, or to the one after it, that has its value there.
    """
    pieces: list[tuple[int, Line]] = []
    first = sums.low
    borders = [*zip(bends.knots, bends.values, strict=True)]
    for place, line in enumerate(bends.lines):
        last = borders[place][0] - 1 if place < len(borders) else sums.high
        if first <= min(last, sums.high):
            _add(pieces, first, line)
            first = last + 1
        if place < len(borders) and first == borders[place][0] <= sums.high:
            knot, value = borders[place]
            near = bends.lines[place : place + 2]
            at_knot = [line for line in near if bends.at(line, knot) == value]
            own = at_knot[0 if pieces else -1] if at_knot else Line(0, value)
            _add(pieces, first, own)
            first = knot + 1
    return pieces


def _add(pieces: list[tuple[int, Line]], first: int, line: Line) -> None:
    if not pieces or pieces[-1][1] != line:
        pieces.append((first, line))


def read_as_bit(readout: Readout, wire: str, own: Range, exponent: int, *, is_proved: bool) -> str:
    """Return an output's bit.

    Args:
        readout: how an output becomes a bit.
        wire: the output.
        own: its range.
        exponent: it is a multiple of ``2**exponent``.
        is_proved: whether an output of an exact readout is known to be 0 or 1.
    """
    if readout.kind == "exact":
        place = -exponent
        if place < 0 or not own.low <= 1 << place <= own.high:
            return "1'b0"
        if own.low == own.high:
            return "1'b1"
        return f"{wire}[{place}]" if is_proved else f"{wire} == {literal(1 << place)}"
    limit = Fraction(readout.threshold) / Fraction(2) ** exponent
    least = floor(limit) + 1 if readout.convention == ">" else ceil(limit)
    if least <= own.low:
        return "1'b1"
    if least > own.high:
        return "1'b0"
    return (
        f"{wire} > {literal(least - 1)}"
        if readout.convention == ">"
        else (f"{wire} >= {literal(least)}")
    )
