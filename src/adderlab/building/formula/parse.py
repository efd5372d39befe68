"""A formula's text to its lines; every fault of the text is named, all of them at once.

Rules: text is only ever compared with the grammar, never run, and parentheses nest to a limit. A
line that can't be read is given up at its first fault in syntax; names, products and outputs are
checked throughout.

    line        output = [indicator =] sum
    indicator   1 ( sum (>= | <= | > | < | = | == | !=) sum )
    sum         product {(+ | -) product}
    product     factor {* factor}, at most one of them not constant
    factor      {+ | -} (number | input | (relu | step) ( sum ) | ( sum ))
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

from adderlab.bits import bit_names
from adderlab.building.formula.syntax import (
    DEEPEST,
    LARGEST_BITS,
    LARGEST_TEXT,
    LONGEST_NUMBER,
    Call,
    Expression,
    Indicator,
    Line,
    Number,
    Spot,
    Sum,
    Token,
    checked,
    fault,
    listed,
    listing,
    located,
    named,
    raise_all,
    suggestion,
    tokens_of,
)
from adderlab.errors import FormulaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adderlab.building.formula.syntax import Token
    from adderlab.errors import FormulaError
    from adderlab.tasks import Task


_INSTEAD: Final[Mapping[str, str]] = {
    "/": "multiply by a constant instead, as in 0.5 * a",
    "^": "there are no powers, only products with constants",
    ",": "relu and step take one argument",
    "≥": "write >=",
    "≤": "write <=",
    "≠": "write !=",
    "\N{MINUS SIGN}": "write the plain -",
    "\N{EN DASH}": "write the plain -",
    "\N{MULTIPLICATION SIGN}": "write *",
    "\N{MIDDLE DOT}": "write *",
}


class Reader:
    """Reads tokens from left to right, by recursive descent.

    Faults in syntax are raised; those after which reading can go on are added to ``faults``.
    """

    def __init__(
        self, tokens: list[Token], number: int, task: Task, faults: list[FormulaError]
    ) -> None:
        self.tokens = tokens
        self.number = number
        self.task = task
        self.faults = faults
        self.at = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.at]

    def sees(self, *signs: str) -> bool:
        """Return whether one of these signs comes next."""
        return self.token.kind == "sign" and self.token.text in signs

    def next(self) -> Token:
        """Return the token that comes next, and step over it."""
        token = self.token
        self.at += 1
        return token

    def spot(self, token: Token) -> Spot:
        """Return where a token stands."""
        return Spot(self.number, token.column)

    def fault(self, token: Token, what: str, remedy: str) -> FormulaError:
        """Return the fault of a token; a character that means nothing is always that."""
        if token.kind == "unknown":
            what = f"unknown character {token}"
            remedy = _INSTEAD.get(token.text, "write numbers, names, + - * ( ), relu and step")
        return fault(what, self.spot(token), remedy)

    def close(self, opening: Token) -> None:
        """Step over the ``)`` of an opening parenthesis."""
        if not self.sees(")"):
            raise self.fault(
                self.token,
                f"expected the ')' of the '(' in column {opening.column}, found {self.token}",
                "add it",
            )
        _ = self.next()

    def sum(self, depth: int = 0) -> Expression:
        """Return the sum that comes next, inside ``depth`` parentheses."""
        terms = [self._product(depth)]
        while self.sees("+", "-"):
            sign = -1 if self.next().text == "-" else 1
            factor, part = self._product(depth)
            terms.append((sign * factor, part))
        constant = Fraction(0)
        for factor, part in terms:
            if not isinstance(part, Number):
                return part if factor == len(terms) == 1 else Sum(tuple(terms))
            constant += factor * part.value
        return Number(constant)

    def _product(self, depth: int) -> tuple[Fraction, Expression]:
        constant = Fraction(1)
        variable: Expression | None = None
        while True:
            start = self.token
            sign, part = self._factor(depth)
            constant *= sign
            if isinstance(part, Number):
                constant = checked(constant * part.value, self.spot(start))
            elif variable is None:
                variable = part
            else:
                self.faults.append(
                    self.fault(
                        start,
                        "a product of two expressions that are not constant",
                        "multiply by constants alone",
                    )
                )
            if not self.sees("*"):
                return constant, variable or Number(Fraction(1))
            _ = self.next()

    def _factor(self, depth: int) -> tuple[int, Expression]:
        """Return a sign and what it stands before."""
        sign = 1
        while self.sees("+", "-"):
            sign = -sign if self.next().text == "-" else sign
        token = self.next()
        if token.kind == "number":
            return sign, Number(self._value(token))
        if token.kind == "name" and not self.sees("("):
            return sign, self._input(token)
        kind = self._function(token) if token.kind == "name" else None
        opening = token if kind is None else self.next()
        if opening.kind != "sign" or opening.text != "(":
            raise self.fault(
                token,
                f"expected a number, an input, relu(...), step(...) or '(', found {token}",
                "write one there",
            )
        if depth >= DEEPEST:
            raise self.fault(opening, f"nested over {DEEPEST} deep", "take it apart")
        part = self.sum(depth + 1)
        self.close(opening)
        return sign, part if kind is None else Call(kind, part, self.spot(token))

    def _function(self, token: Token) -> Literal["relu", "step"]:
        """Return the operation of that name, in any case."""
        name = token.text.lower()
        if name == "relu" or name == "step":
            return name
        remedy = "there are relu(...) and step(...)"
        raise self.fault(token, f"unknown function {token}", remedy)

    def _input(self, token: Token) -> Expression:
        """Return the input bit or word of that name; 0 where there is none, with a fault."""
        bit = named(token.text, self.task.inputs)
        if len(bit) == 1 and (bit[0].place is not None or bit[0].word.width <= LARGEST_BITS):
            return bit[0]
        what = f"unknown input {token}"
        remedy = suggestion(token.text, self.task.inputs, whole=True)
        if len(bit) > 1:
            what, remedy = f"{token} stands for two inputs", "rename the task's words"
        elif bit:
            what = f"{token} has over {LARGEST_BITS} bits"
            remedy = "name its bits one by one"
        elif token.text.lower() in ("relu", "step"):
            what, remedy = f"{token} has no argument", f"write {token.text}(...)"
        elif named(token.text, self.task.outputs):
            what = f"{token} is an output"
            remedy = "write out what it computes, from the inputs"
        self.faults.append(self.fault(token, what, remedy))
        return Number(Fraction(0))

    def _value(self, token: Token) -> Fraction:
        """Return the exact value of a number."""
        exponent = token.text.lower().partition("e")[2].lstrip("+-0")
        is_far = len(exponent) > 4 or int(exponent or 0) > LONGEST_NUMBER
        if len(token.text) > LONGEST_NUMBER or is_far:
            raise self.fault(
                token,
                f"{token} has over {LONGEST_NUMBER} digits or an exponent over {LONGEST_NUMBER}",
                "write a shorter number",
            )
        return Fraction(token.text)


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
        output_bit = named(token.text, self.task.outputs)
        if len(output_bit) == 1 and (place := output_bit[0].place) is not None:
            before = self.task.outputs[: self.task.outputs.index(output_bit[0].word)]
            return sum(word.width for word in before) + output_bit[0].word.width - 1 - place
        what = f"unknown output {token}"
        remedy = suggestion(token.text, self.task.outputs, whole=False)
        if len(output_bit) > 1:
            what, remedy = f"{token} stands for two outputs", "rename the task's words"
        elif output_bit:
            what = f"{token} is a word of {output_bit[0].word.width} bits"
            remedy = f"write one line for each of {listing(output_bit[0].word, whole=False)}"
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
