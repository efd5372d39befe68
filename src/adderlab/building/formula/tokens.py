"""Characters to tokens, each with its column; nothing is refused here.

Rule: a character that means nothing becomes a token of its own, so that the parser can say
where it stands once it has read the output's name before it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    for found in _TOKEN.finditer(code):
        start = found.start() + 1
        if (number := found["number"]) is not None:
            yield Token("number", number, start)
        elif (name := found["name"]) is not None:
            yield Token("name", name, start)
        elif (sign := found["sign"]) is not None:
            yield Token("sign", sign, start)
        elif (unknown := found["unknown"]) is not None:
            yield Token("unknown", unknown, start)


def _shown(text: str) -> str:
    """Return text in quotes, cut where it is long, for a message."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
