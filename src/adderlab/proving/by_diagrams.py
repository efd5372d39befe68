"""Verdicts by diagrams: from the engine's finding to what is reported.

Rule: a counterexample is replayed by exact evaluation before it is reported; a format is proved
by the grid rule with the diagrams' exact bounds, and refuted only by a replayed row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final

import numpy as np

from adderlab.formats import FORMATS, Format
from adderlab.nets import Network
from adderlab.proving.arithmetic import ORDERS
from adderlab.proving.diagrams import decide
from adderlab.proving.enclosure import LARGEST_DENSE
from adderlab.proving.enumeration import exact_counterexample, is_right_exactly
from adderlab.proving.grid import SumBound, never_rounds, sum_bounds
from adderlab.proving.number_formats import INT32_LARGEST, unfit, wrong_rows
from adderlab.proving.verdict import FormatVerdict, Outcome, Verdict
from adderlab.tasks import Task

CORNERS: Final = (0, -1, 1)
"""Rows looked at before any diagram is built: all zeros, all ones, the lowest bit alone."""

LARGEST_TRIAL: Final = 1 << 20
"""Weights times rows up to which the corners are worth a look."""

TRIED_ROWS: Final = 200
"""Random rows that are tried, beside the extreme ones, to refute a format."""


def prove_by_diagrams(
    net: Network,
    task: Task,
    base: Verdict,
    names: Sequence[str],
    timeout_s: float | None,
) -> Verdict:
    """Return the verdict that diagrams give on all inputs at once."""
    index = _wrong_corner(net, task)
    if index is not None:
        return _refuted(net, task, replace(base, method="enumerated"), names, index)
    found = decide(net, task, timeout_s=timeout_s)
    base = replace(base, method="diagram")
    if found.is_right is None:
        formats = {name: FormatVerdict(name, "unknown", found.reason) for name in names}
        return replace(base, reason=found.reason, formats=formats)
    if not found.is_right:
        assert found.wrong is not None
        return _refuted(net, task, base, names, _row_of(task, found.wrong))
    bounds = list(sum_bounds(net, found.ranges, found.exponents))
    formats = {name: _format_verdict(net, task, name, bounds) for name in names}
    return replace(
        base, verdict="proved", rows_right=task.rows, margin=found.margin, formats=formats
    )


def _wrong_corner(net: Network, task: Task) -> int | None:
    """Return a wrong row among a few extreme ones; a network that learned nothing ends here."""
    entries = sum(int(values.integers.size) for _, values in net.entries())
    if entries * len(CORNERS) > LARGEST_TRIAL:
        return None
    indices = [index % task.rows for index in CORNERS]
    return next((index for index in indices if not is_right_exactly(net, task, index)), None)


def _refuted(net: Network, task: Task, base: Verdict, names: Sequence[str], index: int) -> Verdict:
    """Return the verdict on a wrong row, replayed exactly and in each format."""
    counterexample = exact_counterexample(net, task, index)
    assert counterexample.got != counterexample.expected, "every counterexample replays"
    formats = {name: _replayed(net, task, name, index) for name in names}
    replays = {"exact": True}
    replays |= {name: True for name, one in formats.items() if one.verdict == "refuted"}
    counterexample = replace(counterexample, replays=replays)
    return replace(base, verdict="refuted", counterexample=counterexample, formats=formats)


def _row_of(task: Task, bits: dict[str, int]) -> int:
    """Return the number of the row with the given input bits."""
    words: dict[str, int] = {}
    for word in task.inputs:
        value = 0
        for bit in word.bits:
            value = value << 1 | bits[bit]
        words[word.name] = value
    return task.index_of(words)


def _format_verdict(
    net: Network, task: Task, name: str, bounds: Sequence[SumBound]
) -> FormatVerdict:
    """Return the verdict in a format of a network that is right in exact arithmetic."""
    form = FORMATS[name]
    reason = unfit(net, form)
    if reason:
        return FormatVerdict(name, "unknown", reason)
    if form.kind == "wide":
        return FormatVerdict(name, "proved", "whole numbers of any width never round")
    if form.kind == "integer":
        if any(bound.units * Fraction(2) ** bound.exponent > INT32_LARGEST for bound in bounds):
            return FormatVerdict(name, "unknown", "a sum may leave int32")
        return FormatVerdict(name, "proved", "all sums are exact in int32")
    if never_rounds(net, form, bounds):
        return FormatVerdict(name, "proved", "the grid rule")
    if sum(layer.n_in * layer.n_out for layer in net.layers) > LARGEST_DENSE:
        return FormatVerdict(name, "unknown", "the grid rule does not apply")
    return _refuted_by_trial(net, task, form)


def _refuted_by_trial(net: Network, task: Task, form: Format) -> FormatVerdict:
    """Return a refutation from a row that was tried, or ``unknown``."""
    indices = np.array(list(_rows_to_try(task)), dtype=object)
    for order in ORDERS:
        for found in wrong_rows(net, task, form, order, indices):
            if found.is_finite:
                return found.refutes(net, task, f"in the order: {order}")
    return FormatVerdict(
        form.name,
        "unknown",
        f"the grid rule does not apply; {len(indices)} rows tried in {len(ORDERS)} orders "
        "are right",
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
    exact: Outcome = "refuted"
    if form.kind != "float":
        counterexample = replace(exact_counterexample(net, task, index), semantics=name)
        return FormatVerdict(name, exact, "whole numbers never round", counterexample)
    if sum(layer.n_in * layer.n_out for layer in net.layers) > LARGEST_DENSE:
        return FormatVerdict(name, "unknown", "too large to replay in the format")
    order = next(iter(ORDERS))
    for found in wrong_rows(net, task, form, order, np.array([index], dtype=object)):
        if found.is_finite:
            return found.refutes(net, task, f"in the order: {order}")
    return FormatVerdict(name, "unknown", "the exact counterexample is right in the format")
