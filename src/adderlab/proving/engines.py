"""The engines: each answers a question with a verdict.

Rule: a counterexample is replayed by exact evaluation before it is reported, whichever engine
found it; an engine returns ``proved`` only after it decided every input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from adderlab.blocks.numbers import count_text, counted
from adderlab.limits import NO_LIMITS, Budget, CapReached, within
from adderlab.nets import Network, is_exact
from adderlab.nets.logits import without_last_sigmoid
from adderlab.proving import diagrams, solver
from adderlab.proving.choice import LAST_ROWS
from adderlab.proving.enumeration import (
    Enumeration,
    enumerate_rows,
    exact_counterexample,
    is_right_exactly,
    margin_of,
)
from adderlab.proving.grid import SumBound, interval_ranges, sum_bounds
from adderlab.proving.number_formats import format_verdict, replays_in
from adderlab.proving.sampling import wrong_sample
from adderlab.proving.verdict import Counterexample, FormatVerdict, Outcome, Verdict
from adderlab.proving.wide_formats import refuted_at, wide_format_verdict
from adderlab.tasks import Task
from adderlab.tasks.wording import named

CORNERS: Final = (0, -1, 1)
"""Rows tried before any diagram is built: all zeros, all ones, the lowest bit alone."""

LARGEST_TRIAL: Final = 1 << 20
"""Weights times rows up to which the corners are tried."""


@dataclass(frozen=True, slots=True)
class Question:
    """What every engine answers.

    Attributes:
        net: the network.
        task: what it should compute.
        base: an ``unknown`` verdict with the task, the semantics and the choice filled in.
        formats: the number formats to judge in addition to exact arithmetic.
        on_progress: called with what is done and the share of it that is, 0 to 1; 0 where that is
            not known.
    """

    net: Network
    task: Task
    base: Verdict
    formats: Sequence[str]
    on_progress: Callable[[str, float], None] = lambda what, share: None

    @property
    def exact_net(self) -> Network:
        """The network that has the same bits in exact arithmetic, and fractions as outputs."""
        return without_last_sigmoid(self.net)

    def unknown(self, method: str, reason: str) -> Verdict:
        """Return the verdict of an engine that gave no answer."""
        formats = {name: FormatVerdict(name, "unknown", reason) for name in self.formats}
        return replace(self.base, method=method, reason=reason, formats=formats)


def by_enumeration(question: Question, budget: Budget) -> Verdict:
    """Return the verdict that trying every row gives."""
    net, task = question.exact_net, question.task

    def on_share(share: float) -> None:
        question.on_progress(f"trying {count_text(task.rows)} inputs", share)

    def on_compile(text: str) -> None:
        question.on_progress(text, 0.0)

    result = enumerate_rows(net, task, budget, on_share, on_compile)
    outcome: Outcome = "proved"
    reason = ""
    counterexample = None
    if result.first_wrong is not None:
        outcome = "refuted"
        counterexample = exact_counterexample(net, task, result.first_wrong)
    elif result.stopped:
        return question.unknown("enumerated", result.stopped)
    elif result.undecided:
        outcome = "unknown"
        first = named(task.row(result.undecided[0]).inputs)
        reason = f"{counted(len(result.undecided), 'row')} could not be decided, the first {first}"
    formats: dict[str, FormatVerdict] = {}
    if task.rows > LAST_ROWS and outcome == "proved":
        formats = _wide_verdicts(question, budget, lambda: sum_bounds(net, *interval_ranges(net)))
    elif task.rows > LAST_ROWS and result.first_wrong is not None:
        base = replace(_as(question, "enumerated"), rows_right=_rows_right(result))
        verdict = refuted_at(net, task, base, question.formats, result.first_wrong)
        return replace(verdict, margin=None if result.stopped else margin_of(result, net))
    else:
        for name in question.formats:
            question.on_progress(f"the same in {name}", 1.0)
            formats[name] = _within_limits(
                name, lambda name=name: format_verdict(question.net, task, name, outcome, budget)
            )
    if counterexample is not None and result.first_wrong is not None:
        with within(NO_LIMITS):  # one row
            replays = {
                name: replays_in(question.net, task, judged, result.first_wrong)
                for name, judged in formats.items()
            }
        known = {name: wrong for name, wrong in replays.items() if wrong is not None}
        counterexample = replace(counterexample, replays={"exact": True, **known})
        formats = {name: _with_example(judged, counterexample) for name, judged in formats.items()}
    is_whole = not (result.undecided or result.stopped)
    return replace(
        question.base,
        verdict=outcome,
        method="enumerated",
        rows_right=_rows_right(result),
        counterexample=counterexample,
        margin=margin_of(result, net)
        if is_whole or (is_exact(net) and not result.stopped)
        else None,
        formats=formats,
        reason=reason,
    )


def _rows_right(result: Enumeration) -> int | None:
    """Return how many rows are right; ``None`` where not all were decided."""
    return None if result.undecided or result.stopped else result.rows - result.wrong


def _with_example(judged: FormatVerdict, exact: Counterexample) -> FormatVerdict:
    """Return the verdict of a format that computes exactly with the exact counterexample."""
    if judged.verdict != "refuted" or judged.counterexample is not None:
        return judged
    return replace(judged, counterexample=replace(exact, semantics=judged.format))


def by_diagrams(question: Question, budget: Budget) -> Verdict:
    """Return the verdict that diagrams give on all inputs at once."""
    net, task = question.exact_net, question.task
    index = _wrong_corner(net, task)
    if index is not None:
        return refuted_at(net, task, _as(question, "enumerated"), question.formats, index)
    decision = diagrams.decide(net, task, budget=budget)
    if decision.is_right is None:
        return question.unknown("diagram", f"by diagrams, {decision.reason}")
    base = _as(question, "diagram")
    if not decision.is_right:
        assert decision.wrong is not None
        return refuted_at(net, task, base, question.formats, _row_of(task, decision.wrong))
    formats = _wide_verdicts(
        question, budget, lambda: sum_bounds(net, decision.ranges, decision.exponents)
    )
    return replace(
        base,
        verdict="proved",
        rows_right=task.rows,
        margin=decision.margin,
        formats=formats,
    )


def by_solver(question: Question, budget: Budget) -> Verdict:
    """Return the verdict that an SMT solver gives on all inputs at once."""
    net, task = question.exact_net, question.task
    try:
        decision = solver.decide(net, task, budget)
    except CapReached as cap:
        return question.unknown("solver", f"by the solver, {cap}")
    if decision.is_right is None:
        return question.unknown("solver", f"by the solver, {decision.reason}")
    base = _as(question, "solver")
    if not decision.is_right:
        assert decision.wrong is not None
        return refuted_at(net, task, base, question.formats, _row_of(task, decision.wrong))
    formats = _wide_verdicts(question, budget, lambda: sum_bounds(net, *interval_ranges(net)))
    return replace(base, verdict="proved", rows_right=task.rows, formats=formats)


def _wide_verdicts(
    question: Question, budget: Budget, bounds: Callable[[], Iterable[SumBound]]
) -> dict[str, FormatVerdict]:
    """Return the verdicts in formats of a network that is right in exact arithmetic."""
    try:
        known = list(bounds())
    except CapReached as cap:
        return {name: FormatVerdict(name, "unknown", str(cap)) for name in question.formats}
    net, task = question.net, question.task
    return {
        name: _within_limits(
            name, lambda name=name: wide_format_verdict(net, task, name, known, budget)
        )
        for name in question.formats
    }


def _within_limits(name: str, judge: Callable[[], FormatVerdict]) -> FormatVerdict:
    """Return the verdict in a format, unknown where a limit is reached before there is one."""
    try:
        return judge()
    except CapReached as cap:
        return FormatVerdict(name, "unknown", str(cap))


ENGINES: Final[dict[str, Callable[[Question, Budget], Verdict]]] = {
    "enumeration": by_enumeration,
    "diagram": by_diagrams,
    "solver": by_solver,
}


METHODS: Final = {"enumeration": "enumerated"}
"""What a verdict calls an engine's method, where that is not the engine's name."""


def answer_by(name: str, question: Question, budget: Budget) -> Verdict:
    """Return an engine's verdict, unknown where a limit is reached before it has one."""
    try:
        return ENGINES[name](question, budget)
    except CapReached as cap:
        return question.unknown(METHODS.get(name, name), str(cap))


