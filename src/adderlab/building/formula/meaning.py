"""What a formula says, as it is written: expressions and indicators on rows, exactly.

Rule: nothing here knows how a formula is compiled, and nothing is rounded; a value is an array
of whole numbers over one denominator.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.building.formula.syntax import (
    Expression,
    Indicator,
    Line,
    Named,
    Number,
    Sum,
    fault,
    raise_all,
    step_argument,
)
from adderlab.nets.dyadic import Dyadic, from_integers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from jaxtyping import Bool

    from adderlab.bits import Values
    from adderlab.tasks import Task

LARGEST_CHECK_BITS: Final = 20
"""Input bits up to which an indicator is compared with its formula, row by row."""
_ROWS: Final = 1 << 14

_COMPARE: Final[Mapping[str, Callable[[Any, int], Any]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """The first row on which an indicator and its formula differ.

    Attributes:
        inputs: its input words.
        indicator: what the indicator is there.
        formula: what the formula is there.
        inside: of a formula that is a step, the value that it is taken of; else ``None``.
    """

    inputs: dict[str, int]
    indicator: int
    formula: Fraction
    inside: Fraction | None


@dataclass(frozen=True, slots=True)
class Check:
    """An indicator compared with the formula on the same line, on every row of the task.

    Attributes:
        output: the output bit's name.
        line: the line of the source.
        indicator: the indicator as written.
        formula: the formula as written.
        rows: how many rows were compared.
        differing: on how many of them the two differ.
        differs: the first such row; ``None`` where there is none.
    """

    output: str
    line: int
    indicator: str
    formula: str
    rows: int
    differing: int
    differs: Difference | None

    @property
    def holds(self) -> bool:
        """Whether the formula is what the indicator says, on every row."""
        return self.differs is None

    def to_dict(self) -> dict[str, Any]:
        """Return the formula, whether it ``holds``, and the first row where it ``differs``.

        ``rows`` were compared, ``differing`` of them differ; ``differs`` is null where none does.
        """
        difference = self.differs
        return {
            "output": self.output,
            "line": self.line,
            "indicator": self.indicator,
            "formula": self.formula,
            "holds": self.holds,
            "rows": self.rows,
            "differing": self.differing,
            "differs": None
            if difference is None
            else {
                "input": difference.inputs,
                "indicator": difference.indicator,
                "formula": str(difference.formula),
                "inside": None if difference.inside is None else str(difference.inside),
            },
        }

    def finding(self) -> str:
        """Return what the comparison found, in words."""
        difference = self.differs
        if difference is None:
            return f"the formula is what {self.indicator} says on all {self.rows} rows"
        at = ", ".join(f"{name} = {value}" for name, value in difference.inputs.items())
        step = f"step({_plain(difference.inside)}) = " if difference.inside is not None else ""
        return (
            f"on {at}, {self.indicator} is {difference.indicator}, "
            f"the formula gives {step}{_plain(difference.formula)}"
        )

    def __str__(self) -> str:
        return f"{self.output}: {self.finding()}"


def _plain(value: Fraction) -> str:
    """Return a fraction as people write it: 0.5, not 1/2, where decimals end."""
    text = f"{float(value):g}"
    return text if Fraction(text) == value else str(value)


def check_lines(lines: Sequence[Line], task: Task, *, where: str) -> tuple[Check, ...]:
    """Return, for each line with an indicator, how its formula compares with it.

    Raises:
        FormulaError: there are indicators, but the task has too many rows to compare them on.
    """
    indicated = [(line, line.indicator) for line in lines if line.indicator is not None]
    if task.n_in > LARGEST_CHECK_BITS:
        what = f"an indicator is compared on up to {LARGEST_CHECK_BITS} input bits, got {task.n_in}"
        faults = [fault(what, sign.spot, "drop the indicator") for _, sign in indicated]
        raise_all(faults, where=where)
    return tuple(_check(line, indicator, task) for line, indicator in indicated)


def _check(line: Line, indicator: Indicator, task: Task) -> Check:
    """Return how a line's formula compares with its indicator, on every row."""
    expression, first, count = line.expression, None, 0
    argument = step_argument(expression)
    for start in range(0, task.rows, _ROWS):
        words = task.input_words(np.arange(start, min(start + _ROWS, task.rows)))
        is_one = indicates(indicator, words)
        value = evaluate(expression, words)
        gap = value.plus(Exact(from_integers(-is_one.astype(np.int64)), 1))
        apart = np.flatnonzero(gap.numerators.integers != 0)
        count += apart.size
        if first is None and apart.size:
            row = int(apart[0])
            first = Difference(
                inputs={name: int(values[row]) for name, values in words.items()},
                indicator=int(is_one[row]),
                formula=value.at(row),
                inside=None if argument is None else evaluate(argument, words).at(row),
            )
    spot, texts = line.spot, (indicator.text, line.text)
    return Check(line.name, spot.line, *texts, rows=task.rows, differing=count, differs=first)


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """One value a row, or one for all rows, as whole numbers over a denominator above 0."""

    numerators: Dyadic
    denominator: int

    def at(self, row: int) -> Fraction:
        """Return the value on one row."""
        place = row if self.numerators.shape[0] > 1 else 0
        return self.numerators.at(place) / self.denominator

    def times(self, factor: Fraction) -> Exact:
        """Return the values times a constant."""
        numerators = self.numerators.times(from_integers([factor.numerator]))
        return Exact(numerators, self.denominator * factor.denominator)

    def plus(self, other: Exact) -> Exact:
        """Return the sums of both."""
        common = math.lcm(self.denominator, other.denominator)
        left, right = (
            part.numerators.times(from_integers([common // part.denominator]))
            for part in (self, other)
        )
        return Exact(left.plus(right), common)


def evaluate(expression: Expression, words: Mapping[str, Values]) -> Exact:
    """Return the values of an expression on the rows with the given input words, exactly."""
    if isinstance(expression, Number):
        value = expression.value
        return Exact(from_integers([value.numerator]), value.denominator)
    if isinstance(expression, Named):
        values = words[expression.word.name]
        if expression.place is not None:
            values = (values >> expression.place) & 1
        return Exact(from_integers(values), 1)
    if isinstance(expression, Sum):
        total = Exact(from_integers([0]), 1)
        for factor, part in expression.terms:
            total = total.plus(evaluate(part, words).times(factor))
        return total
    argument = evaluate(expression.argument, words)
    if expression.kind == "relu":
        return Exact(argument.numerators.relu(), argument.denominator)
    is_one = argument.numerators.exceeds(0.0, ">")
    return Exact(from_integers(is_one.astype(np.int64)), 1)


def indicates(indicator: Indicator, words: Mapping[str, Values]) -> Bool[np.ndarray, " rows"]:
    """Return where an indicator is 1, on the rows with the given input words."""
    difference = evaluate(indicator.difference, words).numerators.integers
    is_one = np.asarray(_COMPARE[indicator.operator](difference, 0), dtype=bool)
    return np.broadcast_to(is_one, next(iter(words.values())).shape)
