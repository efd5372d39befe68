"""The truth table of a network: each row with what was expected, what came out, and how far.

Of a large task only some rows are shown: the wrong ones first; where none is found, rows from all
over the table, so that an adder's have carries and long ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Final

from adderlab.blocks import Table
from adderlab.blocks.numbers import decimal, fixed
from adderlab.nets.dyadic import Dyadic, nearest_doubles
from adderlab.nets.evaluation import evaluate, is_exact
from adderlab.nets.network import Network
from adderlab.nets.readout import read_bits
from adderlab.nets.walk import block_of_rows, words_of
from adderlab.tasks import RowBlock, Task

LARGEST_TABLE: Final = 16
FEW: Final = 8
SCANNED: Final = 1024
"""Rows of a large task that are looked at in search of wrong ones; the verdict looks at all."""

SCANNED_SLOWLY: Final = 64
"""The same with tanh, whose bounds take a while, and of a large network."""

LARGEST_SCANNED: Final = 1_000_000
"""Parameters up to which a network is not large."""

_THIRD, _GOLDEN = Fraction(1, 3), Fraction(610, 987)
SPREAD: Final[tuple[tuple[Fraction | int | None, ...], ...]] = (
    (0,),
    (None, 1),
    (1, None),
    (1,),
    (_THIRD, 2 * _THIRD),
    (_THIRD, _GOLDEN),
    (_GOLDEN, 2 * _THIRD),
    (_GOLDEN,),
)
"""Rows that are shown of a large table: each word as a share of its largest value, ``None`` for the
value 1. A third has the bits 0101..., and near the golden ratio no bits repeat."""

MOST_COLUMNS: Final = 5
"""Outputs up to which each has a column of its own."""

MOST_BITS: Final = 16
"""Output bits up to which they are written one by one."""


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One row of a network's truth table.

    Attributes:
        index: the row's number.
        inputs: the input words.
        expected: the output bits, ``None`` where any will do.
        got: the network's bits, ``None`` where an output is no bit.
        raw: the raw outputs, to the nearest double.
        distances: each output's signed distance to the threshold, positive on the right side;
            ``None`` where any value will do or the readout is exact.
    """

    index: int
    inputs: dict[str, int]
    expected: tuple[int | None, ...]
    got: tuple[int | None, ...]
    raw: tuple[float, ...]
    distances: tuple[float | None, ...]

    @property
    def is_right(self) -> bool:
        """Whether every output bit that matters is as expected."""
        return all(e is None or e == g for e, g in zip(self.expected, self.got, strict=True))


def truth_rows(net: Network, task: Task) -> Iterator[TruthRow]:
    """Yield the rows in order; bits are exact, raw outputs rounded to the nearest double."""
    for block in task.blocks(256):
        indices = range(block.start, block.start + len(block.inputs))
        yield from _rows_of(net, task, block, indices)


def _rows_of(
    net: Network, task: Task, block: RowBlock, indices: Sequence[int]
) -> Iterator[TruthRow]:
    """Yield the rows of a block, which have the given numbers."""
    if len(indices):
        low, high = evaluate(net, block.inputs)
        bits, is_bit = read_bits(net.readout, low, high)
        floats = low.to_floats() if isinstance(low, Dyadic) else nearest_doubles((low + high) / 2)
        for at, row in enumerate(floats):
            cares = None if block.cares is None else block.cares[at]
            expected = tuple(
                None if cares is not None and not cares[i] else int(bit)
                for i, bit in enumerate(block.expected[at])
            )
            got = tuple(int(bit) if is_bit[at][i] else None for i, bit in enumerate(bits[at]))
            distances = tuple(
                None
                if bit is None or net.readout.kind == "exact"
                else net.readout.distance(float(row[i]), bit)
                for i, bit in enumerate(expected)
            )
            raw = tuple(float(value) for value in row)
            index = indices[at]
            yield TruthRow(index, task.row(index).inputs, expected, got, raw, distances)


