"""What the chapters share: the folder they write to, and the blocks that several of them use."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adderlab.blocks import Block, Figures, Table
from adderlab.figures import Picture
from adderlab.nets import Network, save
from adderlab.nets.truth import rows_to_show, truth_table
from adderlab.proving import Verdict
from adderlab.tasks import Task, task_named
from adderlab.verbs.prove import prove

HAND_SET = "the hand-set notebook"
TRAINING = "the training notebook"


@dataclass(frozen=True, slots=True)
class Workshop:
    """The settings of a demo, and what every chapter does with its networks.

    Attributes:
        folder: the folder for the chapters' files.
        networks: the number of networks over which each success rate is measured.
        on_progress: called with the current step and the share done, 0 to 1.
    """

    folder: Path
    networks: int = 100_000
    on_progress: Callable[[str, float], None] = lambda what, share: None

    @property
    def task(self) -> Task:
        """The task of both notebooks, the half adder."""
        return task_named("half-adder")

    def keep(self, net: Network, name: str) -> Verdict:
        """Write a network and its truth table under ``name``, and return its verdict."""
        verdict = prove(net, self.task)
        _ = save(net, self.folder / f"{name}.safetensors")
        table = self.truth_table(net)
        self.write_csv(f"{name}.csv", table.columns, table.rows)
        return verdict

    def truth_table(self, net: Network, *, caption: str = "") -> Table:
        """Return a network's truth table."""
        return truth_table(self.task, rows_to_show(net, self.task), caption=caption)

    def draw(self, *pictures: Picture | None, caption: str) -> Figures:
        """Write pictures as SVG and PNG, and return them as a block; ``None`` is left out."""
        drawn = tuple(picture for picture in pictures if picture is not None)
        figures = self.folder / "figures"
        figures.mkdir(exist_ok=True)
        for picture in drawn:
            _ = picture.write(figures)
        return Figures(drawn, caption)

    def write_csv(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write a table into the folder as CSV."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        _ = writer.writerow(columns)
        writer.writerows(rows)
        _ = (self.folder / name).write_text(text.getvalue(), encoding="utf-8")


def verdict_blocks(verdict: Verdict) -> tuple[Block, ...]:
    """Return a verdict without its seconds, so that the same demo gives the same page."""
    return replace(verdict, seconds=0.0).blocks()
