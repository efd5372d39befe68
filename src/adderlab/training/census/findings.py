"""A block of trained members as a table of arrays: all that a census keeps of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from adderlab.nets.layout import join
from adderlab.training.census.codes import words_of_bits
from adderlab.training.census.patterns import shapes_of
from adderlab.training.census.symptoms import symptoms_of
from adderlab.training.judging import judge

if TYPE_CHECKING:
    from jaxtyping import Bool, Float32, Float64, Int32, Int64, UInt64

    from adderlab.training.members import Members
    from adderlab.training.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """The results of some members, an entry for each.

    Attributes:
        members: their numbers.
        loss: over the member's own data with the final weights; NaN if it diverged.
        is_right: whether every row is right, decided exactly.
        rows_right: how many are; 0 if it diverged.
        codes: the bits of its truth table as a code (:mod:`adderlab.training.census.codes`),
            row by row; 0 if it diverged.
        margin: the smallest signed distance to the threshold; minus infinity if it diverged.
        is_finite: whether all its weights are: if not, it has no truth table.
        dead_units: units of the first hidden layer that are off on every row.
        symptoms: a column for each of :data:`adderlab.training.census.symptoms.SYMPTOMS`.
        patterns: code of its on/off pattern.
        classes: code of its class up to permutation and scaling.
        solved_at: the first checked step at which every row was right; -1 if none.
        losses: the loss at the run's points.
        start: the parameters it started from, each tensor flat, in order.
        tables: its output words row by row, each row's as one number; ``None`` for tables too
            long to keep.
        weights: the parameters after training, if they are kept.
        snapshots: the parameters at every K-th step, if they are kept.
    """

    members: Int64[np.ndarray, " member"]
    loss: Float64[np.ndarray, " member"]
    is_right: Bool[np.ndarray, " member"]
    rows_right: Int32[np.ndarray, " member"]
    codes: UInt64[np.ndarray, " member"]
    margin: Float64[np.ndarray, " member"]
    is_finite: Bool[np.ndarray, " member"]
    dead_units: Int32[np.ndarray, " member"]
    symptoms: Bool[np.ndarray, "member symptom"]
    patterns: UInt64[np.ndarray, " member"]
    classes: UInt64[np.ndarray, " member"]
    solved_at: Int32[np.ndarray, " member"]
    losses: Float32[np.ndarray, "member points"]
    start: Float32[np.ndarray, "member parameter"] | None = None
    tables: Int64[np.ndarray, "member rows"] | None = None
    weights: Float32[np.ndarray, "member parameter"] | None = None
    snapshots: Float32[np.ndarray, "member snapshot parameter"] | None = None

    def __len__(self) -> int:
        return len(self.members)


def findings_of(trained: Members, *, tables: bool = False, start: bool = False) -> Findings:
    """Return the findings of some trained members.

    Args:
        trained: the members.
        tables: whether their truth tables are kept too.
        start: whether what they started from is.
    """
    task, settings = trained.task, trained.settings
    judged = judge(task, settings, trained.arrays)
    was_on = units_on(judge(task, settings, trained.start).on, settings)
    is_on = units_on(judged.on, settings)
    activation = settings.network_activation
    with np.errstate(invalid="ignore"):
        shapes = shapes_of(is_on, trained.arrays[-2], activation)
    non_finite = ~judged.is_finite
    return Findings(
        members=trained.members.astype(np.int64),
        loss=np.where(np.isfinite(trained.loss) & judged.is_finite, trained.loss, np.nan),
        is_right=judged.is_right,
        rows_right=judged.rows_right,
        codes=np.where(non_finite, np.uint64(0), judged.code),
        margin=judged.margin,
        is_finite=judged.is_finite,
        dead_units=judged.dead_units,
        symptoms=symptoms_of(
            was_on=np.concatenate(was_on, axis=1),
            is_on=np.concatenate(is_on, axis=1),
            losses=trained.losses,
            loss_steps=trained.loss_steps,
            loss=trained.loss,
            is_finite=judged.is_finite,
            can_die=activation.rule.can_die,
        ),
        patterns=np.where(non_finite, np.uint64(0), shapes.patterns),
        classes=np.where(non_finite, np.uint64(0), shapes.classes),
        solved_at=np.where(judged.is_right, trained.solved_at, -1).astype(np.int32),
        losses=trained.losses,
        start=join(trained.start) if start else None,
        tables=words_of_bits(judged.bits, task.rows, task.n_out) if tables else None,
    )


def units_on(
    masks: UInt64[np.ndarray, "member rows masks"], settings: Settings
) -> tuple[Bool[np.ndarray, "member unit rows"], ...]:
    """Return for each hidden layer whether a unit is on at a row, from the judge's masks."""
    on_by_layer: list[Any] = []
    first = 0
    for width in settings.widths:
        units = np.arange(width)
        words = masks[:, :, first + units // 64]
        bits = (words >> (units % 64).astype(np.uint64)) & np.uint64(1)
        on_by_layer.append(np.swapaxes(bits.astype(bool), 1, 2))
        first += -(-width // 64)
    return tuple(on_by_layer)
