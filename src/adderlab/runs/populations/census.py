"""What a population did: the result that is printed, written, and read back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adderlab.blocks import Block, Result
from adderlab.proving import Verdict
from adderlab.runs.populations.census_blocks import census_blocks
from adderlab.tasks import Task
from adderlab.training import Settings
from adderlab.training.census.rates import Rate

BEST: Final = "best.safetensors"
CENSUS: Final = "census.parquet"


@dataclass(frozen=True, slots=True, eq=False)
class Census(Result):
    """What a population did.

    Attributes:
        task: what was to be learned.
        settings: what every member was told.
        result: what is said of it, as in ``run.json``; file names are relative to the folder.
        best_proof: the verdict on the best member; ``None`` if none is right.
        folder: where it was written, if it was.
        was_done: whether it was finished before, so that nothing was trained now.
        repaired: the files in the folder that were damaged and made again.
    """

    task: Task
    settings: Settings
    result: dict[str, Any]
    best_proof: Verdict | None
    folder: Path | None = None
    was_done: bool = False
    repaired: tuple[str, ...] = ()

    @property
    def networks(self) -> int:
        """How many members there are."""
        return self.result["networks"]

    @property
    def successes(self) -> int:
        """How many of them are right on every row."""
        return self.result["successes"]

    @property
    def rate(self) -> Rate:
        """The success rate with its interval."""
        return Rate(self.successes, self.networks)

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The commonest wrong truth tables, with counts and causes."""
        return self.result["failures"]

    def to_dict(self) -> dict[str, Any]:
        best = self.result["best"]
        if best is not None:
            file = self.folder / best["file"] if self.folder is not None else None
            best = {**best, "file": str(file) if file is not None else None}
        folder = str(self.folder) if self.folder is not None else None
        return {**self.result, "best": best, "folder": folder, "was_done": self.was_done}

    def blocks(self) -> tuple[Block, ...]:
        """Return how often it worked, what failures look like, their causes, what helps."""
        return tuple(census_blocks(self))

    def __repr__(self) -> str:
        low, high = self.rate.interval
        return (
            f"Census: {self.successes / self.networks:.1%} of {self.networks} networks right "
            f"({low:.1%} to {high:.1%})"
        )
