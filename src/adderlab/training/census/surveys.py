"""What helps, measured in this run: small populations with one setting changed.

Rule: a survey trains members 0, 1, 2 and so on of the same seed, so that two settings of the same
shape are compared on the same starts, the run's own setting too; each rate carries its interval,
and nothing is quoted from elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.packages import is_installed
from adderlab.training.census.rates import Rate
from adderlab.training.choice import ENSEMBLE, choose
from adderlab.training.judging import judge
from adderlab.training.kernels.shape import shape_of
from adderlab.training.members import train_members
from adderlab.training.settings import LARGEST, MOMENTUM
from adderlab.training.work import members_at_once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from adderlab.tasks import Task
    from adderlab.training.settings import Settings

AT_ONCE: Final = 1 << 14
MOST_NETWORKS: Final = 1000
FEWEST_NETWORKS: Final = 50
SURVEY_WORK: Final = 1 << 31
"""Products after which more networks are not worth the wait."""

DRAW_WORK: Final = 4
"""Products that take as long as NumPy's drawing of a sample, which kernels do in no time."""

COMPILE_WORK: Final = 1 << 28
"""Products that PyTorch does in about the time that a kernel is compiled in, some 3 s of one core:
``benchmarks/engines.py``, 2026-11-28."""

LONG_RUN: Final = 1 << 35
"""Products of a run from which on its survey takes kernels. Training it takes them about a second;
those of the survey are compiled once, beside it."""

LR_FACTORS: Final = tuple(10.0 ** (place / 4) for place in range(-8, 9))
"""A learning rate a hundredth of the run's to a hundred times it, four a decade."""

ADAM_LR: Final = 0.01
SCALE_FACTOR: Final = 2.0
LARGEST_WIDTH: Final = 256


