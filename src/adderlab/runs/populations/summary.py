"""From counts to a census, with an example of each kind of failure and solution.

Rule: nothing here depends on how the members were cut into blocks, on the number of threads, or
on whether the run was interrupted: two runs of the same command differ in the seconds alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.runs.populations.census import Census
from adderlab.runs.populations.columns import table_text
from adderlab.runs.populations.failures import FailureKind, SymptomCount, Trial
from adderlab.runs.populations.losses import LossQuantiles
from adderlab.runs.populations.plan import Plan
from adderlab.runs.populations.solutions import BestMember, SolutionClass, Solutions
from adderlab.training.census.causes import CHANGES, Trials, is_cause
from adderlab.training.census.findings import units_on
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
    """Members trained once more to be shown: the same to the last bit, so none had to be kept."""

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
        activation = self.plan.settings.network_activation
        return class_text(self.units(member), self.trained.arrays[-2][row], activation)

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
    """Return the members that the census names: the first of each group, and the best."""
    wrong, non_finite, classes = (
        tally.wrong.groups(),
        tally.non_finite.groups(),
        tally.classes.groups(),
    )
    numbers = [int(wrong.firsts[place]) for place in wrong.most(MOST_TABLES)]
    numbers += [int(first) for first in non_finite.firsts]
    numbers += [int(classes.firsts[place]) for place in classes.most(MOST_CLASSES)]
    return [*numbers, tally.best] if tally.best >= 0 else numbers


def census_of(
    plan: Plan,
    tally: Tally,
    examples: Examples,
    *,
    trials: Trials | None,
    seconds: float,
) -> Census:
    """Return the census of a population without what helps and without its best member's proof."""
    wrong, non_finite = tally.wrong.groups(), tally.non_finite.groups()
    best = BestMember(tally.best, plan.settings.seed, tally.best_margin)
    return Census(
        task=plan.task,
        settings=plan.settings,
        networks=tally.networks,
        successes=tally.successes,
        seconds=round(seconds, 3),
        path=plan.choice.path,
        why=plan.choice.why,
        failures=_kinds(plan, tally, examples, trials),
        wrong_tables=len(wrong),
        diverged=tally.diverged,
        symptoms=_symptoms(
            tally,
            int(wrong.counts.sum() + non_finite.counts.sum()),
            wrong.marks.sum(axis=0) + non_finite.marks.sum(axis=0),
            trials,
            None,
        ),
        successes_by_step=tuple(tally.successes_by_step()),
        losses=_losses(tally),
        solutions=_solutions(tally, examples),
        survey=Survey(),
        best=best if tally.best >= 0 else None,
        keep=plan.keep,
    )


def _kinds(
    plan: Plan, tally: Tally, examples: Examples, trials: Trials | None
) -> tuple[FailureKind, ...]:
    """Return the kinds of failure, most frequent first, with their symptoms."""
    bits = plan.task.rows * plan.task.n_out
    wrong, non_finite = tally.wrong.groups(), tally.non_finite.groups()
    kinds: list[FailureKind] = []
    for place in wrong.most(MOST_TABLES):
        code, count, first = wrong.codes[place], int(wrong.counts[place]), int(wrong.firsts[place])
        which = None if trials is None else (trials.codes == code) & trials.is_finite
        kinds.append(
            FailureKind(
                table=tuple(examples.table(first)),
                code=table_text(int(code), bits),
                count=count,
                share=count / tally.networks,
                member=first,
                pattern=examples.pattern(first),
                symptoms=_symptoms(tally, count, wrong.marks[place], trials, which),
            )
        )
    if len(non_finite):
        count = int(non_finite.counts[0])
        which = None if trials is None else ~trials.is_finite
        kinds.append(
            FailureKind(
                table=(),
                code=None,
                count=count,
                share=count / tally.networks,
                member=int(non_finite.firsts[0]),
                pattern=None,
                symptoms=_symptoms(tally, count, non_finite.marks[0], trials, which),
            )
        )
    return tuple(sorted(kinds, key=lambda kind: -kind.count))


def _symptoms(
    tally: Tally, failures: int, marks: Any, trials: Trials | None, which: Any
) -> tuple[SymptomCount, ...]:
    """Return each symptom that some of the failures have, with the trial of its change.

    Args:
        tally: the counts of the population.
        failures: how many failures are meant.
        marks: how many of them have each symptom.
        trials: of the failures that were trained again, if any were.
        which: those of ``trials`` that are meant; ``None`` for all.
    """
    counts: list[SymptomCount] = []
    for place, symptom in enumerate(SYMPTOMS):
        count = int(marks[place])
        if not count:
            continue
        symptom_count = SymptomCount(
            name=symptom.name,
            text=symptom.text,
            count=count,
            share=count / failures,
            among_successes=Rate(int(tally.right_symptoms[place]), tally.successes).share,
        )
        if trials is not None:
            repaired, control = trials.of(which, symptom.name)
            changed = CHANGES[symptom.name]
            if repaired.of:
                trial = Trial(changed.change, repaired, changed.control, control)
                symptom_count = replace(
                    symptom_count, is_cause=is_cause(repaired, control), trial=trial
                )
        counts.append(symptom_count)
    return tuple(counts)


def _losses(tally: Tally) -> LossQuantiles:
    values = tally.loss_quantiles(QUANTILES)
    by_share = {
        share: tuple(losses) for share, losses in zip(QUANTILES, values.tolist(), strict=True)
    }
    return LossQuantiles(tuple(tally.loss_steps), by_share)


def _solutions(tally: Tally, examples: Examples) -> Solutions:
    """Return how many different solutions there are, and the commonest."""
    classes = tally.classes.groups()
    return Solutions(
        patterns=len(tally.patterns.groups()),
        classes=len(classes),
        commonest=tuple(
            SolutionClass(
                text=examples.solution(int(classes.firsts[place])),
                code=f"{int(classes.codes[place]):016x}",
                count=int(classes.counts[place]),
                share=int(classes.counts[place]) / tally.successes,
                member=int(classes.firsts[place]),
            )
            for place in classes.most(MOST_CLASSES)
        ),
    )
