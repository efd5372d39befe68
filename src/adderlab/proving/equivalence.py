"""``compare``: whether two networks give the same bits on every input.

Rule: equal means in exact arithmetic, and with each network in the format in which it is stored.
An output is in one of three states under its network's own readout: 0, 1, or no bit at all
(under an exact readout, any other value). Networks are equal where all their outputs are in the
same states; two outputs that are no bits count as the same. What is equal was proved, what
differs was replayed by exact evaluation of that input alone.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.bits import from_bits
from adderlab.blocks.numbers import counted
from adderlab.errors import NetworkError, OptionError
from adderlab.formats import FP64
from adderlab.limits import NO_LIMITS, Budget, CapReached, ending, within
from adderlab.nets import Network, is_exact, to_bytes
from adderlab.nets.enclosure import Machine
from adderlab.nets.evaluation import row_ends
from adderlab.nets.importing import NetworkFile
from adderlab.nets.readout import NO_BIT, OPEN, read_states
from adderlab.nets.sources import Source, read_source, task_of
from adderlab.nets.walk import nameless_task, words_of
from adderlab.proving.choice import ENUMERABLE_ROWS, about
from adderlab.proving.comparison import Comparison, Difference, Side
from adderlab.proving.diagrams import (
    ORDERS,
    Diagrams,
    Function,
    States,
    states_of,
    variable_order,
)
from adderlab.proving.enumeration import block_rows, read_closely, rows_at
from adderlab.proving.grid import interval_ranges, sum_bounds
from adderlab.proving.number_formats import format_verdict
from adderlab.proving.verdict import FormatVerdict, Outcome
from adderlab.proving.wide_formats import wide_format_verdict
from adderlab.tasks import Task, TaskLike, Word
from adderlab.tasks.wording import sum_of

if TYPE_CHECKING:
    from jaxtyping import UInt8
    from torch import nn

MOST_OWN_ROWS: Final = 1 << 16
"""Rows up to which each is run in the networks' own formats."""


