"""A formula's text to its lines; the error that is raised contains every fault of the text.

Rules: text is only compared with the grammar, never run, and parentheses nest to a limit. A line is
parsed up to its first syntax error; names, products and outputs are checked throughout.

    line        output = [indicator =] sum
    indicator   1 ( sum (>= | <= | > | < | = | == | !=) sum )
    sum         product {(+ | -) product}
    product     factor {* factor}, at most one of them not constant
    factor      {+ | -} (number | input | (relu | step) ( sum ) | ( sum ))
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from adderlab.bits import bit_names
from adderlab.building.formula.expression import (
    COMPARISONS,
    LARGEST_BITS,
    Call,
    Expression,
    Indicator,
    Sum,
    Variable,
    limited,
    lowest_bit,
)
from adderlab.errors import FormulaError
from adderlab.tasks import Task, Word
from adderlab.tasks.parsing import (
    DEEPEST,
    MOST_LISTED,
    Cursor,
    Token,
    and_more,
    lines_of,
    raise_all,
    tokens_of,
)

LARGEST_TEXT: Final = 1 << 20
"""Characters of a formula."""
LONGEST_NUMBER: Final = 400
"""Characters of a number, and the magnitude of its exponent; fp64 ends at 1e309."""
_DIGITS: Final = 8
"""More digits than the number of any bit has."""
_WIDEST_COMPARED: Final = 64
"""Words of at most so many bits have their bits' names compared with a misspelled one."""

_REMEDIES: Final[Mapping[str, str]] = {
    "/": "multiply by a constant instead, as in 0.5 * a",
    "^": "there are no powers, only products with constants",
    ",": "relu and step take one argument",
    "≥": "write >=",
    "≤": "write <=",
    "≠": "write !=",
    **dict.fromkeys("\N{MINUS SIGN}\N{EN DASH}", "write the plain -"),
    **dict.fromkeys("\N{MULTIPLICATION SIGN}\N{MIDDLE DOT}", "write *"),
}
"""For characters that are not in the grammar."""

