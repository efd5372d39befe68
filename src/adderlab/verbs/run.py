"""``run``: what a network computes for given input words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks import Block, Line, Result, Table, note_lines
from adderlab.blocks.numbers import counted, decimal, digits
from adderlab.checking import checked
from adderlab.nets import Network
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.running import InputWords, batches, bits_or_none, input_words, words_to_bits
from adderlab.nets.sources import ordered_task, read_source, task_of
from adderlab.nets.walk import json_number, nameless_task, words_of
from adderlab.proving.running import EXACT, Arithmetic, Outputs, arithmetic_of
from adderlab.tasks import Task, TaskLike
from adderlab.tasks.order import Names

if TYPE_CHECKING:
    from torch import nn

NO_WORD: Final = "?"
"""What stands for a word of which an output is no bit."""

MOST_COLUMNS: Final = 5
"""Outputs up to which their raw values stand in the table."""


@dataclass(frozen=True, slots=True)
class ComputedRow:
    """What the network computes for one input.

    Attributes:
        input: the input words.
        got: the output words; ``None`` where an output is no bit.
        outputs: the raw outputs, most significant first: fractions; infinities and NaN as floats.
        is_exact: whether these are the outputs themselves; of tanh in exact arithmetic they are
            the middle of two bounds.
    """

    input: dict[str, int]
    got: dict[str, int | None]
    outputs: tuple[Fraction | float, ...]
    is_exact: bool = True

    def to_dict(self) -> dict[str, Any]:
        return {
            "input": self.input,
            "got": self.got,
            "output": [json_number(value) for value in self.outputs],
            "output_exact": [str(value) if self.is_exact else None for value in self.outputs],
        }

    def words_text(self) -> str:
        """Return the output words as input words are written: ``12``, or ``0,1,0``."""
        return ",".join(NO_WORD if v is None else digits(v) for v in self.got.values())

    def raw_text(self) -> str:
        """Return the raw outputs: whole ones in full, others to the nearest double."""
        return ",".join(map(_raw, self.outputs))


@dataclass(frozen=True, slots=True, eq=False)
class Computed(Result):
    """What a network computes for given inputs.

    Attributes:
        network: the network.
        task: names the words; ``None`` where no task is known.
        semantics: the arithmetic: ``exact``, or a format and the order of its sums.
        rows: in the order of the inputs.
        notes: what had to be assumed in reading the network.
    """

    network: Network
    task: Task | None
    semantics: str
    rows: tuple[ComputedRow, ...]
    notes: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        return {
            "task": self.task.name if self.task is not None else None,
            "readout": str(self.network.readout),
            "semantics": self.semantics,
            "results": [row.to_dict() for row in self.rows],
            "notes": list(self.notes),
        }

    def lines(self, *, raw: bool = False) -> Iterator[str]:
        """Yield a line for each input: its output words, or its raw outputs."""
        return (row.raw_text() if raw else row.words_text() for row in self.rows)

    def blocks(self) -> tuple[Block, ...]:
        """Return the words in and out as a table, with the raw outputs where these are few."""
        words = self.task or nameless_task(self.network)
        bits = words.output_bits if words.n_out <= MOST_COLUMNS else ()
        names = [word.name for word in (*words.inputs, *words.outputs)]
        table = Table(
            (*names, *(f"raw {bit}" for bit in bits)),
            tuple(
                (
                    *(digits(value) for value in row.input.values()),
                    *(NO_WORD if value is None else digits(value) for value in row.got.values()),
                    *(decimal(value) for value in row.outputs[: len(bits)]),
                )
                for row in self.rows
            ),
        )
        arithmetic = f"in {'exact arithmetic' if self.semantics == EXACT else self.semantics}"
        return (
            *note_lines(self.notes),
            table,
            Line(f"{arithmetic}; readout {self.network.readout}", "quiet"),
        )

    def __repr__(self) -> str:
        return f"Computed for {counted(len(self.rows), 'input')}: {'; '.join(self.lines())[:200]}"


@dataclass(frozen=True, slots=True, eq=False)
class Runner:
    """A network that was read once, to be run on inputs as they come.

    Attributes:
        network: as it was read.
        task: names the words; ``None`` where no task is known.
        arithmetic: what it is run in.
        notes: what had to be assumed in reading it.
    """

    network: Network
    task: Task | None
    arithmetic: Arithmetic
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> Task:
        """The task, or one of the network's shape that expects nothing."""
        return self.task or nameless_task(self.network)

    def words(self, words: InputWords) -> dict[str, int]:
        """Return the words of one input.

        Raises:
            TaskError: it is none of the task's.
        """
        return input_words(self.target, words)

    def run(self, inputs: Sequence[InputWords]) -> Computed:
        """Return what the network computes for the inputs.

        Raises:
            TaskError: an input is none of the task's.
        """
        target = self.target
        rows = [input_words(target, words) for words in inputs]
        bits = words_to_bits(target, rows) if rows else None
        computed: list[ComputedRow] = []
        for part in batches(self.network, bits) if bits is not None else ():
            outputs = self.arithmetic.outputs(part)
            for at in range(len(part)):
                got = words_of(target, bits_or_none(outputs.states[at]))
                raw = _raw_outputs(outputs, at)
                is_exact = outputs.low is outputs.high
                computed.append(ComputedRow(rows[len(computed)], got, raw, is_exact))
        return Computed(
            self.network, self.task, self.arithmetic.semantics, tuple(computed), self.notes
        )


