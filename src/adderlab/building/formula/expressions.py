"""The tokens of one expression to its tree.

Rule: text is only ever compared with the grammar, never run, and parentheses nest to a limit.

    sum      product {(+ | -) product}
    product  factor {* factor}, at most one of them not constant
    factor   {+ | -} (number | input | (relu | step) ( sum ) | ( sum ))
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final, Literal

from adderlab.building.formula.faults import (
    DEEPEST,
    LARGEST_BITS,
    LONGEST_NUMBER,
    Spot,
    checked,
    fault,
)
from adderlab.building.formula.names import named, suggestion
from adderlab.building.formula.syntax import Call, Expression, Number, Sum

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adderlab.building.formula.tokens import Token
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
        found = named(token.text, self.task.inputs)
        if len(found) == 1 and (found[0].place is not None or found[0].word.width <= LARGEST_BITS):
            return found[0]
        what = f"unknown input {token}"
        remedy = suggestion(token.text, self.task.inputs, whole=True)
        if len(found) > 1:
            what, remedy = f"{token} stands for two inputs", "rename the task's words"
        elif found:
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
