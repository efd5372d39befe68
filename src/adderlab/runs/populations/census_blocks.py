"""A census as blocks: how often training worked, what failures look like, why, what helps."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from adderlab.blocks import Block, Command, Heading, Line, Table, written_lines
from adderlab.blocks.numbers import counted, duration_text
from adderlab.training.census.symptoms import SYMPTOM_NAMED
from adderlab.training.settings import options_text

if TYPE_CHECKING:
    from adderlab.runs.populations.census import Census
    from adderlab.runs.populations.failures import SymptomCount
    from adderlab.runs.populations.solutions import Solutions
    from adderlab.training.census.rates import Rate
    from adderlab.training.census.surveys import Help

MOST_TABLES: Final = 10
MOST_ROWS: Final = 8
"""Rows of a task up to which a wrong truth table is shown row by row."""

LONGEST_CLASS: Final = 60
"""Letters of a solution's class up to which it is shown."""


def census_blocks(census: Census) -> Iterator[Block]:
    """Yield the blocks of a census."""
    rate, best = census.rate, census.best
    low, high = rate.interval
    for name in census.repaired:
        yield Line(f"{name} was damaged and was written again", "bad")
    if census.was_done:
        yield Line("this run was finished before: nothing was trained now", "quiet")
    are = "is" if 1 in (census.successes, census.networks) else "are"
    yield Line(
        f"{census.successes} of {counted(census.networks, 'network')} {are} right on every row: "
        f"{rate.share:.1%} (95 % Wilson interval {low:.1%} to {high:.1%})",
        "strong",
    )
    each = duration_text(census.seconds / census.networks)
    trained = f"trained in {duration_text(census.seconds)} by {census.path}"
    yield Line(f"{trained} ({census.why}), {each} a network")
    if census.times.parts:
        yield Line(str(census.times))
    yield from _speed(census)
    yield from _failures(census)
    yield from symptom_blocks(census.symptoms)
    yield from _helps(census.survey.helps)
    yield from _solutions(census.solutions)
    if best is not None and census.best_proof is not None:
        yield Heading("the best network")
        yield Line(
            f"member {best.member} of seed {best.seed}, margin {best.margin:.4f}, "
            f"{census.best_proof.verdict} in exact arithmetic; alone:"
        )
        yield Command(
            f"adderlab train {shlex.quote(census.task.name)} --seed {best.seed} "
            f"--member {best.member}{options_text(census.settings)}"
        )
    yield from written_lines(census.folder)


def _speed(census: Census) -> Iterator[Block]:
    """Yield by which step half of the successes were right, and nine tenths."""
    if not census.successes or not census.settings.steps:
        return
    parts: list[str] = []
    for share, name in ((0.5, "half"), (0.9, "nine tenths")):
        least = share * census.successes
        step = next((at for at, count in census.successes_by_step if count >= least), None)
        if step is not None:
            parts.append(f"{name} by step {step}")
    yield Line(f"of those that are right, {', '.join(parts)} and from then on")


def _failures(census: Census) -> Iterator[Block]:
    kinds, task = census.failures, census.task
    if not kinds:
        return
    inputs: list[str] = []
    if task.rows <= MOST_ROWS:
        inputs = [",".join(map(str, task.row(index).inputs.values())) for index in range(task.rows)]
    is_tried = any(symptom.is_cause is not None for kind in kinds for symptom in kind.symptoms)
    rows: list[tuple[str, ...]] = []
    for kind in kinds[:MOST_TABLES]:
        table = [str(kind.code)]
        if inputs:
            table = list(map(str, kind.table)) or ["diverged"] * len(inputs)
        names = [SYMPTOM_NAMED[symptom.name].title for symptom in kind.causes]
        caused_by = [", ".join(names) or "-"] if is_tried else []
        rows.append((str(kind.count), f"{kind.share:.1%}", *table, *caused_by))
    count = census.wrong_tables + bool(census.diverged)
    columns = ("networks", "share", *(inputs or ["table"]), *(["caused by"] if is_tried else []))
    yield Table(
        columns,
        tuple(rows),
        caption="wrong truth tables, "
        + (f"{count} in all, most frequent first" if count > 1 else "1 in all"),
        left=("caused by",) if is_tried else (),
    )


def symptom_blocks(symptoms: Sequence[SymptomCount]) -> Iterator[Block]:
    """Yield the symptoms of failures, and what repeated runs say of them as causes."""
    if not symptoms:
        return
    is_tried = any(symptom.trial is not None for symptom in symptoms)
    changed = ", and how many are right once that alone is changed" if is_tried else ""
    columns = ("symptom", "failures", "successes", "changed", "control group", "cause")
    shown = len(columns) if is_tried else 3
    rows: list[tuple[str, ...]] = []
    for symptom in symptoms:
        trial = symptom.trial
        row = (
            SYMPTOM_NAMED[symptom.name].title,
            f"{symptom.share:.1%}",
            "-" if symptom.among_successes is None else f"{symptom.among_successes:.1%}",
            rate_text(trial.repaired) if trial is not None else "-",
            rate_text(trial.control_repaired) if trial is not None else "-",
            {True: "yes", False: "no", None: "?"}[symptom.is_cause],
        )
        rows.append(row[:shown])
    yield Table(
        columns[:shown],
        tuple(rows),
        caption=f"symptoms of the failures{changed}",
        left=("symptom", "cause") if is_tried else ("symptom",),
    )
    for symptom in symptoms:
        trial = symptom.trial
        if trial is not None:
            title = SYMPTOM_NAMED[symptom.name].title
            yield Line(
                f"{title} ({symptom.text}): {trial.change} in "
                f"{counted(trial.repaired.of, 'failure')}; control group: {trial.control}",
                "quiet",
            )


def rate_text(rate: Rate) -> str:
    """Return a share with its 95 % Wilson interval: ``60% (45-74%)``."""
    if rate.share is None:
        return "-"
    low, high = rate.interval
    return f"{rate.share:.0%} ({100 * low:.0f}-{high:.0%})"


def _helps(helps: Sequence[Help]) -> Iterator[Block]:
    if not helps:
        return
    networks, base = helps[0].rate.of, helps[0].base
    columns = ("change", "right", "95 % interval", "helps", "option")
    members = f"members 0 to {networks - 1}" if networks > 1 else "member 0"
    yield Table(
        columns,
        tuple(
            (
                change.change,
                f"{change.rate.share:.1%}",
                "{:.1%} to {:.1%}".format(*change.rate.interval),
                "yes" if change.is_better else "-",
                change.option,
            )
            for change in sorted(helps, key=lambda change: -(change.rate.share or 0.0))
        ),
        caption=f"what helps, measured over {members} each time "
        f"(unchanged, the same members: {base.share:.1%})",
        left=("change", "helps", "option"),
    )


def _solutions(solutions: Solutions) -> Iterator[Block]:
    if not solutions.classes:
        return
    yield Heading(
        f"solutions: {counted(solutions.patterns, 'on/off pattern')}, "
        f"{counted(solutions.classes, 'class', 'classes')} up to permutation and scaling of units"
    )
    first = solutions.commonest[0]
    if len(first.text) <= LONGEST_CLASS:
        yield Line(
            f"the commonest, {first.share:.1%} of the successes: {first.text} (each unit's rows "
            "on and off, and the signs of its outgoing weights)"
        )
