"""The number formats: how many bits a value takes, which values a format holds, how it rounds.

Rule: nothing here approximates. A value is ``integer * 2**exponent`` in whole numbers, and
rounding is to nearest, ties to even, exactly as IEEE 754 and OCP's 8-bit formats define it.
"""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import numpy as np

from adderlab.errors import FormatError

if TYPE_CHECKING:
    from jaxtyping import Float64

Kind: TypeAlias = Literal["float", "integer", "wide"]


@dataclass(frozen=True, slots=True)
class Format:
    """One number format.

    Attributes:
        name: as written in files, on the command line and in JSON.
        bits: bits that one stored value takes; 0 for ``wide``, whose values take what they need.
        kind: ``float``, ``integer`` or ``wide`` (integers of any width).
        precision: significant bits of a float, the hidden one included; 0 otherwise.
        smallest: of a float, the exponent of the smallest subnormal, ``2**smallest``.
        largest: the largest finite value.
        least: the most negative value.
        levels: the only values, where a format is not a whole range (ternary and binary).
        source: where the format is defined.
    """

    name: str
    bits: int
    kind: Kind
    precision: int = 0
    smallest: int = 0
    largest: int = 0
    least: int = 0
    levels: tuple[int, ...] = ()
    source: str = ""

    def holds(self, value: Fraction | int) -> bool:
        """Return whether ``value`` is representable in this format, exactly."""
        value = Fraction(value)
        if self.kind == "wide":
            return value.denominator == 1
        if not self.least <= value <= self.largest:
            return False
        if self.kind == "integer":
            return value.denominator == 1 and (not self.levels or value in self.levels)
        denominator = value.denominator
        if denominator & (denominator - 1):
            return False
        exponent = -(denominator.bit_length() - 1)
        numerator = abs(value.numerator)
        zeros = (numerator & -numerator).bit_length() - 1 if numerator else 0
        fits = numerator.bit_length() - zeros <= self.precision
        return not numerator or (fits and exponent + zeros >= self.smallest)

    def round(self, values: Float64[np.ndarray, "*batch"]) -> Float64[np.ndarray, "*batch"]:
        """Return each value rounded to this float format, to nearest with ties to even.

        Values past the largest finite one become infinite (NaN in fp8-e4m3, which has no
        infinity), as a conversion without saturation does.

        Raises:
            FormatError: the format is not a float format.
        """
        if self.kind != "float":
            raise FormatError(
                f"{self.name} does not round", where="format", remedy="use a float format"
            )
        if self.precision == 53:
            return values
        with np.errstate(invalid="ignore", over="ignore"):
            _, exponents = np.frexp(values)
            units = np.maximum(exponents - self.precision, self.smallest)
            rounded = np.ldexp(np.rint(np.ldexp(values, -units)), units)
            past = np.nan if self.name == "fp8-e4m3" else np.inf
            overflow = np.abs(rounded) > float(self.largest)
            return np.where(overflow, np.copysign(past, values), rounded)

    def nearest(self, value: Fraction) -> Fraction | None:
        """Return the value of the format nearest to ``value``, ties to even.

        Only float formats round; ``None`` where the format does not, or ends before the value.
        """
        if self.holds(value):
            return value
        if self.kind != "float":
            return None
        unit = self.spacing(value)
        rounded = round(value / unit) * unit
        return rounded if self.holds(rounded) else None

    def at_least(self, value: Fraction, *, strictly: bool = False) -> Fraction | None:
        """Return the least value of the format that is at least, or above, ``value``."""
        if self.kind == "wide":
            return Fraction(math.floor(value) + 1 if strictly else math.ceil(value))
        if strictly and self.holds(value):
            value += Fraction(2) ** (self.smallest - 1)  # less than to the next value
        unit = self.spacing(value)
        nearest = max(unit * math.ceil(value / unit), Fraction(self.least))
        if self.levels:
            return next((Fraction(level) for level in self.levels if level >= nearest), None)
        return nearest if nearest <= self.largest else None

    def at_most(self, value: Fraction, *, strictly: bool = False) -> Fraction | None:
        """Return the greatest value of the format that is at most, or below, ``value``."""
        levels = tuple(-level for level in reversed(self.levels))
        mirrored = replace(self, least=-self.largest, largest=-self.least, levels=levels)
        negated = mirrored.at_least(-value, strictly=strictly)
        return None if negated is None else -negated

    def spacing(self, value: Fraction) -> Fraction:
        """Return the distance of neighboring values from ``value`` on, away from 0.

        Examples:
            >>> FORMATS["fp32"].spacing(Fraction(1)) == Fraction(1, 2**23)
            True
        """
        if self.kind != "float":
            return Fraction(1)
        if not value:
            return Fraction(2) ** self.smallest
        size = abs(value)
        exponent = size.numerator.bit_length() - size.denominator.bit_length()
        exponent -= size < Fraction(2) ** exponent  # now the floor of the logarithm
        return Fraction(2) ** max(exponent - self.precision + 1, self.smallest)

    def bytes_of(self, parameters: int) -> int:
        """Return ``ceil(bits * parameters / 8)``: the bytes of that many packed values."""
        return -(-self.bits * parameters // 8)


def _float(name: str, bits: int, precision: int, smallest: int, top: int, source: str) -> Format:
    """Return a float format whose largest finite value is ``top`` (given as a whole number)."""
    return Format(name, bits, "float", precision, smallest, top, -top, (), source)


def _integer(bits: int) -> Format:
    """Return the two's-complement integer format of that many bits."""
    half = 1 << (bits - 1)
    return Format(f"int{bits}", bits, "integer", largest=half - 1, least=-half)


_IEEE = "IEEE 754-2019, table 3.5"
_OCP = "OCP 8-bit Floating Point Specification 1.0 (2023), table 1"

FORMATS: Final[dict[str, Format]] = {
    form.name: form
    for form in (
        _float("fp64", 64, 53, -1074, (2**53 - 1) << 971, _IEEE),
        _float("fp32", 32, 24, -149, (2**24 - 1) << 104, _IEEE),
        _float("fp16", 16, 11, -24, 65504, _IEEE),
        _float("bf16", 16, 8, -133, (2**8 - 1) << 120, "Kalamkar et al., arXiv:1905.12322 (2019)"),
        _float("fp8-e4m3", 8, 4, -9, 448, _OCP),
        _float("fp8-e5m2", 8, 3, -16, 57344, _OCP),
        _integer(32),
        _integer(16),
        *(_integer(bits) for bits in range(8, 1, -1)),
        Format("ternary", 2, "integer", largest=1, least=-1, levels=(-1, 0, 1)),
        Format("binary", 1, "integer", largest=1, least=-1, levels=(-1, 1)),
        Format("wide", 0, "wide"),
    )
}
"""All formats by name, from the widest to the narrowest; ``wide`` last."""

FP64: Final = FORMATS["fp64"]

SCALE_FORMATS: Final = ("fp8-e5m2", "fp16", "bf16", "fp32", "fp64")
"""What a scale may be stored in; the first that holds it is taken."""


def format_named(name: str, *, beside: tuple[str, ...] = ()) -> Format:
    """Return the format of that name, whatever its case (``INT2`` is ``int2``).

    Args:
        name: of a format.
        beside: what else could have been given there, for the message: ``exact``.

    Raises:
        FormatError: there is no such format; the nearest names are suggested.
    """
    if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance] -- a caller's own
        what = f"a number format is a name, got {type(name).__name__}"
        raise FormatError(what, where="format", remedy="give one, fp32, say")
    form = FORMATS.get(name.lower())
    if form is None:
        names = (*beside, *FORMATS)
        near = difflib.get_close_matches(name.lower(), names, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"choose from {', '.join(names)}"
        raise FormatError(f"unknown number format {name!r}", where="format", remedy=remedy)
    return form
