"""Verdicts in a number format's own arithmetic, for every order of summation.

Rule: ``proved`` is said only where it holds in every order; ``refuted`` names an order in which
the stated row was run and is wrong. A row that the bounds leave open is tried in a few stated
orders, which can refute but never prove.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.formats import FORMATS, Format
from adderlab.limits import NO_LIMITS, Budget, CapReached, within
from adderlab.nets import Network
from adderlab.nets.enclosure import Enclosure, Machine
from adderlab.nets.quantized_arithmetic import (
    float_format_of,
    has_float_activations,
    rounds_biases,
    with_scales_as_layers,
)
from adderlab.nets.readout import NO_BIT, OPEN, Readout, read_states
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Scaled, Sparse, values_in
from adderlab.nets.unit_weights import stored_exponent, unit_rows
from adderlab.nets.walk import unit_names
from adderlab.nets.wiring import INPUT
from adderlab.proving.arithmetic import ORDERS, format_outputs
from adderlab.proving.constants import (
    TOO_CLOSE,
    assumption,
    can_be_run,
    overflowing_constant,
    read_either_way,
    with_rounded_constants,
)
from adderlab.proving.enumeration import block_rows, got_words, is_right_exactly, rows_at
from adderlab.proving.every_order import BATCH, EveryOrder
from adderlab.proving.kernels.fits import may_pay, pays
from adderlab.proving.verdict import Counterexample, FormatVerdict, Outcome
from adderlab.tasks import RowBlock, Task

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, Int64, UInt8

    from adderlab.proving.kernels.doubtful import Doubtful

INT32_LARGEST: Final = (1 << 31) - 1
FIRST_ORDER: Final = next(iter(ORDERS))


def format_verdict(
    net: Network, task: Task, name: str, exact: Outcome, budget: Budget | None = None
) -> FormatVerdict:
    """Return the verdict in one format on every row of an enumerable task.

    Args:
        net: the network.
        task: a task that can be enumerated.
        name: the format.
        exact: the verdict in exact arithmetic, which is also that of a format whose sums are
            all exact.
        budget: the time and memory there is.
    """
    form = FORMATS[name]
    reason = unfit(net, form)
    if reason:
        return FormatVerdict(name, "unknown", reason)
    names = unit_names(net, task)
    if form.kind == "integer" and has_float_activations(net):
        run, names = with_scales_as_layers(net, names)
        run_in = FORMATS[run.format]
        exact = "unknown" if rounds_biases(net) else exact
        return in_integers(_judged(run, names, task, run_in, exact, budget), form, run_in)
    return _judged(net, names, task, form, exact, budget)


def in_integers(verdict: FormatVerdict, form: Format, run_in: Format) -> FormatVerdict:
    """Return the verdict of a rewritten network as that of its integer format."""
    example = verdict.counterexample
    if example is not None:
        replays = {form.name if n == run_in.name else n: w for n, w in example.replays.items()}
        example = replace(example, semantics=form.name, replays=replays)
    reason = f"{verdict.reason}; integer weights, the rest in {run_in.name}"
    return FormatVerdict(form.name, verdict.verdict, reason, example)


def _judged(
    net: Network,
    names: Sequence[tuple[str, ...]],
    task: Task,
    form: Format,
    exact: Outcome,
    budget: Budget | None,
) -> FormatVerdict:
    """Return the verdict in a format that holds the network, whose units have the given names."""
    name = form.name
    if form.kind == "wide":
        return FormatVerdict(name, exact, "integers of any width never round", is_exact=True)
    if form.kind == "integer":
        return _integer_verdict(net, name, exact)
    if not Machine.can_run(net):
        return FormatVerdict(name, "unknown", "too large, or out of range, for doubles")
    machine = Machine(net, form, library=True)
    if machine.never_rounds and exact == "proved" and form.holds(Fraction(net.readout.threshold)):
        return FormatVerdict(name, "proved", "the grid rule", is_exact=True)
    try:
        verdict = _float_verdict(net, names, task, machine, budget or Budget.of())
    except CapReached as cap:
        return FormatVerdict(name, "unknown", str(cap))
    assumed = assumption(net)
    return replace(verdict, reason=f"{verdict.reason}, {assumed}") if assumed else verdict


def unfit(net: Network, form: Format) -> str:
    """Return why the format's arithmetic is not defined for the network, or nothing."""
    for tensor_name, tensor in net.tensors():
        if isinstance(tensor, Scaled) and form.kind == "wide":
            return f"{tensor_name} has scales, which {form.name} does not define"
        # the scales of an integer format are values of its activations' format
        held = tensor.q if isinstance(tensor, Scaled) and form.kind == "integer" else tensor
        if isinstance(held, Dense) and held.numbers.dtype == FLOAT_DTYPES.get(form.name, object):
            continue
        zero = [Fraction(0)] if isinstance(held, Sparse) else []
        for value in chain(zero, values_in(held)):
            if not form.holds(value):
                return (
                    f"not representable: {tensor_name} holds {_shown(value)}, "
                    f"which {form.name} does not"
                )
    if form.kind == "float":
        constant = overflowing_constant(net, form)
        return f"not representable: {constant} is beyond {form.name}" if constant else ""
    if form.kind == "integer":
        return "its scales are beyond fp64" if float_format_of(net) is None else ""
    for layer in net.layers:
        if not layer.activation.is_exact:
            return f"{form.name} does not define {layer.activation.kind}"
        for numbers in layer.activation.constants.values():
            for number in numbers:
                if not form.holds(Fraction(number)):
                    return f"not representable: {form.name} does not hold {number:g}"
    return ""


