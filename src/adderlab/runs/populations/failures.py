"""The kinds of failure of a population, with their symptoms and what a trial says of each.

Rule: ``to_dict`` gives what ``run.json`` holds, and ``from_dict`` reads it back without a loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adderlab.training.census.rates import Rate


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of training failures again with one thing changed.

    Attributes:
        change: what was changed where the symptom is.
        repaired: how many failures it made right.
        control: what was changed in the control group.
        control_repaired: how many failures that made right.
    """

    change: str
    repaired: Rate
    control: str
    control_repaired: Rate

    def to_dict(self) -> dict[str, Any]:
        """Return the change and the control, each with its rate as a dictionary."""
        return {
            "change": self.change,
            "mended": self.repaired.to_dict(),
            "control": self.control,
            "control_mended": self.control_repaired.to_dict(),
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Trial:
        """Return what :meth:`to_dict` gave."""
        return cls(
            entry["change"],
            Rate.from_dict(entry["mended"]),
            entry["control"],
            Rate.from_dict(entry["control_mended"]),
        )


@dataclass(frozen=True, slots=True)
class SymptomCount:
    """A symptom that some failures have.

    Attributes:
        name: one of :data:`adderlab.training.census.symptoms.SYMPTOMS`.
        text: what it means.
        count: how many of the failures have it.
        share: of the failures.
        among_successes: the share of the successes that have it; ``None`` if there are none.
        is_cause: whether the trial shows it to be a cause; ``None`` if that is not known.
        trial: what came of changing it alone; ``None`` if that was not tried.
    """

    name: str
    text: str
    count: int
    share: float
    among_successes: float | None
    is_cause: bool | None = None
    trial: Trial | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields; ``cause`` is the name."""
        return {
            "cause": self.name,
            "text": self.text,
            "count": self.count,
            "share": self.share,
            "among_successes": self.among_successes,
            "is_cause": self.is_cause,
            "trial": self.trial.to_dict() if self.trial is not None else None,
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> SymptomCount:
        """Return what :meth:`to_dict` gave."""
        return cls(
            entry["cause"],
            entry["text"],
            entry["count"],
            entry["share"],
            entry["among_successes"],
            entry["is_cause"],
            Trial.from_dict(entry["trial"]) if entry["trial"] is not None else None,
        )


@dataclass(frozen=True, slots=True)
class FailureKind:
    """The failures that end in the same wrong truth table, or that all diverged.

    Attributes:
        table: the output words row by row; empty if they diverged.
        code: the table as hexadecimal digits; ``None`` if they diverged.
        count: how many members there are.
        share: of all members.
        member: the number of the first.
        pattern: its on/off pattern; ``None`` if it diverged.
        symptoms: the symptoms that some of them have.
    """

    table: tuple[int, ...]
    code: str | None
    count: int
    share: float
    member: int
    pattern: str | None
    symptoms: tuple[SymptomCount, ...]

    @property
    def causes(self) -> tuple[SymptomCount, ...]:
        """The symptoms that were shown to be causes."""
        return tuple(symptom for symptom in self.symptoms if symptom.is_cause)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields; ``causes`` are the symptoms as dictionaries."""
        return {
            "table": list(self.table),
            "code": self.code,
            "count": self.count,
            "share": self.share,
            "member": self.member,
            "pattern": self.pattern,
            "causes": [symptom.to_dict() for symptom in self.symptoms],
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> FailureKind:
        """Return what :meth:`to_dict` gave."""
        return cls(
            tuple(entry["table"]),
            entry["code"],
            entry["count"],
            entry["share"],
            entry["member"],
            entry["pattern"],
            tuple(map(SymptomCount.from_dict, entry["causes"])),
        )
