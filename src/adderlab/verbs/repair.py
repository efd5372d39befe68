"""``repair``: one parameter changed so that a network becomes right, proved before it is kept."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks import Block, Line, Result, written_lines
from adderlab.building.repair import Repair, Repairs, find_repairs, repair_to, short
from adderlab.checking import checked
from adderlab.errors import OptionError
from adderlab.nets import Network, save
from adderlab.nets.files import check_network_place
from adderlab.nets.sources import ordered_task, paths_of, read_source, task_of
from adderlab.proving import Verdict
from adderlab.proving.decide import decide
from adderlab.tasks import Task, TaskLike
from adderlab.tasks.order import Names
from adderlab.verbs.explained_rows import parse_number
from adderlab.verbs.prove import prove

if TYPE_CHECKING:
    from torch import nn

_PARAMETER: Final = re.compile(r"(fc[0-9]{1,9}\.(?:weight|bias))\[([0-9]{1,9}(?:,[0-9]{1,9})?)\]")

MOST_NAMED: Final = 10
"""Parameters that an error names at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Repaired(Result):
    """A network that is right, or the finding that no single parameter makes it so.

    Attributes:
        network: the repaired network, or the given one where it was right already; ``None``
            where no change of one parameter repairs it.
        repairs: all of them, right in exact arithmetic.
        taken: the one that ``network`` has, right in its own format too; ``None`` where there
            was nothing to repair, or nothing repairs it.
        verdict: on ``network``; where it is ``None``, on the given one.
        file: where the network was written, if it was.
    """

    network: Network | None
    repairs: Repairs
    taken: Repair | None
    verdict: Verdict
    file: Path | None = None

    @property
    def already_right(self) -> bool:
        """Whether there was nothing to repair."""
        return self.network is not None and self.taken is None

    def to_dict(self) -> dict[str, Any]:
        repairs = self.repairs.to_dict()
        others = [repair for repair in self.repairs.repairs if repair is not self.taken]
        return {
            "verdict": self.verdict.verdict,
            "task": self.verdict.task,
            "already_right": self.already_right,
            "wrong_rows": repairs["wrong_rows"],
            "changes": [self.taken.to_dict()] if self.taken is not None else [],
            "alternatives": [repair.to_dict() for repair in others],
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


@checked
def repair(
    model: Network | str | Path | nn.Module,
    task: TaskLike | None = None,
    *,
    bits: str | None = None,
    inputs: Names = (),
    outputs: Names = (),
    parameter: str | None = None,
    to: float | str | Fraction | None = None,
    out: str | Path | None = None,
) -> Repaired:
    """Repair a network by changing one parameter, and prove it.

    Every change of one weight, one bias or the threshold that makes the network right on all
    rows is listed with the exact set of values that work. Of those that are right in the
    network's own format too, the change that leaves the largest margin is applied; of equal
    margins, the smallest change.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        task: a task, its name or a table; left out, the one that the network was built for.
        bits: ``lsb-first`` where the network has the bits of each word in reverse.
        inputs: the input words or bits in the order in which the network takes them.
        outputs: the output words or bits in the order in which it gives them.
        parameter: the only one to change: ``fc2.weight[1,2]``, ``fc1.bias[0]`` or ``threshold``.
        to: its new value, a number or its text (``1/3``); the best of those that work unless given.
        out: where to write the network; written only if it is right, and also, unchanged, where
            it was right already: the file that is there afterwards was proved.

    Raises:
        TaskError: no task is known, or it does not fit the network.
        NetworkFileError: the file is not a network.
        ModelError: the module's ``forward`` can't be read.
        NetworkError: the network is wrong and has tanh, or a sparse, scaled or wide tensor.
        OptionError: ``to`` without ``parameter``, one of them repairs nothing, or there is no such
            parameter.
        ResourceError: the network is wrong, and has more rows or parameters than can be tried.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> lecture = adderlab.build("half-adder", method="lecture").network
        >>> repaired = repair(lecture)
        >>> len(repaired.repairs.repairs), bool(repaired.verdict)
        (6, True)
        >>> repair(lecture, parameter="fc2.weight[1,2]", to=-4).taken
        Repair: fc2.weight[1,2] from -2 to -4, works in (-inf, -3]
    """
    if to is not None and parameter is None:
        raise OptionError("names no parameter", where="to", remedy="give `parameter` too")
    if out is not None:
        check_network_place(out, read=paths_of(None, task))
    task = ordered_task(model, task, bits=bits, inputs=inputs, outputs=outputs)
    source = read_source(model, task)
    target = task_of(source.network, task)
    net = source.network.for_task(target)
    if parameter is not None:  # of a network that is right already too
        _check_parameter(net, parameter)
    value = None if to is None else parse_number(to, "to")
    verdict = prove(net, target)
    repairs = Repairs((), (), (), target.rows)
    taken: Repair | None = None
    if not verdict:
        repairs = find_repairs(net, target, prove=lambda changed: _exactly(changed, target))
        if parameter is not None:
            repairs = _only(repairs, net, target, parameter, value)
        for candidate in repairs.repairs:
            changed = prove(candidate.network, target)
            if changed:
                net, verdict, taken = candidate.network, changed, candidate
                break
        else:
            notes = (*source.notes, *verdict.notes)
            return Repaired(None, repairs, None, replace(verdict, notes=notes))
    file = save(net, out) if out is not None else None
    verdict = replace(verdict, notes=(*source.notes, *verdict.notes))
    return Repaired(net, repairs, taken, verdict, file)


def _exactly(net: Network, task: Task) -> Verdict:
    return decide(net, task, formats="exact")


def _check_parameter(net: Network, name: str) -> None:
    """Refuse the name of a parameter that the network does not have."""
    name = "".join(name.split())
    match = _PARAMETER.fullmatch(name)
    shapes = {tensor: values.shape for tensor, values in net.tensors()}
    if match is not None:
        index = tuple(map(int, match[2].split(",")))
        shape = shapes.get(match[1], ())
        if len(index) == len(shape) and all(
            place < size for place, size in zip(index, shape, strict=True)
        ):
            return
    elif name == "threshold" and net.readout.kind == "threshold":
        return
    sizes = ", ".join(f"{tensor} {list(shape)}" for tensor, shape in islice(shapes.items(), 4))
    raise OptionError(
        f"the network has no {name[:40]}",
        where="parameter",
        remedy=f"give one like fc1.weight[0,0]: it has {sizes}",
    )


def _only(repairs: Repairs, net: Network, task: Task, name: str, value: Fraction | None) -> Repairs:
    """Return the repairs of one parameter, to the value that is given."""
    name = "".join(name.split())
    candidates = [
        candidate for candidate in (*repairs.repairs, *repairs.unstorable) if candidate.name == name
    ]
    if not candidates:
        names = ", ".join(repair.name for repair in repairs.repairs[:MOST_NAMED])
        raise OptionError(
            f"{name[:40]} alone repairs nothing",
            where="parameter",
            remedy=f"these do: {names}" if names else "no parameter does",
        )
    if value is None:
        kept = tuple(repair for repair in repairs.repairs if repair.name == name)
        return replace(repairs, repairs=kept)
    chosen = repair_to(net, task, candidates[0], value, prove=lambda n: _exactly(n, task))
    return replace(repairs, repairs=(chosen,))