def _shown(value: Fraction) -> str:
    """Return a value for people, whatever its size."""
    if value.denominator == 1 and abs(value) < 1 << 64:
        return str(value)
    try:
        return str(float(value))
    except OverflowError:
        return f"a number of {(abs(value.numerator) // value.denominator).bit_length()} bits"


def _integer_verdict(net: Network, name: str, exact: Outcome) -> FormatVerdict:
    """Return the exact verdict where no sum can leave int32; ``unknown`` otherwise."""
    if not integer_sums_fit(net):
        return FormatVerdict(name, "unknown", "a sum may leave int32")
    return FormatVerdict(name, exact, "all sums are exact in int32", is_exact=True)


def integer_sums_fit(net: Network) -> bool:
    """Return whether no sum of a network of whole numbers can leave int32."""
    values = {INPUT: 1}
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        largest = node.take(values, max)
        rows = [sum(abs(weight) for _, weight in row) for row in unit_rows(layer, 1)]
        bias = layer.bias.exact() if layer.bias is not None else None
        biases = [0] * len(rows) if bias is None else [abs(int(v)) for v in bias.integers]
        scale = 1 << stored_exponent(layer)
        bias_scale = 1 << bias.exponent if bias is not None else 1
        sums = (
            row * scale * largest + shift * bias_scale
            for row, shift in zip(rows, biases, strict=True)
        )  # fmt: skip
        largest = max(sums)
        if largest <= INT32_LARGEST:  # in double, then; constants are whole numbers here
            ends = layer.activation.image(np.array(-float(largest)), np.array(float(largest)))
            largest = max(abs(int(end)) for end in ends)
        if largest > INT32_LARGEST:
            return False
        values[node.name] = largest
    return True


