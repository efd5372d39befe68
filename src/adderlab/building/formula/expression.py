"""Expressions and indicators of a formula, and their exact values.

Rules: expressions have no products and no parentheses; the terms of a sum carry their constant
factors. They are evaluated as they are written: nothing is rounded, and nothing here knows how
they are compiled.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import numpy as np

from adderlab.bits import Values
from adderlab.errors import FormulaError
from adderlab.nets.dyadic import Dyadic, from_integers
from adderlab.tasks import Word

if TYPE_CHECKING:
    from jaxtyping import Bool

LARGEST_BITS: Final = 4096
"""Bits of a constant's numerator and denominator, and of a word that is read as a number."""

COMPARISONS: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}

Quotients: TypeAlias = tuple[Dyadic, int]
"""Exact values: whole numbers, one a row or one for all rows, and their denominator."""


@dataclass(frozen=True, slots=True)
class Variable:
    """Bit ``bit`` of a word, 0 being the least significant; ``None`` for the word's value."""

    word: Word
    bit: int | None

    @property
    def weights(self) -> list[tuple[int, int]]:
        """Its bits, each with the weight that it has in the value."""
        bits = range(self.word.width) if self.bit is None else (self.bit,)
        return [(bit, 1 << bit if self.bit is None else 1) for bit in bits]


@dataclass(frozen=True, slots=True)
class Call:
    """``relu`` or ``step`` of an expression; ``step(x)`` is 1 where x > 0, else 0."""

    function: Literal["relu", "step"]
    argument: Expression
    place: str


@dataclass(frozen=True, slots=True)
class Sum:
    """Expressions, constants among them, each with a constant factor."""

    terms: tuple[tuple[Fraction, Expression], ...]


Expression: TypeAlias = Fraction | Variable | Call | Sum


@dataclass(frozen=True, slots=True)
class Indicator:
    """``1 ( SUM OP SUM )``: 1 where the sums' difference compares so with 0, else 0."""

    difference: Expression
    comparison: str
    text: str
    place: str

    def evaluate(self, words: Mapping[str, Values]) -> Bool[np.ndarray, " rows"]:
        """Return where the indicator is 1, on the rows with the given input words."""
        difference = evaluate(self.difference, words)[0].integers
        is_on = np.asarray(COMPARISONS[self.comparison](difference, 0), dtype=bool)
        return np.broadcast_to(is_on, next(iter(words.values())).shape)


def lowest_bit(word: Word, words: Sequence[Word]) -> int:
    """Return the number of a word's least significant bit, counted through all words."""
    return sum(other.width for other in words[: words.index(word) + 1]) - 1


def step_argument(expression: Expression) -> Expression | None:
    """Return the argument of a step; ``None`` where the outermost operation is no step."""
    if isinstance(expression, Call) and expression.function == "step":
        return expression.argument
    return None


def limited(value: Fraction, place: str) -> Fraction:
    """Return a product of constants.

    Raises:
        FormulaError: numerator or denominator has over :data:`LARGEST_BITS` bits.
    """
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
        what = f"the constants multiply to a number of over {LARGEST_BITS} bits"
        raise FormulaError(what, where=place, remedy="take smaller constants")
    return value


def leaves(expression: Expression) -> Iterator[tuple[Fraction, Fraction | Variable | Call]]:
    """Yield the terms of an expression from left to right, each with its constant factor."""
    parts = [(Fraction(1), expression)]
    while parts:
        factor, part = parts.pop()
        if isinstance(part, Sum):
            parts += [(factor * by, term) for by, term in reversed(part.terms)]
        else:
            yield factor, part


def evaluate(expression: Expression, words: Mapping[str, Values]) -> Quotients:
    """Return the values of an expression on the rows with the given input words, exactly."""
    total: Quotients = from_integers([0]), 1
    for factor, leaf in leaves(expression):
        if isinstance(leaf, Fraction):
            values = from_integers([leaf.numerator]), leaf.denominator
        elif isinstance(leaf, Variable):
            word = words[leaf.word.name]
            values = from_integers(word if leaf.bit is None else (word >> leaf.bit) & 1), 1
        else:
            numerators, denominator = evaluate(leaf.argument, words)
            if leaf.function == "relu":
                values = numerators.relu(), denominator
            else:
                values = from_integers(numerators.exceeds(0.0, ">")), 1
        total = plus(total, values, factor)
    return total


def plus(values: Quotients, others: Quotients, factor: Fraction) -> Quotients:
    """Return the sums of values with others times a factor."""
    denominator = others[1] * factor.denominator
    common = math.lcm(values[1], denominator)
    left = values[0].times(from_integers([common // values[1]]))
    right = others[0].times(from_integers([factor.numerator * (common // denominator)]))
    return left.plus(right), common


def value_at(values: Quotients, row: int) -> Fraction:
    """Return the value on one row."""
    numerators, denominator = values
    return numerators.at(row if numerators.shape[0] > 1 else 0) / denominator
