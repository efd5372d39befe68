"""Indicators compared with the formulas on their lines, on every row of the task, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np

from adderlab.blocks.numbers import significant
from adderlab.building.formula.expression import Indicator, evaluate, plus, step_argument, value_at
from adderlab.building.formula.parse import Line
from adderlab.errors import FormulaError
from adderlab.nets.dyadic import from_integers
from adderlab.tasks import Task
from adderlab.tasks.parsing import raise_all
from adderlab.tasks.wording import named

LARGEST_CHECK_BITS: Final = 20
"""Input bits up to which an indicator is compared with its formula, row by row."""

_ROWS: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class Difference:
    """The first row on which an indicator and its formula differ.

    Attributes:
        inputs: its input words.
        indicator: the indicator's value.
        formula: the formula's value.
        inside: where the formula is a step, the value of its argument; else ``None``.
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
        """Whether the two are equal on every row."""
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
        """Return the result in words."""
        difference = self.differs
        if difference is None:
            return f"the formula is what {self.indicator} says on all {self.rows} rows"
        step = f"step({_shown(difference.inside)}) = " if difference.inside is not None else ""
        return (
            f"on {named(difference.inputs)}, {self.indicator} is {difference.indicator}, "
            f"the formula gives {step}{_shown(difference.formula)}"
        )

    def __str__(self) -> str:
        return f"{self.output}: {self.finding()}"


def _shown(value: Fraction) -> str:
    """Return a number as a decimal where six digits are exact, else as a fraction."""
    text = significant(value)
    return text if Fraction(text) == value else str(value)


def check_lines(lines: Sequence[Line], task: Task, *, where: str) -> tuple[Check, ...]:
    """Return the comparison of each line that has an indicator.

    Raises:
        FormulaError: there are indicators, but the task has too many rows to compare them on.
    """
    indicated = [(line, line.indicator) for line in lines if line.indicator is not None]
    if task.n_in > LARGEST_CHECK_BITS:
        what = f"an indicator is compared on up to {LARGEST_CHECK_BITS} input bits, got {task.n_in}"
        remedy = "drop the indicator"
        places = [indicator.place for _, indicator in indicated]
        raise_all([FormulaError(what, where=at, remedy=remedy) for at in places], where=where)
    return tuple(_check(line, indicator, task) for line, indicator in indicated)


def _check(line: Line, indicator: Indicator, task: Task) -> Check:
    first, count = None, 0
    argument = step_argument(line.expression)
    for start in range(0, task.rows, _ROWS):
        words = task.input_words(np.arange(start, min(start + _ROWS, task.rows)))
        is_on = indicator.evaluate(words)
        values = evaluate(line.expression, words)
        gaps, _ = plus(values, (from_integers(is_on), 1), Fraction(-1))
        differing = np.flatnonzero(gaps.integers)
        count += differing.size
        if first is None and differing.size:
            row = int(differing[0])
            first = Difference(
                inputs={name: int(word[row]) for name, word in words.items()},
                indicator=int(is_on[row]),
                formula=value_at(values, row),
                inside=None if argument is None else value_at(evaluate(argument, words), row),
            )
    return Check(line.name, line.number, indicator.text, line.text, task.rows, count, first)
