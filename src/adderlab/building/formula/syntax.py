"""What a formula is made of, once it is read.

Rule: products are gone (a sum's terms carry their constant factors), and so are parentheses;
names are looked up, and numbers are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from adderlab.building.formula.names import Named

if TYPE_CHECKING:
    from fractions import Fraction

    from adderlab.building.formula.faults import Spot


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Call:
    """``relu`` or ``step`` of an expression; ``step(x)`` is 1 where x > 0, else 0."""

    kind: Literal["relu", "step"]
    argument: Expression
    spot: Spot


@dataclass(frozen=True, slots=True)
class Sum:
    """Expressions, each times a constant, added up."""

    terms: tuple[tuple[Fraction, Expression], ...]


Expression: TypeAlias = Number | Named | Call | Sum


def step_argument(expression: Expression) -> Expression | None:
    """Return what a step is taken of; ``None`` if the outermost operation is no step."""
    if isinstance(expression, Call) and expression.kind == "step":
        return expression.argument
    return None


@dataclass(frozen=True, slots=True)
class Indicator:
    """``1 ( SUM OP SUM )``: 1 where the sums' difference compares so with 0, else 0."""

    difference: Expression
    operator: str
    text: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Line:
    """The formula of one output bit.

    Attributes:
        output: which output bit, counted from the first word's most significant one.
        name: the output's name as written.
        indicator: what it should compute, if said.
        expression: how it computes it.
        text: the expression as written.
        spot: where the expression begins.
    """

    output: int
    name: str
    indicator: Indicator | None
    expression: Expression
    text: str
    spot: Spot
