"""What a finished run's record says, counted again from its blocks.

Rule: only whole numbers and what a block holds bit for bit is compared, so that a run that was
finished on one machine is shown on any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adderlab.runs.populations.columns import table_text
from adderlab.runs.populations.summary import MOST_CLASSES, MOST_TABLES
from adderlab.training.census.symptoms import SYMPTOMS

if TYPE_CHECKING:
    from adderlab.runs.populations.plan import Plan
    from adderlab.training.census.groups import Groups
    from adderlab.training.census.tally import Tally


def fault_of_counts(plan: Plan, tally: Tally, result: Mapping[str, Any]) -> str:
    """Return which number of a result is not that of the blocks; empty if all are.

    Args:
        plan: of the run.
        tally: of all its blocks.
        result: what the record says, checked by its schema.
    """
    recorded = _recorded(result)
    for name, value in _counted(plan, tally).items():
        if recorded[name] != value:
            return f"{name}: not what the blocks hold"
    return ""


def _recorded(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of a result that blocks decide, by their place in it."""
    solutions, best = result["solutions"], result["best"]
    return {
        "networks": result["networks"],
        "successes": result["successes"],
        "diverged": result["diverged"],
        "failure_tables": result["failure_tables"],
        "failures": sorted(
            (entry["code"] or "", entry["count"], entry["member"]) for entry in result["failures"]
        ),
        "causes": {entry["cause"]: entry["count"] for entry in result["causes"]},
        "successes_by_step": [tuple(pair) for pair in result["successes_by_step"]],
        "solutions.patterns": solutions["patterns"],
        "solutions.classes": solutions["classes"],
        "solutions.commonest": [
            (entry["code"], entry["count"], entry["member"]) for entry in solutions["commonest"]
        ],
        "best": best and (best["member"], best["seed"], best["margin"]),
    }


def _counted(plan: Plan, tally: Tally) -> dict[str, Any]:
    """Return the same numbers from the blocks."""
    wrong, non_finite = tally.wrong.groups(), tally.non_finite.groups()
    classes = tally.classes.groups()
    bits = plan.task.rows * plan.task.n_out
    failures = [
        (table_text(int(wrong.codes[place]), bits), *_count_and_first(wrong, place))
        for place in wrong.most(MOST_TABLES)
    ]
    failures += [("", *_count_and_first(non_finite, place)) for place in range(len(non_finite))]
    marks = wrong.marks.sum(axis=0) + non_finite.marks.sum(axis=0)
    best = (tally.best, plan.settings.seed, tally.best_margin)
    return {
        "networks": tally.networks,
        "successes": tally.successes,
        "diverged": tally.diverged,
        "failure_tables": len(wrong),
        "failures": sorted(failures),
        "causes": {
            symptom.name: int(count)
            for symptom, count in zip(SYMPTOMS, marks, strict=True)
            if count
        },
        "successes_by_step": tally.successes_by_step(),
        "solutions.patterns": len(tally.patterns.groups()),
        "solutions.classes": len(classes),
        "solutions.commonest": [
            (f"{int(classes.codes[place]):016x}", *_count_and_first(classes, place))
            for place in classes.most(MOST_CLASSES)
        ],
        "best": best if tally.best >= 0 else None,
    }


def _count_and_first(groups: Groups, place: int) -> tuple[int, int]:
    return int(groups.counts[place]), int(groups.firsts[place])
