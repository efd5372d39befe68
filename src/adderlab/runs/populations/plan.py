"""The plan of a population: its blocks, its identity, and whether it fits in memory and on disk.

Rule: everything here is a function of the task, the settings and the number of networks, so that
the same command writes the same files on any day.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from adderlab.errors import OptionError, ResourceError
from adderlab.runs.populations.columns import MOST_ROWS
from adderlab.tasks import Task
from adderlab.training import Settings
from adderlab.training.census.compiled import can_compile
from adderlab.training.choice import Choice, choose
from adderlab.training.members import check_block, member_bytes
from adderlab.training.schedule import kept_count, schedule
from adderlab.training.settings import check_batch, check_rows

LARGEST_POPULATION: Final = 100_000_000
LARGEST_BLOCK: Final = 1 << 16
SMALLEST_BLOCK: Final = 1 << 8
BLOCK_WORK: Final = 1 << 32
"""Products of a weight and a value in a block, about a second's work for a compiled kernel."""

COMPILED_FROM: Final = 50_000
"""Networks from which on judging them takes longer than compiling what judges them faster."""

BLOCK_BYTES: Final = 1 << 28
MOST_THREADS: Final = 1 << 12
TORCH_VARIABLES: Final = ("ATEN_CPU_CAPABILITY",)
"""Environment variables by which PyTorch takes other instructions than the processor's best."""

KEEPS: Final = ("none", "start", "weights", "every:K")


def check_threads(threads: int | None) -> None:
    """Refuse an impossible number of threads.

    Raises:
        OptionError: it is below 1, or more than any machine has.
    """
    if threads is not None and (isinstance(threads, bool) or not 1 <= threads <= MOST_THREADS):
        rule = "at least 1" if threads < 1 else f"at most {MOST_THREADS}"
        raise OptionError(
            f"got {threads}", where="threads", remedy=f"give a whole number of {rule}"
        )


@dataclass(frozen=True)
class Plan:
    """A population that is to be trained.

    Attributes:
        task: the task to learn.
        settings: of every member.
        networks: how many members; their numbers begin at 0.
        keep: which tensors are kept: ``none``, ``start``, ``weights`` or ``every:K``.
        explain: whether causes are tried.
        helps: whether it is measured what helps.

    Raises:
        OptionError: there are too many networks, or ``keep`` is not one of those.
        ResourceError: a block would not fit in memory, or training would take over a century.
    """

    task: Task
    settings: Settings
    networks: int
    keep: str = "start"
    explain: bool = True
    helps: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.networks, bool) or not 1 <= self.networks <= LARGEST_POPULATION:
            raise OptionError(
                f"got {self.networks}",
                where="seeds",
                remedy=f"give a number in 1..{LARGEST_POPULATION}",
            )
        if self.settings.member is not None:
            raise OptionError(
                f"got {self.settings.member} beside `seeds`",
                where="member",
                remedy="give one of them: a population trains every member",
            )
        if self.keep not in KEEPS[:3] and self.keep_every is None:
            raise OptionError(
                f"got {self.keep!r}", where="keep", remedy=f"give one of {', '.join(KEEPS)}"
            )
        if self.keep_every == 0:
            raise OptionError(
                f"got {self.keep!r}", where="keep", remedy="give every:K with K of at least 1"
            )
        check_rows(self.task, "seeds")
        check_batch(self.task, self.settings)
        self.settings.check_time(self.task, self.networks)
        smallest = min(self.networks, SMALLEST_BLOCK)
        check_block(self.task, self.settings, smallest, self.keep_every)

    @property
    def keep_every(self) -> int | None:
        """The steps between kept weights; ``None`` if they are not kept on the way."""
        match = re.fullmatch(r"every:([0-9]{1,12})", self.keep)
        return int(match[1]) if match else None

    @property
    def keeps_weights(self) -> bool:
        """Whether the trained weights are kept."""
        return self.keep == "weights"

    @property
    def keeps_start(self) -> bool:
        """Whether what a member started from is."""
        return self.keep != "none"

    @property
    def keeps_tables(self) -> bool:
        """Whether a member's whole table is a column, beside its code."""
        return self.task.rows <= MOST_ROWS and self.task.n_out < 62

    @property
    def judges_by_kernel(self) -> bool:
        """Whether members are judged by a kernel: where they are many, and there is one."""
        return self.networks >= COMPILED_FROM and can_compile(self.task, self.settings)

    @cached_property
    def choice(self) -> Choice:
        """The engine, and why."""
        return choose(self.task, self.settings)

    @cached_property
    def loss_steps(self) -> tuple[int, ...]:
        """The steps at which losses are read."""
        return schedule(self.settings.steps).losses

    @cached_property
    def block(self) -> int:
        """Members in a block: a power of two, about a second's work, within memory."""
        products = self.task.rows * self.settings.parameters(self.task)
        by_work = BLOCK_WORK // max(products * self.settings.steps, 1)
        each = member_bytes(self.task, self.settings, self.keep_every)
        by_memory = BLOCK_BYTES // each
        members = min(max(by_work, SMALLEST_BLOCK), max(by_memory, 1), LARGEST_BLOCK)
        return 1 << (members.bit_length() - 1)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return -(-self.networks // self.block)

    def members(self, number: int) -> range:
        """Return the members of a block."""
        first = number * self.block
        return range(first, min(first + self.block, self.networks))

    @property
    def disk_bytes(self) -> int:
        """About how many bytes the run's folder will hold."""
        parameters = 4 * self.settings.parameters(self.task)
        kept = kept_count(self.settings.steps, self.keep_every)
        row = 64 + (2 * self.task.rows if self.keeps_tables else 0)
        row += parameters * self.keeps_start
        tensors = 4 * len(self.loss_steps) + parameters * (kept + self.keeps_weights)
        return self.networks * (2 * row + tensors)  # blocks hold the census, and the tensors

    def check_disk(self, folder: Path) -> None:
        """Raise before the work if the disk can't hold it.

        Raises:
            ResourceError: with the estimate.
        """
        place = folder.absolute()
        while not place.exists():
            place = place.parent
        free = shutil.disk_usage(place).free
        if self.disk_bytes > free:
            raise ResourceError(
                f"the run would take about {self.disk_bytes / 1e9:.3g} GB, "
                f"{free / 1e9:.3g} GB are free",
                where=str(folder),
                remedy="take fewer `seeds`, `keep` none, or another disk",
            )

    def identity(self) -> dict[str, Any]:
        """Return what must be the same for a run to be this run, by name."""
        entries: dict[str, Any] = {
            "task": identity_of(self.task),
            "networks": self.networks,
            **asdict(self.settings),
            "keep": self.keep,
            "explain": self.explain,
            "helps": self.helps,
            "path": self.choice.path,
        }
        del entries["member"]
        return entries


def identity_of(task: Task) -> Any:
    """Return what identifies a task: its name, or the rows of a table, whatever its name."""
    return task.name if isinstance(task.record, str) else task.record


def this_machine() -> dict[str, str]:
    """Return what a member's bits depend on besides the plan: versions, and the processor."""
    from llvmlite import binding

    from adderlab.kernels.target import compiled_for

    return {
        **{name: _version(name) for name in ("adderlab", "numpy", "numba", "llvmlite", "torch")},
        "cpu": binding.get_host_cpu_name(),
        **{name: os.environ[name] for name in TORCH_VARIABLES if name in os.environ},
        **compiled_for(),
    }


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:  # torch is not needed where kernels train
        return "not installed"
