"""The roundings of an arithmetic, as bounds on values in double need them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from adderlab.formats import Format

DOUBLE_UNIT: Final = 2.0**-53
SLACK: Final = 1 + 2.0**-24
"""Covers the roundings made in computing bounds themselves: a few sums of at most ``2**24``
positive terms, each off by a factor below ``1 + 2**-28``."""
NO_GRID: Final = 1 << 14
"""Exponent of the grid of 0, which lies on every grid; negated, of numbers that lie on none."""


@dataclass(frozen=True, slots=True)
class Rounding:
    """An arithmetic's roundings, of which those in double are a part.

    Attributes:
        unit: relative error of one operation.
        tiny: absolute error of one operation whose result is subnormal.
        largest: the largest finite value.
        ulp: a unit in the last place of a result, relative to it, for the errors of library
            functions; 0 where bounds speak of exact values alone.
    """

    unit: float = 2 * DOUBLE_UNIT
    tiny: float = 2 * 2.0**-1074
    largest: float = float(np.finfo(np.float64).max)
    ulp: float = 0.0

    @classmethod
    def of(cls, form: Format, *, library: bool = False) -> Rounding:
        """Return the roundings of a float format, together with those of double.

        Args:
            form: the format.
            library: whether bounds allow for the errors of library functions.
        """
        return cls(
            unit=2.0**-form.precision + DOUBLE_UNIT,
            tiny=2.0 ** max(form.smallest, -1074) + 2.0**-1074,
            largest=float(form.largest),
            ulp=2.0 ** (1 - form.precision) if library else 0.0,
        )


def lowest_bits(floats: np.ndarray) -> np.ndarray:
    """Return the exponent of the lowest set bit of each double; :data:`NO_GRID` for 0."""
    mantissas, exponents = np.frexp(floats)
    integers = np.ldexp(mantissas, 53).astype(np.int64)
    lowest = np.frexp((integers & -integers).astype(np.float64))[1] - 1
    grids = exponents.astype(np.int64) - 53 + lowest
    return np.where(floats == 0, NO_GRID, grids)
