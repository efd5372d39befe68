"""What the chapters share: the folder they write to, and the blocks that several of them show."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adderlab.nets import Network, save
from adderlab.nets.truth import truth_rows
from adderlab.proving import Verdict, prove
from adderlab.report import Figures, Ruling, Table
from adderlab.report.figures import Picture
from adderlab.tasks import Task, task_named

HAND_SET = "the hand-set notebook"
TRAINING = "the training notebook"


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where a chapter works.

    Attributes:
        folder: where its files go.
        networks: how many networks the success rate is measured over.
        on_progress: called with what is being done and the share done, 0 to 1.
    """

    folder: Path
    networks: int = 100_000
    on_progress: Callable[[str, float], None] = lambda what, share: None

    @property
    def task(self) -> Task:
        """The half adder."""
        return task_named("half-adder")

    def keep(self, net: Network, name: str) -> Verdict:
        """Write a network and its truth table, and return its verdict."""
        verdict = prove(net, self.task)
        _ = save(net, self.folder / f"{name}.safetensors")
        table = truth_table(net, self.task)
        self.write_csv(f"{name}.csv", table.columns, table.rows)
        return verdict

    def draw(self, *pictures: Picture | None, caption: str) -> Figures:
        """Write pictures as SVG and PNG, and return them as a block."""
        drawn = tuple(picture for picture in pictures if picture is not None)
        place = self.folder / "figures"
        place.mkdir(exist_ok=True)
        for picture in drawn:
            _ = picture.write(place)
        return Figures(drawn, caption)

    def write_csv(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Write a table into the folder."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        _ = writer.writerow(columns)
        writer.writerows(rows)
        _ = (self.folder / name).write_text(text.getvalue(), encoding="utf-8")


def truth_table(net: Network, task: Task, *, caption: str = "") -> Table:
    """Return the truth table of a network: expected, got, raw outputs, right or wrong."""
    rows = list(truth_rows(net, task))
    return Table(
        columns=(*(word.name for word in task.inputs), "expected", "got", *task.output_bits),
        rows=tuple(
            (
                *map(str, row.inputs.values()),
                "".join("*" if bit is None else str(bit) for bit in row.expected),
                "".join("?" if bit is None else str(bit) for bit in row.got),
                *(fixed(value) for value in row.raw),
            )
            for row in rows
        ),
        marks=tuple(row.is_right for row in rows),
        caption=caption,
    )


def fixed(value: float) -> str:
    """Return a raw output to four decimals, as the notebook prints it; -0.0000 as 0.0000."""
    return f"{round(value, 4) + 0.0:.4f}"


def ruling(verdict: Verdict) -> Ruling:
    """Return a verdict as a block, its margin and its own format's verdict included."""
    text = verdict.summary().removeprefix(f"{verdict.verdict} ")
    if verdict.margin is not None and verdict.margin.min is not None:
        text += f"; margin {float(verdict.margin.min):.6g}"
    own = verdict.formats.get(verdict.own_format)
    if own is not None and own.verdict == verdict.verdict:
        text += f"; the same in {own.format}, its own format"
    return Ruling(verdict.verdict, text)


def weights_table(net: Network, *, caption: str = "") -> Table:
    """Return the parameters of a small network, a unit a row."""
    rows: list[tuple[str, ...]] = []
    for number, layer in enumerate(net.layers, start=1):
        weight = layer.weight.exact().to_floats()
        bias = layer.bias.exact().to_floats() if layer.bias is not None else None
        for unit, row in enumerate(weight, start=1):
            values = ", ".join(f"{value:g}" for value in row)
            one = f"{bias[unit - 1]:g}" if bias is not None else ""
            rows.append((f"fc{number}", str(unit), values, one))
    return Table(
        ("layer", "unit", "weights", "bias"), tuple(rows), caption=caption, left=("layer",)
    )
