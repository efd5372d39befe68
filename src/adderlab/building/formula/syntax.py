"""What a formula is made of: tokens, names, terms, and the faults that are raised all at once.

Rules: a character that means nothing becomes a token of its own, so that the parser can say where
it stands. Names are looked up, never listed beforehand, so that a word of a million bits costs
nothing; a name that could mean two things means neither. Of a formula that was read, products and
parentheses are gone (a sum's terms carry their constant factors), and numbers are exact.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from adderlab.errors import FormulaError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from fractions import Fraction

    from adderlab.tasks import Word


LARGEST_TEXT: Final = 1 << 20
"""Characters of a formula."""
DEEPEST: Final = 100
"""Parentheses inside one another."""
LONGEST_NUMBER: Final = 400
"""Characters of a number, and the magnitude of its exponent; fp64 ends at 1e309."""
LARGEST_BITS: Final = 4096
"""Bits of a constant's numerator and denominator, and of a word that is named whole."""
_LISTED: Final = 10


@dataclass(frozen=True, slots=True)
class Spot:
    """A line and a column of the source, both counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line} column {self.column}"


def fault(what: str, spot: Spot, remedy: str) -> FormulaError:
    """Return a fault that :func:`located` or :func:`raise_all` completes."""
    return FormulaError(what, where=str(spot), remedy=remedy)


def located(fault: FormulaError, where: str) -> FormulaError:
    """Return a fault with the file that it stands in."""
    return FormulaError(fault.what, where=f"{where} {fault.where}", remedy=fault.remedy)


def raise_all(faults: Sequence[FormulaError], *, where: str) -> None:
    """Raise one error that names every fault; do nothing where there is none."""
    if len(faults) == 1:
        raise located(faults[0], where)
    if faults:
        what = " ".join(f"({number}) {fault}" for number, fault in enumerate(faults[:_LISTED], 1))
        raise FormulaError(f"{len(faults)} faults: {what}{_more(len(faults))}", where=where)


def listed(names: Sequence[str]) -> str:
    """Return the first few names as text, and how many more there are."""
    return ", ".join(names[:_LISTED]) + _more(len(names))


def _more(count: int) -> str:
    return f" and {count - _LISTED} more" if count > _LISTED else ""


def checked(value: Fraction, spot: Spot) -> Fraction:
    """Return a product of constants, or raise where it has grown beyond the limit.

    Raises:
        FormulaError: numerator or denominator has over :data:`LARGEST_BITS` bits.
    """
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > LARGEST_BITS:
        raise fault(
            f"the constants multiply to a number of over {LARGEST_BITS} bits",
            spot,
            "take smaller constants",
        )
    return value


_DIGITS: Final = 8
"""More digits than the number of any bit has."""
_COMPARED: Final = 64
"""Words of at most so many bits have their bits' names compared with a misspelled one."""


@dataclass(frozen=True, slots=True)
class Named:
    """Bit ``place`` of a word, 0 being the least significant; ``None`` for the word's value."""

    word: Word
    place: int | None


def named(name: str, words: tuple[Word, ...]) -> list[Named]:
    """Return what a name may stand for: nothing, one thing, or several that it confuses.

    A one-bit word goes by its bare name, and by that of its bit 0 where nothing else does.
    """
    by_name = {word.name: word for word in words}
    candidates: list[Named] = []
    spare: list[Named] = []
    if word := by_name.get(name):
        candidates.append(Named(word, 0 if word.width == 1 else None))
    for cut in range(len(name) - 1, max(len(name) - _DIGITS, 1) - 1, -1):
        digits = name[cut:]
        if not digits.isdigit():
            break
        word = by_name.get(name[:cut])
        if word and digits == str(int(digits)) and int(digits) < word.width:
            (candidates if word.width > 1 else spare).append(Named(word, int(digits)))
    return candidates or spare


def suggestion(name: str, words: tuple[Word, ...], *, whole: bool) -> str:
    """Return a remedy for an unknown name: the nearest one, and all that exist.

    Args:
        name: what was written.
        words: the words whose bits may be named.
        whole: whether the words themselves may be named too.
    """
    known = [bit for word in words if word.width <= _COMPARED for bit in word.bits]
    if whole:
        known += [word.name for word in words if word.width > 1]
    near = difflib.get_close_matches(name[:40], known, n=1)
    listed = ", ".join(listing(word, whole=whole) for word in words)
    return f"did you mean {near[0]}? there are {listed}" if near else f"there are {listed}"


def listing(word: Word, *, whole: bool) -> str:
    """Return the names of a word's bits as text: ``c1, c0``; with ``whole``, the word's too."""
    if word.width == 1:
        return word.name
    between = ", " if word.width == 2 else " to "
    bits = f"{word.name}{word.width - 1}{between}{word.name}0"
    return f"{word.name} ({bits})" if whole else bits


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


Kind: TypeAlias = Literal["number", "name", "sign", "unknown", "end"]

_TOKEN: Final = re.compile(
    r"""(?P<number> (?:[0-9]+\.?[0-9]*|\.[0-9]+) (?:[eE][+-]?[0-9]+)? )
      | (?P<name> [A-Za-z_][A-Za-z0-9_]* )
      | (?P<sign> [<>=!]= | [-+*()<>=] )
      | (?P<space> \s+ )
      | (?P<unknown> . )""",
    re.VERBOSE,
)

_SHOWN: Final = 30


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of one line; ``column`` counts from 1."""

    kind: Kind
    text: str
    column: int

    @property
    def end(self) -> int:
        """The column after the token."""
        return self.column + len(self.text)

    def __str__(self) -> str:
        return "the end of the line" if self.kind == "end" else _shown(self.text)


def tokens_of(line: str) -> list[Token]:
    """Return the tokens of one line without its comment, the last one being its end."""
    code = line.partition("#")[0].rstrip()
    return [*_tokens(code), Token("end", "", len(code) + 1)]


def _tokens(code: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(code):
        start = match.start() + 1
        if (number := match["number"]) is not None:
            yield Token("number", number, start)
        elif (name := match["name"]) is not None:
            yield Token("name", name, start)
        elif (sign := match["sign"]) is not None:
            yield Token("sign", sign, start)
        elif (unknown := match["unknown"]) is not None:
            yield Token("unknown", unknown, start)


def _shown(text: str) -> str:
    """Return text in quotes, cut where it is long, for a message."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
