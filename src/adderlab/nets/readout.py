"""How an output becomes a bit: the one rule, for exact values and for intervals alike.

Rule: an output known to lie between two numbers is a bit only where both ends read as that bit;
where they do not, it is open, whatever the arithmetic that gave the ends.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from adderlab.checking import described
from adderlab.errors import NetworkError
from adderlab.nets.convention import CONVENTIONS, Convention, is_above
from adderlab.nets.dyadic import Dyadic

if TYPE_CHECKING:
    from jaxtyping import Bool, Shaped, UInt8

NO_BIT, OPEN = 2, 3
"""States beside the bits 0 and 1: surely neither of them, and not decided."""

Values: TypeAlias = "Dyadic | Shaped[np.ndarray, '*shape']"
"""Exact values, doubles, or an array of fractions."""


def check_choice(value: str, choices: tuple[str, ...], what: str) -> None:
    """Raise a :class:`NetworkError` unless ``value`` is one of the choices."""
    if not isinstance(value, str) or value not in choices:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise NetworkError(
            f"unknown {what} {described(value)}",
            where=what,
            remedy=f"one of {', '.join(choices)}",
        )


def finite(value: float, what: str) -> float:
    """Return a finite number as it is, and raise a :class:`NetworkError` for any other."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if isinstance(value, str | bytes) or not math.isfinite(number):
        raise NetworkError(
            f"the {what} is {described(value)}",
            where=what,
            remedy=f"the {what} is a finite number",
        )
    return number


@dataclass(frozen=True, slots=True)
class Readout:
    """How an output becomes a bit: above a threshold, or exactly 0 or 1 as it stands."""

    kind: Literal["threshold", "exact"] = "threshold"
    threshold: float = 0.5
    convention: Convention = ">"

    def __post_init__(self) -> None:
        check_choice(self.kind, ("threshold", "exact"), "readout")
        check_choice(self.convention, CONVENTIONS, "convention")
        object.__setattr__(self, "threshold", finite(self.threshold, "threshold"))

    def __str__(self) -> str:
        if self.kind == "exact":
            return "exact (0 or 1 as it stands)"
        return f"{self.convention} {self.threshold:g}"

    def above(self, values: Any) -> Any:
        """Return where numbers, of whatever compares (tensors too), read as 1 by the threshold."""
        return is_above(values, self.threshold, self.convention)

    def distance(self, values: Any, bits: Any) -> Any:
        """Return how far outputs are on their right side of the threshold, negative on the wrong.

        Of an exact readout, minus the distance to the bit.

        Args:
            values: a fraction, or doubles; an array or a tensor.
            bits: what each should read as.
        """
        if self.kind == "exact":
            return -abs(values - bits)
        if isinstance(values, Fraction):
            return (1 if bits else -1) * (values - Fraction(self.threshold))
        return (bits * 2.0 - 1) * (values - self.threshold)


EXACT: Final = Readout("exact")

ReadoutLike: TypeAlias = Readout | float | str
"""A readout, or what stands for one: a number ``t`` for ``> t``, or text such as ``>= 0.5``."""

CHOICES: Final = 'give a number, "> 0", ">= 0.5" or "exact"'


def readout_of(value: ReadoutLike | None, *, choices: str = CHOICES) -> Readout:
    """Return the readout that is meant: ``> 0.5`` where nothing is given.

    Args:
        value: a readout, a number, or a text.
        choices: what may be given, in an error.

    Raises:
        NetworkError: it is neither a readout, a finite number nor such a text.

    Examples:
        >>> str(readout_of(0)), str(readout_of(">= 1")), str(readout_of(None))
        ('> 0', '>= 1', '> 0.5')
    """
    if value is None:
        return Readout()
    if isinstance(value, Readout):
        return value
    if isinstance(value, str):
        text = value.strip()
        if text == "exact":
            return EXACT
        convention: Convention | None = None
        if text.startswith(">"):
            convention = ">=" if text.startswith(">=") else ">"
        number = _number(text.removeprefix(convention)) if convention else None
        if number is None or convention is None:
            raise NetworkError(f"got {value[:40]!r}", where="readout", remedy=choices)
        return _threshold(number, convention)
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise NetworkError(f"got {type(value).__name__}", where="readout", remedy=choices)
    if isinstance(value, int) and value.bit_length() > 1000:
        raise _no_threshold(f"the threshold has {value.bit_length()} bits")
    return _threshold(float(value), ">")


def _threshold(number: float, convention: Convention) -> Readout:
    if not math.isfinite(number):
        raise _no_threshold(f"the threshold is {number}")
    return Readout("threshold", number, convention)


def _no_threshold(what: str) -> NetworkError:
    return NetworkError(what, where="readout", remedy="the threshold is a finite number")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def exceeds(values: Values, limit: float, convention: str) -> Bool[np.ndarray, "*shape"]:
    """Return where values are ``>`` or ``>=`` (the convention) a limit."""
    if isinstance(values, Dyadic):
        return values.exceeds(limit, convention)
    return np.asarray(is_above(values, limit, convention), dtype=bool)


def read_states(
    readout: Readout, low: Values, high: Values | None = None
) -> UInt8[np.ndarray, "*shape"]:
    """Return what outputs read as: 0, 1, :data:`NO_BIT` or :data:`OPEN`.

    Args:
        readout: how an output becomes a bit.
        low: numbers that the outputs are not below; a double that is NaN is no bit.
        high: numbers that they are not above; left out, they are exactly ``low``.
    """
    high = low if high is None else high
    if readout.kind == "threshold":
        states = exceeds(low, readout.threshold, readout.convention).astype(np.uint8)
        if high is not low:
            states[states != exceeds(high, readout.threshold, readout.convention)] = OPEN
    else:
        states = np.full(low.shape, OPEN, dtype=np.uint8)
        below, above = ~exceeds(high, 0.0, ">="), exceeds(low, 1.0, ">")
        states[below | above | (exceeds(low, 0.0, ">") & ~exceeds(high, 1.0, ">="))] = NO_BIT
        for bit in (0, 1):
            states[exceeds(low, bit, ">=") & ~exceeds(high, bit, ">")] = bit
    if isinstance(low, np.ndarray) and low.dtype == np.float64:
        states[np.isnan(low)] = NO_BIT
    return states


def read_bits(
    readout: Readout, low: Values, high: Values | None = None
) -> tuple[UInt8[np.ndarray, "*shape"], Bool[np.ndarray, "*shape"]]:
    """Return the bits that outputs read as, and where they surely read as one.

    Elsewhere the bit is 0; the arguments are those of :func:`read_states`.
    """
    states = read_states(readout, low, high)
    return (states == 1).astype(np.uint8), states < NO_BIT


def read_bit(readout: Readout, low: Fraction, high: Fraction) -> int | None:
    """Return the bit of an output between two fractions; ``None`` where it is none or open."""
    ends = (np.array([low], dtype=object), np.array([high], dtype=object))
    (state,) = read_states(readout, *ends).tolist()
    return state if state < NO_BIT else None
