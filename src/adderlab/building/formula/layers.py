"""Units to layers: which unit stands where, and which values are handed on by copies."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from adderlab.building.formula.units import LARGEST, OUTPUT, Unit, Units
from adderlab.errors import ResourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adderlab.building.formula.faults import Spot
    from adderlab.tasks import Task


@dataclass(frozen=True, slots=True)
class Plan:
    """One layer before its tensors are made.

    Attributes:
        activation: ``relu``, ``step`` or, of the last layer, ``identity``.
        reads: the atoms that come in, in order.
        units: what it computes from them, in order.
    """

    activation: str
    reads: Sequence[int]
    units: Sequence[Unit]


def plan_layers(units: Units, task: Task, *, where: str) -> list[Plan]:
    """Return the layers from the input to the output.

    Raises:
        ResourceError: they have more than :data:`LARGEST` parameters in all.
    """
    positions = sorted({unit.position for unit in units.hidden.values()}, reverse=True)
    level_at = {position: level for level, position in enumerate([*positions, OUTPUT])}
    level_of = {atom: level_at[unit.position] for atom, unit in units.hidden.items()}
    atoms: list[list[int]] = [[] for _ in level_at]
    rows: list[list[Unit]] = [[] for _ in level_at]
    for atom, level in level_of.items():
        atoms[level].append(atom)
        rows[level].append(units.hidden[atom])
    rows[-1] += units.outputs
    last: dict[int, tuple[int, Spot]] = {}
    for level, readers in enumerate(rows):
        for unit in readers:
            last.update(dict.fromkeys(unit.terms, (level, unit.spot)))
    copies = 0
    for atom, (end, spot) in sorted(last.items()):
        for level in range(level_of.get(atom, -1) + 1, end):
            copy = Unit({atom: Fraction(1)}, Fraction(0), (0, 0), spot)
            atoms[level].append(atom)
            rows[level].append(copy)
            copies += 1
            _limit(copies, where)
    reads = [range(task.n_in), *atoms[:-1]]
    _limit(sum((len(ins) + 1) * len(outs) for ins, outs in zip(reads, rows, strict=True)), where)
    kinds = ["relu" if relus else "step" for _, relus in positions]
    return [
        Plan(kind, ins, outs)
        for kind, ins, outs in zip([*kinds, "identity"], reads, rows, strict=True)
    ]


def _limit(parameters: int, where: str) -> None:
    if parameters > LARGEST:
        raise ResourceError(
            f"the network would have {parameters} parameters or more, the limit is {LARGEST}",
            where=where,
            remedy="write a smaller formula",
        )
