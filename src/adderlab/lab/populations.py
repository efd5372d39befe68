"""Populations that the page has trained: how often training works, how it fails, one of them alone.

Rule: what is answered is what ``train --seeds`` says of the same settings, and a member is the one
that was counted, to the last bit. The work is bounded before it begins, by its size; while it is
done, by the time and memory of its budget. No file is written but the compiled kernel's.
"""

from __future__ import annotations

import shlex
from collections.abc import Generator
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field, StringConstraints

from adderlab import limits
from adderlab.blocks.numbers import counted
from adderlab.errors import LimitError, NetworkError, OptionError
from adderlab.limits import Budget, CapReached
from adderlab.page_data import networks
from adderlab.page_data.schema import MOST_ROWS, MOST_UNITS, Entry, Number, TaskEntry
from adderlab.runs.populations.census import Census
from adderlab.runs.populations.failures import FailureKind
from adderlab.tasks import CATALOG, Task
from adderlab.tasks.wording import named, sum_of
from adderlab.training import Settings, TrainingOptions
from adderlab.training.census.symptoms import SYMPTOM_NAMED
from adderlab.training.choice import choose
from adderlab.training.estimate import products
from adderlab.training.members import train_members
from adderlab.training.settings import options_text
from adderlab.verbs.train_many import train_many

MOST_NETWORKS: Final = 10_000
MOST_STEPS: Final = 100_000
MOST_HIDDEN: Final = 2
"""Hidden layers: the kernel of a deeper network compiles for longer than a page waits."""

MOST_PRODUCTS: Final = 50_000_000_000
"""Products of a weight and a value in a forward pass, over all steps and networks.

10,000 networks 4-8-4 on 16 rows and 1000 steps have 1.2e10 of them and took 3 to 7 s on two cores,
causes included (``train multiplier:2 --seeds 10000 --data table --hidden 8``, 2026-11-28)."""

TRAINING_S: Final = 60.0
"""Seconds from the message on, those of compiling a kernel and of waiting for a thread included."""

MOST_MEMORY_BYTES: Final = 1 << 30
MOST_KINDS: Final = 50
"""Kinds of failure in an answer, the commonest."""

MOST_WRONG: Final = 4
"""Wrong rows of a kind that are put into words."""

LIMITS: Final = (
    f"the page trains up to {MOST_NETWORKS} networks of up to {MOST_HIDDEN} hidden layers and "
    f"{MOST_UNITS} units a layer, with relu, leaky:S or tanh, for up to {MOST_STEPS} steps"
)

Identity = Annotated[int, Field(ge=0, lt=1 << 53)]
TaskName = Annotated[str, StringConstraints(min_length=1, max_length=5000)]
Width = Annotated[int, Field(ge=1, le=MOST_UNITS)]


class SettingsEntry(Entry):
    """The settings of training, each as the option of that name of ``adderlab train``."""

    id: Identity
    task: TaskEntry | TaskName
    hidden: Annotated[list[Width], Field(min_length=1, max_length=MOST_HIDDEN)]
    activation: Annotated[str, StringConstraints(pattern=r"^(relu|tanh|leaky:[-+.0-9e]{1,30})$")]
    lr: Number
    steps: Annotated[int, Field(ge=1, le=MOST_STEPS)]
    batch: Annotated[int, Field(ge=1, le=MOST_ROWS)] | None = None
    seed: Annotated[int, Field(ge=0, lt=1 << 32)] = 0

    def options(self) -> TrainingOptions:
        """Return them as keywords; every row of the task is the data."""
        return {
            "hidden": tuple(self.hidden),
            "activation": self.activation,
            "lr": self.lr,
            "steps": self.steps,
            "batch": self.batch,
            "seed": self.seed,
            "data": "table",
        }


class TrainMessage(SettingsEntry):
    """How often does training work, and how does it fail?"""

    type: Literal["train"]
    networks: Annotated[int, Field(ge=1, le=MOST_NETWORKS)]


class MemberMessage(SettingsEntry):
    """What network has this member of the population become?"""

    type: Literal["member"]
    member: Annotated[int, Field(ge=0, lt=MOST_NETWORKS)]


def budget() -> Budget:
    """Return what training may take, from now on."""
    return Budget.of(TRAINING_S, MOST_MEMORY_BYTES)


