"""Whether a header computes what its network computes: compiled, run, and its tables read back.

Rule: only what was written counts. The numbers in its tables are those of the network, and on every
row that is compared the raw outputs, the bits and the words are, in the arithmetic that its comment
names; a warning of the compiler or a report of a sanitizer is a fault like a wrong bit.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import limits
from adderlab.bits import from_bits
from adderlab.blocks.numbers import counted
from adderlab.exporting.c import driver
from adderlab.exporting.c.compiler import FAST, REMEDY, SANITIZED, build, compiler
from adderlab.exporting.c.driver import Fault, Results
from adderlab.exporting.c.header import plan_of
from adderlab.exporting.c.names import base_name
from adderlab.exporting.c.plan import Plan
from adderlab.exporting.c.tables import read_tables
from adderlab.exporting.c.words import fits
from adderlab.exporting.comparison import Comparison, Fact
from adderlab.exporting.rows import Rows, rows_to_compare
from adderlab.exporting.subject import Paths, Run, Subject
from adderlab.exporting.wired import WIDTHS, operands_of, widths_text
from adderlab.nets.evaluation import evaluate
from adderlab.nets.readout import NO_BIT, OPEN, read_states
from adderlab.tasks.wirings import Cell, Wiring

if TYPE_CHECKING:
    from jaxtyping import UInt8

BLOCK_BYTES: Final = 1 << 25
"""Bytes that rows and their results may take at once."""

SANITIZED_WORK: Final = 1 << 30
"""Products that a program takes under sanitizers at most, in some seconds."""

LENGTHS: Final = (0, *WIDTHS, 1000)
"""Digits of numbers on which a cell with its wiring is run."""


def compare_c(files: Paths, subject: Subject) -> Comparison:
    """Return whether a header that was written computes what the network computes.

    Args:
        files: the header.
        subject: what it was made of.
    """
    base = base_name(subject.name)
    plan = plan_of(subject.network, base)
    text = files[""].read_text(encoding="utf-8")
    facts = _facts(plan)
    tables = read_tables(text)
    differences = (table.difference(base, tables) for table in plan.tables)
    fault = next((difference for difference in differences if difference), "")
    if fault:
        return Comparison(False, reason=fault)
    command = compiler()
    if command is None:
        return Comparison(None, reason=f"no C compiler is here; {REMEDY}", facts=facts)
    with tempfile.TemporaryDirectory(prefix="adderlab-") as own:
        folder = Path(own)
        _ = (folder / f"{base}.h").write_text(text, encoding="utf-8")
        _ = (folder / "main.c").write_text(driver.main_text(subject, plan, base), encoding="utf-8")
        fast = build(command, folder, FAST, "fast")
        if fast.program is None and fast.is_own_fault:
            reason = f"{command} compiles nothing ({fast.reason}); {REMEDY}"
            return Comparison(None, reason=reason, facts=facts)
        if fast.program is None:
            return Comparison(False, reason=f"it does not compile: {fast.reason}")
        sanitized = build(command, folder, SANITIZED, "sanitized")
        return _Check(subject, plan, fast.program, sanitized.program, facts).run()


def _facts(plan: Plan) -> tuple[Fact, ...]:
    size = plan.table_bytes
    return (Fact("weight_bytes", size, f"its tables of weights take {size} bytes"),)


@dataclass(frozen=True, slots=True, eq=False)
class _Check:
    """Programs of a header, held against its network.

    Attributes:
        subject: what it was made of.
        plan: how it computes.
        fast: compiled with optimization.
        sanitized: compiled with sanitizers; ``None`` where these are not installed.
        facts: what is known of the header.
    """

    subject: Subject
    plan: Plan
    fast: Path
    sanitized: Path | None
    facts: tuple[Fact, ...]

    def run(self) -> Comparison:
        """Return what all rows, and with a wiring numbers of all lengths, come to."""
        rows = rows_to_compare(self.subject.task)
        by = driver.version_of(self.fast) or "a C compiler"
        watched, others = self._sanitized_rows(rows)
        if self.sanitized is not None:
            by += f", and under ASan and UBSan{others}"
        done = 0
        for inputs in rows.blocks(self._block_rows):
            limits.check()
            expected = self._expected(inputs)
            programs = [(self.fast, len(inputs))]
            if self.sanitized is not None and done < watched:
                programs.append((self.sanitized, min(len(inputs), watched - done)))
            for program, count in programs:
                fault = self._difference(program, inputs[:count], expected)
                if fault:
                    return Comparison(False, done, by, fault)
            done += len(inputs)
        scope = rows.scope
        if scope:
            scope += ", and the numbers in its tables are the network's"
        wiring = self.subject.wiring
        if wiring is not None:
            numbers = list(_numbers(wiring))
            for program in filter(None, (self.fast, self.sanitized)):
                fault = self._wiring_fault(program, wiring, numbers)
                if fault:
                    return Comparison(False, done, by, fault)
            scope = f"all of the cell, and on {widths_text(LENGTHS)}"
        return Comparison(True, done, by, scope=scope, facts=self.facts)

    @property
    def _block_rows(self) -> int:
        task = self.subject.task
        size = 2 * task.n_in + 20 * task.n_out + 8 * (len(task.inputs) + len(task.outputs))
        return max(1 << 10, min(1 << 16, BLOCK_BYTES // size))

    def _sanitized_rows(self, rows: Rows) -> tuple[int, str]:
        """Return how many rows are run under sanitizers, and that in words where not all are."""
        work = sum(
            layer.weight.numbers.size for layer in self.plan.layers if layer.weight is not None
        )
        most = max(SANITIZED_WORK // max(work, 1), 64)
        if most >= rows.count:
            return rows.count, ""
        return most, f" on {most} of them"

    def _expected(self, inputs: UInt8[np.ndarray, "batch n_in"]) -> _Expected:
        """Return what the network gives: in the header's arithmetic, and what its bits are."""
        net, form = self.subject.network, self.plan.form
        if form is None:
            low, high = evaluate(net, inputs)
            return _Expected(_units(low, self.plan.exponent), read_states(net.readout, low, high))
        run = self._run
        computed = None if run is None else run(inputs)
        own = self.subject.in_own_format
        if own is None and computed is None:
            states = read_states(net.readout, *evaluate(net, inputs))
        else:
            of: Any = computed if own is None or form == net.format else own(inputs)
            states = of.states
        values = None if computed is None or not self.plan.has_exact_raw else computed.values
        return _Expected(values, states)

    @property
    def _run(self) -> Run | None:
        """What runs the network in the header's arithmetic; ``None`` where that is not defined."""
        form = self.plan.form
        assert form is not None
        is_own = self.subject.in_own_format is not None
        return self.subject.in_format(form if is_own else self.subject.network.format)

    def _difference(
        self, program: Path, inputs: UInt8[np.ndarray, "batch n_in"], expected: _Expected
    ) -> str:
        """Return where a program gives something else on rows, or nothing."""
        task = self.subject.task
        has_words = fits(task)
        words = _words(self.subject, inputs) if has_words else np.zeros((len(inputs), 1), "u8")
        count = len(task.outputs) if has_words else 1
        got = driver.run_rows(program, self.plan, inputs, words, count)
        if isinstance(got, Fault):
            return f"run, it fails: {got.reason}"
        return self._row_fault(got, inputs, expected, has_words=has_words)

    def _row_fault(self, got: Results, inputs: Any, expected: _Expected, *, has_words: bool) -> str:
        task = self.subject.task
        states = expected.states[: len(inputs)]
        wrong = (got.bits != states) & (states != OPEN)
        if wrong.any():
            row, unit = np.argwhere(wrong)[0].tolist()
            bit, own = int(got.bits[row, unit]), int(states[row, unit])
            return (
                f"for {self._row(inputs[row])} it gives {task.output_bits[unit]} = {_bit(bit)}, "
                f"and the network {_bit(own)}"
            )
        if expected.values is not None:
            values = expected.values[: len(inputs)]
            wrong = got.raw != values
            if wrong.any():
                row, unit = np.argwhere(wrong)[0].tolist()
                return (
                    f"for {self._row(inputs[row])} its raw output {task.output_bits[unit]} is "
                    f"{got.raw[row, unit]}, and the network's {values[row, unit]}"
                )
        if not has_words:
            return ""
        ones = task.in_words((got.bits == 1).astype(np.uint8))
        place = 0
        for number, word in enumerate(task.outputs):
            own = from_bits(ones[:, place : place + word.width])
            wrong = got.words[:, number] != own.astype(np.uint64)
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                return (
                    f"for {self._row(inputs[row])} its word {word.name} is "
                    f"{got.words[row, number]}, and its bits {own[row]}"
                )
            place += word.width
        return ""

    def _wiring_fault(self, program: Path, wiring: Wiring, numbers: list[list[bytes]]) -> str:
        """Return where a cell with its wiring gives something else on numbers, or nothing."""
        got = driver.run_numbers(program, numbers)
        if isinstance(got, Fault):
            return f"run on numbers, it fails: {got.reason}"
        cell = self._cell(wiring)
        for operands, (digits, carry) in zip(numbers, got, strict=True):
            own, last = wiring.run(cell, operands)
            if not wiring.digit:
                own = driver.UNWRITTEN * len(operands[0])
            if (digits, carry) != (bytes(own), last):
                return (
                    f"on numbers of {counted(len(operands[0]), 'digit')} it gives something else "
                    "than the network, digit by digit"
                )
        return ""

    def _cell(self, wiring: Wiring) -> Cell:
        """Return what the network gives on each input of the cell: a digit, and what it carries."""
        task = wiring.cell
        inputs = np.array(list(np.ndindex(*[2] * task.n_in)), dtype=np.uint8)
        ones = (self._expected(inputs).states == 1).astype(np.uint8)
        words = _words_of(self.subject, inputs)
        return {
            tuple(int(words[word.name][row]) for word in task.inputs): wiring.read(
                task.words_of(ones[row])
            )
            for row in range(len(inputs))
        }

    def _row(self, bits: Any) -> str:
        """Return the input words of a row, for people."""
        values = _words_of(self.subject, bits[None])
        return ", ".join(f"{name} = {int(value[0])}" for name, value in values.items())


