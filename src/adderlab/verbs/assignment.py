"""What every handed-in file is held against, as it is handed to the processes that judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from adderlab.errors import TaskError
from adderlab.nets.argmax import is_argmax
from adderlab.nets.importing import NetworkFile
from adderlab.nets.readout import Readout, ReadoutLike, readout_of
from adderlab.nets.record import Reader, task_from_record
from adderlab.tasks import Task, TaskLike, as_task
from adderlab.tasks.order import Order, in_order
from adderlab.tasks.wirings import Wiring, wiring_named, wiring_without_order


@dataclass(frozen=True, slots=True)
class HandedIn(NetworkFile):
    """A file among others: what is said of weights alone does not count where a file says more."""

    def refuse_layers(self, kind: str) -> None:
        """Let a file pass that says its layers itself."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task, and how files of weights alone are read.

    Attributes:
        task: what a network must compute; a wiring is asked of cells.
        readout: how outputs become bits, whatever a file says.
        layers: as of :class:`~adderlab.NetworkFile`, likewise the next two.
        activation: between the layers.
        netlist: the path of a netlist.
        exercise: the id of the exercise whose answers are judged; ``None`` where the task is all.
    """

    task: Task | Wiring
    readout: ReadoutLike | None = None
    layers: str | Sequence[int] | None = None
    activation: str | Sequence[str] | None = None
    netlist: str | None = None
    exercise: str | None = None

    @classmethod
    def of(
        cls,
        task: TaskLike | Wiring,
        order: Order,
        *,
        readout: ReadoutLike | None,
        layers: str | Sequence[int] | None,
        activation: str | Sequence[str] | None,
        netlist: str | Path | None,
        exercise: str | None = None,
    ) -> Assignment:
        """Return the assignment, checked before a file is looked at.

        Raises:
            TaskError: there is no such task, it has no such bits, or only Python knows its rule.
            NetworkError: ``readout``, ``layers`` or ``activation`` is none.
        """
        wiring = wiring_without_order(task, order)
        target = wiring or in_order(_task_of(task), order)
        if readout is not None and not is_argmax(readout):
            readout = readout_of(readout)
        place = None if netlist is None else str(Path(netlist).absolute())
        assignment = cls(target, readout, layers, activation, place, exercise)
        _ = assignment.file("")
        return assignment

    def file(self, path: str) -> HandedIn:
        """Return a handed-in file with all that it may not say itself."""
        return HandedIn(
            path,
            layers=self.layers,
            activation=self.activation,
            readout=self.readout,
            netlist=self.netlist,
        )

    @property
    def remarks(self) -> tuple[str, ...]:
        """What was assumed in reading the task."""
        return self.task.remarks if isinstance(self.task, Task) else ()

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` makes the same of in another process."""
        task: dict[str, Any] = {"name": self.task.name}
        if isinstance(self.task, Task):
            task |= {"record": self.task.record, "notes": list(self.task.notes)}
        readout = self.readout
        return {
            "task": task,
            "readout": asdict(readout) if isinstance(readout, Readout) else readout,
            "layers": self.layers,
            "activation": self.activation,
            "netlist": self.netlist,
            "exercise": self.exercise,
        }

    @classmethod
    def from_dict(cls, entry: Mapping[str, Any]) -> Assignment:
        """Return what :meth:`to_dict` gave."""
        named, readout = entry["task"], entry["readout"]
        task: Task | Wiring | None = wiring_named(named["name"]) if "record" not in named else None
        if task is None:
            known = task_from_record(named["record"], Reader({}, "task"))
            assert known is not None
            task = replace(known, name=named["name"], notes=tuple(named["notes"]))
        rest = {name: entry[name] for name in ("layers", "activation", "netlist", "exercise")}
        return cls(task, Readout(**readout) if isinstance(readout, dict) else readout, **rest)


def _task_of(task: TaskLike | Wiring) -> Task:
    assert not isinstance(task, Wiring)
    known = as_task(task)
    if known.record is None:
        raise TaskError(
            f"the rule of {known.name} can't be handed to another process",
            where="task",
            remedy="give its name, a formula or a table",
        )
    return known
