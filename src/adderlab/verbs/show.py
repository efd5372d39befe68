"""``show``: a network with its truth table, one input's way through it, and figures of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adderlab.blocks import Block, Line, Result, note_lines, written_lines
from adderlab.checking import checked
from adderlab.figures import (
    Picture,
    activations_picture,
    losses_picture,
    network_picture,
    surface_pictures,
    truth_table_picture,
)
from adderlab.nets import Network
from adderlab.nets.running import InputWords, input_words
from adderlab.nets.sources import ordered_task, read_source, task_of
from adderlab.nets.truth import ShownRows, TruthRow, rows_to_show, truth_table
from adderlab.nets.walk import Walk, nameless_task, walk, words_of
from adderlab.proving import Verdict
from adderlab.tasks import Task, TaskLike
from adderlab.tasks.order import Names
from adderlab.verbs.prove import prove
from adderlab.verbs.train import seed_text
from adderlab.writing import check_folder, new_folder

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, eq=False)
class Shown(Result):
    """A network with its truth table.

    Attributes:
        network: the network.
        task: what it should compute; ``None`` where no task is known.
        verdict: whether it computes the task; ``None`` without a task.
        table: the rows of its truth table that are shown: all of up to 16, else the first wrong
            ones, else the first.
        walk: one input's way through it, where ``input`` was given.
        files: the figures that were written.
        notes: what had to be assumed in reading the network.
    """

    network: Network
    task: Task | None
    verdict: Verdict | None
    table: ShownRows
    walk: Walk | None = None
    files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> Task:
        """The task, or one of the network's shape that expects nothing."""
        return self.task or nameless_task(self.network)

    @property
    def rows(self) -> tuple[TruthRow, ...]:
        """The rows that are shown."""
        return self.table.rows

    @property
    def rows_note(self) -> str:
        """Which rows these are, in words."""
        return self.table.note

    def to_dict(self) -> dict[str, Any]:
        return {
            "task": self.task.name if self.task is not None else None,
            "network": self.network.to_dict(),
            "rows": [self._row(row) for row in self.rows],
            "verdict": self.verdict.verdict if self.verdict is not None else None,
            "proof": self.verdict.to_dict() if self.verdict is not None else None,
            "walk": self.walk.to_dict() if self.walk is not None else None,
            "files": [str(file) for file in self.files],
            "notes": list(self.notes),
        }

    def _row(self, row: TruthRow) -> dict[str, Any]:
        return {
            "inputs": row.inputs,
            "expected": words_of(self.target, row.expected) if self.task is not None else None,
            "got": words_of(self.target, row.got),
            "outputs": [_finite(value) for value in row.raw],
            "distances": [
                None if distance is None else _finite(distance) for distance in row.distances
            ],
            "right": row.is_right if self.task is not None else None,
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return the network, the verdict, the truth table, one input's way, the files."""
        shown: list[Block] = [*self.network.blocks()]
        if self.verdict is not None:
            shown += self.verdict.blocks()
        else:
            shown += note_lines(self.notes)
            shown.append(Line("no task is known, so nothing is expected; give `task`"))
        shown.append(truth_table(self.target, self.table, distances=True))
        if self.walk is not None:
            shown += self.walk.blocks()
        return (*shown, *written_lines(*self.files))

    def __repr__(self) -> str:
        way = f"; {self.walk!r}" if self.walk is not None else ""
        end = f"; {self.verdict.summary()}" if self.verdict is not None else ""
        return f"{self.network!r}{end}{way}"


@checked
def show(
    model: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    input: InputWords | None = None,
    out: str | Path | None = None,
) -> Shown:
    """Return a network with its truth table, and one input's way through it.

    Args:
        model: a network, the path of its file, a PyTorch module, or what ``build`` or ``train``
            returned; of a training run the loss curve is drawn too.
        task: a task, its name or a table, if not the network's own. Without any, raw outputs are
            shown and nothing is expected.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.
        input: the input words, ``"1,1"``, ``(1, 1)`` or ``{"a": 1, "b": 1}``.
        out: a folder for the figures, each as SVG and PNG.

    Raises:
        NetworkFileError: the file is not a network.
        ModelError: neither a network, a path nor a module.
        TaskError: the task does not fit, or has no such input.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture")
        >>> adderlab.show(lecture, input="1,1").walk.got
        {'c': 3}
    """
    if out is not None:
        check_folder(out)
    task = ordered_task(model, task, bits=bits, inputs=inputs, outputs=outputs)
    source = read_source(model, task)
    net = source.network
    known = task is not None or net.task is not None
    target = task_of(net, task) if known else nameless_task(net)
    way = None
    if input is not None:
        way = walk(net, target, input_words(target, input))
    shown = rows_to_show(net, target)
    verdict = prove(model, target) if known else None
    files: tuple[Path, ...] = ()
    if out is not None:
        pictures = figures(net, target, row=way.input if way is not None else None)
        run: Any = getattr(model, "run", None)  # of what `train` returned; a file keeps no losses
        if getattr(run, "losses", ()):
            pictures += (losses_picture({seed_text(run.settings): run.losses}),)
        files = write_figures(pictures, Path(out))
    return Shown(
        net,
        target if known else None,
        verdict,
        shown,
        way,
        files,
        (*source.notes, *target.remarks),
    )


def figures(
    net: Network, task: Task, *, row: Mapping[str, int] | None = None
) -> tuple[Picture, ...]:
    """Return every figure of a network: itself, ``row``'s way, its truth table and surfaces."""
    pictures = [network_picture(net, task)]
    if row is not None:
        pictures.append(network_picture(net, task, row=row, name="way"))
    pictures.append(truth_table_picture(net, task))
    pictures += surface_pictures(net, task)
    activations = activations_picture(net, task)
    if activations is not None:
        pictures.append(activations)
    return tuple(pictures)


def write_figures(pictures: Sequence[Picture], folder: Path) -> tuple[Path, ...]:
    """Write each picture as SVG and PNG into a folder, all of them or none.

    Raises:
        OutputError: the folder can't be written.
    """
    with new_folder(folder) as scratch:
        written = [path for picture in pictures for path in picture.write(scratch)]
    return tuple(folder / path.name for path in written)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
