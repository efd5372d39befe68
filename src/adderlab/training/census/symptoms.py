"""What is observed in a member's run, failed or not: symptoms, not yet causes.

Rule: a symptom is read from a single member's run and claims no effect. Its effect is measured in
:mod:`adderlab.training.census.causes`, by changing it alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

STUCK_SHARE: Final = 0.01
"""A run is stuck if over the last tenth of its steps the loss fell by at most this share."""

LAST_PART: Final = 0.1


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something that is observed in a member's run.

    Attributes:
        name: its key in JSON and its column in the census.
        title: its name wherever people read it.
        text: its definition.
    """

    name: str
    title: str
    text: str


SYMPTOMS: Final = (
    Symptom(
        "dead_at_start",
        "dead at start",
        "a hidden unit is off on every row, at the start and at the end",
    ),
    Symptom(
        "died",
        "died",
        "a hidden unit that was on at the start is off on every row at the end",
    ),
    Symptom(
        "stuck",
        "stuck",
        "over the last tenth of the steps the loss fell by at most 1 %",
    ),
    Symptom(
        "still_falling",
        "still falling",
        "over the last tenth of the steps the loss fell by more than 1 %",
    ),
    Symptom(
        "diverged",
        "diverged",
        "the weights became non-finite, or the loss ended above its start",
    ),
)
"""In the order of their columns; the only words for symptoms that a person reads."""

SYMPTOM_NAMED: Final = {symptom.name: symptom for symptom in SYMPTOMS}
PLACE: Final = {symptom.name: place for place, symptom in enumerate(SYMPTOMS)}


def symptoms_of(
    *,
    was_on: Bool[np.ndarray, "member unit rows"],
    is_on: Bool[np.ndarray, "member unit rows"],
    losses: Float[np.ndarray, "member points"],
    loss_steps: tuple[int, ...],
    loss: Float[np.ndarray, " member"],
    is_finite: Bool[np.ndarray, " member"],
    can_die: bool,
) -> Bool[np.ndarray, "member symptom"]:
    """Return which symptoms each member has.

    Args:
        was_on: whether a unit of the first hidden layer was on at a row at the start.
        is_on: the same at the end.
        losses: over the member's own data, at ``loss_steps``.
        loss_steps: how many steps were done there, ascending.
        loss: after the last step.
        is_finite: whether all its weights are.
        can_die: whether a unit that is off on every row gets no gradient: relu alone.
    """
    dead = ~is_on.any(axis=2) & is_finite[:, None] & can_die
    dead_then = ~was_on.any(axis=2)
    seen = np.zeros((len(loss), len(SYMPTOMS)), dtype=bool)
    seen[:, PLACE["dead_at_start"]] = (dead & dead_then).any(axis=1)
    seen[:, PLACE["died"]] = (dead & ~dead_then).any(axis=1)
    mark_course(seen, losses, loss_steps, loss, is_finite)
    return seen


def mark_course(
    seen: Bool[np.ndarray, "member symptom"],
    losses: Float[np.ndarray, "member points"],
    loss_steps: tuple[int, ...],
    loss: Float[np.ndarray, " member"],
    is_finite: Bool[np.ndarray, " member"],
) -> None:
    """Mark the symptoms that the course of the loss shows; the arguments as above."""
    with np.errstate(invalid="ignore", over="ignore"):
        first = losses[:, 0] if losses.shape[1] else loss
        diverged = ~is_finite | ~np.isfinite(loss) | (loss > first)
        falling = ~(before(losses, loss_steps, loss) * (1 - STUCK_SHARE) <= loss)
    seen[:, PLACE["stuck"]] = ~falling & ~diverged
    seen[:, PLACE["still_falling"]] = falling & ~diverged
    seen[:, PLACE["diverged"]] = diverged


def before(
    losses: Float[np.ndarray, "member points"],
    loss_steps: tuple[int, ...],
    loss: Float[np.ndarray, " member"],
) -> Float[np.ndarray, " member"]:
    """Return the loss when nine tenths of the steps were done, or at the point before it."""
    if not loss_steps:
        return loss
    step_then = (1 - LAST_PART) * loss_steps[-1]
    place = max(i for i, step in enumerate(loss_steps) if step <= step_then or i == 0)
    return losses[:, place].astype(np.float64)
