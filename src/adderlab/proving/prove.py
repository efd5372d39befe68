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
from adderlab.proving.by_diagrams import prove_by_diagrams
from adderlab.proving.choice import choose_engine
from adderlab.proving.enumeration import (
    enumerate_rows,
    exact_counterexample,
    margin_of,
)
from adderlab.proving.number_formats import format_verdict, replays_in
from adderlab.proving.verdict import Counterexample, FormatVerdict, Outcome, Verdict, named
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
) -> Verdict:
    """Return whether the network computes the task on every input of its domain.

    Without ``formats`` the verdict is in exact arithmetic on the stored values, and the
    network's own format is judged beside it. With ``formats`` the verdict is that of the
    formats named: refuted if one is, proved if all are.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        task: a task or its name; left out, the one that the network was built for.
        formats: a number format's name, or several.
        engine: ``auto``, ``enumeration`` or ``diagram``.
        timeout_s: seconds after which diagrams are given up; none unless given.

    Returns:
        A verdict that is true for ``proved`` alone. A refuted one holds the first wrong row.

    Raises:
        TaskError: no task is known, or it does not fit the network.
        OptionError: there is no such engine, or the timeout is not above 0.
        NetworkFileError: the file is not a network.
        ModelError: the module's ``forward`` can't be read.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> adderlab.prove(lecture).counterexample.got
        {'c': 3}
    """
    start = time.perf_counter()
    source = read_source(model)
    net = source.network
    target = task_of(net, task)
    wanted = [formats] if isinstance(formats, str) else formats
    names = list(dict.fromkeys(format_named(name).name for name in wanted))
    if timeout_s is not None and not timeout_s > 0:
        raise OptionError(f"got {timeout_s:g}", where="--timeout", remedy="give seconds above 0")
    choice = choose_engine(target.rows, has_tanh=not is_exact(net), wish=engine)
    base = Verdict("unknown", "enumerated", "exact", target.name, target.rows, choice=str(choice))
    own = format_named(net.format).name
    judged = names or [own]
    if choice.engine == "none":
        formats_found = {name: FormatVerdict(name, "unknown", choice.why) for name in judged}
        found = replace(base, formats=formats_found, reason=choice.why)
    elif choice.engine == "diagram":
        found = prove_by_diagrams(net, target, base, judged, timeout_s)
    else:
        found = _enumerated(net, target, base, judged)
    found = replace(
        found,
        own_format=own,
        sha256=source.sha256,
        notes=source.notes,
        seconds=time.perf_counter() - start,
    )
    return _in_formats(found, names) if names else found


def _enumerated(net: Network, task: Task, base: Verdict, names: Sequence[str]) -> Verdict:
    found = enumerate_rows(net, task)
    outcome: Outcome = "proved"
    reason = ""
    counterexample = None
    if found.first_wrong is not None:
        outcome = "refuted"
        counterexample = exact_counterexample(net, task, found.first_wrong)
    elif found.undecided:
        outcome = "unknown"
        first = named(task.row(found.undecided[0]).inputs)
        reason = f"{len(found.undecided)} rows could not be decided, the first {first}"
    formats = {name: format_verdict(net, task, name, outcome) for name in names}
    if counterexample is not None and found.first_wrong is not None:
        replays = {
            name: replays_in(net, task, one, found.first_wrong) for name, one in formats.items()
        }
        known = {name: wrong for name, wrong in replays.items() if wrong is not None}
        counterexample = replace(counterexample, replays={"exact": True, **known})
        formats = {name: _with_example(one, counterexample) for name, one in formats.items()}
    return replace(
        base,
        verdict=outcome,
        rows_right=found.rows - found.wrong if not found.undecided else None,
        counterexample=counterexample,
        margin=margin_of(found, net) if is_exact(net) or not found.undecided else None,
        formats=formats,
        reason=reason,
    )


def _with_example(found: FormatVerdict, exact: Counterexample) -> FormatVerdict:
    """Return the verdict of a format that computes exactly with the exact counterexample."""
    if found.verdict != "refuted" or found.counterexample is not None:
        return found
    return replace(found, counterexample=replace(exact, semantics=found.format))


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
