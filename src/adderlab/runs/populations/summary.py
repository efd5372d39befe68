"""From counts to sentences: the result of a population as plain data.

Rule: nothing here depends on how the members were cut into blocks, on the number of threads, or
on whether the run was interrupted: two runs of the same command give the same result but for the
seconds.
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.runs.populations.columns import table_text
from adderlab.runs.populations.plan import Plan
from adderlab.training.census.causes import CHANGES, Trials, is_cause
from adderlab.training.census.findings import units_on
from adderlab.training.census.groups import Groups
from adderlab.training.census.patterns import class_text, pattern_text
from adderlab.training.census.rates import Rate
from adderlab.training.census.surveys import Survey
from adderlab.training.census.symptoms import SYMPTOMS
from adderlab.training.census.tally import Tally
from adderlab.training.judging import judge, table_of
from adderlab.training.members import Members, train_members

if TYPE_CHECKING:
    from adderlab.nets import Network

MOST_TABLES: Final = 256
MOST_CLASSES: Final = 10
QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


class Examples:
    """Members trained once more to be shown: the same to the last bit, so nothing was kept."""

    def __init__(self, plan: Plan, numbers: list[int]) -> None:
        self.plan = plan
        order = sorted(set(numbers))
        self._rows = {number: row for row, number in enumerate(order)}
        self.trained: Members | None = None
        if order:
            members = np.array(order, dtype=np.uint64)
            path = plan.choice.path
            self.trained = train_members(plan.task, plan.settings, members, path=path)
            self.judged = judge(plan.task, plan.settings, self.trained.arrays)
            self.on = units_on(self.judged.on, plan.settings)

    def _row(self, member: int) -> int:
        return self._rows[member]

    def table(self, member: int) -> list[int]:
        """Return a member's output words row by row."""
        return list(table_of(self.plan.task, self.judged.bits[self._row(member)]))

    def units(self, member: int) -> tuple[Any, ...]:
        """Return for each hidden layer which of a member's units are on at which row."""
        return tuple(layer[self._row(member)] for layer in self.on)

    def pattern(self, member: int) -> str:
        """Return a member's on/off pattern."""
        return pattern_text(self.units(member))

    def solution(self, member: int) -> str:
        """Return a member's class in words."""
        assert self.trained is not None
        row = self._row(member)
        kind = self.plan.settings.network_activation.kind
        return class_text(self.units(member), self.trained.arrays[-2][row], kind)

    def network(self, member: int) -> Network | None:
        """Return a member's network; ``None`` if it diverged."""
        assert self.trained is not None
        return self.trained.network(self._row(member))

    def losses(self, member: int) -> list[tuple[int, float]]:
        """Return a member's losses by step."""
        assert self.trained is not None
        values = self.trained.losses[self._row(member)].tolist()
        return list(zip(self.trained.loss_steps, values, strict=True))


def shown_members(tally: Tally) -> list[int]:
    """Return the members that the result speaks of: one of each group, and the best."""
    wrong, lost, classes = tally.wrong.groups(), tally.lost.groups(), tally.classes.groups()
    numbers = [int(wrong.firsts[place]) for place in wrong.most(MOST_TABLES)]
    numbers += [int(first) for first in lost.firsts]
    numbers += [int(classes.firsts[place]) for place in classes.most(MOST_CLASSES)]
    return [*numbers, tally.best] if tally.best >= 0 else numbers


def result_of(
    plan: Plan,
    tally: Tally,
    examples: Examples,
    *,
    trials: Trials | None,
    survey: Survey | None,
    seconds: float,
) -> dict[str, Any]:
    """Return a population's result.

    What was run: ``task``, ``settings``, ``networks``, ``path``, ``why``, ``seconds``, ``keep``.
    How many are right: ``successes``, ``success_rate``, its ``interval``, ``successes_by_step``,
    ``solutions``, ``best``. The others: ``failures``, ``failure_tables``, ``diverged``,
    ``causes``. All: ``losses``. What would help: the keys of :meth:`Survey.to_dict`.
    """
    rate = Rate(tally.successes, tally.networks)
    return {
        "task": plan.task.name,
        "settings": _plain(asdict(plan.settings)),
        "networks": tally.networks,
        "successes": tally.successes,
        "success_rate": rate.share,
        "interval": list(rate.interval),
        "seconds": round(seconds, 3),
        "path": plan.choice.path,
        "why": plan.choice.why,
        "failures": _failures(plan, tally, examples, trials),
        "failure_tables": len(tally.wrong.groups()),
        "diverged": tally.diverged,
        "causes": _causes(tally, tally.wrong.groups(), tally.lost.groups(), trials),
        "successes_by_step": [list(pair) for pair in tally.successes_by_step()],
        "losses": _losses(tally),
        "solutions": _solutions(tally, examples),
        **(survey.to_dict() if survey is not None else {"helps": [], "by_hidden": [], "by_lr": []}),
        "best": _best(plan, tally),
        "keep": plan.keep,
    }


