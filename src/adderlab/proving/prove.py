"""``prove``: the verdict on every input of a task."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adderlab.errors import OptionError
from adderlab.formats import FORMATS, format_named
from adderlab.nets import Network, is_exact
from adderlab.nets.sources import read_source, task_of
from adderlab.proving import diagrams, solver
from adderlab.proving.budget import MOST_MEMORY_BYTES, Budget
from adderlab.proving.choice import Shape, choose_engines
from adderlab.proving.engines import ENGINES, Question, by_samples
from adderlab.proving.verdict import Outcome, Verdict
from adderlab.tasks import Task

if TYPE_CHECKING:
    from torch import nn

_WORST: Final[dict[Outcome, int]] = {"proved": 0, "unknown": 1, "refuted": 2}


def prove(
    model: Network | str | Path | nn.Module,
    task: Task | str | None = None,
    *,
    formats: str | Sequence[str] = (),
    engine: str = "auto",
    timeout_s: float | None = None,
    max_memory_bytes: int = MOST_MEMORY_BYTES,
    sample: int = 0,
) -> Verdict:
    """Return whether the network computes the task on every input of its domain.

    Without ``formats`` the verdict is in exact arithmetic on the stored values, and the
    network's own format is judged beside it. With ``formats`` the verdict is that of the
    formats named: refuted if one is, proved if all are.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        task: a task or its name; left out, the one that the network was built for.
        formats: a number format's name, or several.
        engine: ``auto``, ``enumeration``, ``diagram`` or ``solver``.
        timeout_s: seconds after which the verdict is ``unknown``; no limit unless given.
        max_memory_bytes: how much a proof may take.
        sample: random inputs to try where no engine decides; they can only refute.

    Returns:
        A verdict that is true for ``proved`` alone. A refuted one holds the first wrong row.

    Raises:
        TaskError: no task is known, or it does not fit the network.
        OptionError: there is no such engine, or a limit is not above 0.
        NetworkFileError: the file is not a network.
        ModelError: the module's ``forward`` can't be read.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> adderlab.prove(lecture).counterexample.got
        {'c': 3}
    """
    start = time.perf_counter()
    budget = Budget.of(timeout_s, max_memory_bytes)
    source = read_source(model)
    net = source.network
    target = task_of(net, task)
    wanted = [formats] if isinstance(formats, str) else formats
    names = list(dict.fromkeys(format_named(name).name for name in wanted))
    if sample < 0:
        raise OptionError(f"got {sample}", where="--sample", remedy="give a number of inputs")
    choice = choose_engines(shape_of(net, target), wish=engine)
    base = Verdict("unknown", "", "exact", target.name, target.rows, choice=str(choice))
    own = format_named(net.format).name
    asked = Question(net, target, base, names or [own])
    found = asked.unknown("", choice.why)
    reasons: list[str] = []
    for tried, name in enumerate(choice.engines):
        found = ENGINES[name](asked, budget.share(len(choice.engines) - tried))
        if found.verdict != "unknown":
            break
        reasons.append(found.reason)
    else:
        if reasons:
            found = replace(found, reason="; ".join(reasons))
        if sample:
            found = by_samples(asked, found, sample, budget)
    found = replace(
        found,
        own_format=own,
        sha256=source.sha256,
        notes=source.notes,
        seconds=time.perf_counter() - start,
    )
    return _in_formats(found, names) if names else found


def shape_of(net: Network, task: Task) -> Shape:
    """Return all that the choice of an engine looks at."""
    return Shape(
        rows=task.rows,
        parameters=sum(int(values.integers.size) for _, values in net.entries()),
        has_tanh=not is_exact(net),
        has_diagram=diagrams.is_specified(task),
        has_script=solver.is_specified(task),
        has_solver=solver.is_installed(),
    )


def _in_formats(found: Verdict, names: Sequence[str]) -> Verdict:
    """Return the verdict that speaks of the named formats instead of exact arithmetic."""
    worst = max((found.formats[name] for name in names), key=lambda one: _WORST[one.verdict])
    if worst.verdict == "proved":
        rows_right = found.rows
    elif FORMATS[worst.format].kind == "float" or worst.verdict == "unknown":
        rows_right = None  # rows were counted in exact arithmetic alone
    else:
        rows_right = found.rows_right
    return replace(
        found,
        verdict=worst.verdict,
        semantics=worst.format if worst.verdict != "proved" else ", ".join(names),
        rows_right=rows_right,
        counterexample=worst.counterexample,
        reason=worst.reason if worst.verdict != "proved" else "",
    )
