"""``compare``: whether two networks give the same bits on every input.

Rule: an output is in one of three states under its network's own readout: 0, 1, or no bit at all
(under an exact readout, any other value). Networks are equal where all their outputs are in the
same states; two outputs that are no bits count as the same. What is equal was proved, what
differs was replayed by exact evaluation of that input alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adderlab.blocks import Block, Line, Result, VerdictLine
from adderlab.blocks.numbers import counted, significant
from adderlab.errors import NetworkError
from adderlab.formats import FP64
from adderlab.nets import Network, is_exact, to_bytes
from adderlab.nets.enclosure import Machine
from adderlab.nets.evaluation import row_ends
from adderlab.nets.readout import NO_BIT, OPEN, read_states
from adderlab.nets.sources import read_source, task_of
from adderlab.nets.walk import json_number, nameless_task, words_of
from adderlab.proving.budget import Budget, CapReached
from adderlab.proving.choice import ENUMERABLE_ROWS, about
from adderlab.proving.diagrams import (
    ORDERS,
    Diagrams,
    Function,
    States,
    states_of,
    variable_order,
)
from adderlab.proving.enumeration import block_rows, read_closely, rows_at
from adderlab.proving.verdict import Outcome
from adderlab.tasks import Task, Word
from adderlab.tasks.wording import named, sum_of

if TYPE_CHECKING:
    from jaxtyping import UInt8
    from torch import nn


@dataclass(frozen=True, slots=True)
class Side:
    """What one network gives on an input.

    Attributes:
        words: the words that its bits make; ``None`` where an output is no bit.
        bits: its bits; ``None`` where an output is no bit.
        output: its raw outputs, exactly; of a network with tanh, the middles of enclosures.
    """

    words: dict[str, int | None]
    bits: tuple[int | None, ...]
    output: tuple[Fraction, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return words, bits, ``output`` as numbers, and ``output_exact`` as strings."""
        return {
            "words": self.words,
            "bits": list(self.bits),
            "output": [json_number(value) for value in self.output],
            "output_exact": [str(value) for value in self.output],
        }

    def raw(self) -> str:
        """Return the raw outputs as decimals."""
        return ", ".join(map(significant, self.output))

    def __str__(self) -> str:
        if None not in self.words.values():
            return named(self.words)
        return "bits " + "".join("?" if bit is None else str(bit) for bit in self.bits)


@dataclass(frozen=True, slots=True)
class Difference:
    """An input on which two networks give different bits: the first one, if it was enumerated."""

    input: dict[str, int]
    first: Side
    second: Side

    def to_dict(self) -> dict[str, Any]:
        """Return the ``input``, and what the ``first`` and the ``second`` network give on it."""
        return {
            "input": self.input,
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
            "semantics": "exact",
        }

    def __str__(self) -> str:
        return f"{sum_of(self.input)} gives {self.first} by the first, {self.second} by the second"


