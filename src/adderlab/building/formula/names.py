"""What a name in a formula stands for: a bit of a word, or a whole word's value.

Rule: names are looked up, never listed beforehand, so that a word of a million bits costs
nothing; a name that could mean two things means neither.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adderlab.tasks import Word

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
    found: list[Named] = []
    spare: list[Named] = []
    if word := by_name.get(name):
        found.append(Named(word, 0 if word.width == 1 else None))
    for cut in range(len(name) - 1, max(len(name) - _DIGITS, 1) - 1, -1):
        digits = name[cut:]
        if not digits.isdigit():
            break
        word = by_name.get(name[:cut])
        if word and digits == str(int(digits)) and int(digits) < word.width:
            (found if word.width > 1 else spare).append(Named(word, int(digits)))
    return found or spare


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
