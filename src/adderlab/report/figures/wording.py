"""Values and readouts of a walk in words, for figures and the terminal alike."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Final

from adderlab.nets import Readout
from adderlab.nets.walk import Enclosed, OutputStep
from adderlab.report.figures.numbers import decimal, decimal_apart

_SIGNS: Final = {">": (">", "≤"), ">=": ("≥", "<")}
"""How an output that reads as 1 is written, and one that reads as 0."""


def value_text(value: Enclosed, places: int = 4) -> str:
    """Return a value as a decimal; with ``≈`` where only two bounds of it are known."""
    return ("" if value.is_exact else "≈") + decimal(value.middle, places)


def readout_text(readout: Readout, output: OutputStep, places: int = 4) -> str:
    """Return how an output becomes a bit: ``0.5 > 0 → 1``, ``0 ≤ 0 → 0``."""
    mark = "" if output.raw.is_exact else "≈"
    bit = "no bit" if output.got is None else str(output.got)
    if readout.kind == "exact":
        near = Fraction(round(output.raw.middle))
        return f"{mark}{decimal_apart(output.raw.middle, near, places)} → {bit}"
    limit = Fraction(readout.threshold)
    one, zero = _SIGNS[readout.convention]
    sign = one if output.got else zero
    if output.got is None:
        sign, bit = "near", "open"
    raw = decimal_apart(output.raw.middle, limit, places)
    return f"{mark}{raw} {sign} {decimal(limit, places)} → {bit}"


def words_text(words: Mapping[str, int]) -> str:
    """Return words with their values: ``a = 1, b = 1``."""
    return ", ".join(f"{name} = {value}" for name, value in words.items())
