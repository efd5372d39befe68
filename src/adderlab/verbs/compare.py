"""``compare``: whether two networks are equal on every input, then how else they differ."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks import Block, Result, Table
from adderlab.blocks.numbers import significant
from adderlab.checking import checked
from adderlab.formats import format_named
from adderlab.limits import Budget, ending, within
from adderlab.nets import Network
from adderlab.nets.sources import Source, ordered_task, read_source
from adderlab.proving import Verdict, equivalence
from adderlab.proving.comparison import Comparison
from adderlab.proving.equivalence import (
    check_same_shape,
    common_task,
    name_of,
)
from adderlab.tasks import Task, TaskLike
from adderlab.tasks.order import Names
from adderlab.verbs.prove import prove

if TYPE_CHECKING:
    from torch import nn

LEAST_S: Final = 0.01
"""What a verdict may take where the time is up: enough for a small network."""


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """A network's structure, size and verdict.

    Attributes:
        network: what was read.
        file_bytes: of its file; of a network in memory, what saving it would write.
        sha256: of those bytes.
        verdict: whether it computes its task, with its margin; ``None`` where none is known.
    """

    network: Network
    file_bytes: int
    sha256: str
    verdict: Verdict | None

    @property
    def format_bytes(self) -> int | None:
        """Bytes of all parameters in the network's own format; ``None`` if that has no size."""
        form = format_named(self.network.format)
        return form.bytes_of(self.network.parameters) if form.bits else None

    def to_dict(self) -> dict[str, Any]:
        """Return the keys of :meth:`Network.to_dict`, then sizes, hash, verdict and margin."""
        net = self.network
        margin = self.verdict.margin if self.verdict is not None else None
        return {
            **net.to_dict(),
            "depth": net.depth,
            "nonzero": net.nonzero,
            "bytes": self.format_bytes,
            "file_bytes": self.file_bytes,
            "sha256": self.sha256,
            "verdict": self.verdict.verdict if self.verdict is not None else None,
            "margin": margin.to_dict() if margin is not None else None,
        }

    def cells(self) -> dict[str, str]:
        """Return the texts of the table's rows, by name."""
        net = self.network
        verdict = self.verdict
        return {
            "shape": net.shape,
            "depth": str(net.depth),
            "wiring": "" if net.is_chain else str(net.wiring),
            "activations": ", ".join(net.activations),
            "readout": str(net.readout),
            "parameters": str(net.parameters),
            "nonzero": str(net.nonzero),
            "format": net.format,
            "bytes in it": "" if self.format_bytes is None else str(self.format_bytes),
            "file bytes": str(self.file_bytes),
            "task": verdict.task if verdict is not None else "",
            "verdict": verdict.verdict if verdict is not None else "",
            "margin of zeros": self._margin("of_0"),
            "margin of ones": self._margin("of_1"),
        }

    def _margin(self, side: str) -> str:
        margin = self.verdict.margin if self.verdict is not None else None
        distance = getattr(margin, side, None)
        if margin is None or distance is None:
            return ""
        return significant(distance) if margin.is_exact else f"at least {significant(distance)}"


@dataclass(frozen=True, slots=True, eq=False)
class Compared(Result):
    """Two networks, compared.

    Attributes:
        comparison: whether they are equal on every input.
        first: the first network, summarized.
        second: the second one.
    """

    comparison: Comparison
    first: Summary
    second: Summary

    def __bool__(self) -> bool:
        return bool(self.comparison)

    def rows(self) -> list[tuple[str, str, str]]:
        """Return name, first and second of everything that one of them has."""
        first, second = self.first.cells(), self.second.cells()
        return [(name, first[name], second[name]) for name in first if first[name] or second[name]]

    def to_dict(self) -> dict[str, Any]:
        return {
            **self.comparison.to_dict(),
            "first": self.first.to_dict(),
            "second": self.second.to_dict(),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return whether they are equal, an input where they differ, then both side by side."""
        rows = [(*row, "" if row[1] == row[2] else "differs") for row in self.rows()]
        columns = ("", "first", "second", "differs?")
        return (*self.comparison.blocks(), Table(columns, tuple(rows), left=columns))

    def __repr__(self) -> str:
        differing = [name for name, first, second in self.rows() if first != second]
        return f"{self.comparison!r}; they differ in {', '.join(differing) or 'nothing else'}"


@checked
def compare(
    first: Network | str | Path | nn.Module,
    second: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    formats: str = "",
    timeout_s: float = 10.0,
) -> Compared:
    """Compare two networks: their bits on every input, then size, format and margin.

    Args:
        first: a network, the path of a network file, or a PyTorch module.
        second: another one, with as many inputs and outputs.
        task: whose inputs to compare on, and what each is judged by; left out, the one that
            the networks were built for.
        bits: ``lsb-first`` where both networks have the bits of each word in reverse.
        inputs: the input words or bits in the order in which they take them.
        outputs: the output words or bits in the order in which they give them.
        formats: ``exact`` for exact arithmetic alone; each network's own format too unless
            given.
        timeout_s: seconds that it may take in all.

    Raises:
        NetworkError: the networks differ in inputs or outputs.
        OptionError: the timeout is not above 0, or ``formats`` is something else.
        LimitError: the time was up before the networks were read.
        TaskError: the task does not fit.
        NetworkFileError: a file is not a network.
        ModelError: a module's ``forward`` can't be read.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> compare(lecture, lecture).comparison
        Comparison: proved in exact arithmetic: equal on all 4 inputs of half-adder
    """
    task = ordered_task(first, task, bits=bits, inputs=inputs, outputs=outputs)
    budget = Budget.of(timeout_s)
    with within(budget):
        return _compared(first, second, task, formats, budget)


def _compared(
    first: Network | str | Path | nn.Module,
    second: Network | str | Path | nn.Module,
    task: TaskLike | None,
    formats: str,
    budget: Budget,
) -> Compared:
    with ending("the networks were read", "compare"):
        sources = read_source(first, task), read_source(second, task)
    nets = sources[0].network, sources[1].network
    names = name_of(first, "first network"), name_of(second, "second network")
    check_same_shape(*nets, names=names)
    left = max(budget.seconds_left, LEAST_S)
    comparison = equivalence.compare(*nets, task, formats=formats, timeout_s=left)
    notes = (*sources[0].notes, *sources[1].notes, *comparison.notes)
    target = common_task(*nets, task)
    summaries = [_summary(source, target or source.network.task, budget) for source in sources]
    return Compared(replace(comparison, notes=tuple(dict.fromkeys(notes))), *summaries)


def _summary(source: Source, task: Task | None, budget: Budget) -> Summary:
    verdict = (
        prove(source.network, task, timeout_s=max(budget.seconds_left, LEAST_S))
        if task is not None
        else None
    )
    return Summary(source.network, len(source.data), source.sha256, verdict)
