"""Decide a network on every input of a task: choose engines, run them in turn, judge formats."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from adderlab.errors import OptionError
from adderlab.formats import FORMATS, format_named
from adderlab.limits import Budget, CapReached, within
from adderlab.nets import Network
from adderlab.nets.logits import without_last_sigmoid
from adderlab.proving import diagrams, solver
from adderlab.proving.choice import LAST_ROWS, Choice, Shape, choose_engines
from adderlab.proving.engines import Question, answer_by, by_samples
from adderlab.proving.kernels.fits import has_kernel
from adderlab.proving.verdict import Verdict, worst_of
from adderlab.tasks import Task

BEFORE_SIGMOID: Final = (
    "in exact arithmetic, outputs and margin are of what goes into the last sigmoid, against 0"
)
"""What a verdict says of a network that ends in a sigmoid."""


def decide(
    net: Network,
    task: Task,
    *,
    formats: str | Sequence[str] = (),
    engine: str = "auto",
    budget: Budget | None = None,
    sample: int = 0,
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> Verdict:
    """Return whether a network computes a task on every input; see :func:`adderlab.prove`.

    Args:
        net: the network.
        task: what it should compute.
        formats: a number format's name, or several; ``exact`` is exact arithmetic.
        engine: ``auto``, ``enumeration``, ``diagram`` or ``solver``.
        budget: the time and memory there is.
        sample: random inputs to try where no engine decides.
        on_progress: called with what is done and the share of it that is.

    Raises:
        TaskError: the task does not fit the network.
        OptionError: there is no such engine, or a number is below 0.
    """
    start = time.perf_counter()
    budget = budget or Budget.of()
    if sample < 0:
        raise OptionError(f"got {sample}", where="sample", remedy="give a number of inputs")
    own = format_named(net.format).name
    about = arithmetics(formats) or ("exact", own)
    base = Verdict("unknown", "", task.name, task.rows, about, own_format=own)
    about_outputs = () if without_last_sigmoid(net) is net else (BEFORE_SIGMOID,)
    base = replace(base, notes=(*task.remarks, *about_outputs))
    named = [name for name in about if name != "exact"]
    question = Question(net, task, base, named, on_progress)
    with within(budget):
        try:
            choice = choose_engines(shape_of(net, task), engine=engine)
            question = replace(question, base=replace(base, choice=str(choice)))
            verdict = _answer(question, choice, sample, budget)
        except CapReached as cap:
            verdict = question.unknown("", str(cap))
    return replace(_headline(verdict), seconds=time.perf_counter() - start)


def _answer(question: Question, choice: Choice, sample: int, budget: Budget) -> Verdict:
    """Return the verdict of the first engine that decides, each with its share of the time."""
    verdict = question.unknown("", choice.why)
    reasons: list[str] = []
    for tried, name in enumerate(choice.engines):
        question.on_progress(f"by {name}", 0.0)
        share = budget.share(len(choice.engines) - tried)
        with within(share):
            verdict = answer_by(name, question, share)
        if verdict.verdict != "unknown":
            return verdict
        reasons.append(verdict.reason)
    if reasons:
        verdict = replace(verdict, reason="; ".join(dict.fromkeys(reasons)))
    return by_samples(question, verdict, sample, budget) if sample else verdict


def arithmetics(formats: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of formats, each once; ``exact`` is one of them.

    Raises:
        FormatError: there is no such format.
    """
    names = [formats] if isinstance(formats, str) else formats
    return tuple(
        dict.fromkeys(
            "exact" if name.lower() == "exact" else format_named(name, beside=("exact",)).name
            for name in names
        )
    )


def shape_of(net: Network, task: Task) -> Shape:
    """Return what the choice of an engine depends on."""
    net = without_last_sigmoid(net)
    activations = [layer.activation for layer in net.layers]
    return Shape(
        rows=task.rows,
        parameters=sum(int(values.integers.size) for _, values in net.entries()),
        curve=next((a.kind for a in activations if not a.is_exact), ""),
        has_diagram=diagrams.is_specified(task),
        has_script=solver.is_specified(task),
        has_solver=solver.is_installed(),
        has_kernel=task.rows > LAST_ROWS and has_kernel(net, task),
    )


def _headline(verdict: Verdict) -> Verdict:
    """Return the verdict on all that it is about, from an engine's in exact arithmetic."""
    verdict = replace(verdict, exact=verdict.verdict)
    worst = worst_of(verdict.parts().values())
    verdict = replace(verdict, verdict=worst)
    judged = verdict.formats.get(verdict.semantics)
    if worst == "proved":
        return replace(verdict, reason="", counterexample=None)
    if judged is None:
        return verdict
    is_counted = "exact" in verdict.about or (
        worst == "refuted" and FORMATS[judged.format].kind != "float"
    )
    return replace(
        verdict,
        rows_right=verdict.rows_right if is_counted else None,
        counterexample=judged.counterexample,
        reason=judged.reason,
    )