def runner(
    model: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    format: str = EXACT,
) -> Runner:
    """Return a network ready to be run on many inputs; the arguments are those of :func:`run`."""
    task = ordered_task(model, task, bits=bits, inputs=inputs, outputs=outputs)
    source = read_source(model, task)
    net = source.network
    is_known = task is not None or net.task is not None
    known = task_of(net, task) if is_known else None
    return Runner(
        net, known, arithmetic_of(net, format), (*source.notes, *(known.remarks if known else ()))
    )


@checked
def run(
    model: Network | str | Path | nn.Module,
    *words: InputWords,
    task: TaskLike | None = None,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    format: str = EXACT,
) -> Computed:
    """Return what a network computes for the given input words, at any width.

    Nothing is judged: whether the outputs are right, :func:`adderlab.prove` says. For arrays of
    bits there is :meth:`adderlab.Network.run`.

    Args:
        model: a network, the path of its file, or a PyTorch module.
        *words: the words of one input each: ``"5,7"``, ``(5, 7)`` or ``{"a": 5, "b": 7}``.
        task: a task, its name or a table, which names the words, if not the network's own. Without
            any, they are ``x1``, ``x2`` and so on, one word ``x`` beyond 8 inputs.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.
        format: a number format, in whose arithmetic it is run, the sums taken from left to right;
            or ``exact``.

    Raises:
        TaskError: an input is none of the task's, or the task does not fit.
        FormatError: there is no such format, or it can't hold the network.
        NetworkFileError: the file is not a network.
        ModelError: neither a network, a path nor a module.

    Examples:
        >>> import adderlab
        >>> adder = adderlab.build("adder:64", method="prefix")
        >>> adderlab.run(adder, (12345678901234567890, 1), "0,0").rows[0].got
        {'c': 12345678901234567891}
    """
    ready = runner(model, task, bits=bits, inputs=inputs, outputs=outputs, format=format)
    return ready.run(words)


def _raw_outputs(outputs: Outputs, at: int) -> tuple[Fraction | float, ...]:
    """Return one row's raw outputs: the middle of the two ends where these differ."""
    low, high = outputs.low, outputs.high
    if isinstance(low, Dyadic):
        return tuple(low.at(at, unit) for unit in range(low.shape[1]))
    middles = low[at] if low is high else (low[at] + np.asarray(high)[at]) / 2
    return tuple(
        value if isinstance(value, float) and not np.isfinite(value) else Fraction(value)
        for value in middles.tolist()
    )


def _raw(value: Fraction | float) -> str:
    if isinstance(value, float):
        return str(value)  # inf, -inf, nan
    if value.denominator == 1:
        return digits(value.numerator)
    try:
        return repr(float(value))
    except OverflowError:
        return digits(round(value))