def _float_verdict(
    net: Network, names: Sequence[tuple[str, ...]], task: Task, machine: Machine, budget: Budget
) -> FormatVerdict:
    form = machine.form
    open_rows: list[int] = []
    rounds = False
    for indices, block, enclosure in _rows_in_doubt(net, task, machine, budget):
        states = read_either_way(net.readout, *enclosure.ends(), form)
        rounds = rounds or enclosure.rounds
        matters = True if block.cares is None else block.cares
        is_wrong = ~_is_right(states, block) & (states != OPEN)
        wrong = indices[is_wrong.any(axis=1)]
        wrong_row = next(wrong_rows(net, task, form, FIRST_ORDER, wrong, budget), None)
        if wrong_row is not None:
            return wrong_row.refutes(net, task, "in every order")
        is_open = (states == OPEN) & matters
        open_rows += [*wrong.tolist(), *indices[is_open.any(axis=1)].tolist()]
    if not open_rows:
        reason = "the rounding bound stays below the margin" if rounds else "the grid rule"
        return FormatVerdict(form.name, "proved", reason)
    indices = np.array(sorted(set(open_rows)))
    for order in ORDERS if can_be_run(net) else ():
        wrong_row = next(wrong_rows(net, task, form, order, indices, budget), None)
        if wrong_row is not None:
            return wrong_row.refutes(net, task, f"in the order: {order}")
    return _in_every_order(EveryOrder(net, names, form), task, indices, budget)


def _rows_in_doubt(
    net: Network, task: Task, machine: Machine, budget: Budget
) -> Iterator[tuple[Int64[np.ndarray, " batch"], RowBlock, Enclosure]]:
    """Yield the rows that a format may get wrong, ascending: their numbers, and their bounds.

    They are all rows up to the first block in which something is rounded. From there on they are
    those that a compiled kernel leaves in doubt, where one pays.
    """
    size, start, rounds = block_rows(net), 0, False
    while start < task.rows and not rounds:
        indices = np.arange(start, min(start + size, task.rows))
        block, enclosure = _bounded(indices, task, machine, budget)
        start, rounds = start + len(indices), enclosure.rounds
        yield indices, block, enclosure
    search = _search(net, task, machine) if start < task.rows else None
    rows = None
    if search is not None:
        search.run(budget, lambda share: None, lambda text: None)
        rows = search.rows()
        rows = rows[rows >= start]
    for at in range(0, task.rows - start if rows is None else len(rows), size):
        if rows is None:
            indices = np.arange(start + at, min(start + at + size, task.rows))
        else:
            indices = rows[at : at + size]
        yield indices, *_bounded(indices, task, machine, budget)


def _bounded(
    indices: Int64[np.ndarray, " batch"], task: Task, machine: Machine, budget: Budget
) -> tuple[RowBlock, Enclosure]:
    """Return the rows with the given numbers, and their bounds in a format."""
    budget.check()
    block = rows_at(indices, task)
    return block, machine.enclose(block.inputs)


def _search(net: Network, task: Task, machine: Machine) -> Doubtful | None:
    """Return the search for rows in doubt in a kernel; ``None`` where that is not faster."""
    if not may_pay(net, task):
        return None
    from adderlab.proving.kernels.doubtful import doubtful  # it imports the compiler

    search = doubtful(net, task, machine)
    return search if search is not None and pays(search.kernel, net, task) else None


def _in_every_order(
    sums: EveryOrder, task: Task, indices: Int64[np.ndarray, " batch"], budget: Budget
) -> FormatVerdict:
    """Return the verdict on rows that no bound decides, by all orders of summation."""
    net, form = sums.net, sums.form
    readout, is_run = sums.rounded.readout, can_be_run(net)
    open_rows = 0
    reason = ""
    for start in range(0, len(indices), BATCH):
        budget.check()
        part = indices[start : start + BATCH]
        block = rows_at(part, task)
        ends = sums.ends(block.inputs)
        for at in np.flatnonzero(~_is_right(sums.states(ends), block).all(axis=1)).tolist():
            for orders in sums.extreme_orders(block.inputs[at], ends, at) if is_run else ():
                row, raw = rows_at(part[at : at + 1], task), orders.outputs[None]
                wrong = _wrong_among(readout, form, orders.text, part[at:], row, raw)
                wrong_row = next(wrong, None)
                if wrong_row is not None:
                    return wrong_row.refutes(net, task, f"in the order: {orders.text}")
            open_rows += 1
            reason = reason or (sums.why_open(ends, at) if is_run else TOO_CLOSE)
    if not open_rows:
        return FormatVerdict(form.name, "proved", "all orders of summation were looked at")
    where = f"undecided on {open_rows} of {counted(task.rows, 'row')}"
    return FormatVerdict(form.name, "unknown", f"{where}: {reason}")


