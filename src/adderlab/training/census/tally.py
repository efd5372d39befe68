"""The counts of a population, added up block by block in bounded memory.

Rule: the counts are the same however the members are divided into blocks, so that a run that was
interrupted and resumed ends as an uninterrupted one. Of single members only the number of the
best is kept, and of the first in each group.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.training.census.findings import Findings
from adderlab.training.census.groups import Counter
from adderlab.training.census.symptoms import SYMPTOMS

if TYPE_CHECKING:
    from jaxtyping import Float64, Int64

BINS_AN_OCTAVE: Final = 64
"""Losses are counted in bins: a quantile is right within a factor of 2**(1/128), half a percent."""

LOWEST: Final = -64
"""Losses below 2**LOWEST count as that."""

HIGHEST: Final = 64
_BINS: Final = (HIGHEST - LOWEST) * BINS_AN_OCTAVE + 1


@dataclass(slots=True)
class Tally:
    """The counts of a population, growing block by block.

    Attributes:
        loss_steps: the steps at which losses were read.
        networks: members counted.
        successes: those that are right on every row.
        wrong: the failures with finite weights by truth table.
        non_finite: the failures with non-finite weights, as a single group.
        right_symptoms: how many successes have each symptom.
        patterns: the successes by on/off pattern.
        classes: the successes by class.
        solved: how many successes were first right at each step.
        best: the number of the right member of the largest margin; -1 if there is none.
        best_margin: its margin.
        histogram: the losses by point and bin.
    """

    loss_steps: tuple[int, ...]
    networks: int = 0
    successes: int = 0
    wrong: Counter = field(default_factory=lambda: Counter(len(SYMPTOMS)))
    non_finite: Counter = field(default_factory=lambda: Counter(len(SYMPTOMS)))
    right_symptoms: Int64[np.ndarray, " symptom"] = field(
        default_factory=lambda: np.zeros(len(SYMPTOMS), dtype=np.int64)
    )
    patterns: Counter = field(default_factory=Counter)
    classes: Counter = field(default_factory=Counter)
    solved: dict[int, int] = field(default_factory=dict[int, int])
    best: int = -1
    best_margin: float = -np.inf
    histogram: Int64[np.ndarray, "points bins"] = field(init=False)

    def __post_init__(self) -> None:
        self.histogram = np.zeros((len(self.loss_steps), _BINS + 1), dtype=np.int64)

    @property
    def diverged(self) -> int:
        """How many members have non-finite weights."""
        return int(self.non_finite.groups().counts.sum())

    def add(self, findings: Findings) -> None:
        """Count a block."""
        right = findings.is_right
        wrong, non_finite = ~right & findings.is_finite, ~findings.is_finite
        self.networks += len(findings)
        self.successes += int(right.sum())
        self.wrong.add(findings.codes[wrong], findings.members[wrong], findings.symptoms[wrong])
        no_code = np.zeros(int(non_finite.sum()), dtype=np.uint64)
        self.non_finite.add(no_code, findings.members[non_finite], findings.symptoms[non_finite])
        self.right_symptoms = self.right_symptoms + findings.symptoms[right].sum(axis=0)
        self.patterns.add(findings.patterns[right], findings.members[right])
        self.classes.add(findings.classes[right], findings.members[right])
        at, counts = np.unique(findings.solved_at[right], return_counts=True)
        for step, count in zip(at.tolist(), counts.tolist(), strict=True):
            self.solved[step] = self.solved.get(step, 0) + count
        if right.any():
            margins = np.where(right, findings.margin, -np.inf)
            place = int(np.lexsort((findings.members, -margins))[0])
            margin, member = float(margins[place]), int(findings.members[place])
            if (margin, -member) > (self.best_margin, -self.best):
                self.best_margin, self.best = margin, member
        self._count_losses(findings)

    def _count_losses(self, findings: Findings) -> None:
        with np.errstate(divide="ignore", invalid="ignore"):
            heights = np.log2(findings.losses.astype(np.float64))
        bins = (np.clip(heights, LOWEST, HIGHEST) - LOWEST) * BINS_AN_OCTAVE
        bins = np.where(np.isfinite(findings.losses), np.nan_to_num(bins), _BINS).astype(np.int64)
        for point in range(len(self.loss_steps)):
            self.histogram[point] += np.bincount(bins[:, point], minlength=_BINS + 1)

    def loss_quantiles(self, shares: tuple[float, ...]) -> Float64[np.ndarray, "share points"]:
        """Return the loss below which a share of the members is, at each point.

        Members without a finite loss count as above all others; where the quantile is among
        them it is infinite.
        """
        ranks = np.ceil(np.array(shares) * max(self.networks, 1)).clip(min=1)
        heights = LOWEST + (np.arange(_BINS) + 0.5) / BINS_AN_OCTAVE
        values = np.append(2.0**heights, np.inf)
        totals = self.histogram.cumsum(axis=1)
        quantiles = [[values[np.searchsorted(row, rank)] for row in totals] for rank in ranks]
        return np.array(quantiles).reshape(len(shares), len(self.loss_steps))

    def successes_by_step(self) -> list[tuple[int, int]]:
        """Return how many successes were right by each of the run's points."""
        if not self.loss_steps:
            return []
        return [
            (step, sum(count for at, count in self.solved.items() if 0 <= at <= step))
            for step in self.loss_steps
        ]
