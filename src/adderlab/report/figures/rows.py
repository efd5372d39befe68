"""Which rows of a truth table are shown: all of a small one, else the wrong ones first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Final

from adderlab.nets import Network, is_exact
from adderlab.nets.truth import TruthRow, truth_rows
from adderlab.nets.walk import words_of
from adderlab.tasks import Task

LARGEST_TABLE: Final = 16
FEW: Final = 8
SCANNED: Final = 1024
"""Rows of a large task that are looked at in search of wrong ones; the verdict looks at all."""

SCANNED_SLOWLY: Final = 64
"""The same with tanh, whose bounds take a while, and of a large network."""

LARGEST_SCANNED: Final = 1_000_000
"""Parameters up to which a network is not large."""

MOST_BITS: Final = 16
"""Output bits up to which they are written one by one."""


@dataclass(frozen=True, slots=True)
class ShownRows:
    """The rows that are shown, and what was left out.

    Attributes:
        rows: in the task's order.
        total: how many the task has.
        scanned: how many were looked at, from the first.
        wrong: how many of these are wrong.
    """

    rows: tuple[TruthRow, ...]
    total: int
    scanned: int
    wrong: int

    @property
    def is_judged(self) -> bool:
        """Whether anything is expected of any row."""
        return any(bit is not None for row in self.rows for bit in row.expected)

    def distance(self, row: TruthRow) -> float | None:
        """Return how far the output nearest to the threshold, or farthest beyond it, is."""
        return min((one for one in row.distances if one is not None), default=None)

    @property
    def note(self) -> str:
        """One line on what is shown and what is not."""
        total = rows_text(self.total)
        if not self.is_judged:
            return "" if len(self.rows) == self.total else f"the first {len(self.rows)} of {total}"
        within = "" if self.scanned == self.total else f"the first {self.scanned} of "
        if len(self.rows) == self.total:
            return f"{self.total - self.wrong} of {total} right"
        if not self.wrong:
            return f"the first {len(self.rows)} rows; {within}{total} are looked at, all right"
        which = f"the first {len(self.rows)} wrong rows" if self.wrong > FEW else "the wrong rows"
        return f"{which}; {self.wrong} of {within}{total} are wrong"


def rows_to_show(net: Network, task: Task) -> ShownRows:
    """Return every row of a task of up to 16; of a larger one the first wrong rows, or rows."""
    slow = not is_exact(net) or net.parameters > LARGEST_SCANNED
    scanned = min(task.rows, SCANNED_SLOWLY if slow else SCANNED)
    rows = list(islice(truth_rows(net, task), scanned))
    wrong = [row for row in rows if not row.is_right]
    shown = rows if task.rows <= LARGEST_TABLE else (wrong or rows)[:FEW]
    return ShownRows(tuple(shown), task.rows, scanned, len(wrong))


def rows_text(rows: int) -> str:
    """Return a number of rows for people, a large one as a power of two where it is one."""
    if rows > 1 << 20:
        power = rows.bit_length() - 1
        return f"{'' if rows == 1 << power else 'over '}2^{power} rows"
    return f"{rows} rows"


def bits_text(task: Task, bits: tuple[int | None, ...], unknown: str) -> str:
    """Return output bits side by side, ``unknown`` where there is none; many as words."""
    if len(bits) <= MOST_BITS:
        return "".join(unknown if bit is None else str(bit) for bit in bits)
    words = words_of(task, bits)
    return ", ".join(f"{name} {unknown if one is None else one}" for name, one in words.items())


def inputs_text(row: TruthRow) -> str:
    """Return a row's input words: ``a 1, b 0``."""
    return ", ".join(f"{name} {value}" for name, value in row.inputs.items())