def by_samples(question: Question, verdict: Verdict, count: int, budget: Budget) -> Verdict:
    """Return an unknown verdict after trying random inputs: refuted, or still unknown.

    Args:
        question: the question.
        verdict: the engines' verdict, ``unknown``.
        count: how many inputs to try.
        budget: limits on time and memory.
    """
    index, tried = wrong_sample(question.net, question.task, count, budget)
    if index is not None:
        base = replace(verdict, method="enumerated", reason="")
        return refuted_at(question.net, question.task, base, question.formats, index)
    return replace(
        verdict, reason=f"{verdict.reason}; no counterexample in {counted(tried, 'sample')}"
    )


def _as(question: Question, method: str) -> Verdict:
    return replace(question.base, method=method)


def _wrong_corner(net: Network, task: Task) -> int | None:
    """Return a wrong row among a few extreme ones; a network that learned nothing ends here."""
    entries = sum(int(values.integers.size) for _, values in net.entries())
    if entries * len(CORNERS) > LARGEST_TRIAL:
        return None
    indices = [index % task.rows for index in CORNERS]
    return next((index for index in indices if is_right_exactly(net, task, index) is False), None)


def _row_of(task: Task, bits: dict[str, int]) -> int:
    """Return the number of the row with the given input bits."""
    words: dict[str, int] = {}
    for word in task.inputs:
        value = 0
        for bit in word.bits:
            value = value << 1 | bits[bit]
        words[word.name] = value
    return task.index_of(words)
