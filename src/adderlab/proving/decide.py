"""Decide a network on every input of a task: choose engines, run them in turn, judge formats."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from adderlab.errors import OptionError
from adderlab.formats import FORMATS, format_named
from adderlab.nets import Network, is_exact
from adderlab.proving import diagrams, solver
from adderlab.proving.budget import MOST_MEMORY_BYTES, Budget
from adderlab.proving.choice import Shape, choose_engines
from adderlab.proving.engines import ENGINES, Question, by_samples
from adderlab.proving.verdict import Outcome, Verdict
from adderlab.tasks import Task

_WORST: Final[dict[Outcome, int]] = {"proved": 0, "unknown": 1, "refuted": 2}


def decide(
    net: Network,
    task: Task,
    *,
    formats: str | Sequence[str] = (),
    engine: str = "auto",
    timeout_s: float | None = None,
    max_memory_bytes: int = MOST_MEMORY_BYTES,
    sample: int = 0,
) -> Verdict:
    """Return whether a network computes a task on every input; see :func:`adderlab.prove`.

    Raises:
        TaskError: the task does not fit the network.
        OptionError: there is no such engine, or a limit is not above 0.
    """
    start = time.perf_counter()
    budget = Budget.of(timeout_s, max_memory_bytes)
    requested = [formats] if isinstance(formats, str) else formats
    names = list(dict.fromkeys(format_named(name).name for name in requested))
    if sample < 0:
        raise OptionError(f"got {sample}", where="sample", remedy="give a number of inputs")
    choice = choose_engines(shape_of(net, task), engine=engine)
    base = Verdict("unknown", "", "exact", task.name, task.rows, choice=str(choice))
    own = format_named(net.format).name
    question = Question(net, task, base, names or [own])
    verdict = question.unknown("", choice.why)
    reasons: list[str] = []
    for tried, name in enumerate(choice.engines):
        verdict = ENGINES[name](question, budget.share(len(choice.engines) - tried))
        if verdict.verdict != "unknown":
            break
        reasons.append(verdict.reason)
    else:
        if reasons:
            verdict = replace(verdict, reason="; ".join(reasons))
        if sample:
            verdict = by_samples(question, verdict, sample, budget)
    verdict = replace(verdict, own_format=own, seconds=time.perf_counter() - start)
    return _in_formats(verdict, names) if names else verdict


def shape_of(net: Network, task: Task) -> Shape:
    """Return what the choice of an engine depends on."""
    return Shape(
        rows=task.rows,
        parameters=sum(int(values.integers.size) for _, values in net.entries()),
        has_tanh=not is_exact(net),
        has_diagram=diagrams.is_specified(task),
        has_script=solver.is_specified(task),
        has_solver=solver.is_installed(),
    )


def _in_formats(verdict: Verdict, names: Sequence[str]) -> Verdict:
    """Return the verdict on the named formats instead of exact arithmetic."""
    worst = max(
        (verdict.formats[name] for name in names), key=lambda judged: _WORST[judged.verdict]
    )
    if worst.verdict == "proved":
        rows_right = verdict.rows
    elif FORMATS[worst.format].kind == "float" or worst.verdict == "unknown":
        rows_right = None  # rows were counted in exact arithmetic alone
    else:
        rows_right = verdict.rows_right
    return replace(
        verdict,
        verdict=worst.verdict,
        semantics=worst.format if worst.verdict != "proved" else ", ".join(names),
        rows_right=rows_right,
        counterexample=worst.counterexample,
        reason=worst.reason if worst.verdict != "proved" else "",
    )
