"""Words with their values, as people write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adderlab.blocks.numbers import digits

NO_BITS: Final = "no bits"
"""What is said of a word of which an output is no bit, under an exact readout."""


def sum_of(words: Mapping[str, int | None]) -> str:
    """Return input words as people write them: ``1 + 1``, or ``a = 1, b = 0, cin = 1``."""
    values = [digits(value) for value in words.values() if value is not None]
    if list(words) == ["a", "b"] and len(values) == 2:
        return " + ".join(values)
    return named(words)


def named(words: Mapping[str, int | None], *, other: str = "any") -> str:
    """Return words with their values: ``c = 3``; ``other`` where there is none."""
    texts = {name: other if value is None else digits(value) for name, value in words.items()}
    return ", ".join(f"{name} = {text}" for name, text in texts.items())
