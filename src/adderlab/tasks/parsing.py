"""What the parsers of formulas share: tokens with their places, a cursor, all faults at once.

Rule: text is only compared with a grammar, never run; every fault has its line and column.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adderlab.errors import AdderlabError

DEEPEST: Final = 100
"""Parentheses inside one another."""
MOST_LISTED: Final = 10
"""Names or errors that a message lists."""
_LONGEST_QUOTE: Final = 30
"""Characters of a token that a message quotes."""


@dataclass(frozen=True, slots=True)
class Token:
    """A number, name, sign, unknown character or end of a line; lines and columns count from 1."""

    kind: str
    text: str
    line: int
    column: int

    @property
    def place(self) -> str:
        """Line and column, for messages."""
        return f"line {self.line} column {self.column}"

    def __str__(self) -> str:
        if self.kind == "end":
            return "the end of the line"
        is_long = len(self.text) > _LONGEST_QUOTE
        return repr(f"{self.text[:_LONGEST_QUOTE]}…" if is_long else self.text)


def lines_of(text: str) -> list[str]:
    """Return the lines of a text, whichever way they end, without a byte order mark."""
    return re.split(r"\r\n?|\n", text.removeprefix("\ufeff"))


def tokens_of(source: str, line: int, pattern: re.Pattern[str]) -> list[Token]:
    """Return the tokens of one line without its comment, the last one being its end.

    Args:
        source: the line.
        line: its number.
        pattern: a group for each kind of token; ``unknown`` for any other character.
    """
    code = source.partition("#")[0].rstrip()
    tokens = [
        Token(match.lastgroup or "unknown", match[0], line, match.start() + 1)
        for match in pattern.finditer(code)  # which skips spaces
    ]
    return [*tokens, Token("end", "", line, len(code) + 1)]


class Cursor(ABC):
    """A place in a line's tokens."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def token(self) -> Token:
        """The next token."""
        return self.tokens[self.at]

    def sees(self, *signs: str) -> bool:
        """Return whether the next token is one of these signs."""
        return self.token.text in signs

    def next(self) -> Token:
        """Return the next token and step over it."""
        token = self.token
        self.at += 1
        return token

    def expect(self, *signs: str, what: str, remedy: str) -> Token:
        """Return the next token, which must be one of these signs, and step over it."""
        if not self.sees(*signs):
            raise self.error(self.token, f"expected {what}, found {self.token}", remedy)
        return self.next()

    def close(self, opening: Token) -> Token:
        """Step over the ``)`` of an opening parenthesis and return it."""
        what = f"the ')' of the '(' in column {opening.column}"
        return self.expect(")", what=what, remedy="add it")

    @abstractmethod
    def error(self, token: Token, what: str, remedy: str) -> AdderlabError:
        """Return the error of a token."""


def raise_all(errors: Sequence[AdderlabError], *, where: str) -> None:
    """Raise one error that contains all the given ones, if any, for the text ``where``."""
    if len(errors) == 1:
        error = errors[0]
        raise type(error)(error.what, where=f"{where} {error.where}", remedy=error.remedy)
    if errors:
        listed = [f"({number}) {error}" for number, error in enumerate(errors[:MOST_LISTED], 1)]
        what = f"{len(errors)} faults: {' '.join(listed)}{and_more(len(errors))}"
        raise type(errors[0])(what, where=where)


def and_more(count: int) -> str:
    """Return how many of ``count`` are not listed, as text."""
    return f" and {count - MOST_LISTED} more" if count > MOST_LISTED else ""
