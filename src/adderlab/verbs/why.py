"""Why a network works or fails: the result of ``explain --why``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.explaining.design import Comparison
from adderlab.explaining.history import Inactivity, Separability
from adderlab.explaining.units import UnitMeaning
from adderlab.nets import Network
from adderlab.nets.truth import TruthRow
from adderlab.proving import Verdict
from adderlab.training import Settings

if TYPE_CHECKING:
    from adderlab.tasks import Task

DESIGNED: Final = ("half-adder", "adder:1")
"""Tasks with hand-set networks to compare with: one hidden layer of relu."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One changed setting, tried by training.

    Attributes:
        change: what was changed, in words: ``hidden 3 -> 4``.
        option: as on the command line.
        verdict: of the network that came out; ``diverged`` if none did.
        rows_right: of it.
        keeps_start: whether it starts from the same random weights.
    """

    change: str
    option: str
    verdict: str
    rows_right: int
    keeps_start: bool

    @property
    def works(self) -> bool:
        """Whether the network is proved."""
        return self.verdict == "proved"

    def to_dict(self) -> dict[str, Any]:
        return {
            "change": self.change,
            "option": self.option,
            "verdict": self.verdict,
            "rows_right": self.rows_right,
            "keeps_start": self.keeps_start,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Why:
    """Why a network works or fails.

    Attributes:
        network: the network.
        task: what it is meant to compute.
        settings: of its training record; ``None`` where it has none, and there is no history.
        verdict: of the network on the task.
        rows: its truth table.
        weights_agree: whether training again gave the same weights, bit for bit; ``None`` without
            a record.
        largest_difference: between the weights then and now; ``None`` without a record.
        inactivity: dead units, and rows without a gradient; without a record, rows on which no
            gradient gets past layers that are off as a whole.
        separability: which rows are distinguished by what the last layers read.
        attempts: what was tried, nearest first, up to the first that helped from the same start;
            empty for a network that works.
        units: what each hidden unit computes.
        designs: how the network compares with hand-set ones.
    """

    network: Network
    task: Task
    settings: Settings | None
    verdict: Verdict
    rows: tuple[TruthRow, ...]
    weights_agree: bool | None
    largest_difference: float | None
    inactivity: Inactivity
    separability: Separability
    attempts: tuple[Attempt, ...]
    units: tuple[UnitMeaning, ...]
    designs: tuple[Comparison, ...]

    @property
    def helps(self) -> Attempt | None:
        """The nearest change that would have helped, if one was found."""
        return next((attempt for attempt in self.attempts if attempt.works), None)

    @property
    def helps_from_same_start(self) -> Attempt | None:
        """The nearest change that would have helped the very weights that training began with."""
        return next(
            (attempt for attempt in self.attempts if attempt.works and attempt.keeps_start), None
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "task": self.task.name,
            "verdict": self.verdict.verdict,
            "rows_right": self.verdict.rows_right,
            "notes": list(self.verdict.notes),
            "replay": self._replay(),
            **self.inactivity.to_dict(),
            "told_apart": self.separability.to_dict(),
            "attempts": [attempt.to_dict() for attempt in self.attempts],
            "helps": _dict_or_none(self.helps),
            "helps_from_same_start": _dict_or_none(self.helps_from_same_start),
            "units": [unit.to_dict() for unit in self.units],
            "designs": [design.to_dict() for design in self.designs],
        }

    def _replay(self) -> dict[str, Any] | None:
        if self.settings is None:
            return None
        difference = self.largest_difference
        is_known = difference is not None and np.isfinite(difference)
        return {
            "weights_agree": self.weights_agree,
            "largest_difference": difference if is_known else None,
            "steps": self.settings.steps,
            "seed": self.settings.seed,
        }

    def __repr__(self) -> str:
        dead = len(self.inactivity.deaths)
        units = counted(dead, "dead unit")
        return f"Why: {self.verdict.verdict}, {len(self.rows)} rows, {units}"


def _dict_or_none(attempt: Attempt | None) -> dict[str, Any] | None:
    return None if attempt is None else attempt.to_dict()
