"""``repair``: one parameter changed so that a network becomes right, proved before it is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adderlab.blocks import Block, Line, Result, written_lines
from adderlab.building.repair import Repair, Repairs, find_repairs, short
from adderlab.nets import Network, save
from adderlab.nets.sources import read_source, task_of
from adderlab.proving import Verdict
from adderlab.tasks import Task
from adderlab.verbs.prove import prove
from adderlab.writing import check_place

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, eq=False)
class Repaired(Result):
    """A network that is right, or the finding that no single parameter makes it so.

    Attributes:
        network: the repaired network, or the given one where it was right already; ``None``
            where no change of one parameter repairs it.
        repairs: all of them; the first is the one taken.
        verdict: on ``network``; where it is ``None``, on the given one.
        file: where the network was written, if it was.
    """

    network: Network | None
    repairs: Repairs
    verdict: Verdict
    file: Path | None = None

    @property
    def already_right(self) -> bool:
        """Whether there was nothing to repair."""
        return self.repairs.already_right

    @property
    def taken(self) -> Repair | None:
        """The repair that ``network`` has, if it needed one."""
        return self.repairs.repairs[0] if self.repairs.repairs else None

    def to_dict(self) -> dict[str, Any]:
        repairs = self.repairs.to_dict()
        return {
            "verdict": self.verdict.verdict,
            "task": self.verdict.task,
            "already_right": self.already_right,
            "wrong_rows": repairs["wrong_rows"],
            "changes": repairs["repairs"][:1],
            "alternatives": repairs["repairs"][1:],
            "unstorable": repairs["unstorable"],
            "proof": self.verdict.to_dict(),
            "file": str(self.file) if self.file is not None else None,
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return every repair, the one taken, and the verdict."""
        shown: list[Block] = []
        if self.already_right:
            shown.append(Line("right already: nothing to repair"))
        else:
            shown += self.repairs.blocks()
        if self.taken is not None:
            before, after = short(self.taken.before), short(self.taken.after)
            shown.append(Line(f"taken: {self.taken.name} from {before} to {after}", "strong"))
        shown += self.verdict.blocks()
        if self.network is None:
            shown.append(Line("not written: no change of one parameter repairs it"))
        shown += written_lines(self.file)
        return tuple(shown)

    def __repr__(self) -> str:
        if self.already_right:
            what = "right already"
        else:
            what = repr(self.taken) if self.taken else "none with one parameter"
        return f"{what}; {self.verdict.summary()}"


def repair(
    model: Network | str | Path | nn.Module,
    task: Task | str | None = None,
    *,
    out: str | Path | None = None,
) -> Repaired:
    """Repair a network by changing one parameter, and prove it.

    Every change of one weight, one bias or the threshold that makes the network right on all
    rows is listed with the exact set of values that work. The change that leaves the largest
    margin is applied; of equal margins, the smallest change.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        task: a task or its name; left out, the one that the network was built for.
        out: where to write the network; written only if it is right, and also, unchanged, where
            it was right already: the file that is there afterwards was proved.

    Raises:
        TaskError: no task is known, or it does not fit the network.
        NetworkFileError: the file is not a network.
        ModelError: the module's ``forward`` can't be read.
        NetworkError: the network is wrong and has tanh, or a sparse, scaled or wide tensor.
        ResourceError: the network is wrong, and has more rows or parameters than can be tried.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> repaired = repair(lecture)
        >>> len(repaired.repairs.repairs), bool(repaired.verdict)
        (6, True)
    """
    if out is not None:
        check_place(out)
    source = read_source(model)
    target = task_of(source.network, task)
    net = source.network.for_task(target)
    verdict = prove(net, target)
    if verdict:
        nothing = Repairs((), (), (), target.rows)
        return _written(net, nothing, replace(verdict, notes=source.notes), out)
    repairs = find_repairs(net, target, prove=lambda changed: prove(changed, target))
    if not repairs.repairs:
        return Repaired(None, repairs, replace(verdict, notes=source.notes))
    taken = repairs.repairs[0].network
    return _written(taken, repairs, replace(prove(taken, target), notes=source.notes), out)


def _written(net: Network, repairs: Repairs, verdict: Verdict, out: str | Path | None) -> Repaired:
    return Repaired(net, repairs, verdict, save(net, out) if out is not None else None)
