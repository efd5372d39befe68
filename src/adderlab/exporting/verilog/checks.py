"""What is checked: instances of the module, each with rows of its inputs and what it must give.

Rule: what is expected is what the network gives, in exact arithmetic, right or wrong. Of a cell
with its wiring it is what that cell gives, digit by digit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from adderlab.errors import NetworkError
from adderlab.exporting.rows import rows_to_compare
from adderlab.exporting.subject import Subject
from adderlab.exporting.verilog.module import is_known_right, network_of
from adderlab.exporting.verilog.names import WIDTH, Names, results_of
from adderlab.exporting.wired import WIDTHS, operands_of
from adderlab.nets.evaluation import outputs
from adderlab.nets.readout import NO_BIT, read_states
from adderlab.nets.running import batches
from adderlab.tasks import Task, Word
from adderlab.tasks.wirings import Wiring

if TYPE_CHECKING:
    from jaxtyping import UInt8

    Bits: TypeAlias = UInt8[np.ndarray, "batch n"]

BENCH_ROWS: Final = 1 << 10
"""Rows up to which a test bench holds all of them."""

CHOSEN_ROWS: Final = 1 << 8
"""Rows that it holds of more."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A module as it is instantiated.

    Attributes:
        module: its name.
        width: the wired module's parameter; ``None`` where there is none.
        inputs: its input ports, with their widths.
        outputs: its output ports.
    """

    module: str
    width: int | None
    inputs: Sequence[Word]
    outputs: Sequence[Word]

    @property
    def suffix(self) -> str:
        """What tells the names of this instance from those of others."""
        return "" if self.width is None else f"_{self.width}"

    @property
    def parameters(self) -> str:
        """What stands before the instance's name."""
        return "" if self.width is None else f"#(.{WIDTH}({self.width})) "

    @property
    def n_in(self) -> int:
        return sum(word.width for word in self.inputs)

    @property
    def n_out(self) -> int:
        return sum(word.width for word in self.outputs)


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """An instance with rows: the bits of its ports, one after the other, most significant first."""

    instance: Instance
    inputs: Bits
    expected: Bits


def plain_instance(task: Task, names: Names) -> Instance:
    """Return the module of a network, without a wiring."""
    own = [
        [Word(names.words[word.name], word.width) for word in words]
        for words in (task.inputs, task.outputs)
    ]
    return Instance(names.module, None, *own)


def bench_checks(subject: Subject, names: Names) -> list[Check]:
    """Return what the test bench checks: all rows, or of many some that lie evenly among them."""
    if subject.wiring is not None:
        return list(wired_checks(subject, subject.wiring, names))
    task = subject.task
    rows = np.concatenate(list(rows_to_compare(task, BENCH_ROWS).blocks()))
    if len(rows) > BENCH_ROWS:
        rows = rows[np.linspace(0, len(rows) - 1, CHOSEN_ROWS).astype(np.int64)]
    return [check_of(subject, names, rows)]


def check_of(subject: Subject, names: Names, rows: Bits) -> Check:
    """Return the check of a module on rows that are in the network's order."""
    task = subject.task
    places = {bit: place for place, bit in enumerate(task.input_bits)}
    own = [places[bit] for word in task.inputs for bit in word.bits]
    expected = task.in_words(bits_of(subject, rows))
    return Check(plain_instance(task, names), rows[:, own], expected)


def bits_of(subject: Subject, rows: Bits) -> Bits:
    """Return the bits that the module must give on rows, both in the network's order.

    Raises:
        NetworkError: an output is neither 0 nor 1 where the module relies on it.
    """
    net, _ = network_of(subject)
    parts = [read_states(net.readout, outputs(net, part)) for part in batches(net, rows)]
    states = np.concatenate(parts)
    if is_known_right(subject) and (states == NO_BIT).any():
        raise NetworkError(
            "an output is neither 0 nor 1, though the network is called proved",
            where="network",
            remedy="prove it again",
        )
    return (states == 1).astype(np.uint8)


def wired_checks(subject: Subject, wiring: Wiring, names: Names) -> Iterator[Check]:
    """Yield the checks of a wired module, at each of several widths."""
    cell = _Cell(subject, wiring)
    for width in WIDTHS:
        rows = operands_of(wiring, width)
        operands = [Word(names.ports[word.name], width * word.width) for word in cell.operands]
        results = [
            Word(names.ports[name], digits * width + carried)
            for name, digits, carried in results_of(wiring)
        ]
        rows_and_results = [[*cell.packed(digits), *cell.run(digits)] for digits in rows]
        n_in = sum(word.width for word in operands)
        bits = np.array(rows_and_results, dtype=np.uint8)
        yield Check(
            Instance(names.module, width, operands, results), bits[:, :n_in], bits[:, n_in:]
        )


class _Cell:
    """A cell as it is, on every row of bits, whatever is carried into it."""

    def __init__(self, subject: Subject, wiring: Wiring) -> None:
        task = subject.task
        words = {word.name: word for word in task.inputs}
        self.operands = [words[name] for name in wiring.operands]
        self._wiring = wiring
        self._carried = words[wiring.carried]
        bits = [bit for word in task.inputs for bit in word.bits]
        rows = np.array(list(np.ndindex(*[2] * task.n_in)), dtype=np.uint8)
        places = [bits.index(bit) for bit in task.input_bits]
        net, _ = network_of(subject)
        states = read_states(net.readout, outputs(net, rows[:, places]))
        results = task.in_words(states == 1)
        names = [bit for word in task.outputs for bit in word.bits]
        self._inputs = bits
        self._table: Mapping[tuple[int, ...], dict[str, int]] = {
            tuple(row): dict(zip(names, map(int, own), strict=True))
            for row, own in zip(rows.tolist(), results.tolist(), strict=True)
        }

    def run(self, digits: Sequence[Sequence[int]]) -> list[int]:
        """Return the bits of the digits that are collected, and of the last carry.

        Args:
            digits: of each operand, the lowest first.
        """
        wiring = self._wiring
        carry = _bits(wiring.first, self._carried.width)
        collected: list[int] = []
        for own in zip(*digits, strict=True):
            row = dict(zip(self._carried.bits, carry, strict=True))
            for word, digit in zip(self.operands, own, strict=True):
                row |= dict(zip(word.bits, _bits(digit, word.width), strict=True))
            row_outputs = self._table[tuple(row[bit] for bit in self._inputs)]
            collected = [*(row_outputs[bit] for bit in wiring.digit), *collected]
            carry = [row_outputs[bit] for bit in wiring.carry]
        return [*collected, *carry]

    def packed(self, digits: Sequence[Sequence[int]]) -> list[int]:
        """Return the bits of the operands' ports."""
        return [
            bit
            for word, own in zip(self.operands, digits, strict=True)
            for digit in reversed(own)
            for bit in _bits(digit, word.width)
        ]


def _bits(number: int, width: int) -> list[int]:
    return [number >> place & 1 for place in reversed(range(width))]
