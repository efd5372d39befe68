"""The truth table of a network: each row with what was expected, what came out, and how far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice

import numpy as np

from adderlab import fragments
from adderlab.nets.evaluation import enclose_row, is_exact, outputs, read_bits
from adderlab.nets.network import Network, Readout
from adderlab.tasks import Task


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
    threshold = net.readout.threshold
    for block in task.blocks(256):
        if is_exact(net):
            exact = outputs(net, block.inputs)
            bits, is_bit = read_bits(net.readout, exact)
            floats = exact.to_floats()
        else:
            ends = [enclose_row(net, row) for row in block.inputs]
            floats = np.array([[float((low + high) / 2) for low, high in row] for row in ends])
            read = [[_bit_of(net.readout, low, high) for low, high in row] for row in ends]
            bits = np.array([[bit or 0 for bit in row] for row in read], dtype=np.uint8)
            is_bit = np.array([[bit is not None for bit in row] for row in read])
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
                else (1 if bit else -1) * (float(row[i]) - threshold)
                for i, bit in enumerate(expected)
            )
            raw = tuple(float(value) for value in row)
            index = block.start + at
            yield TruthRow(index, task.row(index).inputs, expected, got, raw, distances)


def _bit_of(readout: Readout, low: Fraction, high: Fraction) -> int | None:
    """Return the bit of an output between two fractions; ``None`` where it is none or open."""
    if readout.kind == "exact":
        return int(low) if low == high and low in (0, 1) else None
    ends = [
        e > readout.threshold if readout.convention == ">" else e >= readout.threshold
        for e in (low, high)
    ]
    return int(ends[0]) if ends[0] == ends[1] else None


def truth_fragment(net: Network, task: Task, *, most: int = 16) -> str:
    """Return the truth table as HTML for a notebook: the first ``most`` rows of it."""
    rows = list(islice(truth_rows(net, task), most))
    return fragments.table(
        (*(word.name for word in task.inputs), "expected", "got", *task.output_bits),
        [
            (
                *row.inputs.values(),
                "".join("*" if bit is None else str(bit) for bit in row.expected),
                "".join("?" if bit is None else str(bit) for bit in row.got),
                *(f"{value:.4f}" for value in row.raw),
            )
            for row in rows
        ],
        marks=[row.is_right for row in rows],
        caption="" if task.rows <= most else f"the first {most} of {task.rows} rows",
    )
