"""An activation: a kind with its options, and what is computed of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adderlab.errors import NetworkError
from adderlab.nets.activations.rounding import Rounding
from adderlab.nets.activations.table import RULES
from adderlab.nets.convention import Convention
from adderlab.nets.dyadic import Dyadic, from_floats
from adderlab.nets.readout import check_choice

if TYPE_CHECKING:
    from jaxtyping import Float64

    from adderlab.formats import Format
    from adderlab.nets.activations.piecewise import Pieces
    from adderlab.nets.activations.rule import Rule

Doubles: TypeAlias = "Float64[np.ndarray, '*shape']"


@dataclass(frozen=True, slots=True)
class Activation:
    """What is applied to a layer's sums.

    An option counts for the kinds that have it (:data:`RULES`); a number that is not given is
    PyTorch's default.

    Attributes:
        kind: a key of :data:`RULES`.
        slope: of ``leaky``, the factor below 0.
        convention: of ``step`` and ``where``, whether a comparison is ``>`` or ``>=``.
        slopes: of ``prelu``, the factor below 0: one for all units, or one for each. They are
            parameters of the network.
        min: of ``hardtanh`` and ``clamp``, the least value; ``None`` for none of ``clamp``.
        max: likewise the largest.
        threshold: of ``threshold`` and ``where``, what sums are compared with; of ``softplus``,
            beyond which ``beta`` times the sum counts as large, and the value is the sum itself.
        value: of ``threshold``, the value where the sum is not above; of ``heaviside``, that at 0.
        above: of ``where``, the value where the comparison holds; ``None`` for the sum itself.
        below: of ``where``, the value elsewhere.
        alpha: of ``elu``.
        beta: of ``softplus``.
        divisor: of ``quotient``, by which sums are divided.
        approximate: of ``gelu``, ``none`` for the one with erf, ``tanh`` for the other.
    """

    kind: str = "identity"
    slope: float = 0.0
    convention: Convention = ">"
    slopes: tuple[float, ...] = ()
    min: float | None = None
    max: float | None = None
    threshold: float | None = None
    value: float | None = None
    above: float | None = None
    below: float | None = None
    alpha: float | None = None
    beta: float | None = None
    divisor: float | None = None
    approximate: str = "none"

    def __post_init__(self) -> None:
        check_choice(self.kind, tuple(RULES), "activation")
        rule = self.rule
        for name, option in rule.options.items():
            object.__setattr__(self, name, option.checked(getattr(self, name), name))
        rule.check(self)

    def __str__(self) -> str:
        rule = self.rule
        if self.kind == "leaky":
            return f"leaky {self.slope:g}"
        if self.kind == "step":
            return f"step {self.convention} 0"
        if self.kind == "where":
            above, below = ("x" if v is None else f"{v:g}" for v in (self.above, self.below))
            return f"where(x {self.convention} {self.number('threshold'):g}, {above}, {below})"
        options = [
            f"{name}={_text(getattr(self, name))}"
            for name, option in rule.options.items()
            if getattr(self, name) != option.default
        ]
        return f"{self.kind}({', '.join(options)})" if options else self.kind

    def number(self, option: str) -> float:
        """Return an option that is a number."""
        value = getattr(self, option)
        assert value is not None, option
        return value

    @property
    def rule(self) -> Rule:
        """The table entry of its kind."""
        return RULES[self.kind]

    @property
    def constants(self) -> dict[str, tuple[float, ...]]:
        """The numbers among its options, by name."""
        numbers: dict[str, tuple[float, ...]] = {}
        for name, option in self.rule.options.items():
            value = getattr(self, name)
            if option.kind != "choice" and value is not None:
                numbers[name] = value if isinstance(value, tuple) else (value,)
        return numbers

    def with_constants(self, change: Callable[[float], float]) -> Activation:
        """Return it with each number among its options changed."""
        if not self.constants:
            return self
        changed: dict[str, Any] = {
            name: tuple(map(change, numbers)) if name == "slopes" else change(numbers[0])
            for name, numbers in self.constants.items()
        }
        return replace(self, **changed)

    def is_held_by(self, form: Format) -> bool:
        """Return whether a format holds each number among its options."""
        return all(
            form.holds(Fraction(number))
            for numbers in self.constants.values()
            for number in set(numbers)
        )

    def of_unit(self, number: int) -> Activation:
        """Return what is applied to one unit's sum: the same, but for slopes of its own."""
        if self.kind != "prelu":
            return self
        return Activation("leaky", slope=self.slopes[number if len(self.slopes) > 1 else 0])

    @property
    def is_exact(self) -> bool:
        """Whether its values on dyadic rationals are dyadic rationals."""
        return self.rule.exact is not None

    @property
    def is_rational(self) -> bool:
        """Whether its values on fractions are fractions."""
        return self.is_exact or self.rule.rational is not None

    @property
    def pieces(self) -> Pieces | None:
        """The straight lines that it consists of; ``None`` of a curve, and of units that differ."""
        return self.rule.pieces(self) if self.rule.pieces is not None else None

    @property
    def has_gradient(self) -> bool:
        """Whether a gradient passes back through it: not where it is flat but for jumps."""
        chooses_constants = self.kind == "where" and None not in (self.above, self.below)
        return not self.rule.is_flat and not chooses_constants

    @property
    def slope_pair(self) -> tuple[float, float] | None:
        """The slopes below and above 0; ``None`` where it is not straight on each side.

        Straight lines end in 0; flat ones, which a jump at 0 parts, may be anywhere.
        """
        if not self.rule.is_centered:
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

    def fraction(self, total: Fraction) -> Fraction:
        """Return its value on a unit's sum, where :attr:`is_rational` says that it is one."""
        if self.rule.rational is not None:
            return self.rule.rational(self, total)
        assert self.pieces is not None, self.kind
        line, _ = self.pieces.line_at(total)
        return total * Fraction(line.slope) + Fraction(line.intercept)

    def nearest(self, sums: Dyadic) -> Dyadic:
        """Return its values exactly, or, where they are no fractions, the plain ones in double."""
        return self.exact(sums) if self.is_exact else from_floats(self.plain(sums.to_floats()))

    def ball(self, total: Any) -> Any:
        """Return an Arb ball that holds its values on the ball ``total``, in Arb's precision."""
        return self.rule.ball(self, total)

    def plain(self, sums: Doubles) -> Doubles:
        """Return its values in double, rounded as NumPy rounds."""
        return self.rule.plain(self, sums)

    def enclosed(
        self, sums: Doubles, errors: Doubles, rounding: Rounding
    ) -> tuple[Doubles, Doubles]:
        """Return its values in double, and bounds on their distance to what they stand for.

        Args:
            sums: in double, finite.
            errors: how far from these the exact sums, and those of ``rounding``, may be.
            rounding: the arithmetic whose values the bounds hold for, beside the exact ones.
        """
        return self.rule.enclosed(self, sums, errors, rounding)

    def image(self, low: Doubles, high: Doubles) -> tuple[Doubles, Doubles]:
        """Return its least and its largest plain values on sums between ``low`` and ``high``."""
        return self.rule.image(self, low, high)

    def derivative(self, sums: Doubles) -> Doubles:
        """Return its derivative in double, at a kink as PyTorch has it."""
        return self.rule.derivative(self, sums)


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return _text(value[0]) if len(value) == 1 else f"{len(value)} slopes"
    return f"{value:g}" if isinstance(value, float) else str(value)
