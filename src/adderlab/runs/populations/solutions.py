"""The solutions that a population found, and the best of its members.

Rule: ``to_dict`` gives what ``run.json`` holds, and ``from_dict`` reads it back without a loss.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SolutionClass:
    """Successes that are the same solution up to permutation and scaling of units.

    Attributes:
        text: each unit's on/off bits and the signs of its outgoing weights.
        code: a hash of the same.
        count: how many members there are.
        share: of the successes.
        member: the number of the first.
    """

    text: str
    code: str
    count: int
    share: float
    member: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields; ``class`` is the text."""
        return {
            "class": self.text,
            "code": self.code,
            "count": self.count,
            "share": self.share,
            "member": self.member,
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> SolutionClass:
        """Return what :meth:`to_dict` gave."""
        return cls(entry["class"], entry["code"], entry["count"], entry["share"], entry["member"])


@dataclass(frozen=True, slots=True)
class Solutions:
    """How many different solutions there are.

    Attributes:
        patterns: the number of on/off patterns.
        classes: the number of classes up to permutation and scaling of units.
        commonest: the largest classes, the largest first.
    """

    patterns: int
    classes: int
    commonest: tuple[SolutionClass, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the fields, the classes as dictionaries."""
        return {
            "patterns": self.patterns,
            "classes": self.classes,
            "commonest": [solution.to_dict() for solution in self.commonest],
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Solutions:
        """Return what :meth:`to_dict` gave."""
        commonest = tuple(map(SolutionClass.from_dict, entry["commonest"]))
        return cls(entry["patterns"], entry["classes"], commonest)


@dataclass(frozen=True, slots=True)
class BestMember:
    """The member that is right with the largest margin.

    Attributes:
        member: its number.
        seed: of the population.
        margin: the smallest signed distance of an output to the threshold.
    """

    member: int
    seed: int
    margin: float

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return {"member": self.member, "seed": self.seed, "margin": self.margin}

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> BestMember:
        """Return what :meth:`to_dict` gave."""
        return cls(entry["member"], entry["seed"], entry["margin"])
