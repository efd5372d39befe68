"""A formula's numbers to those that a number format holds.

Rule: rounding goes from the exact value to the nearest in one step, ties to even; what a format
can't hold and does not round is a fault.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.building.formula.faults import Spot, fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Shaped

    from adderlab.errors import FormulaError
    from adderlab.formats import Format

_SHOWN: Final = decimal.Context(prec=12)


@dataclass(frozen=True, slots=True)
class Fitting:
    """Fits arrays to a format, one after the other, and keeps what could not be kept as it is.

    Attributes:
        form: the format.
        rounded: the name, the exact and the stored value of each number that was rounded.
        faults: those of the numbers that can't be stored.
    """

    form: Format
    rounded: list[tuple[str, Fraction, float]] = field(default_factory=list[Any])
    faults: list[FormulaError] = field(default_factory=list[Any])

    def fit(self, name: str, values: Shaped[np.ndarray, "*shape"], spots: Sequence[Spot]) -> None:
        """Replace each value by the one that the format stores.

        Args:
            name: the tensor's.
            values: whole numbers and fractions, a row for each unit.
            spots: where each unit stands in the source.
        """
        known: dict[Fraction, Fraction | None] = {}
        for index, value in np.ndenumerate(values):
            if value not in known:
                known[value] = nearest(Fraction(value), self.form)
            stored = known[value]
            if stored == value:
                continue
            entry = f"{name}[{','.join(map(str, index))}]"
            if stored is None:
                what = f"{entry} is {_text(value)}, which {self.form.name} can't hold"
                remedy = f"take a {'wider' if value.denominator == 1 else 'float'} format"
                self.faults.append(fault(what, spots[int(index[0])], remedy))
            else:
                self.rounded.append((entry, value, float(stored)))
                values[index] = stored


def nearest(value: Fraction, form: Format) -> Fraction | None:
    """Return the value of a format nearest to ``value``, ties to even.

    Only float formats round; ``None`` where the format does not, or ends before the value.
    """
    if form.holds(value):
        return value
    if form.kind != "float":
        return None
    size = abs(value)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent -= size < Fraction(2) ** exponent  # now the floor of the logarithm
    unit = Fraction(2) ** max(exponent - form.precision + 1, form.smallest)
    rounded = round(value / unit) * unit
    return rounded if form.holds(rounded) else None


def _text(value: Fraction) -> str:
    """Return a number in decimal, with twelve digits at most."""
    quotient = _SHOWN.divide(decimal.Decimal(value.numerator), decimal.Decimal(value.denominator))
    return str(quotient if quotient.adjusted() < _SHOWN.prec else quotient.normalize(_SHOWN))
