"""Which engine trains a population: a function of the task's shape and the settings alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adderlab.tasks import Task
    from adderlab.training.settings import Settings

LANES: Final = "numba-lanes"
WIDE: Final = "numba-wide"
ENSEMBLE: Final = "torch-ensemble"


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and why it was chosen.

    Attributes:
        path: ``numba-lanes``, ``numba-wide`` or ``torch-ensemble``.
        why: a sentence.
    """

    path: str
    why: str

    def __str__(self) -> str:
        return f"{self.path}: {self.why}"


def choose(task: Task, settings: Settings) -> Choice:
    """Return the engine for a shape, and why."""
    return Choice(ENSEMBLE, "no kernel is there yet")