@dataclass(frozen=True, slots=True)
class Comparison(Result):
    """Whether two networks are equal on every input, in exact arithmetic.

    Attributes:
        verdict: ``proved`` equal, ``refuted`` with an input, or ``unknown`` with the reason.
        method: ``enumerated``, ``diagram``, or ``identical`` of the same parameters and readout.
        task: whose inputs they were compared on; ``None`` for all inputs of that many bits.
        rows: the number of inputs that the verdict is about.
        rows_equal: on how many of them they are equal, if that is known.
        counterexample: an input on which they differ; by enumeration, the first one.
        reason: why it is unknown.
        seconds: how long it took.
        notes: what had to be assumed.
    """

    verdict: Outcome
    method: str
    task: str | None
    rows: int
    rows_equal: int | None = None
    counterexample: Difference | None = None
    reason: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return self.verdict == "proved"

    def to_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "method": self.method,
            "semantics": "exact",
            "task": self.task,
            "rows": self.rows,
            "rows_equal": self.rows_equal,
            "counterexample": self.counterexample.to_dict() if self.counterexample else None,
            "reason": self.reason or None,
            "seconds": round(self.seconds, 6),
            "notes": list(self.notes),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return notes on the reading, the verdict, and an input where they differ."""
        notes = tuple(Line(f"note: {note}", "quiet") for note in self.notes)
        details: list[str] = []
        if self.counterexample is not None:
            first, second = self.counterexample.first.raw(), self.counterexample.second.raw()
            details.append(f"counterexample: {self.counterexample}")
            details.append(f"raw outputs there: {first} by the first; {second} by the second")
        details.append(f"{self.method}, {self.seconds:.3f} s")
        text = f"in exact arithmetic: {self.summary()}"
        return (*notes, VerdictLine(self.verdict, text, tuple(details)))

    def summary(self) -> str:
        """Return one line without the verdict: ``equal on all 4 inputs of half-adder``."""
        of_task = f" of {self.task}" if self.task is not None else ""
        rows = f"{counted(self.rows, 'input')}{of_task}"
        if self.verdict == "proved":
            return f"equal on all {rows}"
        if self.verdict == "unknown":
            return self.reason
        if self.rows_equal is None:
            return f"different, on how many of {rows} is not known"
        return f"different on {self.rows - self.rows_equal} of {rows}"

    def __repr__(self) -> str:
        where = f": {self.counterexample}" if self.counterexample else ""
        return f"Comparison: {self.verdict} in exact arithmetic: {self.summary()}{where}"


def compare(
    first: Network | str | Path | nn.Module,
    second: Network | str | Path | nn.Module,
    task: Task | str | None = None,
    *,
    timeout_s: float = 10.0,
) -> Comparison:
    """Return whether two networks give the same bits on every input.

    Up to 2^20 inputs are enumerated, more are compared as diagrams on one table, where equal
    functions are the same node.

    Args:
        first: a network, the path of a network file, or a PyTorch module.
        second: another one, with as many inputs and outputs.
        task: whose inputs to compare on; left out, the one that the networks were built for,
            and all inputs where they name none, or two.
        timeout_s: seconds that it may take.

    Raises:
        NetworkError: the networks differ in inputs or outputs.
        OptionError: the timeout is not above 0.
        TaskError: the task does not fit.
        NetworkFileError: a file is not a network.
        ModelError: a module's ``forward`` can't be read.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> print(compare(lecture, adderlab.repair(lecture).network).counterexample)
        1 + 1 gives c = 3 by the first, c = 2 by the second
    """
    start = time.perf_counter()
    budget = Budget.of(timeout_s)
    sources = read_source(first), read_source(second)
    nets = (sources[0].network, sources[1].network)
    check_same_shape(
        *nets, names=(name_of(first, "first network"), name_of(second, "second network"))
    )
    known = common_task(*nets, task)
    domain = known or nameless_task(nets[0])
    notes = [note for source in sources for note in source.notes]
    if known is None and (names := [net.task.name for net in nets if net.task is not None]):
        notes.append(f"the tasks {' and '.join(names)} differ, so all inputs are compared")
    if _bare(nets[0]) == _bare(nets[1]):
        comparison = _base(domain, "identical", "proved")
    elif domain.rows <= ENUMERABLE_ROWS:
        comparison = _enumerated(*nets, domain, budget)
    elif all(map(is_exact, nets)):
        comparison = _by_diagrams(*nets, domain, budget)
    else:
        comparison = _base(
            domain,
            "diagram",
            "unknown",
            f"tanh is decided by enumeration alone, and {about(domain.rows)} inputs are too many",
        )
    return replace(
        comparison,
        task=known.name if known is not None else None,
        seconds=time.perf_counter() - start,
        notes=tuple(dict.fromkeys(notes)),
    )


def check_same_shape(
    first: Network, second: Network, *, names: tuple[str, str] = ("first network", "second network")
) -> None:
    """Raise where two networks differ in their numbers of inputs or outputs.

    Raises:
        NetworkError: with all four numbers.
    """
    if (first.n_in, first.n_out) != (second.n_in, second.n_out):
        raise NetworkError(
            f"{counted(first.n_in, 'input')} and {counted(first.n_out, 'output')} there, "
            f"{second.n_in} and {second.n_out} here",
            where=f"{names[0]} and {names[1]}",
            remedy="only networks with as many inputs and outputs can be compared",
        )


def common_task(first: Network, second: Network, task: Task | str | None) -> Task | None:
    """Return the task given, or the one that both networks, or the only one, were built for.

    Raises:
        TaskError: there is none of that name, or it does not fit.
    """
    if task is not None:
        return task_of(first, task)
    own = [net.task for net in (first, second) if net.task is not None]
    return own[0] if own and own[0] == own[-1] else None


def name_of(model: object, otherwise: str) -> str:
    """Return the path that a model was given by, or what to call it otherwise."""
    return str(model) if isinstance(model, str | Path) else otherwise


def _bare(net: Network) -> bytes:
    """Return the bytes of what a network computes with, without what it is meant for."""
    return to_bytes(replace(net, task=None, training=None))


def _base(task: Task, method: str, verdict: Outcome, reason: str = "") -> Comparison:
    rows_equal = task.rows if verdict == "proved" else None
    return Comparison(verdict, method, task.name, task.rows, rows_equal, reason=reason)


def _enumerated(first_net: Network, second: Network, task: Task, budget: Budget) -> Comparison:
    nets = (first_net, second)
    machines = [Machine(net, FP64) if Machine.can_run(net) else None for net in nets]
    different = 0
    first: int | None = None
    open_rows: list[int] = []
    stopped = ""
    for block in task.blocks(min(map(block_rows, nets))):
        try:
            budget.check()
        except CapReached as cap:
            stopped = f"{cap} after {block.start} of {task.rows} inputs"
            break
        left, right = (
            _states(net, machine, block.inputs) for net, machine in zip(nets, machines, strict=True)
        )
        is_open = (left == OPEN) | (right == OPEN)
        differs = ((left != right) & ~is_open).any(axis=1)
        open_rows += (block.start + np.flatnonzero(is_open.any(axis=1) & ~differs)).tolist()
        different += int(differs.sum())
        if first is None and differs.any():
            first = block.start + int(np.argmax(differs))
    if first is not None:
        rows_equal = None if open_rows or stopped else task.rows - different
        return replace(
            _base(task, "enumerated", "refuted"),
            rows_equal=rows_equal,
            counterexample=difference_at(first_net, second, task, first),
        )
    if stopped:
        return _base(task, "enumerated", "unknown", stopped)
    if open_rows:
        inputs = sum_of(task.row(open_rows[0]).inputs)
        reason = f"{counted(len(open_rows), 'row')} could not be decided, the first {inputs}"
        return _base(task, "enumerated", "unknown", reason)
    return _base(task, "enumerated", "proved")


def _states(
    net: Network, machine: Machine | None, inputs: UInt8[np.ndarray, "batch n_in"]
) -> UInt8[np.ndarray, "batch n_out"]:
    """Return each output's state: from bounds where these are clear, exactly elsewhere."""
    states = np.full((len(inputs), net.n_out), OPEN, dtype=np.uint8)
    if machine is not None:
        states = read_states(net.readout, *machine.enclose(inputs).ends())
    rest = np.flatnonzero((states == OPEN).any(axis=1))
    if rest.size:
        states[rest] = read_closely(net, inputs[rest])
    return states