def population(message: TrainMessage, task: Task) -> dict[str, Any]:
    """Return how many networks of a population are right, and what the others compute.

    Raises:
        OptionError: a setting is none, or the work is beyond the page.
        LimitError: the time was up, or the memory used up.
    """
    options = message.options()
    _check_work(task, Settings(**options), message.networks)
    with _limited(message.networks):
        census = train_many(
            task,
            seeds=message.networks,
            helps=False,
            draw=False,
            on_progress=lambda _: limits.check(),
            on_stage=lambda _: limits.check(),
            **options,
        )
    return {
        "networks": census.networks,
        "successes": census.successes,
        "success_rate": census.rate.share,
        "interval": list(census.rate.interval),
        "failures": [_failure(kind, task) for kind in census.failures[:MOST_KINDS]],
        "failure_kinds": census.wrong_tables + bool(census.diverged),
        "seconds": census.seconds,
        "path": census.path,
        "command": _command(census),
    }


def member(message: MemberMessage, task: Task) -> dict[str, Any]:
    """Return a member of a population as the page has networks.

    Raises:
        NetworkError: its training diverged.
        OptionError: a setting is none, or the work is beyond the page.
        LimitError: the time was up, or the memory used up.
    """
    settings = Settings(**message.options())
    _check_work(task, settings, 1)
    with _limited(1):
        trained = train_members(
            task,
            settings,
            [message.member],
            path=choose(task, settings).path,
            on_progress=lambda _: limits.check(),
        )
    net = trained.network(0)
    if net is None:
        raise NetworkError(
            "its training diverged: not all of its weights are finite",
            where=f"member {message.member}",
            remedy="take a lower learning rate",
        )
    return networks.to_page(net)


def _check_work(task: Task, settings: Settings, count: int) -> None:
    rows = settings.batch or task.rows
    work = count * settings.steps * products(settings.parameters(task), rows)
    if work > MOST_PRODUCTS:
        sizes = "-".join(map(str, settings.sizes(task)))
        raise OptionError(
            f"{counted(count, 'network')} {sizes} on {counted(rows, 'row')} for {settings.steps} "
            f"steps take {work:.2g} products of a weight and a value, over {MOST_PRODUCTS:.2g}",
            where="train",
            remedy="take fewer steps, hidden units or networks",
        )


@contextmanager
def _limited(count: int) -> Generator[None]:
    """Say how many networks were to be trained where a limit is reached within the block."""
    try:
        limits.check()
        yield
    except CapReached as cap:
        raise LimitError(
            f"{cap} before all {counted(count, 'network')} were trained",
            where="train",
            remedy="take fewer steps, hidden units or networks",
        ) from None


def _failure(kind: FailureKind, task: Task) -> dict[str, Any]:
    """Return a kind of failure with what it gets wrong in words; a diverged one has no table."""
    wrong = _wrong_rows(kind, task)
    return {
        "table": list(kind.table),
        "wrong": [_row_text(task, row, kind.table[row]) for row in wrong[:MOST_WRONG]],
        "wrong_rows": len(wrong),
        "count": kind.count,
        "share": kind.share,
        "causes": [
            {
                "cause": symptom.name,
                "title": SYMPTOM_NAMED[symptom.name].title,
                "text": symptom.text,
            }
            for symptom in kind.causes
        ],
        "member": kind.member,
    }


def _wrong_rows(kind: FailureKind, task: Task) -> list[int]:
    if not kind.table:
        return []
    (block,) = task.blocks(task.rows)
    got = np.array([_bits(value, task) for value in kind.table], dtype=np.uint8)
    return np.flatnonzero(~block.is_right(got).all(axis=1)).tolist()


def _row_text(task: Task, row: int, value: int) -> str:
    """Return what a row gives: ``1 + 1 gives c = 1``."""
    got = task.words_of(np.array(_bits(value, task), dtype=np.uint8))
    return f"{sum_of(task.row(row).inputs)} gives {named(got)}"


def _bits(value: int, task: Task) -> list[int]:
    return [value >> place & 1 for place in reversed(range(task.n_out))]


def _command(census: Census) -> str | None:
    """Return the command that counts the same population; ``None`` for a table's task."""
    task, settings = census.task, census.settings
    if task.name.partition(":")[0] not in CATALOG:
        return None
    return (
        f"adderlab train {shlex.quote(task.name)} --seeds {census.networks} --seed {settings.seed}"
        f"{options_text(settings)}"
    )
