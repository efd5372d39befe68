"""Names of words and bits, made identifiers of another language: each its own, none a keyword."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final

LONGEST: Final = 48
"""Characters of an identifier; what is longer is cut, and stays apart from its like."""

_OTHER: Final = re.compile(r"[^A-Za-z0-9_]")


def identifiers(names: Iterable[str], reserved: Collection[str] = ()) -> Mapping[str, str]:
    """Return an identifier for each name, in ASCII, no two of them alike whatever their case.

    A character that no identifier holds becomes ``_`` and its code; what begins with a digit, is
    empty, or is reserved gets an underscore behind it or before it. Of two names that become one
    identifier the later gets a number. Names that are identifiers already stay as they are.

    Args:
        names: as words, bits and files are called.
        reserved: keywords, and identifiers that are used already.

    Examples:
        >>> identifiers(["c", "module", "é", "c"], {"module"})
        {'c': 'c', 'module': 'module_', 'é': '_00e9'}
    """
    taken = {word.lower() for word in reserved}
    result: dict[str, str] = {}
    for name in names:
        if name in result:
            continue
        plain = _OTHER.sub(lambda match: f"_{ord(match[0]):04x}", name)[:LONGEST]
        if not plain or plain[0].isdigit():
            plain = f"_{plain}"
        if plain.lower() in taken:
            plain = f"{plain}_"
        own, number = plain, 2
        while own.lower() in taken:
            own = f"{plain}{number}"
            number += 1
        taken.add(own.lower())
        result[name] = own
    return result
