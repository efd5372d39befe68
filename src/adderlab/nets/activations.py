"""The activations: one table entry for each, and everything that is computed of them.

Rule: nothing outside this table applies an activation or asks for its kind, but for what is another
algorithm: the kernels' source text, the lecture's own backpropagation
(:mod:`adderlab.explaining.backprop`), functions as decision diagrams and solver scripts, and the
equivalences between units of one kind. A new activation is one more entry.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from adderlab.errors import NetworkError
from adderlab.nets.convention import CONVENTIONS, Convention, is_above
from adderlab.nets.dyadic import Dyadic, from_floats
from adderlab.nets.readout import check_choice, exceeds, finite

if TYPE_CHECKING:
    from jaxtyping import Float64, Int64

    from adderlab.formats import Format

Doubles: TypeAlias = "Float64[np.ndarray, '*shape']"

DOUBLE_UNIT: Final = 2.0**-53
SLACK: Final = 1 + 2.0**-24
"""Covers the roundings made in computing bounds themselves: a few sums of at most ``2**24``
positive terms, each off by a factor below ``1 + 2**-28``."""
TANH_ERROR: Final = 2.0**-46
NO_GRID: Final = 1 << 14
"""Exponent of the grid of 0, which lies on every grid; negated, of numbers that lie on none."""


@dataclass(frozen=True, slots=True)
class Activation:
    """What is applied to a layer's sums.

    Attributes:
        kind: ``relu``, ``identity``, ``step``, ``leaky`` or ``tanh``.
        slope: of ``leaky``, the factor below 0.
        convention: of ``step``, whether it is 1 where the sum is ``> 0`` or ``>= 0``.
    """

    kind: str = "identity"
    slope: float = 0.0
    convention: Convention = ">"

    def __post_init__(self) -> None:
        check_choice(self.kind, tuple(RULES), "activation")
        check_choice(self.convention, CONVENTIONS, "convention")
        object.__setattr__(self, "slope", finite(self.slope, "slope"))

    def __str__(self) -> str:
        extra = {"leaky": f" {self.slope:g}", "step": f" {self.convention} 0"}
        return self.kind + extra.get(self.kind, "")

    @property
    def rule(self) -> Rule:
        """The table entry of its kind."""
        return RULES[self.kind]

    @property
    def is_exact(self) -> bool:
        """Whether its values on dyadic rationals are dyadic rationals."""
        return self.rule.exact is not None

    @property
    def has_gradient(self) -> bool:
        """Whether a gradient passes back through it: not where it jumps."""
        return self.rule.kink != "jump"

    @property
    def slopes(self) -> tuple[float, float] | None:
        """The slopes below and above 0; ``None`` where it is not straight on each side."""
        if not self.is_exact:
            return None
        below, above = self.derivative(np.array([-1.0, 1.0])).tolist()
        return below, above

    @property
    def rounds(self) -> bool:
        """Whether computing it in a number format may round."""
        return self.rule.rounds

    def exact(self, sums: Dyadic) -> Dyadic:
        """Return its values, exactly.

        Raises:
            NetworkError: they are no fractions.
        """
        if self.rule.exact is None:
            raise NetworkError(
                f"the values of {self.kind} are no fractions",
                where="activation",
                remedy="enclose them",
            )
        return self.rule.exact(self, sums)

    def nearest(self, sums: Dyadic) -> Dyadic:
        """Return its values exactly, or, where they are no fractions, the plain ones in double."""
        return self.exact(sums) if self.is_exact else from_floats(self.plain(sums.to_floats()))

    def interval(self, iv: Any, total: Any) -> Any:
        """Return an interval of mpmath's context ``iv`` that holds its values on ``total``."""
        return self.rule.interval(self, iv, total)

    def plain(self, sums: Doubles) -> Doubles:
        """Return its values in double, rounded as NumPy rounds."""
        return self.rule.plain(self, sums)

    def enclosed(
        self, sums: Doubles, errors: Doubles, rounding: Rounding
    ) -> tuple[Doubles, Doubles]:
        """Return its values in double, and bounds on their distance to what they stand for.

        Args:
            sums: in double.
            errors: how far from these the exact sums, and those of ``rounding``, may be.
            rounding: the arithmetic whose values the bounds hold for, beside the exact ones.
        """
        return self.rule.enclosed(self, sums, errors, rounding)

    def image(self, low: Doubles, high: Doubles) -> tuple[Doubles, Doubles]:
        """Return its least and its largest plain values on sums between ``low`` and ``high``."""
        ends = self.plain(low), self.plain(high)
        if self.slopes is None or self.slopes[0] >= 0:  # monotonic
            return ends
        least = np.where((low < 0) & (high > 0), 0.0, np.minimum(*ends))
        return least, np.maximum(*ends)

    def derivative(self, sums: Doubles) -> Doubles:
        """Return its derivative in double, at a kink as PyTorch has it."""
        return self.rule.derivative(self, sums)


