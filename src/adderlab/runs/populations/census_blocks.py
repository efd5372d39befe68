"""A census as blocks: how often training worked, what failures look like, why, what helps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks import Block, Command, Heading, Line, Table, written_lines
from adderlab.blocks.numbers import duration_text
from adderlab.training.census.symptoms import SYMPTOM_NAMED

if TYPE_CHECKING:
    from adderlab.runs.populations.census import Census
    from adderlab.tasks import Task

MOST_TABLES: Final = 10
MOST_ROWS: Final = 8
"""Rows of a task up to which a wrong truth table is shown row by row."""

LONGEST_CLASS: Final = 60
"""Letters of a solution's class up to which it is shown."""


def census_blocks(census: Census) -> Iterator[Block]:
    """Yield what a population did."""
    result = census.to_dict()
    low, high = result["interval"]
    for name in census.repaired:
        yield Line(f"{name} was damaged and was made again", "bad")
    if census.was_done:
        yield Line("this run was finished before: nothing was trained now", "quiet")
    yield Line(
        f"{result['successes']} of {result['networks']} networks are right on every row: "
        f"{result['success_rate']:.1%} (95 % Wilson interval {low:.1%} to {high:.1%})",
        "strong",
    )
    each = duration_text(result["seconds"] / result["networks"])
    yield Line(f"{result['seconds']:.1f} s by {result['path']} ({result['why']}), {each} a network")
    yield from _speed(result)
    yield from _failures(result, census.task)
    yield from symptom_blocks(result["causes"])
    yield from _helps(result["helps"])
    yield from _solutions(result["solutions"])
    best = result["best"]
    if best is not None:
        yield Heading("the best network")
        yield Line(
            f"member {best['member']} of seed {best['seed']}, margin {best['margin']:.4f}, "
            f"{best['verdict']} in exact arithmetic; alone:"
        )
        yield Command(
            f"adderlab train {result['task']} --seed {best['seed']} --member {best['member']}"
        )
    yield from written_lines(census.folder)


def _speed(result: dict[str, Any]) -> Iterator[Block]:
    """Yield by which step half of the successes were right, and nine tenths."""
    if not result["successes"] or not result["settings"]["steps"]:
        return
    parts: list[str] = []
    for share, name in ((0.5, "half"), (0.9, "nine tenths")):
        least = share * result["successes"]
        step = next((at for at, count in result["successes_by_step"] if count >= least), None)
        if step is not None:
            parts.append(f"{name} by step {step}")
    yield Line(f"of those that are right, {', '.join(parts)} and from then on")


def _failures(result: dict[str, Any], task: Task) -> Iterator[Block]:
    failures = result["failures"]
    if not failures:
        return
    inputs: list[str] = []
    if task.rows <= MOST_ROWS:
        inputs = [",".join(map(str, task.row(index).inputs.values())) for index in range(task.rows)]
    is_tried = any(
        cause["is_cause"] is not None for failure in failures for cause in failure["causes"]
    )
    rows: list[tuple[str, ...]] = []
    for failure in failures[:MOST_TABLES]:
        table = [str(failure["code"])]
        if inputs:
            table = list(map(str, failure["table"])) or ["diverged"] * len(inputs)
        names = [SYMPTOM_NAMED[c["cause"]].cause for c in failure["causes"] if c["is_cause"]]
        caused_by = [", ".join(names) or "-"] if is_tried else []
        share = f"{failure['count'] / result['networks']:.1%}"
        rows.append((str(failure["count"]), share, *table, *caused_by))
    count = result["failure_tables"] + bool(result["diverged"])
    columns = ("networks", "share", *(inputs or ["table"]), *(["caused by"] if is_tried else []))
    yield Table(
        columns,
        tuple(rows),
        caption=f"wrong truth tables, {count} in all, most frequent first",
        left=("caused by",) if is_tried else (),
    )


def symptom_blocks(causes: list[dict[str, Any]]) -> Iterator[Block]:
    """Yield the symptoms of failures, and what repeated runs say of them as causes."""
    if not causes:
        return
    is_tried = any(cause["trial"] for cause in causes)
    changed = ", and how many are right once that alone is changed" if is_tried else ""
    columns = ("symptom", "failures", "successes", "changed", "control group", "cause")
    shown = len(columns) if is_tried else 3
    rows: list[tuple[str, ...]] = []
    for cause in causes:
        trial = cause["trial"]
        row = (
            SYMPTOM_NAMED[cause["cause"]].title,
            _percent(cause["share"]),
            _percent(cause["among_successes"]),
            _trial(trial["mended"]) if trial else "-",
            _trial(trial["control_mended"]) if trial else "-",
            {True: "yes", False: "no", None: "?"}[cause["is_cause"]],
        )
        rows.append(row[:shown])
    yield Table(
        columns[:shown],
        tuple(rows),
        caption=f"symptoms of the failures{changed}",
        left=("symptom", "cause") if is_tried else ("symptom",),
    )
    for cause in causes:
        trial = cause["trial"]
        if trial:
            title = SYMPTOM_NAMED[cause["cause"]].title
            yield Line(
                f"{title} ({cause['text']}): {trial['change']} in {trial['mended']['of']} "
                f"failures; control group: {trial['control']}",
                "quiet",
            )


def _trial(rate: dict[str, Any]) -> str:
    if not rate["of"]:
        return "-"
    low, high = rate["interval"]
    return f"{rate['share']:.0%} ({100 * low:.0f}-{high:.0%})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _helps(helps: list[dict[str, Any]]) -> Iterator[Block]:
    if not helps:
        return
    columns = ("change", "right", "95 % interval", "helps", "option")
    yield Table(
        columns,
        tuple(
            (
                change["change"],
                f"{change['rate']:.1%}",
                f"{change['interval'][0]:.1%} to {change['interval'][1]:.1%}",
                "yes" if change["is_better"] else "-",
                change["option"],
            )
            for change in sorted(helps, key=lambda change: -change["rate"])
        ),
        caption=f"what helps, measured over members 0 to {helps[0]['networks'] - 1} each time "
        f"(unchanged, the same members: {helps[0]['unchanged']['share']:.1%})",
        left=("change", "helps", "option"),
    )


def _solutions(solutions: dict[str, Any]) -> Iterator[Block]:
    if not solutions["classes"]:
        return
    yield Heading(
        f"solutions: {solutions['patterns']} on/off patterns, {solutions['classes']} "
        "classes up to permutation and scaling of units"
    )
    first = solutions["commonest"][0]
    if len(first["class"]) <= LONGEST_CLASS:
        yield Line(
            f"the commonest, {first['share']:.1%} of the successes: {first['class']} (each "
            "unit's rows on and off, and the signs of its outgoing weights)"
        )
