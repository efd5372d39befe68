"""The input and the output of an engine: arrays, a member in each row.

Rule: an engine takes a :class:`Work` and returns an :class:`Outcome`; it does not know where its
numbers were drawn, nor what they are used for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float32, Int32, UInt64

    from adderlab.tasks import RowBlock, Task
    from adderlab.training.schedule import Schedule
    from adderlab.training.settings import Settings


LARGEST_BLOCK: Final = 1024
BLOCK_VALUES: Final = 1 << 24
"""Values of one layer on all rows, over a block's networks; more do not fit in a cache anyway."""


def members_at_once(task: Task, settings: Settings) -> int:
    """Return how many networks PyTorch trains in one block; it depends on the shape alone.

    A multiple of 16, so that no network's numbers are left over at the end of PyTorch's vectors,
    where another tanh would compute them.
    """
    values = task.rows * max(settings.sizes(task)) + settings.parameters(task)
    return max(16, min(LARGEST_BLOCK, BLOCK_VALUES // values // 16 * 16))


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The result of training.

    Attributes:
        arrays: the parameters after training: fc1.weight, fc1.bias and so on, each flat.
        losses: each member's loss over its own data, at the schedule's steps.
        solved_at: the first check from which on every check found all rows right; -1 if none.
        stopped_at: how many steps were taken.
        kept: the parameters at the steps that the schedule keeps.
    """

    arrays: Float32[np.ndarray, "member parameter"]
    losses: Float32[np.ndarray, "member points"]
    solved_at: Int32[np.ndarray, " member"]
    stopped_at: Int32[np.ndarray, " member"]
    kept: Float32[np.ndarray, "member kept parameter"]

    def part(self, first: int, count: int) -> Outcome:
        """Return views of some members' entries, to be written to."""
        end = first + count
        return Outcome(*(getattr(self, field.name)[first:end] for field in fields(self)))

    def first(self, count: int) -> Outcome:
        """Return the results of the first members."""
        return self.part(0, count)

    def put(self, place: int, part: Outcome) -> None:
        """Copy a part's members into this, from number ``place`` on."""
        end = place + len(part.arrays)
        for field in fields(self):
            getattr(self, field.name)[place:end] = getattr(part, field.name)


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """Networks to be trained.

    Attributes:
        task: the task to learn.
        settings: of all of them.
        table: all rows of the task.
        schedule: the steps at which losses, checks and kept weights are read.
        members: their numbers.
        start: their parameters, each flat; the engine draws them unless they are given.
        counts: how often each row is in a member's own data; the engine draws them.
        init_scale: each member's factor on its start.
        lr: each member's learning rate.
        momentum: each member's.
        is_given: whether ``start`` is what the members start from, so that none is drawn.
    """

    task: Task
    settings: Settings
    table: RowBlock
    schedule: Schedule
    members: UInt64[np.ndarray, " member"]
    start: Float32[np.ndarray, "member parameter"]
    counts: Int32[np.ndarray, "member rows"]
    init_scale: Float32[np.ndarray, " member"]
    lr: Float32[np.ndarray, " member"]
    momentum: Float32[np.ndarray, " member"]
    is_given: bool = False

    @property
    def shares(self) -> Float32[np.ndarray, "member rows"]:
        """The weight of each row in each member's data; they sum to 1."""
        return (self.counts / self.counts.sum(axis=1, keepdims=True)).astype(np.float32)

    def filled(self, size: int) -> Work:
        """Return as many networks as ``size``, the last one several times."""
        missing = size - len(self.members)
        assert missing >= 0

        def longer(array: Any) -> Any:
            return np.concatenate([array, np.repeat(array[-1:], missing, axis=0)])

        return replace(self, **{name: longer(getattr(self, name)) for name in _BY_MEMBER})

    def part(self, first: int, count: int) -> Work:
        """Return some of the networks."""
        return replace(
            self, **{name: getattr(self, name)[first : first + count] for name in _BY_MEMBER}
        )

    def empty_outcome(self) -> Outcome:
        """Return arrays for the results: no member solved yet, all steps taken."""
        count, parameters = self.start.shape
        plan = self.schedule
        return Outcome(
            arrays=np.empty((count, parameters), dtype=np.float32),
            losses=np.full((count, len(plan.losses)), np.nan, dtype=np.float32),
            solved_at=np.full(count, -1, dtype=np.int32),
            stopped_at=np.full(count, plan.steps, dtype=np.int32),
            kept=np.empty((count, len(plan.kept), parameters), dtype=np.float32),
        )


_BY_MEMBER = ("members", "start", "counts", "init_scale", "lr", "momentum")