def difference_at(first: Network, second: Network, task: Task, index: int) -> Difference:
    """Return what both networks give on row ``index``, by exact evaluation of that row alone."""
    inputs = rows_at(np.array([index]), task).inputs[0]
    sides: list[Side] = []
    states: list[list[int]] = []
    for net in (first, second):
        read = read_closely(net, inputs[None])[0].tolist()
        ends = row_ends(net, inputs)
        bits = tuple(state if state < NO_BIT else None for state in read)
        raw = tuple((low + high) / 2 for low, high in ends)
        sides.append(Side(words_of(task, bits), bits, raw))
        states.append(read)
    differs = any(a != b and OPEN not in (a, b) for a, b in zip(*states, strict=True))
    assert differs, "the replay of a counterexample found no difference"
    return Difference(task.row(index).inputs, *sides)


def _by_diagrams(first: Network, second: Network, task: Task, budget: Budget) -> Comparison:
    """Return the verdict by diagrams; every variable order gets its share of the time."""
    kinds = ORDERS if len(task.inputs) > 1 else ORDERS[::-1]  # one word says nothing of an order
    orders = [variable_order(net, task, kind) for kind in kinds for net in (first, second)]
    orders = list(dict.fromkeys(orders))
    reason = ""
    for tried, order in enumerate(orders):
        try:
            states = states_of(
                (first, second), task, order, budget=budget.share(len(orders) - tried)
            )
            index = _first_apart(states, task)
        except CapReached as cap:
            reason = f"{about(task.rows)} inputs are beyond enumeration; by diagrams, {cap}"
            continue
        if index is None:
            return _base(task, "diagram", "proved")
        example = difference_at(first, second, task, index)
        return replace(_base(task, "diagram", "refuted"), counterexample=example)
    return _base(task, "diagram", "unknown", reason)


def _first_apart(states: States, task: Task) -> int | None:
    """Return the first row of the task on which an output's states differ."""
    diagrams = states.diagrams
    variables = [states.variables[bit] for bit in task.input_bits]
    differing: list[int] = []
    for left, right in zip(*states.of, strict=True):
        if left == right:
            continue
        apart = diagrams.combine(left, 1, right, -1)
        for sign in (1, -1):
            above = diagrams.scaled(apart, sign)  # at most 2
            for word in task.inputs:
                if word.bound is not None:
                    above = diagrams.combine(above, 1, _outside(diagrams, states, word), -2)
            if diagrams.bounds(above)[1] > 0:
                bits = dict(
                    zip(task.input_bits, diagrams.first_above(above, 0, variables), strict=True)
                )
                words = {
                    word.name: int("".join(str(bits[bit]) for bit in word.bits), 2)
                    for word in task.inputs
                }
                differing.append(task.index_of(words))
    return min(differing, default=None)


def _outside(diagrams: Diagrams, states: States, word: Word) -> Function:
    """Return 1 where a word's value is out of its range."""
    terms = [(states.variables[bit], 1 << i) for i, bit in enumerate(reversed(word.bits))]
    return diagrams.above(diagrams.linear(0, terms), word.size - 1)