def _failures(
    plan: Plan, tally: Tally, examples: Examples, trials: Trials | None
) -> list[dict[str, Any]]:
    """Return the wrong truth tables, most frequent first, with what is seen and what it does."""
    bits = plan.task.rows * plan.task.n_out
    wrong, lost = tally.wrong.groups(), tally.lost.groups()
    failures: list[dict[str, Any]] = []
    for place in wrong.most(MOST_TABLES):
        code, first = wrong.codes[place], int(wrong.firsts[place])
        which = None if trials is None else (trials.codes == code) & trials.is_finite
        failures.append(
            {
                "table": examples.table(first),
                "code": table_text(int(code), bits),
                "count": int(wrong.counts[place]),
                "share": int(wrong.counts[place]) / tally.networks,
                "member": first,
                "pattern": examples.pattern(first),
                "causes": _told(tally, int(wrong.counts[place]), wrong.marks[place], trials, which),
            }
        )
    if len(lost):
        count = int(lost.counts[0])
        which = None if trials is None else ~trials.is_finite
        failures.append(
            {
                "table": [],
                "code": None,
                "count": count,
                "share": count / tally.networks,
                "member": int(lost.firsts[0]),
                "pattern": None,
                "causes": _told(tally, count, lost.marks[0], trials, which),
            }
        )
    return sorted(failures, key=lambda entry: -entry["count"])


def _causes(
    tally: Tally, wrong: Groups, lost: Groups, trials: Trials | None
) -> list[dict[str, Any]]:
    """Return the same over all failures together."""
    count = int(wrong.counts.sum() + lost.counts.sum())
    marks = wrong.marks.sum(axis=0) + lost.marks.sum(axis=0)
    return _told(tally, count, marks, trials, None)


def _told(
    tally: Tally, failures: int, marks: Any, trials: Trials | None, which: Any
) -> list[dict[str, Any]]:
    """Return each symptom that some of the failures have, with the trial of its change."""
    entries: list[dict[str, Any]] = []
    for place, symptom in enumerate(SYMPTOMS):
        count = int(marks[place])
        if not count:
            continue
        right = Rate(int(tally.right_symptoms[place]), tally.successes)
        entry: dict[str, Any] = {
            "cause": symptom.name,
            "text": symptom.text,
            "count": count,
            "share": count / failures,
            "among_successes": right.share,
            "is_cause": None,
            "trial": None,
        }
        if trials is not None:
            repaired, control = trials.of(which, symptom.name)
            changed = CHANGES[symptom.name]
            if repaired.of:
                entry["is_cause"] = is_cause(repaired, control)
                entry["trial"] = {
                    "change": changed.change,
                    "mended": repaired.to_dict(),
                    "control": changed.control,
                    "control_mended": control.to_dict(),
                }
        entries.append(entry)
    return entries


def _losses(tally: Tally) -> dict[str, Any]:
    values = tally.loss_quantiles(QUANTILES)
    return {
        "steps": list(tally.loss_steps),
        "quantiles": {
            f"{share:g}": [_finite(value) for value in row]
            for share, row in zip(QUANTILES, values.tolist(), strict=True)
        },
    }


def _solutions(tally: Tally, examples: Examples) -> dict[str, Any]:
    """Return how many different solutions there are, and the commonest."""
    classes = tally.classes.groups()
    return {
        "patterns": len(tally.patterns.groups()),
        "classes": len(classes),
        "commonest": [
            {
                "class": examples.solution(int(classes.firsts[place])),
                "code": f"{int(classes.codes[place]):016x}",
                "count": int(classes.counts[place]),
                "share": int(classes.counts[place]) / tally.successes,
                "member": int(classes.firsts[place]),
            }
            for place in classes.most(MOST_CLASSES)
        ],
    }


def _best(plan: Plan, tally: Tally) -> dict[str, Any] | None:
    if tally.best < 0:
        return None
    return {"member": tally.best, "seed": plan.settings.seed, "margin": tally.best_margin}


def _plain(settings: dict[str, Any]) -> dict[str, Any]:
    del settings["member"]
    hidden = settings["hidden"]
    return {**settings, "hidden": list(hidden) if isinstance(hidden, tuple) else hidden}


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
