"""The rows on which a file is run: all of them, or where they are too many, chosen ones.

Rule: beyond :data:`MOST_ROWS` a run shows no equality, so a target compares the structure too: the
numbers that stand in the file against those of the network.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.bits import integer_dtype
from adderlab.blocks.numbers import counted
from adderlab.tasks import Task
from adderlab.tasks.wording import named

if TYPE_CHECKING:
    from jaxtyping import UInt8

MOST_ROWS: Final = 1 << 20
"""Rows up to which all are compared."""

RANDOM_ROWS: Final = 1 << 12
"""Random rows that are compared otherwise, beside the boundary ones."""

BLOCK_ROWS: Final = 1 << 14


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows that are compared.

    Attributes:
        task: whose rows they are.
        count: how many.
        scope: which, in words; empty where they are all.
    """

    task: Task
    count: int
    scope: str = ""

    def blocks(self, size: int = BLOCK_ROWS) -> Iterator[UInt8[np.ndarray, "batch n_in"]]:
        """Yield the rows as bits, most significant first, ``size`` at a time, in order."""
        if not self.scope:
            yield from (block.inputs for block in self.task.blocks(size))
            return
        chosen = _chosen(self.task)
        for start in range(0, len(chosen), size):
            part = np.array(chosen[start : start + size], dtype=_dtype(self.task))
            yield self.task.input_rows(self.task.input_words(part))


def rows_to_compare(task: Task, most: int = MOST_ROWS) -> Rows:
    """Return all rows of a task, or where they are more than ``most``, chosen ones."""
    if task.rows <= most:
        return Rows(task, task.rows)
    chosen = _chosen(task)
    return Rows(task, len(chosen), f"boundary and random ones of {_size(task.rows)}")


def _size(rows: int) -> str:
    is_power = rows & (rows - 1) == 0
    return f"2^{rows.bit_length() - 1}" if is_power else counted(rows, "row")


def _dtype(task: Task) -> np.dtype:
    return np.dtype(integer_dtype((task.rows - 1).bit_length()))


def _chosen(task: Task) -> list[int]:
    """Return row numbers: every word at its ends and at powers of two, then random rows."""
    low = {word.name: 0 for word in task.inputs}
    high = {word.name: word.size - 1 for word in task.inputs}
    rows = [low, high]
    for word in task.inputs:
        ends = [value for bit in range(word.width) for value in (1 << bit, (1 << bit) - 1)]
        values = dict.fromkeys([*ends, word.size - 1])
        rows += [
            {**base, word.name: value}
            for base in (low, high)
            for value in values
            if value < word.size
        ]
    numbers = [task.index_of(row) for row in rows]
    draw = random.Random(0)  # noqa: S311 -- rows to try, no secret
    numbers += [draw.randrange(task.rows) for _ in range(RANDOM_ROWS)]
    return sorted(set(numbers))


def row_text(task: Task, bits: UInt8[np.ndarray, " n_in"]) -> str:
    """Return a row of bits as its words with their values: ``a = 1, b = 0``."""
    values = dict(zip(task.input_bits, bits.tolist(), strict=True))
    words = {word.name: sum_bits([values[bit] for bit in word.bits]) for word in task.inputs}
    return named(words)


def sum_bits(bits: list[int]) -> int:
    """Return the whole number whose bits these are, most significant first."""
    value = 0
    for bit in bits:
        value = value << 1 | bit
    return value