def compare(
    first: Network | str | Path | nn.Module,
    second: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    formats: str = "",
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
        formats: ``exact`` for exact arithmetic alone; each network's own format too unless
            given.
        timeout_s: seconds that it may take, reading included.

    Raises:
        NetworkError: the networks differ in inputs or outputs.
        OptionError: the timeout is not above 0, or ``formats`` is something else.
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
    if formats not in ("", "exact"):
        raise OptionError(f"got {formats[:40]!r}", where="formats", remedy="give exact, or nothing")
    budget = Budget.of(timeout_s)
    with within(budget):
        with ending("the networks were read", "compare"):
            sources = read_source(first, task), read_source(second, task)
        return replace(
            _compared(first, second, sources, task, formats, budget),
            seconds=time.perf_counter() - start,
        )


def _compared(
    first: Network | str | Path | nn.Module,
    second: Network | str | Path | nn.Module,
    sources: tuple[Source, Source],
    task: TaskLike | None,
    formats: str,
    budget: Budget,
) -> Comparison:
    """Return the comparison of networks that were read."""
    nets = (sources[0].network, sources[1].network)
    check_same_shape(
        *nets, names=(name_of(first, "first network"), name_of(second, "second network"))
    )
    known = common_task(*nets, task)
    domain = known or nameless_task(nets[0])
    notes = [note for source in sources for note in source.notes]
    if known is None and (names := [net.task.name for net in nets if net.task is not None]):
        notes.append(f"the tasks {' and '.join(names)} differ, so all inputs are compared")
    method = "diagram" if domain.rows > ENUMERABLE_ROWS else "enumerated"
    try:
        if _bare(nets[0]) == _bare(nets[1]):
            comparison = _base(domain, "identical", "proved")
        elif domain.rows <= ENUMERABLE_ROWS:
            comparison = _enumerated(*nets, domain, budget)
        elif all(map(is_exact, nets)):
            comparison = _by_diagrams(*nets, domain, budget)
        else:
            inputs = about(domain.rows)
            reason = (
                "curves such as tanh are decided by enumeration alone, and "
                f"{inputs} inputs are too many"
            )
            comparison = _base(domain, "diagram", "unknown", reason)
    except CapReached as cap:
        comparison = _base(domain, method, "unknown", str(cap))
    if comparison.verdict == "proved" and comparison.method != "identical" and not formats:
        comparison = _in_own_formats(comparison, nets, domain, budget)
    return replace(
        comparison,
        task=known.name if known is not None else None,
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


def common_task(first: Network, second: Network, task: TaskLike | None) -> Task | None:
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
    return str(model) if isinstance(model, str | Path | NetworkFile) else otherwise


def _bare(net: Network) -> bytes:
    """Return the bytes of what a network computes with, without what it is meant for."""
    return to_bytes(replace(net, task=None, training=None))


def _base(task: Task, method: str, verdict: Outcome, reason: str = "") -> Comparison:
    rows_equal = task.rows if verdict == "proved" else None
    return Comparison(
        verdict, method, task.name, task.rows, exact=verdict, rows_equal=rows_equal, reason=reason
    )


def _in_own_formats(
    comparison: Comparison, nets: tuple[Network, Network], task: Task, budget: Budget
) -> Comparison:
    """Return the comparison of networks that are equal in exact arithmetic, each as it is stored.

    They are equal there too if each computes in its own format what it does in exact arithmetic.
    Where one of them alone does not, they differ.
    """
    own = tuple(_own_format_within(net, task, budget) for net in nets)
    comparison = replace(comparison, own=own)
    outcomes = [judged.verdict for judged in own]
    if outcomes == ["proved", "proved"]:
        return comparison
    if sorted(outcomes) != ["proved", "refuted"]:
        reason = next(judged.reason for judged in own if judged.verdict != "proved")
        return replace(comparison, verdict="unknown", reason=reason, rows_equal=None)
    wrong = outcomes.index("refuted")
    example = own[wrong].counterexample
    assert example is not None
    index = task.index_of(example.input)
    bits = [bit for word in task.outputs for bit in _bits_of(example.got[word.name], word)]
    row = task.row_of_outputs(np.array(bits, dtype=object))
    own_side = Side(example.got, tuple(row.tolist()), example.output)
    other = side_at(nets[1 - wrong], task, index)
    first, second = (own_side, other) if wrong == 0 else (other, own_side)
    difference = Difference(example.input, first, second, example.semantics, example.order)
    return replace(comparison, verdict="refuted", counterexample=difference, rows_equal=None)


def _bits_of(value: int | None, word: Word) -> list[int | None]:
    if value is None:
        return [None] * word.width
    return [value >> place & 1 for place in reversed(range(word.width))]


def _own_format_within(net: Network, task: Task, budget: Budget) -> FormatVerdict:
    """Return the verdict in a network's own format, unknown where a limit is reached."""
    try:
        return _own_format(net, task, budget)
    except CapReached as cap:
        return FormatVerdict(net.format, "unknown", str(cap))


def _own_format(net: Network, task: Task, budget: Budget) -> FormatVerdict:
    """Return whether a network's own format gives the bits that exact arithmetic gives."""
    itself = replace(task, rule=lambda words: _computed(net, task, words), any_value=None)
    if task.rows <= MOST_OWN_ROWS:
        verdict = format_verdict(net, itself, net.format, "proved", budget)
        may_round = verdict.verdict == "proved" and not verdict.is_exact
        if may_round and net.readout.kind == "exact" and not _are_all_bits(net, task):
            # a row whose output is no bit may read as a bit once it is rounded
            return FormatVerdict(net.format, "unknown", "some outputs are no bits")
        return verdict
    if not is_exact(net):
        return FormatVerdict(net.format, "unknown", f"{about(task.rows)} inputs are too many")
    bounds = list(sum_bounds(net, *interval_ranges(net)))
    return wide_format_verdict(net, itself, net.format, bounds, budget)


def _are_all_bits(net: Network, task: Task) -> bool:
    return all(
        (read_closely(net, block.inputs) < NO_BIT).all() for block in task.blocks(block_rows(net))
    )


def _computed(net: Network, task: Task, words: Mapping[str, Any]) -> dict[str, Any]:
    """Return the output words that a network gives in exact arithmetic, numbers or arrays."""
    inputs = task.input_rows(words)
    bits = (read_closely(net, np.atleast_2d(inputs)) == 1).astype(np.uint8)
    bits = task.in_words(bits.reshape(*inputs.shape[:-1], net.n_out))
    outputs: dict[str, Any] = {}
    place = 0
    for word in task.outputs:
        outputs[word.name] = from_bits(bits[..., place : place + word.width])
        place += word.width
    return outputs


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
            left, right = (
                _states(net, machine, block.inputs)
                for net, machine in zip(nets, machines, strict=True)
            )
        except CapReached as cap:
            stopped = f"{cap} after {block.start} of {task.rows} inputs"
            break
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
    with within(NO_LIMITS):  # one row
        left, right = (read_closely(net, inputs[None])[0].tolist() for net in (first, second))
    differs = any(a != b and OPEN not in (a, b) for a, b in zip(left, right, strict=True))
    assert differs, "the replay of a counterexample found no difference"
    return Difference(
        task.row(index).inputs, side_at(first, task, index), side_at(second, task, index)
    )


def side_at(net: Network, task: Task, index: int) -> Side:
    """Return what a network gives on row ``index``, by exact evaluation of that row alone."""
    inputs = rows_at(np.array([index]), task).inputs[0]
    with within(NO_LIMITS):  # one row
        read = read_closely(net, inputs[None])[0].tolist()
        raw = tuple((low + high) / 2 for low, high in row_ends(net, inputs))
    bits = tuple(state if state < NO_BIT else None for state in read)
    return Side(words_of(task, bits), bits, raw)


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