@dataclass(frozen=True, slots=True)
class Rounding:
    """An arithmetic's roundings, of which those in double are a part.

    Attributes:
        unit: relative error of one operation.
        tiny: absolute error of one operation whose result is subnormal.
        largest: the largest finite value.
        function: absolute error of its library functions.
    """

    unit: float = 2 * DOUBLE_UNIT
    tiny: float = 2 * 2.0**-1074
    largest: float = float(np.finfo(np.float64).max)
    function: float = 0.0

    @classmethod
    def of(cls, form: Format, library_ulps: float = 0.0) -> Rounding:
        """Return the roundings of a float format, together with those of double.

        Args:
            form: the format.
            library_ulps: the error of library functions, in units in the last place.
        """
        return cls(
            unit=2.0**-form.precision + DOUBLE_UNIT,
            tiny=2.0 ** max(form.smallest, -1074) + 2.0**-1074,
            largest=float(form.largest),
            function=library_ulps * 2.0**-form.precision,
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """What is known of one kind of activation; the functions are those of :class:`Activation`.

    Attributes:
        exact: ``None`` where values are no fractions.
        interval: rigorous, of any precision.
        plain: in double.
        enclosed: in double with bounds.
        derivative: in double.
        grid: from the exponents of the grids that sums lie on to those of the values.
        module: its class in ``torch.nn``, called with its options; or our ``Step``.
        rounds: whether computing it in a number format may round.
        kink: whether it bends or jumps at 0.
        can_die: whether a unit may be off for good: value and slope are 0 below 0.
        is_odd: whether a unit and its negative, both ways, compute the same.
        options: the attributes of an activation that it depends on.
        spellings: PyTorch's names of it as a function or a method.
    """

    exact: Callable[[Activation, Dyadic], Dyadic] | None
    interval: Callable[[Activation, Any, Any], Any]
    plain: Callable[[Activation, Any], Any]
    enclosed: Callable[[Activation, Any, Any, Rounding], tuple[Any, Any]]
    derivative: Callable[[Activation, Any], Any]
    grid: Callable[[Int64[np.ndarray, " n_out"]], Int64[np.ndarray, " n_out"]]
    module: str
    rounds: bool = False
    kink: Literal["", "bend", "jump"] = ""
    can_die: bool = False
    is_odd: bool = False
    options: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()


def tanh(values: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Return tanh with an error below ``2**-46``, by correctly rounded operations only.

    The bound is relative for arguments of at least ``2**-1016`` in magnitude; dividing smaller
    ones by 64 leaves the normal doubles, and the bound is then absolute, ``2**-1068``.

    Library functions promise no bound, so: halve the argument six times, take Lambert's
    continued fraction y / (1 + y² / (3 + y² / (5 + …))) to depth ten, whose terms are all
    positive (each level adds at most three roundings, 2**-53 each, and at depth ten with
    y <= 5/16 two successive convergents differ by less than 2**-60), then double six times by
    tanh 2y = 2t / (1 + t²), which never enlarges a relative error and adds four roundings.
    That is fewer than 60 roundings. Beyond 20, tanh differs from 1 by less than 2**-56.

    References:
        Lambert (1761), as in Abramowitz and Stegun, 4.5.70.
    """
    reduced = np.clip(values, -20, 20) / 64
    square = reduced * reduced
    fraction = np.full_like(reduced, 19.0)
    for odd in range(17, 0, -2):
        fraction = odd + square / fraction
    result = reduced / fraction
    for _ in range(6):
        result = 2 * result / (1 + result * result)
    return result


def _step(activation: Activation, sums: Any) -> Any:
    return exceeds(sums, 0.0, activation.convention).astype(np.float64)


def _step_interval(activation: Activation, iv: Any, total: Any) -> Any:
    return iv.mpf([int(is_above(end, 0, activation.convention)) for end in (total.a, total.b)])


def _step_enclosed(
    activation: Activation, sums: Any, errors: Any, rounding: Rounding
) -> tuple[Any, Any]:
    del rounding  # a comparison rounds nothing
    is_clear = (errors == 0) | (np.abs(sums) > errors * SLACK)
    # an undecided step is 0 or 1
    return np.where(is_clear, _step(activation, sums), 0.5), np.where(is_clear, 0.0, 0.5)


def _leaky(activation: Activation, sums: Any) -> Any:
    return np.where(sums > 0, sums, sums * activation.slope)


def _leaky_interval(activation: Activation, iv: Any, total: Any) -> Any:
    low, high = total.a, total.b
    ends = [end if end > 0 else end * iv.mpf(activation.slope) for end in (low, high)]
    if low < 0 < high:
        ends.append(iv.mpf(0))  # of a negative slope, the least value
    return iv.mpf([min(end.a for end in ends), max(end.b for end in ends)])


def _leaky_enclosed(
    activation: Activation, sums: Any, errors: Any, rounding: Rounding
) -> tuple[Any, Any]:
    below = sums * activation.slope
    steep = max(1.0, abs(activation.slope))
    spread = np.abs(below) + errors * steep  # no result below 0 is larger
    bound = (errors * steep + rounding.unit * spread + rounding.tiny) * SLACK
    bound[spread * (1 + rounding.unit) * SLACK > rounding.largest] = np.inf
    return np.where(sums > 0, sums, below), np.where((sums >= 0) & (errors == 0), 0.0, bound)


def _tanh_enclosed(
    activation: Activation, sums: Any, errors: Any, rounding: Rounding
) -> tuple[Any, Any]:
    del activation  # tanh has no parameters
    bound = (errors + TANH_ERROR + rounding.function) * SLACK
    return tanh(sums), np.minimum(bound, 2.0)


RULES: Final[dict[str, Rule]] = {
    "relu": Rule(
        exact=lambda _, sums: sums.relu(),
        interval=lambda _, iv, total: iv.mpf([max(total.a, 0), max(total.b, 0)]),
        plain=lambda _, sums: np.maximum(sums, 0),
        enclosed=lambda _, sums, errors, rounding: (np.maximum(sums, 0), errors),
        derivative=lambda _, sums: (sums > 0).astype(np.float64),
        grid=lambda grids: grids,
        module="ReLU",
        kink="bend",
        can_die=True,
        spellings=("relu",),
    ),
    "identity": Rule(
        exact=lambda _, sums: sums,
        interval=lambda _, iv, total: total,
        plain=lambda _, sums: sums,
        enclosed=lambda _, sums, errors, rounding: (sums, errors),
        derivative=lambda _, sums: np.ones_like(sums),
        grid=lambda grids: grids,
        module="Identity",
        is_odd=True,
    ),
    "step": Rule(
        exact=lambda activation, sums: Dyadic(
            sums.exceeds(0.0, activation.convention).astype(np.int64)
        ),
        interval=_step_interval,
        plain=_step,
        enclosed=_step_enclosed,
        derivative=lambda _, sums: np.zeros_like(sums),
        grid=np.zeros_like,
        module="Step",
        kink="jump",
        options=("convention",),
    ),
    "leaky": Rule(
        exact=lambda activation, sums: sums.leaky(activation.slope),
        interval=_leaky_interval,
        plain=_leaky,
        enclosed=_leaky_enclosed,
        derivative=lambda activation, sums: np.where(sums > 0, 1.0, activation.slope),
        grid=lambda grids: grids,
        module="LeakyReLU",
        rounds=True,
        kink="bend",
        options=("slope",),
        spellings=("leaky_relu",),
    ),
    "tanh": Rule(
        exact=None,
        interval=lambda _, iv, total: 1 - 2 / (iv.exp(2 * total) + 1),
        plain=lambda _, sums: np.tanh(sums),
        enclosed=_tanh_enclosed,
        derivative=lambda _, sums: 1 - np.tanh(sums) ** 2,
        grid=lambda grids: np.full_like(grids, -NO_GRID),
        module="Tanh",
        is_odd=True,
        rounds=True,
        spellings=("tanh",),
    ),
}
"""By kind, in the order in which errors list them."""