@dataclass(frozen=True, slots=True, eq=False)
class _Expected:
    """What rows are to come to: raw outputs, where these are defined, and states."""

    values: Any
    states: Any


def _units(values: Any, exponent: int) -> Any:
    """Return exact values in units of ``2**exponent``, which all of them are multiples of."""
    if exponent <= values.exponent:
        return values.rescaled(exponent).integers
    unit = 1 << exponent - values.exponent
    assert not (values.integers % unit).any()
    return values.integers // unit


def _words_of(subject: Subject, inputs: Any) -> dict[str, Any]:
    """Return the input words of rows that are in a network's order."""
    task = subject.task
    places = {bit: place for place, bit in enumerate(task.input_bits)}
    return {
        word.name: from_bits(inputs[:, [places[bit] for bit in word.bits]]) for word in task.inputs
    }


def _words(subject: Subject, inputs: Any) -> Any:
    columns = [column.astype(np.uint64) for column in _words_of(subject, inputs).values()]
    return np.stack(columns, axis=1)


def _bit(state: int) -> str:
    return "no bit" if state == NO_BIT else str(state)


def _numbers(wiring: Wiring) -> Iterator[list[bytes]]:
    """Yield operands as digits, of no digit at all and of several widths, up to many."""
    for length in LENGTHS:
        for operands in operands_of(wiring, length) if length else [[[]] * len(wiring.operands)]:
            yield [bytes(digits) for digits in operands]