@dataclass(frozen=True, slots=True)
class ShownRows:
    """The rows that are shown, and what was left out.

    Attributes:
        rows: in the task's order.
        total: how many the task has.
        scanned: how many were looked at, from the first.
        wrong: how many of those looked at are wrong.
        elsewhere: how many more were looked at, all over the rest of the table.
    """

    rows: tuple[TruthRow, ...]
    total: int
    scanned: int
    wrong: int
    elsewhere: int = 0

    @property
    def is_judged(self) -> bool:
        """Whether anything is expected of any row."""
        return any(bit is not None for row in self.rows for bit in row.expected)

    def distance(self, row: TruthRow) -> float | None:
        """Return how far the output nearest to the threshold, or farthest beyond it, is."""
        return min((value for value in row.distances if value is not None), default=None)

    @property
    def note(self) -> str:
        """One line on what is shown and what is not."""
        total = rows_text(self.total)
        if not self.is_judged:
            return "" if len(self.rows) == self.total else f"{len(self.rows)} of {total}"
        others = f" and {self.elsewhere} others" if self.elsewhere else ""
        within = "" if self.scanned == self.total else f"the first {self.scanned}{others} of "
        if len(self.rows) == self.total:
            return f"{self.total - self.wrong} of {total} right"
        if not self.wrong:
            where = f"{len(self.rows)} rows from all over the table"
            return f"{where}; {within}{total} are looked at, all right"
        which = f"the first {len(self.rows)} wrong rows" if self.wrong > FEW else "the wrong rows"
        return f"{which}; {self.wrong} of {within}{total} are wrong"


def rows_to_show(net: Network, task: Task) -> ShownRows:
    """Return every row of a task of up to 16; of a larger one wrong rows, or some all over it."""
    slow = not is_exact(net) or net.parameters > LARGEST_SCANNED
    scanned = min(task.rows, SCANNED_SLOWLY if slow else SCANNED)
    rows = list(islice(truth_rows(net, task), scanned))
    spread = spread_rows(task)
    beyond = [index for index in spread if index >= scanned]
    if beyond:
        block = block_of_rows(task, [task.row(index).inputs for index in beyond])
        rows += _rows_of(net, task, block, beyond)
    wrong = [row for row in rows if not row.is_right]
    typical = [row for row in rows if row.index in spread]
    shown = rows if task.rows <= LARGEST_TABLE else (wrong or typical)[:FEW]
    return ShownRows(tuple(shown), task.rows, scanned, len(wrong), len(beyond))


def spread_rows(task: Task) -> list[int]:
    """Return the numbers of a few rows all over the table, in order.

    Among them all words 0, all words at their largest, each beside a 1, and bits in patterns: for
    an adder the longest carry, a carry out of every place, and none.
    """
    picked: set[int] = set()
    for pattern in SPREAD:
        words: dict[str, int] = {}
        for at, word in enumerate(task.inputs):
            share = pattern[at % len(pattern)]
            words[word.name] = (
                min(1, word.size - 1) if share is None else int(share * (word.size - 1))
            )
        picked.add(task.index_of(words))
    more = (index for index in range(task.rows) if index not in picked)
    return sorted({*picked, *islice(more, max(0, FEW - len(picked)))})


def truth_table(
    task: Task, shown: ShownRows, *, distances: bool = False, caption: str | None = None
) -> Table:
    """Return rows of a network's truth table: expected, got, raw outputs, right or wrong.

    Args:
        task: what the network is held against.
        shown: which rows, as :func:`rows_to_show` chose them.
        distances: whether a column says how far each row is from the threshold.
        caption: of the table; left out, it says which rows these are where some are missing.
    """
    apart = task.n_out <= MOST_COLUMNS
    outputs = f"{task.output_bits[0]} to {task.output_bits[-1]}"
    nearest = [shown.distance(row) for row in shown.rows]
    distances = distances and any(distance is not None for distance in nearest)
    columns = [word.name for word in task.inputs]
    columns += ["expected", "got"] if shown.is_judged else ["got"]
    if task.n_out <= MOST_BITS:  # of wider outputs the words say it, and the JSON has the numbers
        columns += task.output_bits if apart else [outputs]
    columns += ["distance"] if distances else []
    cells: list[tuple[str, ...]] = []
    for row, distance in zip(shown.rows, nearest, strict=True):
        line = [*map(str, row.inputs.values())]
        line += [bits_text(task, row.expected, "*")] if shown.is_judged else []
        line.append(bits_text(task, row.got, "?"))
        if task.n_out <= MOST_BITS:
            raw = [fixed(value) for value in row.raw]
            line += raw if apart else ["  ".join(raw)]
        if distances:
            line.append("" if distance is None else decimal(distance))
        cells.append(tuple(line))
    return Table(
        tuple(columns),
        tuple(cells),
        marks=tuple(row.is_right for row in shown.rows) if shown.is_judged else (),
        caption=(shown.note if len(shown.rows) < shown.total else "")
        if caption is None
        else caption,
        left=(outputs,) if outputs in columns and not apart else (),
    )


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
    return ", ".join(
        f"{name} {unknown if value is None else value}" for name, value in words.items()
    )


def inputs_text(row: TruthRow) -> str:
    """Return a row's input words: ``a 1, b 0``."""
    return ", ".join(f"{name} {value}" for name, value in row.inputs.items())