def _is_right(
    states: UInt8[np.ndarray, "batch n_out"], block: RowBlock
) -> Bool[np.ndarray, "batch n_out"]:
    """Return which outputs are surely right, or don't matter."""
    is_right = block.is_right((states == 1).astype(np.uint8)) & (states < NO_BIT)
    return is_right if block.cares is None else is_right | ~block.cares


@dataclass(frozen=True, slots=True, eq=False)
class _WrongRow:
    """A row that a format's arithmetic gets wrong in one order, with what it gives there."""

    index: int
    form: Format
    order: str
    raw: Float64[np.ndarray, " n_out"]
    bits: UInt8[np.ndarray, " n_out"]
    is_bit: Bool[np.ndarray, " n_out"]

    def refutes(self, net: Network, task: Task, reason: str) -> FormatVerdict:
        """Return the refutation that this row gives, replayed in exact arithmetic too."""
        row, name = task.row(self.index), self.form.name
        with within(NO_LIMITS):  # one row
            is_right = is_right_exactly(net, task, self.index)
        replays = {} if is_right is None else {"exact": not is_right}
        counterexample = Counterexample(
            row.inputs,
            row.outputs,
            got_words(task, self.bits, self.is_bit),
            tuple(Fraction(float(v)) if np.isfinite(v) else float(v) for v in self.raw),
            name,
            self.order,
            {**replays, name: True},
        )
        return FormatVerdict(name, "refuted", reason, counterexample)


def wrong_rows(
    net: Network,
    task: Task,
    form: Format,
    order: str,
    indices: Int64[np.ndarray, " batch"],
    budget: Budget | None = None,
) -> Iterator[_WrongRow]:
    """Yield those of the given rows that are wrong in that order.

    Raises:
        CapReached: the budget was spent.
    """
    size = block_rows(net)
    rounded = with_rounded_constants(net, form)
    on_tick = budget.check if budget else lambda: None
    for start in range(0, len(indices), size):
        part = indices[start : start + size]
        block = rows_at(part, task)
        raw = format_outputs(rounded, block.inputs, form, order, on_tick=on_tick)
        yield from _wrong_among(rounded.readout, form, order, part, block, raw)


def _wrong_among(
    readout: Readout,
    form: Format,
    order: str,
    indices: Int64[np.ndarray, " batch"],
    block: RowBlock,
    raw: Float64[np.ndarray, "batch n_out"],
) -> Iterator[_WrongRow]:
    """Yield those rows of a block whose raw outputs in a format are wrong."""
    states = read_states(readout, raw)
    bits, is_bit = (states == 1).astype(np.uint8), states < NO_BIT
    for at in np.flatnonzero(~_is_right(states, block).all(axis=1)):
        yield _WrongRow(int(indices[at]), form, order, raw[at], bits[at], is_bit[at])


def replays_in(net: Network, task: Task, verdict: FormatVerdict, index: int) -> bool | None:
    """Return whether a row that is wrong in exact arithmetic is wrong in a format's as well.

    A float format is run in the first of :data:`ORDERS`, the one that a reader follows on
    paper. ``None`` where the format's arithmetic is not defined for the network, or where sums
    of integers may leave int32.
    """
    form = FORMATS[verdict.format]
    if form.kind != "float":
        return True if verdict.verdict == "refuted" else None
    if unfit(net, form) or not Machine.can_run(net) or not can_be_run(net):
        return None
    return any(True for _ in wrong_rows(net, task, form, FIRST_ORDER, np.array([index])))
