"""Verdicts in a number format's own arithmetic, for every order of summation.

Rule: ``proved`` is said only where it holds in every order; ``refuted`` names an order in which
the stated row was run and is wrong. A row that the bounds leave open is tried in a few stated
orders, which can refute but never prove.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.formats import FORMATS, Format
from adderlab.nets import Network, read_bits
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.enclosure import Machine
from adderlab.nets.tensors import Scaled, Sparse
from adderlab.proving.arithmetic import ORDERS, format_outputs
from adderlab.proving.budget import Budget, CapReached
from adderlab.proving.enumeration import block_rows, got_words, is_right_exactly, rows_at
from adderlab.proving.verdict import Counterexample, FormatVerdict, Outcome
from adderlab.tasks import Task
from adderlab.tasks.wording import named

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, Int64, UInt8

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
    if form.kind == "wide":
        return FormatVerdict(name, exact, "whole numbers of any width never round")
    if form.kind == "integer":
        return _integer_verdict(net, name, exact)
    if not Machine.can_run(net):
        return FormatVerdict(name, "unknown", "too large, or out of range, for doubles")
    machine = Machine(net, form)
    if machine.never_rounds and exact == "proved":
        return FormatVerdict(name, "proved", "the grid rule")
    try:
        return _float_verdict(net, task, machine, budget or Budget.of())
    except CapReached as cap:
        return FormatVerdict(name, "unknown", str(cap))


def unfit(net: Network, form: Format) -> str:
    """Return why the format's arithmetic is not defined for the network, or nothing."""
    for tensor_name, tensor in net.tensors():
        if isinstance(tensor, Scaled) and form.kind != "float":
            return f"{tensor_name} has scales, which {form.name} does not hold"
        is_sparse = isinstance(tensor, Sparse)
        stored = (tensor.values if is_sparse else tensor).exact()
        kept = Dyadic(np.unique(stored.integers), stored.exponent)
        values = [kept.at(index) for index in range(kept.shape[0])]
        for value in [Fraction(0), *values] if is_sparse else values:
            if not form.holds(value):
                return (
                    f"not representable: {tensor_name} holds {_shown(value)}, "
                    f"which {form.name} does not"
                )
    for layer in net.layers:
        activation, slope = layer.activation, Fraction(layer.activation.slope)
        if not activation.is_exact:
            return f"{form.name} does not define {activation.kind}"
        if "slope" in activation.rule.options and not form.holds(slope):
            return f"not representable: the slope {float(slope)} is not a value of {form.name}"
    if form.kind == "float" and not form.holds(Fraction(net.readout.threshold)):
        return f"not representable: the threshold {net.readout.threshold} is not in {form.name}"
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
    largest = 1
    for layer in net.layers:
        weight = layer.weight.exact()
        rows = [sum(abs(int(value)) for value in row) for row in weight.integers]
        bias = layer.bias.exact() if layer.bias is not None else None
        biases = [0] * len(rows) if bias is None else [abs(int(v)) for v in bias.integers]
        scale = 1 << weight.exponent
        bias_scale = 1 << bias.exponent if bias is not None else 1
        sums = (
            row * scale * largest + shift * bias_scale
            for row, shift in zip(rows, biases, strict=True)
        )  # fmt: skip
        largest = max(sums)
        if largest <= INT32_LARGEST:  # in double, then; a slope is whole, or the format lacks it
            ends = layer.activation.image(np.array(-float(largest)), np.array(float(largest)))
            largest = max(abs(int(end)) for end in ends)
        if largest > INT32_LARGEST:
            return FormatVerdict(name, "unknown", "a sum may leave int32")
    return FormatVerdict(name, exact, "all sums are exact in int32")


def _float_verdict(net: Network, task: Task, machine: Machine, budget: Budget) -> FormatVerdict:
    form = machine.form
    open_rows: list[int] = []
    rounds = False
    for block in task.blocks(block_rows(net)):
        budget.check()
        enclosure = machine.enclose(block.inputs)
        bits, decided = enclosure.bits(net.readout)
        rounds = rounds or enclosure.rounds
        matters = True if block.cares is None else block.cares
        wrong = np.flatnonzero((~block.is_right(bits) & decided).any(axis=1))
        for wrong_row in wrong_rows(net, task, form, FIRST_ORDER, block.start + wrong, budget):
            if wrong_row.is_finite:
                return wrong_row.refutes(net, task, "in every order")
        rest = np.flatnonzero((~decided & matters).any(axis=1))
        open_rows += [block.start + int(row) for row in (*wrong, *rest)]
    if not open_rows:
        reason = "the rounding bound stays below the margin" if rounds else "the grid rule"
        return FormatVerdict(form.name, "proved", reason)
    indices = np.array(sorted(set(open_rows)))
    overflow = ""
    for order in ORDERS:
        for wrong_row in wrong_rows(net, task, form, order, indices, budget):
            if wrong_row.is_finite:
                return wrong_row.refutes(net, task, f"in the order: {order}")
            row = named(task.row(wrong_row.index).inputs)
            overflow = overflow or f"and {row} overflows in the order: {order}"
    return FormatVerdict(
        form.name,
        "unknown",
        f"{len(indices)} of {task.rows} rows {'lies' if len(indices) == 1 else 'lie'} within the "
        "rounding bound of the threshold, "
        + (overflow or f"though right in the {len(ORDERS)} orders tried"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _WrongRow:
    """A row that a format's arithmetic gets wrong in one order, with what it gives there."""

    index: int
    form: Format
    order: str
    raw: Float64[np.ndarray, " n_out"]
    bits: UInt8[np.ndarray, " n_out"]
    is_bit: Bool[np.ndarray, " n_out"]

    @property
    def is_finite(self) -> bool:
        """Whether its raw outputs are numbers, as those of a counterexample must be."""
        return bool(np.isfinite(self.raw).all())

    def refutes(self, net: Network, task: Task, reason: str) -> FormatVerdict:
        """Return the refutation that this row gives, replayed in exact arithmetic beside."""
        row, name = task.row(self.index), self.form.name
        counterexample = Counterexample(
            row.inputs,
            row.outputs,
            got_words(task, self.bits, self.is_bit),
            tuple(Fraction(float(value)) for value in self.raw),
            name,
            self.order,
            {"exact": not is_right_exactly(net, task, self.index), name: True},
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
    for start in range(0, len(indices), size):
        part = indices[start : start + size]
        block = rows_at(part, task)
        raw = format_outputs(
            net, block.inputs, form, order, on_tick=budget.check if budget else lambda: None
        )
        bits, is_bit = read_bits(net.readout, raw)
        matters = np.ones(bits.shape, dtype=bool) if block.cares is None else block.cares
        is_right = (block.is_right(bits) & (is_bit | ~matters)).all(axis=1)
        for at in np.flatnonzero(~is_right):
            yield _WrongRow(int(part[at]), form, order, raw[at], bits[at], is_bit[at])


def replays_in(net: Network, task: Task, verdict: FormatVerdict, index: int) -> bool | None:
    """Return whether a row that is wrong in exact arithmetic is wrong in a format's as well.

    A float format is run in the first of :data:`ORDERS`, the one that a reader follows on
    paper. ``None`` where the format's arithmetic is not defined for the network, or where sums
    of integers may leave int32.
    """
    form = FORMATS[verdict.format]
    if form.kind != "float":
        return True if verdict.verdict == "refuted" else None
    if unfit(net, form) or not Machine.can_run(net):
        return None
    return any(True for _ in wrong_rows(net, task, form, FIRST_ORDER, np.array([index])))
