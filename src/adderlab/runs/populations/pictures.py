"""A population in pictures: losses, success by width and learning rate, each kind of failure."""

from __future__ import annotations

from typing import Any, Final

from adderlab.figures import Picture
from adderlab.figures.drawings import (
    Drawing,
    drawing_of_failure,
    drawing_of_losses,
    drawing_of_rates,
)
from adderlab.figures.failure import Failure, FailureRow
from adderlab.figures.success_rates import RatePoint
from adderlab.nets.walk import block_of_rows
from adderlab.runs.populations.census import Census
from adderlab.runs.populations.failures import FailureKind, SymptomCount
from adderlab.runs.populations.plan import Plan
from adderlab.runs.populations.summary import Examples
from adderlab.tasks import Task
from adderlab.training.census.symptoms import SYMPTOM_NAMED

MOST_KINDS: Final = 8
LEAST_SHARE: Final = 0.05
"""Of the failures of a kind that have a symptom, from which on it is noted."""


def drawings_of_members(census: Census, examples: Examples) -> list[Drawing]:
    """Return every picture of the members themselves: losses, kinds of failure."""
    return [*losses_of(census), *kinds_of(census, examples)]


def drawings_of_survey(census: Census) -> list[Drawing]:
    """Return success by hidden width and by learning rate, where they were measured."""
    settings, survey = census.settings, census.survey
    drawings: list[Drawing] = []
    for name, text, rates, own, is_log in (
        ("hidden", "hidden units", survey.by_width, settings.hidden, False),
        ("lr", "learning rate", survey.by_lr, settings.lr, True),
    ):
        points = [
            RatePoint(value, rate.share or 0.0, *rate.interval, is_own=value == own)
            for value, rate in rates
        ]
        if points:
            drawings.append(
                drawing_of_rates(points, text, name=f"success-by-{name}", is_log=is_log)
            )
    return drawings


def pictures_of(census: Census) -> tuple[Picture, ...]:
    """Return every picture of a population, its examples trained once more."""
    plan = Plan(census.task, census.settings, census.networks)
    members = [kind.member for kind in census.failures[:MOST_KINDS] if kind.table]
    drawings = drawings_of_members(census, Examples(plan, members)) + drawings_of_survey(census)
    return tuple(drawing.picture() for drawing in drawings)


def losses_of(census: Census) -> list[Drawing]:
    """Return the quantiles of the losses; nothing where no steps were taken."""
    losses = census.losses
    if len(losses.steps) < 2:
        return []
    quantiles = {share: list(values) for share, values in losses.by_share.items()}
    return [drawing_of_losses(losses.steps, quantiles, name="loss-quantiles")]


def kinds_of(
    census: Census, examples: Examples, *, most: int = MOST_KINDS, prefix: str = "failure"
) -> list[Drawing]:
    """Return a card of each of the commonest kinds of failure that have a truth table."""
    kinds = [kind for kind in census.failures if kind.table][:most]
    return [
        drawing_of_failure(_card(kind, examples), name=f"{prefix}-{number}")
        for number, kind in enumerate(kinds, start=1)
    ]


def _card(kind: FailureKind, examples: Examples) -> Failure:
    notes = [
        f"{SYMPTOM_NAMED[symptom.name].title}: {symptom.share:.0%} of them" + _outcome(symptom)
        for symptom in kind.symptoms
        if symptom.share >= LEAST_SHARE
    ]
    return Failure(
        title=f"{kind.share:.1%} of the networks, for example member {kind.member} of seed "
        f"{examples.plan.settings.seed}",
        rows=tuple(_rows(examples.plan.task, kind.table, examples.units(kind.member))),
        notes=tuple(notes),
    )


def _outcome(symptom: SymptomCount) -> str:
    trial = symptom.trial
    if trial is None or symptom.is_cause is None:
        return ""
    word = "a cause" if symptom.is_cause else "not shown as a cause"
    repaired, control = trial.repaired.share or 0.0, trial.control_repaired.share
    control_group = f" (control group {control:.0%})" if control is not None else ""
    return f"; changed, {repaired:.0%} are right{control_group}: {word}"


def _rows(task: Task, table: tuple[int, ...], on: Any) -> list[FailureRow]:
    """Return the rows of an example: words as they are written, free outputs as a star."""
    rows: list[FailureRow] = []
    for number, joined in enumerate(table):
        row = task.row(number)
        block = block_of_rows(task, [row.inputs])
        cares = block.cares[0] if block.cares is not None else None
        bits = [int(bit) for bit in f"{joined:0{task.n_out}b}"]
        expected = [int(bit) for bit in block.expected[0]]
        free = [cares is not None and not cares[place] for place in range(task.n_out)]
        rows.append(
            FailureRow(
                inputs=", ".join(f"{name} {value}" for name, value in row.inputs.items()),
                expected=_words(task, expected) if not any(free) else _starred(expected, free),
                got=_words(task, bits) if not any(free) else "".join(map(str, bits)),
                is_right=all(f or b == e for f, b, e in zip(free, bits, expected, strict=True)),
                on=tuple(bool(unit) for layer in on for unit in layer[:, number]),
            )
        )
    return rows


def _words(task: Task, bits: list[int]) -> str:
    import numpy as np

    return ", ".join(map(str, task.words_of(np.array(bits, dtype=np.uint8)).values()))


def _starred(bits: list[int], free: list[bool]) -> str:
    return "".join("*" if is_free else str(bit) for bit, is_free in zip(bits, free, strict=True))
