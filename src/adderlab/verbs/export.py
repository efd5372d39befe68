"""``export``: a network written for use elsewhere, and kept only if it computes the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks import Block, Line, Result, note_lines, written_lines
from adderlab.blocks.numbers import counted
from adderlab.checking import checked
from adderlab.errors import OptionError, OutputError
from adderlab.exporting.comparison import Comparison
from adderlab.exporting.html import compare_html, lab_document
from adderlab.nets import Network
from adderlab.nets.sources import ordered_task, paths_of, read_source, task_of
from adderlab.page_data.beginning import beginning
from adderlab.tasks import Task, TaskLike
from adderlab.tasks.order import Names
from adderlab.writing import check_place, new_file

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Target:
    """What a network can be written as.

    Attributes:
        endings: of such files; the first is the usual one.
        write: the text of a network's file, for the task that it is meant for.
        compare: runs a file that was written, and holds it against the network.
    """

    endings: tuple[str, ...]
    write: Callable[[Network, Task], str]
    compare: Callable[[Path, Network, Task], Comparison]


def _lab(net: Network, task: Task) -> str:
    return lab_document(beginning(net, task, has_prover=False))


TARGETS: Final[Mapping[str, Target]] = {"html": Target((".html", ".htm"), _lab, compare_html)}
"""Every target, by the name that ``to`` takes."""


@dataclass(frozen=True, slots=True)
class Exported(Result):
    """A file that a network was written to.

    Attributes:
        to: the target.
        file: where it is; ``None`` where it computes something else and was not kept.
        task: the task whose rows were compared.
        comparison: whether the file computes what the network computes.
        notes: what had to be assumed in reading the network.
    """

    to: str
    file: Path | None
    task: str
    comparison: Comparison
    notes: tuple[str, ...] = ()

    @property
    def equal(self) -> bool | None:
        """Whether the file computes the same; ``None`` where nothing here could run it."""
        return self.comparison.equal

    @property
    def checked_rows(self) -> int:
        """How many rows were compared."""
        return self.comparison.rows

    def to_dict(self) -> dict[str, Any]:
        return {
            "to": self.to,
            "file": None if self.file is None else str(self.file),
            "task": self.task,
            "checked_rows": self.checked_rows,
            "equal": self.equal,
            "checked_by": self.comparison.by or None,
            "reason": self.comparison.reason or None,
            "notes": list(self.notes),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return what was compared, and where the file is."""
        return (
            *note_lines(self.notes),
            Line(
                self._sentence(), "plain" if self.equal else "bad" if self.file is None else "quiet"
            ),
            *written_lines(self.file),
        )

    def _sentence(self) -> str:
        rows = counted(self.checked_rows, "row")
        if self.equal:
            return f"checked: run by {self.comparison.by}, it computes the same on all {rows}"
        if self.equal is None:
            return f"not checked: {self.comparison.reason}"
        return f"not written: {self.comparison.reason}"

    def __repr__(self) -> str:
        return f"Exported: {self.to}, {self.task}, {self._sentence()}"


@checked
def export(
    model: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    to: str,
    out: str | Path,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
) -> Exported:
    """Write a network for use elsewhere; the file is run on every row before it is kept.

    ``html`` is the lab of the network as a single file: its page works from disk, with no Python
    and no network.

    Args:
        model: a network, the path of its file, or a PyTorch module.
        task: a task, its name or a table; left out, the one that the network was built for.
        to: the target: ``html``.
        out: where to write the file; nothing is left there if it computes something else.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.

    Raises:
        OptionError: there is no such target.
        TaskError: no task is known, or it does not fit, or the target can't hold it.
        NetworkError: the target can't hold the network.
        NetworkFileError: the file is not a network.
        ModelError: the module's ``forward`` can't be read.
        OutputError: ``out`` can't be written, or has the ending of another kind of file.

    Examples:
        >>> import adderlab, tempfile
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     exported = export(lecture, to="html", out=f"{folder}/lecture.html")
        ...     exported.file.name
        'lecture.html'
    """
    target = TARGETS.get(to)
    if target is None:
        raise OptionError(f"got {to[:40]!r}", where="to", remedy=f"one of {', '.join(TARGETS)}")
    _check_ending(Path(out), target, to)
    check_place(out, read=paths_of(model, task))
    task = ordered_task(model, task, bits=bits, inputs=inputs, outputs=outputs)
    source = read_source(model, task)
    net, known = source.network, task_of(source.network, task)
    text = target.write(net, known)
    try:
        with new_file(out) as scratch:
            _ = scratch.write_text(text, encoding="utf-8", newline="")
            comparison = target.compare(scratch, net, known)
            if comparison.equal is False:
                raise _Differs(comparison)
    except _Differs as differs:
        return Exported(to, None, known.name, differs.comparison, source.notes)
    return Exported(to, Path(out), known.name, comparison, source.notes)


class _Differs(Exception):  # noqa: N818 -- an outcome: no file is left
    def __init__(self, comparison: Comparison) -> None:
        super().__init__(comparison.reason)
        self.comparison = comparison


def _check_ending(out: Path, target: Target, to: str) -> None:
    if out.suffix.lower() not in target.endings:
        raise OutputError(
            f"{to} is written to a file that ends in {target.endings[0]}",
            where=str(out),
            remedy=f"name one like {out.stem[:40] or 'lab'}{target.endings[0]}",
        )
