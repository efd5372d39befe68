"""Members counted by a code, block by block."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Int64, UInt64


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Members counted by a code.

    Attributes:
        codes: ascending, each once.
        counts: how many members have it.
        firsts: the smallest number among them.
        marks: how many of them have each mark.
    """

    codes: UInt64[np.ndarray, " group"]
    counts: Int64[np.ndarray, " group"]
    firsts: Int64[np.ndarray, " group"]
    marks: Int64[np.ndarray, "group mark"]

    @classmethod
    def of(
        cls,
        codes: UInt64[np.ndarray, " member"],
        members: Int64[np.ndarray, " member"],
        marks: Bool[np.ndarray, "member mark"],
    ) -> Groups:
        """Return some members grouped by their codes."""
        ones = np.ones(len(codes), dtype=np.int64)
        return cls(codes, ones, members, marks.astype(np.int64)).merged()

    @classmethod
    def together(cls, parts: list[Groups]) -> Groups:
        """Return several groupings as one."""
        return cls(
            np.concatenate([part.codes for part in parts]),
            np.concatenate([part.counts for part in parts]),
            np.concatenate([part.firsts for part in parts]),
            np.concatenate([part.marks for part in parts]),
        ).merged()

    def merged(self) -> Groups:
        """Return the same with each code once."""
        codes, which = np.unique(self.codes, return_inverse=True)
        counts = np.zeros(len(codes), dtype=np.int64)
        np.add.at(counts, which, self.counts)
        firsts = np.full(len(codes), np.iinfo(np.int64).max)
        np.minimum.at(firsts, which, self.firsts)
        marks = np.zeros((len(codes), self.marks.shape[1]), dtype=np.int64)
        np.add.at(marks, which, self.marks)
        return Groups(codes, counts, firsts, marks)

    def __len__(self) -> int:
        return len(self.codes)

    def most(self, count: int) -> list[int]:
        """Return the places of the largest groups, largest first, then by code."""
        order = np.lexsort((self.codes, -self.counts))
        return [int(place) for place in order[:count]]


@dataclass(slots=True)
class Counter:
    """Groups that grow; they are merged when as much is new as was there, so seldom."""

    marks: int = 0
    _parts: list[Groups] = field(default_factory=list[Groups])

    def add(
        self,
        codes: UInt64[np.ndarray, " member"],
        members: Int64[np.ndarray, " member"],
        marks: Bool[np.ndarray, "member mark"] | None = None,
    ) -> None:
        """Count some members."""
        if marks is None:
            marks = np.zeros((len(codes), 0), dtype=bool)
        self._parts.append(Groups.of(codes, members, marks))
        if sum(map(len, self._parts[1:])) > len(self._parts[0]):
            self._parts = [Groups.together(self._parts)]

    def groups(self) -> Groups:
        """Return what was counted."""
        if not self._parts:
            self.add(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros((0, self.marks), bool))
        self._parts = [Groups.together(self._parts)]
        return self._parts[0]
