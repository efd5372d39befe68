"""Why runs fail: for each symptom one change, made alone, and how many failures it repairs.

Rule: a symptom is named a cause only if changing it and nothing else turns failures into
successes, more often than the same change does where the symptom is not. The same members are
trained again, from the same start on the same data with the same batches; retrained unchanged,
none of them succeeds, because a member is the same bit for bit every time.

The changes:

* A dead unit is re-initialized: its incoming weights and bias are those of the same unit of
  another member, the first whose unit is on at some row here. Control group: an active unit of
  the same network is re-initialized in the same way.
* A run that is stuck is trained for three times its steps more, after a perturbation: a quarter
  of another member's start is added to its weights. Control group: no perturbation.
* A run whose loss was still falling is trained for three times its steps more. Control group:
  the same for runs that are stuck.
* A run that diverged is trained with a tenth of its learning rate. Control group: the same for
  failures that did not diverge.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.nets.layout import Layout, join
from adderlab.training.census.findings import Findings, findings_of, units_on
from adderlab.training.census.rates import Rate
from adderlab.training.census.symptoms import PLACE, SYMPTOMS
from adderlab.training.draws import start as drawn_start
from adderlab.training.judging import judge
from adderlab.training.members import Members, shaped, train_members

if TYPE_CHECKING:
    from jaxtyping import Bool, Float32, Int64, UInt64

    from adderlab.tasks import Task
    from adderlab.training.settings import Settings

DONORS: Final = 8
"""Members whose unit is tried before a dead unit is left as it is."""

APART: Final = 1 << 40
"""How far a donor's number is from the member's: no population counts that far."""

LEAST_TRIED: Final = 5
"""Failures that must have been tried again before a symptom is called a cause or not."""

PERTURBATION: Final = 0.25
STEPS_FACTOR: Final = 3
LR_DIVISOR: Final = 10.0


@dataclass(frozen=True, slots=True)
class Change:
    """What is changed where a symptom is, and in the control group, in words."""

    change: str
    control: str


CHANGES: Final = {
    "dead_at_start": Change("that unit re-initialized", "an active unit re-initialized"),
    "died": Change("that unit re-initialized", "an active unit re-initialized"),
    "stuck": Change(
        "weights perturbed, then 3 times the steps more",
        "3 times the steps more, weights not perturbed",
    ),
    "still_falling": Change("3 times the steps more", "the same for runs that are stuck"),
    "diverged": Change(
        "a tenth of the learning rate", "the same for failures that did not diverge"
    ),
}


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """The outcome of training failures again with one thing changed.

    Attributes:
        codes: the code of each failure's truth table.
        is_finite: whether its weights are finite, so that it has one.
        has_symptom: whether it has each symptom.
        tried: whether each symptom's change was tried.
        repaired: whether it then was right on every row.
        control_tried: whether the control group's change was tried.
        control_repaired: whether it then was right on every row.
    """

    codes: UInt64[np.ndarray, " member"]
    is_finite: Bool[np.ndarray, " member"]
    has_symptom: Bool[np.ndarray, "member symptom"]
    tried: Bool[np.ndarray, "member symptom"]
    repaired: Bool[np.ndarray, "member symptom"]
    control_tried: Bool[np.ndarray, "member symptom"]
    control_repaired: Bool[np.ndarray, "member symptom"]

    def of(self, which: Bool[np.ndarray, " member"] | None, name: str) -> tuple[Rate, Rate]:
        """Return how often a symptom's change repaired a failure, and the control group's.

        Args:
            which: the failures that are counted; ``None`` for all.
            name: the symptom.
        """
        place = PLACE[name]
        selected = np.ones(len(self.codes), dtype=bool) if which is None else which

        def rate(tried: Any, repaired: Any) -> Rate:
            counted = tried[:, place] & selected
            return Rate(int((repaired[:, place] & counted).sum()), int(counted.sum()))

        return rate(self.tried, self.repaired), rate(self.control_tried, self.control_repaired)


def is_cause(treated: Rate, control: Rate) -> bool | None:
    """Return whether a change repairs more failures than the control group's, beyond chance.

    Where the control group is empty, it is compared with no change at all, which repairs
    none. ``None`` where fewer than :data:`LEAST_TRIED` were tried: too few to decide.
    """
    if treated.of < LEAST_TRIED:
        return None
    return treated.is_above(control if control.of else Rate(0, treated.of))


def try_changes(
    task: Task,
    settings: Settings,
    failed: Int64[np.ndarray, " member"],
    *,
    path: str | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Trials:
    """Train failures again with one thing changed at a time.

    Args:
        task: the task they were trained for.
        settings: of the population.
        failed: numbers of members that failed.
        path: the engine that trained them.
        on_progress: called with the network-steps done since the last call.
    """
    return _Retraining(task, settings, failed.astype(np.uint64), path, on_progress).trials()


class _Retraining:
    """Failures that are trained again."""

    def __init__(
        self,
        task: Task,
        settings: Settings,
        members: UInt64[np.ndarray, " m"],
        path: str | None,
        on_progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.on_progress = on_progress
        self.task, self.settings, self.members, self.path = task, settings, members, path
        self.trained = self._train(np.arange(len(members)))
        self.findings: Findings = findings_of(self.trained)
        self.layout = Layout(settings.sizes(task))
        self.start = join(self.trained.start)
        self.end = join(self.trained.arrays)
        shape = (len(members), len(SYMPTOMS))
        self.tried, self.repaired = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
        self.control_tried = np.zeros(shape, dtype=bool)
        self.control_repaired = np.zeros(shape, dtype=bool)

    def trials(self) -> Trials:
        if self.settings.steps:
            self._reinitialize()
            self._continue()
            self._lower_lr()
        return Trials(
            codes=self.findings.codes,
            is_finite=self.findings.is_finite,
            has_symptom=self.findings.symptoms,
            tried=self.tried,
            repaired=self.repaired,
            control_tried=self.control_tried,
            control_repaired=self.control_repaired,
        )

    def _has(self, name: str) -> Bool[np.ndarray, " member"]:
        return self.findings.symptoms[:, PLACE[name]]

    def _train(self, which: Any, **changes: Any) -> Members:
        settings = replace(self.settings, **changes.pop("settings", {}))
        numbers = self.members[which]
        return train_members(
            self.task,
            settings,
            numbers,
            path=self.path,
            on_progress=self.on_progress,
            **changes,
        )

    def _is_right(self, which: Any, **changes: Any) -> Bool[np.ndarray, " some"]:
        if not len(which):
            return np.zeros(0, dtype=bool)
        trained = self._train(which, **changes)
        return judge(self.task, trained.settings, trained.arrays).is_right

    def _note(self, name: str, which: Any, right: Any, *, control: bool = False) -> None:
        tried, repaired = (
            (self.control_tried, self.control_repaired) if control else (self.tried, self.repaired)
        )
        tried[which, PLACE[name]] = True
        repaired[which, PLACE[name]] = right

    def _reinitialize(self) -> None:
        """Re-initialize a dead unit; in the control group, an active one."""
        settings = self.settings
        if not settings.network_activation.rule.can_die:
            return
        was_on: Any = np.concatenate(self._on(self.trained.start), axis=1).any(axis=2)
        is_on: Any = np.concatenate(self._on(self.trained.arrays), axis=1).any(axis=2)
        for name in ("dead_at_start", "died"):
            dead = ~is_on & (~was_on if name == "dead_at_start" else was_on)
            which = np.flatnonzero(self._has(name))
            units = dead[which].argmax(axis=1)
            self._try_starts(name, which, units)
            has_active = is_on[which].any(axis=1)
            others = which[has_active]
            self._try_starts(name, others, is_on[others].argmax(axis=1), control=True)

    def _try_starts(self, name: str, which: Any, units: Any, *, control: bool = False) -> None:
        start, has_start = self._reinitialized(which, units)
        which, start = which[has_start], start[has_start]
        self._note(name, which, self._is_right(which, start=start), control=control)

    def _reinitialized(
        self, which: Any, units: Any
    ) -> tuple[Float32[np.ndarray, "some parameter"], Bool[np.ndarray, " some"]]:
        """Return starts in which one unit has the incoming weights and bias of another member.

        The second array says whether there is a member whose unit is on at some row.
        """
        starts = self.start[which].copy()
        has_start = np.zeros(len(which), dtype=bool)
        for donor in range(1, DONORS + 1):
            missing = np.flatnonzero(~has_start)
            if not len(missing):
                break
            others = self.members[which[missing]] + np.uint64(donor * APART)
            scale = self.trained.init_scale[which[missing]]
            donated = drawn_start(self.task, self.settings, others, scale)
            candidate = self.start[which[missing]].copy()
            for row, unit in enumerate(units[missing]):
                places = self.layout.incoming(int(unit))
                candidate[row, places] = donated[row, places]
            on = np.concatenate(self._on(shaped(candidate, self.task, self.settings)), axis=1)
            is_active = on[np.arange(len(missing)), units[missing]].any(axis=1)
            starts[missing[is_active]] = candidate[is_active]
            has_start[missing[is_active]] = True
        return starts, has_start

    def _on(self, arrays: Any) -> Any:
        return units_on(judge(self.task, self.settings, arrays).on, self.settings)

    def _continue(self) -> None:
        """Train runs for longer, with and without a perturbation of their weights."""
        more = {"steps": self.settings.steps * STEPS_FACTOR}
        stuck, falling = (
            np.flatnonzero(self._has(name) & self.findings.is_finite)
            for name in ("stuck", "still_falling")
        )
        right = self._is_right(falling, settings=more, start=self.end[falling])
        self._note("still_falling", falling, right)
        right = self._is_right(stuck, settings=more, start=self.end[stuck])
        self._note("stuck", stuck, right, control=True)
        self._note("still_falling", stuck, right, control=True)
        if not len(stuck):
            return
        others = self.members[stuck] + np.uint64(APART)
        scale = self.trained.init_scale[stuck]
        change = np.float32(PERTURBATION) * drawn_start(self.task, self.settings, others, scale)
        right = self._is_right(stuck, settings=more, start=self.end[stuck] + change)
        self._note("stuck", stuck, right)

    def _lower_lr(self) -> None:
        """Divide the learning rate, of runs that diverged and of others that failed."""
        diverged = self._has("diverged")
        if not diverged.any():
            return
        for members, control in ((diverged, False), (~diverged, True)):
            which = np.flatnonzero(members)
            lr = self.trained.lr[which] / np.float32(LR_DIVISOR)
            self._note("diverged", which, self._is_right(which, lr=lr), control=control)
