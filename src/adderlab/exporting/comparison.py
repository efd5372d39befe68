"""What is said of a file after it was run: whether it computes what the network computes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Fact:
    """Something measured on a file: how many cells it takes, how many bytes its weights.

    Attributes:
        key: its name in JSON.
        value: for programs.
        sentence: for people.
    """

    key: str
    value: Any
    sentence: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A file beside its network.

    Attributes:
        equal: whether both compute the same on every row that was compared; ``None`` where nothing
            here could run it.
        rows: how many rows were compared.
        by: what ran the file: ``Node.js v24``.
        reason: of what is not equal, or could not be run.
        scope: which rows these were, where they are not all: see :func:`rows_to_compare`.
        facts: what else was measured.
    """

    equal: bool | None
    rows: int = 0
    by: str = ""
    reason: str = ""
    scope: str = ""
    facts: tuple[Fact, ...] = ()
