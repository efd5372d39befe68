"""A formula's text to its lines; every fault of the text is named, all of them at once.

Rule: a line that can't be read is given up at its first fault in syntax; names, products and
outputs are checked throughout.

    line        output = [indicator =] sum
    indicator   1 ( sum (>= | <= | > | < | = | == | !=) sum )
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from adderlab.bits import bit_names
from adderlab.building.formula.expressions import Reader
from adderlab.building.formula.faults import LARGEST_TEXT, Spot, fault, listed, located, raise_all
from adderlab.building.formula.names import listing, named, suggestion
from adderlab.building.formula.syntax import Indicator, Line, Sum
from adderlab.building.formula.tokens import Token, tokens_of
from adderlab.errors import FormulaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adderlab.tasks import Task

_COMPARISONS: Final = (">=", "<=", ">", "<", "=", "==", "!=")


def parse_formula(text: str, task: Task, *, where: str) -> tuple[Line, ...]:
    """Return the lines of a formula in the order in which they stand.

    Args:
        text: the formula of every output bit, one a line.
        task: whose inputs and outputs the names are.
        where: the file or option that the text comes from, for messages.

    Raises:
        FormulaError: with all faults of the text, each with its line and column.
    """
    faults: list[FormulaError] = []
    if len(text) > LARGEST_TEXT:
        what = f"{len(text)} characters are over the limit of {LARGEST_TEXT}"
        raise located(fault(what, Spot(1, 1), "write a shorter formula"), where)
    lines: list[Line] = []
    first: dict[int, int] = {}
    all_named = True
    sources = re.split(r"\r\n?|\n", text.removeprefix("\ufeff"))
    for number, source in enumerate(sources, start=1):
        tokens = tokens_of(source)
        if tokens[0].kind == "end":
            continue
        reader = _LineReader(tokens, number, task, faults)
        output = None
        try:
            output = reader.left_side(first)
            lines.append(reader.right_side(output, source))
        except FormulaError as error:
            faults.append(error)
        all_named = all_named and output is not None
    if all_named and len(first) < task.n_out:
        end = Spot(len(sources) + (sources[-1] != ""), 1)
        faults.append(_missing(first, task, end))
    raise_all(faults, where=where)
    return tuple(lines)


def _missing(first: Mapping[int, int], task: Task, end: Spot) -> FormulaError:
    """Return the fault of outputs that no line gives, or of a text without lines."""
    names = [name for output, name in enumerate(task.output_bits) if output not in first]
    what = f"no formula for {listed(names)}" if first else "the formula is empty"
    return fault(what, end, f"add a line {names[0]} = EXPRESSION")


class _LineReader(Reader):
    """Reads one line: its left side, then the rest."""

    def left_side(self, first: dict[int, int]) -> int:
        """Return the output that the line gives; ``first`` holds the line that gave each."""
        name = self.next()
        word = self.task.outputs[0]
        example = f"write {next(bit_names(word.name, word.width))} = EXPRESSION"
        if name.kind != "name":
            raise self.fault(name, f"expected an output's name, found {name}", example)
        if not self.sees("="):
            raise self.fault(self.token, f"expected '=' after {name}, found {self.token}", example)
        output = self._output(name)
        if first.setdefault(output, self.number) != self.number:
            what = f"{name} has a formula in line {first[output]} already"
            self.faults.append(self.fault(name, what, "keep one of the two"))
        _ = self.next()
        return output

    def _output(self, token: Token) -> int:
        """Return the number of the output bit of that name."""
        found = named(token.text, self.task.outputs)
        if len(found) == 1 and (place := found[0].place) is not None:
            before = self.task.outputs[: self.task.outputs.index(found[0].word)]
            return sum(word.width for word in before) + found[0].word.width - 1 - place
        what = f"unknown output {token}"
        remedy = suggestion(token.text, self.task.outputs, whole=False)
        if len(found) > 1:
            what, remedy = f"{token} stands for two outputs", "rename the task's words"
        elif found:
            what = f"{token} is a word of {found[0].word.width} bits"
            remedy = f"write one line for each of {listing(found[0].word, whole=False)}"
        raise self.fault(token, what, remedy)

    def right_side(self, output: int, source: str) -> Line:
        """Return the line, given the output on its left."""
        name = self.tokens[0].text
        after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        is_indicated = self.token.text == "1" and after.text == "("
        indicator = self._indicator(source) if is_indicated else None
        start = self.token
        expression = self.sum()
        if self.token.kind != "end":
            raise self._leftover()
        text = source[start.column - 1 : self.tokens[self.at - 1].end - 1]
        return Line(output, name, indicator, expression, text, self.spot(start))

    def _indicator(self, source: str) -> Indicator:
        start, opening = self.next(), self.next()
        left = self.sum(1)
        if not self.sees(*_COMPARISONS):
            raise self.fault(
                self.token,
                f"expected a comparison after '1 (', found {self.token}",
                f"write one of {' '.join(_COMPARISONS)}, or 1 * ( for a product",
            )
        operator = self.next().text
        right = self.sum(1)
        closing = self.token
        self.close(opening)
        if not self.sees("="):
            raise self.fault(
                self.token,
                f"expected '=' after the indicator, found {self.token}",
                "write = EXPRESSION after it",
            )
        _ = self.next()
        difference = Sum(((Fraction(1), left), (Fraction(-1), right)))
        text = source[start.column - 1 : closing.end - 1]
        return Indicator(difference, operator, text, self.spot(start))

    def _leftover(self) -> FormulaError:
        """Return the fault of what follows a complete expression."""
        token = self.token
        if self.sees(")"):
            return self.fault(token, "')' without its '('", "remove it, or add the '('")
        if self.sees(*_COMPARISONS):
            return self.fault(
                token,
                f"{token} stands outside an indicator",
                "write 1 ( SUM OP SUM ) = EXPRESSION, or step(...)",
            )
        return self.fault(token, f"no operator before {token}", "write +, - or * there")
