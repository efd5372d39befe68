"""Number formats where the rows are too many to try: the grid rule, and rows that are tried.

Rule: a format is proved by the grid rule with bounds on every unit, and refuted only by a row
that was run in the format's own arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.formats import FORMATS, Format
from adderlab.limits import NO_LIMITS, Budget, CapReached, within
from adderlab.nets import Network
from adderlab.nets.enclosure import LARGEST_DENSE
from adderlab.nets.quantized_arithmetic import (
    has_float_activations,
    rounds_biases,
    with_scales_as_layers,
)
from adderlab.nets.walk import unit_names
from adderlab.proving.arithmetic import ORDERS
from adderlab.proving.constants import TOO_CLOSE, can_be_run
from adderlab.proving.enumeration import exact_counterexample
from adderlab.proving.grid import SumBound, interval_ranges, never_rounds, sum_bounds
from adderlab.proving.number_formats import INT32_LARGEST, in_integers, unfit, wrong_rows
from adderlab.proving.verdict import FormatVerdict, Outcome, Verdict
from adderlab.tasks import Task

TRIED_ROWS: Final = 200
"""Random rows that are tried, in addition to the extreme ones, to refute a format."""


def refuted_at(
    net: Network, task: Task, base: Verdict, names: Sequence[str], index: int
) -> Verdict:
    """Return the verdict on a wrong row, replayed exactly and in each format."""
    counterexample = exact_counterexample(net, task, index)
    assert counterexample.got != counterexample.expected, "every counterexample replays"
    with within(NO_LIMITS):  # one row
        formats = {name: _replayed(net, task, name, index) for name in names}
    replays = {
        name: verdict.replays for name, verdict in formats.items() if verdict.replays is not None
    }
    counterexample = replace(counterexample, replays={"exact": True, **replays})
    return replace(base, verdict="refuted", counterexample=counterexample, formats=formats)


def wide_format_verdict(
    net: Network, task: Task, name: str, bounds: Sequence[SumBound], budget: Budget
) -> FormatVerdict:
    """Return the verdict in a format of a network that is right in exact arithmetic.

    Args:
        net: the network.
        task: what it computes, on all inputs.
        name: the format.
        bounds: of each layer's sums.
        budget: the time and memory there is.
    """
    form = FORMATS[name]
    reason = unfit(net, form)
    if reason:
        return FormatVerdict(name, "unknown", reason)
    if form.kind == "integer" and has_float_activations(net):
        if rounds_biases(net):
            return FormatVerdict(name, "unknown", "a bias is rounded once its scale multiplies it")
        run, _ = with_scales_as_layers(net, unit_names(net, task))
        run_bounds = list(sum_bounds(run, *interval_ranges(run)))
        verdict = wide_format_verdict(run, task, run.format, run_bounds, budget)
        return in_integers(verdict, form, FORMATS[run.format])
    if form.kind == "wide":
        return FormatVerdict(name, "proved", "integers of any width never round")
    if form.kind == "integer":
        if _may_leave_int32(bounds):
            return FormatVerdict(name, "unknown", "a sum may leave int32")
        return FormatVerdict(name, "proved", "all sums are exact in int32")
    if form.holds(Fraction(net.readout.threshold)) and never_rounds(net, form, bounds):
        return FormatVerdict(name, "proved", "the grid rule")
    if sum(layer.n_in * layer.n_out for layer in net.layers) > LARGEST_DENSE:
        return FormatVerdict(name, "unknown", "the grid rule does not apply")
    if not can_be_run(net):
        return FormatVerdict(name, "unknown", f"the grid rule does not apply, and {TOO_CLOSE}")
    try:
        return _refuted_by_trial(net, task, form, budget)
    except CapReached as cap:
        reason = f"the grid rule does not apply, and {cap} while rows were tried"
        return FormatVerdict(name, "unknown", reason)


def _may_leave_int32(bounds: Iterable[SumBound]) -> bool:
    return any(bound.units * Fraction(2) ** bound.exponent > INT32_LARGEST for bound in bounds)


def _refuted_by_trial(net: Network, task: Task, form: Format, budget: Budget) -> FormatVerdict:
    """Return a refutation from a row that was tried, or ``unknown``."""
    indices = np.array(list(_rows_to_try(task)), dtype=object)
    for order in ORDERS:
        row = next(wrong_rows(net, task, form, order, indices, budget), None)
        if row is not None:
            return row.refutes(net, task, f"in the order: {order}")
    return FormatVerdict(
        form.name,
        "unknown",
        f"the grid rule does not apply; {counted(len(indices), 'row')} tried in {len(ORDERS)} "
        f"orders {'is' if len(indices) == 1 else 'are'} right",
    )


def _rows_to_try(task: Task) -> Iterator[int]:
    """Yield rows where sums are extreme, then random ones: all ones first."""
    yield task.rows - 1
    yield 0
    random = np.random.default_rng(0)
    bits = task.rows.bit_length() - 1
    for _ in range(TRIED_ROWS):
        yield int.from_bytes(random.bytes(-(-bits // 8)), "little") % task.rows


def _replayed(net: Network, task: Task, name: str, index: int) -> FormatVerdict:
    """Return the verdict in a format of a row that is wrong in exact arithmetic."""
    form = FORMATS[name]
    reason = unfit(net, form)
    if reason:
        return FormatVerdict(name, "unknown", reason)
    if form.kind == "integer" and has_float_activations(net):
        run, _ = with_scales_as_layers(net, unit_names(net, task))
        return in_integers(_replayed(run, task, run.format, index), form, FORMATS[run.format])
    exact: Outcome = "refuted"
    if form.kind == "integer" and _may_leave_int32(sum_bounds(net, *interval_ranges(net))):
        return FormatVerdict(name, "unknown", "a sum may leave int32")
    if form.kind != "float":
        counterexample = replace(exact_counterexample(net, task, index), semantics=name)
        return FormatVerdict(name, exact, "integers never round", counterexample, replays=True)
    if sum(layer.n_in * layer.n_out for layer in net.layers) > LARGEST_DENSE:
        return FormatVerdict(name, "unknown", "too large to replay in the format")
    order = next(iter(ORDERS))
    row = next(wrong_rows(net, task, form, order, np.array([index], dtype=object)), None)
    if row is not None:
        return replace(row.refutes(net, task, f"in the order: {order}"), replays=True)
    reason = "the exact counterexample is right in the format"
    return FormatVerdict(name, "unknown", reason, replays=False)
