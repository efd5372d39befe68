"""Training many networks of the same shape: numbers in, arrays out; the shape chooses the engine.

Rule: a member's start, data and batches are functions of (seed, member), and on one machine and
path its weights are the same to the last bit whatever else is trained: how many others, in which
blocks, on how many threads. ``train --seed S --member I`` trains it alone, from the same start.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.errors import OptionError
from adderlab.nets.layout import Layout
from adderlab.training.choice import ENSEMBLE, check_path, choose
from adderlab.training.estimate import EVENT_BYTES, check_bytes
from adderlab.training.networks import network_of
from adderlab.training.schedule import POINTS, event_count, kept_count, schedule
from adderlab.training.settings import (
    LARGEST,
    MEMBERS,
    Settings,
    check_batch,
    check_rows,
)
from adderlab.training.work import Outcome, Work

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Float64, Int, Int32, UInt64

    from adderlab.nets import Network
    from adderlab.tasks import Task

Arrays = tuple["Float32[np.ndarray, 'member ...']", ...]
"""fc1.weight, fc1.bias, fc2.weight, fc2.bias and so on, each with a leading axis of members."""


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """Trained networks as arrays, a member in each row.

    Attributes:
        members: their numbers.
        start: fc1.weight, fc1.bias, fc2.weight, fc2.bias (and fc3 where there are two hidden
            layers) before training.
        arrays: the same after it; not finite where training diverged.
        shares: the weight of each row in a member's own data; they sum to 1.
        loss: over its own data, with the final weights, in fp32; NaN or infinite if it diverged.
        losses: over its own data, after each of ``loss_steps``.
        loss_steps: from 0 to the last step, about 20 of them.
        solved_at: the first check (every 10 steps, and at the last) from which on every check
            found all rows right in fp32; -1 if the last one did not. Whether a member *is*
            right is decided by :func:`adderlab.training.judging.judge`.
        stopped_at: how many steps were taken: all, unless a margin ended its training.
        lr: each member's learning rate.
        init_scale: each member's factor on its start.
        momentum: each member's.
        kept_steps: the steps after which the parameters were kept; empty without ``keep_every``.
        kept: the parameters then, each with the axes member, kept and its own; or ``None``.
        path: the engine that trained them.
    """

    task: Task
    settings: Settings
    members: UInt64[np.ndarray, " member"]
    start: Arrays
    arrays: Arrays
    shares: Float32[np.ndarray, "member rows"]
    loss: Float64[np.ndarray, " member"]
    losses: Float32[np.ndarray, "member points"]
    loss_steps: tuple[int, ...]
    solved_at: Int32[np.ndarray, " member"]
    stopped_at: Int32[np.ndarray, " member"]
    lr: Float32[np.ndarray, " member"]
    init_scale: Float32[np.ndarray, " member"]
    momentum: Float32[np.ndarray, " member"]
    kept_steps: tuple[int, ...]
    kept: Arrays | None
    path: str

    def __len__(self) -> int:
        return len(self.members)

    def __repr__(self) -> str:
        shape = "-".join(map(str, self.settings.sizes(self.task)))
        return f"Members: {counted(len(self), 'network')} {shape} by {self.path}"

    def some(self, places: Int[np.ndarray, " some"]) -> Members:
        """Return the members in some rows; the kept parameters are left out."""
        by_member = ("members", "shares", "loss", "losses", "solved_at", "stopped_at")
        by_member += ("lr", "init_scale", "momentum")
        return replace(
            self,
            start=tuple(array[places] for array in self.start),
            arrays=tuple(array[places] for array in self.arrays),
            kept=None,
            kept_steps=(),
            **{name: getattr(self, name)[places] for name in by_member},
        )

    def settings_of(self, index: int) -> Settings:
        """Return the settings that train the member in row ``index`` alone."""
        # the shortest decimal of a float32 reads back as that float32
        own = {
            name: float(str(getattr(self, name)[index]))
            for name in ("lr", "init_scale")
            if np.float32(getattr(self.settings, name)) != getattr(self, name)[index]
        }
        if np.float32(self.settings.momentum) != self.momentum[index]:
            own["momentum"] = float(str(self.momentum[index]))
        return replace(self.settings, member=int(self.members[index]), **own)

    def network(self, index: int) -> Network | None:
        """Return the network in row ``index``, with the record that trains it again.

        ``None`` if it diverged.
        """
        parts = [np.ascontiguousarray(array[index]) for array in self.arrays]
        return network_of(parts, self.task, self.settings_of(index), self.path)


def train_members(
    task: Task,
    settings: Settings,
    members: Sequence[int] | UInt64[np.ndarray, " member"],
    *,
    start: Float32[np.ndarray, "member parameter"] | None = None,
    lr: Float[np.ndarray, " member"] | None = None,
    init_scale: Float[np.ndarray, " member"] | None = None,
    momentum: Float[np.ndarray, " member"] | None = None,
    keep_every: int | None = None,
    loss_steps: Sequence[int] | None = None,
    threads: int | None = None,
    path: str | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
    on_compile: Callable[[str], None] = lambda text: None,
) -> Members:
    """Train members of a seed's population and return them as arrays.

    Everything is held in memory, so a census calls this for one block of members after the
    other; a block of any size gives each member the same bits.

    Args:
        task: the task to learn, of at most 4096 rows.
        settings: of the population; ``member`` is ignored.
        members: their numbers, in any order; a number may come several times, as where a map
            trains the same start at many learning rates.
        start: each member's parameters, flat, instead of those that are drawn for it; its data
            and batches stay its own.
        lr: a value for each member, instead of the settings'.
        init_scale: a value for each member, instead of the settings'.
        momentum: a value for each member, instead of the settings'; the optimizer must be
            ``momentum``.
        keep_every: keep the parameters after every so many steps, and after the last.
        loss_steps: where losses are taken, ascending and the last step among them; about 20
            places evenly apart unless given.
        threads: how many the kernels use; as many as there are cores unless given.
        path: the engine; that of :func:`adderlab.training.choice.choose` unless given.
        on_progress: called with the member-steps done since the last call, several times a
            second.
        on_compile: called with one line before a kernel is compiled, which takes seconds once.

    Raises:
        OptionError: a number is out of its range.
        ResourceError: the task has too many rows, or the block would not fit in memory.
    """
    check_rows(task, "seeds")
    check_batch(task, settings)
    numbers = np.asarray(members, dtype=np.uint64)
    if len(numbers) and int(numbers.max()) >= MEMBERS:
        raise OptionError(
            f"got {numbers.max()}", where="member", remedy=f"give numbers below {MEMBERS}"
        )
    if keep_every is not None and keep_every < 1:
        raise OptionError(
            f"got {keep_every}", where="keep", remedy="give every:K with K of at least 1"
        )
    if momentum is not None and settings.optimizer != "momentum":
        raise OptionError(
            f"the optimizer is {settings.optimizer}",
            where="momentum",
            remedy="set `optimizer` to momentum",
        )
    check_block(task, settings, len(numbers), keep_every)
    plan = schedule(settings.steps, keep_every)
    if loss_steps is not None:
        assert loss_steps[-1] == settings.steps
        plan = replace(plan, losses=tuple(loss_steps))
    if path is None:
        path = choose(task, settings).path
    check_path(task, settings, path)
    scale = _each("init_scale", init_scale, settings.init_scale, len(numbers))
    work = Work(
        task=task,
        settings=settings,
        table=next(task.blocks(task.rows)),
        schedule=plan,
        members=numbers,
        start=np.empty((len(numbers), settings.parameters(task)), dtype=np.float32)
        if start is None
        else np.array(start, dtype=np.float32),
        is_given=start is not None,
        counts=np.empty((len(numbers), task.rows), dtype=np.int32),
        init_scale=scale,
        lr=_each("lr", lr, settings.lr, len(numbers)),
        momentum=_each("momentum", momentum, settings.momentum, len(numbers)),
    )
    outcome = _train(work, path, threads, on_progress, on_compile)
    return Members(
        task=task,
        settings=settings,
        members=numbers,
        start=shaped(work.start, task, settings),
        arrays=shaped(outcome.arrays, task, settings),
        shares=work.shares,
        loss=outcome.losses[:, -1].astype(np.float64),
        losses=outcome.losses,
        loss_steps=plan.losses,
        solved_at=outcome.solved_at,
        stopped_at=outcome.stopped_at,
        lr=work.lr,
        init_scale=scale,
        momentum=work.momentum,
        kept_steps=plan.kept,
        kept=shaped(outcome.kept, task, settings) if plan.kept else None,
        path=path,
    )


def member_bytes(task: Task, settings: Settings, keep_every: int | None = None) -> int:
    """Return about how many bytes of memory :func:`train_members` takes for each member."""
    parameters, kept = settings.parameters(task), kept_count(settings.steps, keep_every)
    losses = min(settings.steps, POINTS) + 1
    return 4 * parameters * (3 + kept) + 4 * losses + 16 * task.rows + 64


def check_block(
    task: Task, settings: Settings, members: int, keep_every: int | None = None
) -> None:
    """Refuse a block of members that would not fit in memory.

    Raises:
        ResourceError: with the estimate.
    """
    # besides what is handed back: an engine's own copy of a few networks, a few steps' draws
    units, values = settings.parameters(task), sum(settings.sizes(task))
    engine = 1024 * 4 * (6 * units + 4 * values) + 32 * 1024 * 16 * (settings.batch or 0)
    drawn = 8 * settings.samples if settings.data == "samples" else 0
    events = EVENT_BYTES * event_count(settings.steps, keep_every)
    check_bytes(engine + drawn + events + members * member_bytes(task, settings, keep_every))


def shaped(flat: Any, task: Task, settings: Settings) -> Arrays:
    """Return flat parameters (the last axis) as weights and biases, without a copy."""
    return Layout(settings.sizes(task)).split(flat)


def _train(
    work: Work,
    path: str,
    threads: int | None,
    on_progress: Callable[[int], None],
    on_compile: Callable[[str], None],
) -> Outcome:
    if path == ENSEMBLE:
        from adderlab.training.ensemble import train_blocks

        return train_blocks(work, on_progress)
    from adderlab.training.kernels.engine import train_compiled

    return train_compiled(
        work, path, threads=threads, on_progress=on_progress, on_compile=on_compile
    )


def _each(option: str, value: Any, default: float, count: int) -> Float32[np.ndarray, " member"]:
    """Return a value for each member.

    Raises:
        OptionError: there are fewer or more, or one is negative or not finite.
    """
    if value is None:
        return np.full(count, default, dtype=np.float32)
    values = np.asarray(value, dtype=np.float64)
    if values.shape != (count,):
        raise OptionError(
            f"got {counted(values.size, 'number')} for {counted(count, 'member')}",
            where=option,
            remedy="give a number for each member",
        )
    wrong = ~((values >= 0) & (values <= LARGEST))
    if wrong.any():
        raise OptionError(
            f"got {values[wrong][0]:g}", where=option, remedy="give finite numbers above 0"
        )
    return values.astype(np.float32)