@dataclass(frozen=True, slots=True)
class Help:
    """A measured success rate: what was changed, and how often that worked.

    Attributes:
        change: in words.
        option: as it is given to ``adderlab train``.
        rate: how many networks came out right.
        base: how many of the same members did unchanged.
    """

    change: str
    option: str
    rate: Rate
    base: Rate

    @property
    def is_better(self) -> bool:
        """Whether the change helps, beyond what chance explains."""
        return self.rate.is_above(self.base)

    def to_dict(self) -> dict[str, Any]:
        """Return change and option, the rate with its interval, and whether it ``is_better``.

        ``successes`` are those with the change, of ``networks``; ``unchanged`` is the rate
        without it, as :meth:`Rate.to_dict` has it.
        """
        return {
            "change": self.change,
            "option": self.option,
            "successes": self.rate.count,
            "networks": self.rate.of,
            "rate": self.rate.share,
            "interval": list(self.rate.interval),
            "unchanged": self.base.to_dict(),
            "is_better": self.is_better,
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Help:
        """Return what :meth:`to_dict` gave."""
        rate = Rate(entry["successes"], entry["networks"])
        return cls(entry["change"], entry["option"], rate, Rate.from_dict(entry["unchanged"]))


@dataclass(frozen=True, slots=True)
class Survey:
    """What small populations with one setting changed did.

    Attributes:
        helps: each change with its rate.
        by_width: success by hidden units, the run's own among them.
        by_lr: success by learning rate, a hundredth of the run's to a hundred times it.
    """

    helps: tuple[Help, ...] = ()
    by_width: tuple[tuple[int, Rate], ...] = ()
    by_lr: tuple[tuple[float, Rate], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return lists: ``helps`` of changes, ``by_hidden`` and ``by_lr`` of rates."""
        return {
            "helps": [change.to_dict() for change in self.helps],
            "by_hidden": [{"hidden": width, **rate.to_dict()} for width, rate in self.by_width],
            "by_lr": [{"lr": lr, **rate.to_dict()} for lr, rate in self.by_lr],
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Survey:
        """Return what :meth:`to_dict` gave."""
        return cls(
            tuple(map(Help.from_dict, entry["helps"])),
            tuple((point["hidden"], Rate.from_dict(point)) for point in entry["by_hidden"]),
            tuple((point["lr"], Rate.from_dict(point)) for point in entry["by_lr"]),
        )


def survey(
    task: Task,
    settings: Settings,
    base: Rate,
    *,
    networks: int = 0,
    on_stage: Callable[[str], None] = lambda text: None,
    on_progress: Callable[[int], None] = lambda done: None,
    on_compile: Callable[[str], None] = lambda text: None,
) -> Survey:
    """Train small populations with one setting changed each.

    Args:
        task: what is to be learned.
        settings: what is changed, one thing at a time.
        base: how often it worked unchanged, among the first members; every change is measured
            on these. :func:`surveyed` says how many are worth it.
        networks: of the run; in a long one kernels train what is changed, whose compiling pays.
        on_stage: called with what is tried before it is.
        on_progress: called with the network-steps done since the last call.
        on_compile: as in :func:`adderlab.training.members.train_members`.
    """
    steps = base.of * max(settings.steps, 1)
    kernels = is_long(task, settings, networks)
    own = settings.widths[0]
    helps: list[Help] = []
    widths: dict[int, Rate] = {own: base} if isinstance(settings.hidden, int) else {}
    for change in changes_of(settings):
        on_stage(change.name)
        path = choose(task, change.settings).path if kernels else None
        rate = success_rate(task, change.settings, base.of, on_compile, path=path)
        on_progress(steps)
        if change.is_width:
            widths[change.settings.widths[0]] = rate
        if not change.is_width or change.settings.widths[0] > own:
            helps.append(Help(change.name, change.option, rate, base))
    on_stage("other scales and learning rates")
    for scale, rate_of_scale in _by_scale(task, settings, base.of, on_compile):
        name = f"a start {'twice' if scale > settings.init_scale else 'half'} as large"
        helps.append(Help(name, f"--init-scale {scale:g}", rate_of_scale, base))
    on_progress(2 * steps)
    by_lr = _by_lr(task, settings, base.of, on_compile)
    on_progress(len(by_lr) * steps)
    return Survey(tuple(helps), tuple(sorted(widths.items())), by_lr)


def prepare(
    task: Task, settings: Settings, networks: int, on_compile: Callable[[str], None]
) -> None:
    """Begin to compile the kernels that a long run's survey will need, beside its training."""
    if not is_long(task, settings, networks):
        return
    changed = [change.settings for change in changes_of(settings)]
    shapes = [(shape_of(task, other), choose(task, other).path) for other in changed]
    kernels = [(shape, path) for shape, path in shapes if path != ENSEMBLE]
    if kernels:
        from adderlab.training.kernels.engine import compile_shapes

        compile_shapes(kernels, on_compile)


@dataclass(frozen=True, slots=True)
class Change:
    """Another shape, which a survey trains.

    Attributes:
        name: in words.
        option: as it is given to ``adderlab train``.
        settings: the run's, changed.
        is_width: whether it is the number of hidden units that is changed.
    """

    name: str
    option: str
    settings: Settings
    is_width: bool = False


def changes_of(settings: Settings) -> list[Change]:
    """Return what a survey changes that makes another kernel necessary: the width, tanh, Adam."""
    changes = [
        Change(
            counted(width, "hidden unit"),
            f"--hidden {width}",
            replace(settings, hidden=width),
            True,
        )
        for width in widths_around(settings)
        if width != settings.widths[0]
    ]
    if settings.activation != "tanh":
        changes.append(Change("tanh", "--activation tanh", replace(settings, activation="tanh")))
    if settings.optimizer != "adam":
        adam = replace(settings, optimizer="adam", lr=ADAM_LR, momentum=MOMENTUM)
        changes.append(Change(f"Adam at {ADAM_LR}", f"--optimizer adam --lr {ADAM_LR}", adam))
    return changes


def is_long(task: Task, settings: Settings, networks: int) -> bool:
    """Return whether kernels train what a run's survey changes, however few networks it takes."""
    return networks * _work(task, settings) >= LONG_RUN


def survey_steps(settings: Settings, networks: int) -> int:
    """Return the network-steps of a survey over so many networks."""
    changes = len(widths_around(settings)) + 2 + 2 + len(LR_FACTORS)
    return changes * networks * max(settings.steps, 1)


def widths_around(settings: Settings) -> tuple[int, ...]:
    """Return the widths at which success is measured: the run's, one less, and some more."""
    hidden = settings.hidden
    if not isinstance(hidden, int):
        return ()
    widths = {max(1, hidden - 1), hidden, hidden + 1, 2 * hidden + 2}
    return tuple(width for width in sorted(widths) if width <= max(LARGEST_WIDTH, hidden))


def _by_scale(
    task: Task, settings: Settings, networks: int, on_compile: Callable[[str], None]
) -> tuple[tuple[float, Rate], ...]:
    """Return the success rate with a larger and a smaller start."""
    scales = [settings.init_scale * factor for factor in (SCALE_FACTOR, 1 / SCALE_FACTOR)]
    right = _grid(task, settings, networks, scales, "init_scale", on_compile)
    return tuple(zip(scales, right, strict=True))


def _by_lr(
    task: Task, settings: Settings, networks: int, on_compile: Callable[[str], None]
) -> tuple[tuple[float, Rate], ...]:
    """Return the success rate by learning rate."""
    rates = [float(f"{settings.lr * factor:.4g}") for factor in LR_FACTORS]
    rates = [rate for rate in rates if 0 < rate < LARGEST]
    right = _grid(task, settings, networks, rates, "lr", on_compile)
    return tuple(zip(rates, right, strict=True))


def _grid(
    task: Task,
    settings: Settings,
    networks: int,
    values: list[float],
    name: str,
    on_compile: Callable[[str], None],
) -> list[Rate]:
    """Return the success rate at each value of a setting, all of them one population."""
    members = np.tile(np.arange(networks, dtype=np.uint64), len(values))
    each = np.repeat(np.array(values), networks)
    # the run's own shape: its kernel is there already
    path = choose(task, settings).path
    right = _right(task, settings, members, {name: each}, path, on_compile)
    shares = right.reshape(len(values), networks).sum(axis=1)
    return [Rate(int(count), networks) for count in shares]


def surveyed(task: Task, settings: Settings, networks: int) -> int:
    """Return over how many networks a change is measured: of large ones fewer, at least 50."""
    return min(networks, MOST_NETWORKS, max(FEWEST_NETWORKS, SURVEY_WORK // _work(task, settings)))


def path_of(task: Task, settings: Settings, networks: int) -> str:
    """Return the engine for some networks that are trained once, by how much work they are.

    A kernel is compiled for seconds: too long for what PyTorch trains in about as many.
    PyTorch trains whole blocks, however few are wanted. Where it is not installed, a kernel does.
    """
    if not is_installed("torch"):
        return choose(task, settings).path
    block = members_at_once(task, settings)
    trained = -(-networks // block) * block
    drawing = DRAW_WORK * settings.samples if settings.data == "samples" else 0
    if trained * (_work(task, settings) + drawing) <= COMPILE_WORK:
        return ENSEMBLE
    return choose(task, settings).path


def _work(task: Task, settings: Settings) -> int:
    """Return about how many products training one network takes."""
    return max(1, settings.steps) * task.rows * settings.parameters(task)


def success_rate(
    task: Task,
    settings: Settings,
    networks: int,
    on_compile: Callable[[str], None] = lambda text: None,
    *,
    path: str | None = None,
) -> Rate:
    """Return how many of the first members are right, by ``path`` or what :func:`path_of` says."""
    members = np.arange(networks, dtype=np.uint64)
    path = path or path_of(task, settings, networks)
    right = _right(task, settings, members, {}, path, on_compile)
    return Rate(int(right.sum()), networks)


def _right(
    task: Task,
    settings: Settings,
    members: Any,
    each: dict[str, Any],
    path: str,
    on_compile: Callable[[str], None],
) -> Any:
    """Return who is right, trained some at a time."""
    verdicts: list[Any] = []
    for first in range(0, len(members), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        trained = train_members(
            task,
            settings,
            members[part],
            **{name: values[part] for name, values in each.items()},
            path=path,
            on_compile=on_compile,
        )
        verdicts.append(judge(task, settings, trained.arrays).is_right)
    return np.concatenate(verdicts)
