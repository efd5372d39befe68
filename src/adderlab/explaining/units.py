"""What each unit of a network computes, from a fixed list of functions, on every row.

Rule: a unit *is* a function of the list only if its values on all rows are exactly that
function's times a positive number. Otherwise the result says on which rows it is on, which
function comes closest, and how far off that is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.errors import ResourceError
from adderlab.nets.activations import Activation
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.evaluation import trace
from adderlab.nets.network import Network
from adderlab.nets.walk import unit_names
from adderlab.tasks.task import RowBlock

if TYPE_CHECKING:
    from adderlab.tasks import Task

LARGEST_TABLE: Final = 256
"""Rows up to which a unit's values on all of them are compared with the list."""

OFF: Final = "off"
CONSTANT: Final = "a constant"
COPY: Final = "a copy of "


@dataclass(frozen=True, slots=True)
class UnitMeaning:
    """What one unit computes.

    Attributes:
        name: ``h1``.
        values: on every row, in order.
        function: of the list, if it is that times a positive number; else ``None``.
        scale: that number, where there is a function.
        on_where: the function of the list that is 1 on just the rows where the unit is above 0.
        closest: the function that comes nearest, up to a positive factor.
        off_by: how much that one fails, as a share of the unit's values (root mean square).
    """

    name: str
    values: tuple[Fraction, ...]
    function: str | None
    scale: Fraction | None
    on_where: str | None
    closest: str | None
    off_by: float

    @property
    def rows_on(self) -> tuple[int, ...]:
        """The numbers of the rows on which the unit is above 0."""
        return tuple(at for at, value in enumerate(self.values) if value > 0)

    def to_dict(self) -> dict[str, Any]:
        return {
            "unit": self.name,
            "values": [float(value) for value in self.values],
            "function": self.function,
            "scale": None if self.scale is None else float(self.scale),
            "on_where": self.on_where,
            "closest": self.closest,
            "off_by": self.off_by if math.isfinite(self.off_by) else None,
            "rows_on": list(self.rows_on),
        }


def layer_values(net: Network, block: RowBlock) -> list[Dyadic]:
    """Return each layer's values on the rows of a block: exact, but for tanh's, in double."""
    return [step.values for step in trace(net, block.inputs, activate=Activation.nearest)]


def whole_table(task: Task) -> RowBlock:
    """Return all rows of a small task.

    Raises:
        ResourceError: it has too many.
    """
    if task.rows > LARGEST_TABLE:
        raise ResourceError(
            f"{task.name} has {counted(task.rows, 'row')}, too many to look at what each unit does",
            where="why",
            remedy=f"take a task of up to {LARGEST_TABLE} rows",
        )
    return next(task.blocks(task.rows))


def functions_of(task: Task, block: RowBlock) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the functions of the list with their values on all rows, the simplest name first."""
    bits = {name: block.inputs[:, at].astype(int) for at, name in enumerate(task.input_bits)}

    def row(values: Any) -> tuple[int, ...]:
        return tuple(int(value) for value in values)

    yield OFF, row(np.zeros(len(block.inputs), dtype=int))
    yield CONSTANT, row(np.ones(len(block.inputs), dtype=int))
    for name, bit in bits.items():
        yield f"{COPY}{name}", row(bit)
        yield f"NOT {name}", row(1 - bit)
    for (first, p), (second, q) in combinations(bits.items(), 2):
        yield f"{first} AND {second}", row(p & q)
        yield f"{first} OR {second}", row(p | q)
        yield f"{first} XOR {second}", row(p ^ q)
        yield f"{first} + {second}", row(p + q)
        yield f"{first} AND NOT {second}", row(p & 1 - q)
        yield f"{second} AND NOT {first}", row(q & 1 - p)
        yield f"{first} NAND {second}", row(1 - (p & q))
        yield f"{first} NOR {second}", row(1 - (p | q))
        yield f"{first} XNOR {second}", row(1 - (p ^ q))
        yield f"{first} IMPLIES {second}", row(1 - p | q)
        yield f"{second} IMPLIES {first}", row(1 - q | p)
    if len(bits) > 2:
        yield " + ".join(bits), row(sum(bits.values()))
    if block.cares is None:
        for at, name in enumerate(task.output_bits):
            name_of = "the carry" if at == 0 and _is_adder(task) else f"the output {name}"
            yield name_of, row(block.expected[:, at])


def _is_adder(task: Task) -> bool:
    return task.name.partition(":")[0] in ("half-adder", "full-adder", "adder")


def unit_meanings(net: Network, task: Task) -> tuple[UnitMeaning, ...]:
    """Return what each hidden unit computes on every row of the task.

    Raises:
        ResourceError: the task has too many rows.
    """
    block = whole_table(task)
    known = list(functions_of(task, block))
    names = unit_names(net, task)
    all_values = layer_values(net, block)
    meanings: list[UnitMeaning] = []
    for place in net.hidden_layers:
        for at, name in enumerate(names[place + 1]):
            column = tuple(all_values[place].at(row, at) for row in range(len(block.inputs)))
            meanings.append(meaning_of(name, column, known))
    return tuple(meanings)


def meaning_of(
    name: str, values: Sequence[Fraction], known: Sequence[tuple[str, tuple[int, ...]]]
) -> UnitMeaning:
    """Return which of the known functions a unit's values are, or come closest to."""
    function, scale = None, None
    names: list[str] = []
    for words, row in known:
        ratio = _scale(values, row)
        if ratio is not None:
            names.append(words)
            scale = ratio
    if names:
        function = _joined(names)
    on = [value > 0 for value in values]
    where = [words for words, row in known if [bit == 1 for bit in row] == on and max(row) <= 1]
    closest, off_by = _closest([float(value) for value in values], known)
    return UnitMeaning(
        name, tuple(values), function, scale, _joined(where) if where else None, closest, off_by
    )


def _joined(names: Sequence[str]) -> str:
    """Return one function's names as one: on two bits, the carry is a AND b."""
    first, *rest = names
    return first + (f" ({', '.join(rest)})" if rest else "")


def _scale(values: Sequence[Fraction], row: Sequence[int]) -> Fraction | None:
    """Return the positive ``c`` with ``values = c * row``; ``None`` if there is none."""
    if not any(row):
        return Fraction(1) if not any(values) else None
    at = next(place for place, entry in enumerate(row) if entry)
    ratio = values[at] / row[at]
    if ratio > 0 and all(value == ratio * entry for value, entry in zip(values, row, strict=True)):
        return ratio
    return None


def _closest(
    values: Sequence[float], known: Sequence[tuple[str, tuple[int, ...]]]
) -> tuple[str | None, float]:
    """Return the function that a positive multiple of comes nearest, and what is left over."""
    size = math.sqrt(sum(value * value for value in values))
    if not size or not math.isfinite(size):
        return None, 0.0
    best: tuple[float, str | None] = (1.0, None)
    for words, row in known:
        weight = sum(entry * entry for entry in row)
        inner = sum(value * entry for value, entry in zip(values, row, strict=True))
        if weight and inner > 0:
            left = max(0.0, 1 - (inner / size) ** 2 / weight)
            best = min(best, (math.sqrt(left), words), key=lambda entry: entry[0])
    return best[1], best[0]
