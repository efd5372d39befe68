"""Which engine trains a population: a function of the task's shape and the settings alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adderlab.errors import OptionError
from adderlab.training.kernels.lanes import operations
from adderlab.training.kernels.shape import shape_of

if TYPE_CHECKING:
    from adderlab.tasks import Task
    from adderlab.training.settings import Settings

LANES: Final = "numba-lanes"
WIDE: Final = "numba-wide"
ENSEMBLE: Final = "torch-ensemble"
PATHS: Final = (LANES, WIDE, ENSEMBLE)

MOST_OPERATIONS: Final = 900
"""Vector operations of a step up to which it is written out. Some way above, loops are faster,
because what does not fit into the registers moves to and fro; and compiling takes too long."""

MOST_OPERATIONS_BY_NAME: Final = 4000
"""Operations up to which a step is written out where ``path`` names that engine."""

WIDEST: Final = 256
"""Units of a layer up to which kernels train it; a group's weights leave the cache beyond."""

MOST_HIDDEN: Final = 8
"""Hidden layers up to which a kernel is compiled: one of 4 takes 20 s, one of 8 a minute."""

KERNEL_ACTIVATIONS: Final = ("relu", "leaky", "tanh")
"""What kernels have expressions of (:mod:`adderlab.training.kernels.shape`)."""

LARGEST_BATCH: Final = 1 << 12
LARGEST_DATA: Final = 1 << 18
"""Samples to draw batches from: a kernel looks up which row each one is."""

MOST_STEPS: Final = 1 << 24
"""A step's number is a number of fp32 in a kernel."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and why it was chosen.

    Attributes:
        path: ``numba-lanes``, ``numba-wide`` or ``torch-ensemble``.
        why: the reason, as part of a sentence.
    """

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


def choose(task: Task, settings: Settings) -> Choice:
    """Return the engine for a population, and why.

    Examples:
        >>> from adderlab.tasks import task_named
        >>> from adderlab.training import Settings
        >>> print(choose(task_named("half-adder"), Settings()))
        numba-lanes: a step of 2-3-2 on 4 rows is 177 operations, written out whole
    """
    sizes = settings.sizes(task)
    name = "-".join(map(str, sizes))
    kind = settings.network_activation.kind
    depth = len(settings.widths)
    beyond = (
        (
            kind not in KERNEL_ACTIVATIONS,
            f"kernels know {', '.join(KERNEL_ACTIVATIONS)} alone, not {kind}",
        ),
        (
            depth > MOST_HIDDEN,
            f"kernels of {depth} hidden layers, over {MOST_HIDDEN}, compile for too long",
        ),
        (max(sizes) > WIDEST, f"a layer of {name} is wider than the {WIDEST} units of kernels"),
        (
            (settings.batch or 0) > LARGEST_BATCH,
            f"a batch of {settings.batch} is larger than the {LARGEST_BATCH} of kernels",
        ),
        (
            settings.batch is not None and settings.samples > LARGEST_DATA,
            f"kernels draw batches from at most {LARGEST_DATA} samples",
        ),
        (settings.steps > MOST_STEPS, f"kernels count at most {MOST_STEPS} steps"),
    )
    for is_beyond, why in beyond:
        if is_beyond:
            return Choice(ENSEMBLE, why)
    count = operations(shape_of(task, settings))
    if count <= MOST_OPERATIONS:
        whole = f"a step of {name} on {task.rows} rows is {count} operations, written out whole"
        return Choice(LANES, whole)
    rows = f"a step of {name} on {task.rows} rows is {count} operations"
    return Choice(WIDE, f"{rows}, more than the {MOST_OPERATIONS} that are written out")


def check_path(task: Task, settings: Settings, path: str) -> None:
    """Refuse an engine that is chosen by name and can't train the shape.

    Raises:
        OptionError: with the engine that can.
    """
    if path not in PATHS:
        raise OptionError(
            f"unknown path {path!r}", where="path", remedy=f"give one of {', '.join(PATHS)}"
        )
    chosen = choose(task, settings)
    is_kernel = path != ENSEMBLE
    if is_kernel and (chosen.path == ENSEMBLE or _is_too_long(task, settings, path)):
        raise OptionError(f"{path} can't train this shape", where="path", remedy=f"take {chosen}")


def _is_too_long(task: Task, settings: Settings, path: str) -> bool:
    return path == LANES and operations(shape_of(task, settings)) > MOST_OPERATIONS_BY_NAME