_TOKEN: Final = re.compile(
    r"""(?P<number> (?:[0-9]+\.?[0-9]*|\.[0-9]+) (?:[eE][+-]?[0-9]+)? )
      | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
      | (?P<sign> [<>=!]= | [-+*()<>=] )
      | (?P<unknown> \S )""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """The formula of one output bit.

    Attributes:
        output: the number of the output bit, 0 being the first word's most significant.
        name: the output's name as written.
        indicator: what it should compute, where this is specified.
        expression: how it computes it.
        text: the expression as written.
        number: of the line, counted from 1.
        place: where the expression begins.
    """

    output: int
    name: str
    indicator: Indicator | None
    expression: Expression
    text: str
    number: int
    place: str


def parse_formula(text: str, task: Task, *, where: str) -> tuple[Line, ...]:
    """Return the lines of a formula, given as text, for a task's outputs, in their order.

    Raises:
        FormulaError: with all faults of the text, each with its line and column.
    """
    if len(text) > LARGEST_TEXT:
        what = f"{len(text)} characters are over the limit of {LARGEST_TEXT}"
        remedy = "write a shorter formula"
        raise FormulaError(what, where=f"{where} line 1 column 1", remedy=remedy)
    errors: list[FormulaError] = []
    lines: list[Line] = []
    line_of: dict[int, int] = {}
    are_all_known = True
    sources = lines_of(text)
    for number, source in enumerate(sources, start=1):
        parser = _LineParser(source, number, task, errors)
        if parser.token.kind == "end":
            continue
        output = None
        try:
            output = parser.left_side(line_of)
            lines.append(parser.right_side(output))
        except FormulaError as error:
            errors.append(error)
        are_all_known = are_all_known and output is not None
    if are_all_known and len(line_of) < task.n_out:
        missing = [name for output, name in enumerate(task.output_bits) if output not in line_of]
        names = ", ".join(missing[:MOST_LISTED]) + and_more(len(missing))
        what = f"no formula for {names}" if line_of else "the formula is empty"
        place = f"line {len(sources) + (sources[-1] != '')} column 1"
        remedy = f"add a line {missing[0]} = EXPRESSION"
        errors.append(FormulaError(what, where=place, remedy=remedy))
    raise_all(errors, where=where)
    return tuple(lines)


class _LineParser(Cursor):
    """Parses one line by recursive descent.

    A syntax error is raised; errors after which parsing can go on are added to ``errors``.
    """

    def __init__(self, source: str, number: int, task: Task, errors: list[FormulaError]) -> None:
        super().__init__(tokens_of(source, number, _TOKEN))
        self.source = source
        self.task = task
        self.errors = errors

    def error(self, token: Token, what: str, remedy: str) -> FormulaError:
        """Return the error of a token; of an unknown character it is always that."""
        if token.kind == "unknown":
            what = f"unknown character {token}"
            remedy = _REMEDIES.get(token.text, "write numbers, names, + - * ( ), relu and step")
        return FormulaError(what, where=token.place, remedy=remedy)

    def left_side(self, line_of: dict[int, int]) -> int:
        """Return the number of the output on the left, which ``line_of`` maps to its line."""
        name = self.next()
        word = self.task.outputs[0]
        example = f"write {next(bit_names(word.name, word.width))} = EXPRESSION"
        if name.kind != "name":
            raise self.error(name, f"expected an output's name, found {name}", example)
        _ = self.expect("=", what=f"'=' after {name}", remedy=example)
        output = self.output(name)
        if line_of.setdefault(output, name.line) != name.line:
            what = f"{name} has a formula in line {line_of[output]} already"
            self.errors.append(self.error(name, what, "keep one of the two"))
        return output

    def right_side(self, output: int) -> Line:
        """Return the line, given the output on its left."""
        name = self.tokens[0]
        is_indicated = self.sees("1") and self.tokens[self.at + 1].text == "("
        indicator = self.indicator() if is_indicated else None
        start = self.token
        expression = self.sum()
        if self.token.kind != "end":
            raise self.leftover()
        text = self.text(start, self.tokens[self.at - 1])
        return Line(output, name.text, indicator, expression, text, name.line, start.place)

    def text(self, first: Token, last: Token) -> str:
        """Return the source between two tokens, both included."""
        return self.source[first.column - 1 : last.column - 1 + len(last.text)]

    def indicator(self) -> Indicator:
        """Return the indicator that comes next, after stepping over it and its ``=``."""
        start, opening = self.next(), self.next()
        left = self.sum(1)
        comparison = self.expect(
            *COMPARISONS,
            what="a comparison after '1 ('",
            remedy=f"write one of {' '.join(COMPARISONS)}, or 1 * ( for a product",
        )
        right = self.sum(1)
        closing = self.close(opening)
        _ = self.expect("=", what="'=' after the indicator", remedy="write = EXPRESSION after it")
        difference = Sum(((Fraction(1), left), (Fraction(-1), right)))
        return Indicator(difference, comparison.text, self.text(start, closing), start.place)

    def leftover(self) -> FormulaError:
        """Return the error of what follows a complete expression."""
        token = self.token
        if self.sees(")"):
            return self.error(token, "')' without its '('", "remove it, or add the '('")
        if self.sees(*COMPARISONS):
            remedy = "write 1 ( SUM OP SUM ) = EXPRESSION, or step(...)"
            return self.error(token, f"{token} stands outside an indicator", remedy)
        return self.error(token, f"no operator before {token}", "write +, - or * there")

    def sum(self, depth: int = 0) -> Expression:
        """Return the sum that comes next, inside ``depth`` parentheses."""
        terms = [self.product(depth)]
        while self.sees("+", "-"):  # the sign of a term is that of its first factor
            terms.append(self.product(depth))
        constant = Fraction(0)
        for factor, term in terms:
            if not isinstance(term, Fraction):
                return term if factor == len(terms) == 1 else Sum(tuple(terms))
            constant += factor * term
        return constant

    def product(self, depth: int) -> tuple[Fraction, Expression]:
        """Return the product that comes next as a constant times an expression."""
        constant = Fraction(1)
        variable: Expression | None = None
        while True:
            start = self.token
            sign, factor = self.factor(depth)
            constant *= sign
            if isinstance(factor, Fraction):
                constant = limited(constant * factor, start.place)
            elif variable is None:
                variable = factor
            else:
                what = "a product of two expressions that are not constant"
                self.errors.append(self.error(start, what, "multiply by constants alone"))
            if not self.sees("*"):
                return constant, variable or Fraction(1)
            _ = self.next()

    def factor(self, depth: int) -> tuple[int, Expression]:
        """Return the factor that comes next as a sign and an expression."""
        sign = 1
        while self.sees("+", "-"):
            sign = -sign if self.next().text == "-" else sign
        token = self.next()
        if token.kind == "number":
            return sign, self.number(token)
        if token.kind == "name" and not self.sees("("):
            return sign, self.input(token)
        function = token.text.lower() if token.kind == "name" else None
        if function not in ("relu", "step", None):
            remedy = "there are relu(...) and step(...)"
            raise self.error(token, f"unknown function {token}", remedy)
        opening = self.next() if function else token
        if opening.text != "(":
            what = f"expected a number, an input, relu(...), step(...) or '(', found {token}"
            raise self.error(token, what, "write one there")
        if depth >= DEEPEST:
            raise self.error(opening, f"nested over {DEEPEST} deep", "take it apart")
        inner = self.sum(depth + 1)
        _ = self.close(opening)
        return sign, Call(function, inner, token.place) if function else inner

    def number(self, token: Token) -> Fraction:
        """Return the exact value of a number."""
        exponent = token.text.lower().partition("e")[2].lstrip("+-0")
        is_far = len(exponent) > 4 or int(exponent or 0) > LONGEST_NUMBER
        if len(token.text) > LONGEST_NUMBER or is_far:
            limits = f"over {LONGEST_NUMBER} digits or an exponent over {LONGEST_NUMBER}"
            raise self.error(token, f"{token} has {limits}", "write a shorter number")
        return Fraction(token.text)

    def input(self, token: Token) -> Expression:
        """Return the input bit or word of that name; 0 where there is none, with an error."""
        inputs = self.task.inputs
        variables = variables_named(token.text, inputs)
        if len(variables) > 1:
            what, remedy = f"{token} stands for two inputs", "rename the task's words"
        elif variables:
            (variable,) = variables
            if variable.bit is not None or variable.word.width <= LARGEST_BITS:
                return variable
            what, remedy = f"{token} has over {LARGEST_BITS} bits", "name its bits one by one"
        elif token.text.lower() in ("relu", "step"):
            what, remedy = f"{token} has no argument", f"write {token.text}(...)"
        elif variables_named(token.text, self.task.outputs):
            what = f"{token} is an output"
            remedy = "write out what it computes, from the inputs"
        else:
            what, remedy = f"unknown input {token}", suggestion(token.text, inputs, with_words=True)
        self.errors.append(self.error(token, what, remedy))
        return Fraction(0)

    def output(self, token: Token) -> int:
        """Return the number of the output bit of that name."""
        outputs = self.task.outputs
        variables = variables_named(token.text, outputs)
        if len(variables) > 1:
            what, remedy = f"{token} stands for two outputs", "rename the task's words"
        elif variables:
            word, bit = variables[0].word, variables[0].bit
            if bit is not None:
                return lowest_bit(word, outputs) - bit
            what = f"{token} is a word of {word.width} bits"
            remedy = f"write one line for each of {word.bits_text}"
        else:
            what = f"unknown output {token}"
            remedy = suggestion(token.text, outputs, with_words=False)
        raise self.error(token, what, remedy)


def variables_named(name: str, words: tuple[Word, ...]) -> list[Variable]:
    """Return the variables that a name may stand for: none, one, or several.

    Names are looked up, never listed beforehand: a word may have a million bits. A one-bit word
    has its bare name, and that of its bit 0 where nothing else has it.
    """
    by_name = {word.name: word for word in words}
    word = by_name.get(name)
    variables = [Variable(word, 0 if word.width == 1 else None)] if word else []
    lone_bits: list[Variable] = []
    for cut in range(max(len(name) - _DIGITS, 1), len(name)):
        word, digits = by_name.get(name[:cut]), name[cut:]
        if word and digits.isdigit() and digits == str(int(digits)) and int(digits) < word.width:
            (variables if word.width > 1 else lone_bits).append(Variable(word, int(digits)))
    return variables or lone_bits


def suggestion(name: str, words: tuple[Word, ...], *, with_words: bool) -> str:
    """Return the remedy for an unknown name: the nearest name of a bit or word, and all of them."""
    known = [bit for word in words if word.width <= _WIDEST_COMPARED for bit in word.bits]
    if with_words:
        known += [word.name for word in words if word.width > 1]
    near = difflib.get_close_matches(name[:40], known, n=1)
    names = ", ".join(
        f"{word.name} ({word.bits_text})" if with_words and word.width > 1 else word.bits_text
        for word in words
    )
    return f"did you mean {near[0]}? there are {names}" if near else f"there are {names}"
