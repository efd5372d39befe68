"""The history of a training run: when units died, and which rows stopped giving a gradient.

Rule: everything is read from the weights of every step, nothing is inferred from the last. A
unit died at the step from which on it is off on every row of the task, until the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.explaining.separation import is_separable
from adderlab.explaining.units import layer_values
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.network import Network
from adderlab.nets.walk import unit_names
from adderlab.nets.wiring import INPUT, layer_number
from adderlab.tasks.task import RowBlock

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64

    from adderlab.tasks import Task

STEPS_AT_ONCE: Final = 256
LARGEST_SEPARATION: Final = 64
"""Distinct hidden values up to which it is decided whether a plane separates them."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """The weights of every step.

    Attributes:
        arrays: of each tensor, by name: the first axis is the step, from 0 for the start.
    """

    arrays: Mapping[str, Any]

    @property
    def steps(self) -> int:
        """Number of steps."""
        return len(next(iter(self.arrays.values()))) - 1


@dataclass(frozen=True, slots=True)
class Death:
    """A unit that is off on every row at the end.

    Attributes:
        unit: its name.
        step: from which step on; 0 if it was never on.
    """

    unit: str
    step: int

    def to_dict(self) -> dict[str, Any]:
        return {"unit": self.unit, "step": self.step}


@dataclass(frozen=True, slots=True)
class SilentRow:
    """A row from which no gradient reaches the first layer any more.

    Attributes:
        row: its input words.
        step: from which step on; 0 if there never was one.
        off: the hidden units that are off on it, by name.
    """

    row: dict[str, int]
    step: int
    off: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        return {"row": self.row, "step": self.step, "off": list(self.off)}


@dataclass(frozen=True, slots=True)
class Group:
    """Rows with the same values before the outputs.

    Attributes:
        rows: their numbers.
        values: of the last hidden layer's units; of a graph, of all that is read for an output.
        conflict: whether their expected outputs differ.
    """

    rows: tuple[int, ...]
    values: tuple[Fraction, ...]
    conflict: bool


@dataclass(frozen=True, slots=True)
class Separability:
    """Which rows the last hidden layer distinguishes; in a graph, what the layers read out read.

    Attributes:
        groups: the rows by equal values; one row in each if all rows are distinguished.
        readable: for each output bit whether some last layer could read it from the values that
            its own layer reads; ``None`` if that was not decided.
    """

    groups: tuple[Group, ...]
    readable: dict[str, bool | None]

    def to_dict(self) -> dict[str, Any]:
        return {
            "groups": [
                {
                    "rows": list(group.rows),
                    "values": [float(value) for value in group.values],
                    "conflict": group.conflict,
                }
                for group in self.groups
            ],
            "readable": self.readable,
        }


@dataclass(frozen=True, slots=True)
class Inactivity:
    """Dead units, and rows without a gradient."""

    deaths: tuple[Death, ...]
    silent: tuple[SilentRow, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "deaths": [death.to_dict() for death in self.deaths],
            "silent_rows": [row.to_dict() for row in self.silent],
        }


def find_inactivity(
    net: Network, task: Task, block: RowBlock, history: History, *, loss: str = "mse"
) -> Inactivity:
    """Return which units died and which rows fell silent, with the steps.

    Args:
        net: the trained network, a chain, for its activations.
        task: names units and rows.
        block: all rows of the task.
        history: the weights of every step.
        loss: ``mse`` or ``bce``.
    """
    net.check_chain("a training history")
    names = [name for layer in unit_names(net, task)[1:-1] for name in layer]
    rows = len(block.inputs)
    since_off = np.full(len(names), -1)
    since_silent = np.full(rows, -1)
    off = np.zeros((rows, len(names)), dtype=bool)
    for start in range(0, history.steps + 1, STEPS_AT_ONCE):
        end = min(start + STEPS_AT_ONCE, history.steps + 1)
        at_once = {
            name: array[start:end].astype(np.float64) for name, array in history.arrays.items()
        }
        is_off, reaches = _passes(net, block, at_once, loss)
        since_off = _since(since_off, np.asarray(is_off.all(axis=1)), start)
        since_silent = _since(since_silent, ~reaches, start)
        off = is_off[-1]
    deaths = tuple(
        Death(name, int(step)) for name, step in zip(names, since_off, strict=True) if step >= 0
    )
    silent = tuple(
        SilentRow(
            task.row(at).inputs,
            int(step),
            tuple(name for name, is_named in zip(names, off[at], strict=True) if is_named),
        )
        for at, step in enumerate(since_silent)
        if step >= 0
    )
    return Inactivity(deaths, silent)


def inactivity_of(net: Network, task: Task, block: RowBlock) -> Inactivity:
    """Return a network's dead units, and the rows on which no gradient gets to the first layers.

    What the weights alone say, without a history: every step is 0. Values are exact. A gradient
    gets through a layer of which some unit is on, and to the first by any way; in a chain there
    is one way, and a row is silent where all units of a layer are off.

    Args:
        net: the network.
        task: names units and rows.
        block: all rows of the task.
    """
    wiring = net.wiring
    deaths: list[Death] = []
    off_on_row: list[list[str]] = [[] for _ in block.inputs]
    passes = {node.name: np.ones(len(block.inputs), dtype=bool) for node in wiring.layers}
    for node, layer, names, values in zip(
        wiring.layers,
        net.layers,
        unit_names(net, task)[1:],
        layer_values(net, block),
        strict=True,
    ):
        if node.name not in wiring.inner or not layer.activation.rule.can_die:
            continue
        off = np.asarray(values.integers == 0, dtype=bool)
        deaths += [Death(names[at], 0) for at in np.flatnonzero(off.all(axis=0))]
        passes[node.name] = ~np.asarray(off.all(axis=1))
        for row, at in np.argwhere(off):
            off_on_row[row].append(names[at])
    arrives = {name: np.zeros(len(block.inputs), dtype=bool) for name in (INPUT, *passes)}
    for name in wiring.output.reads:
        arrives[name][:] = True
    for node in reversed(wiring.layers):
        for name in node.reads:
            arrives[name] |= arrives[node.name] & passes[node.name]
    silent = tuple(
        SilentRow(task.row(int(row)).inputs, 0, tuple(off_on_row[row]))
        for row in np.flatnonzero(~arrives[INPUT])
    )
    return Inactivity(tuple(deaths), silent)


def _since(so_far: Any, holds: Bool[np.ndarray, "steps conditions"], start: int) -> Any:
    """Return since which step each condition holds to the end; -1 if it does not at the end."""
    steps = len(holds)
    last_not = np.where(holds.all(axis=0), -1, steps - 1 - np.argmax(~holds[::-1], axis=0))
    fresh = np.where(last_not == steps - 1, -1, start + last_not + 1)
    return np.where(last_not == -1, np.where(so_far >= 0, so_far, start), fresh)


def _passes(
    net: Network, block: RowBlock, arrays: Mapping[str, Float64[np.ndarray, ...]], loss: str
) -> tuple[Bool[np.ndarray, "steps rows units"], Bool[np.ndarray, "steps rows"]]:
    """Return where hidden relus are off, and from which rows a gradient reaches the first layer."""
    values: Any = block.inputs.astype(np.float64)
    slopes: list[Any] = []
    off: list[Any] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for number, layer in enumerate(net.layers, start=1):
            sums = values @ arrays[f"fc{number}.weight"].transpose(0, 2, 1)
            if f"fc{number}.bias" in arrays:
                sums = sums + arrays[f"fc{number}.bias"][:, None]
            kind = layer.activation
            values, slope = kind.plain(sums), kind.derivative(sums)
            slopes.append(slope)
            if number < net.depth:
                off.append((sums <= 0) & kind.rule.can_die)
        target = block.expected.astype(np.float64)
        guess = values if loss == "mse" else 1 / (1 + np.exp(-values))
        passed = guess - target
        if block.cares is not None:
            passed = passed * block.cares
        for number in range(net.depth, 1, -1):
            passed = (passed * slopes[number - 1]) @ arrays[f"fc{number}.weight"]
        passed = passed * slopes[0]
    return np.concatenate(off, axis=2), (passed != 0).any(axis=2)


def separability(net: Network, task: Task, block: RowBlock) -> Separability:
    """Return which rows the last hidden layer distinguishes, and which outputs can be read there.

    Both are decided exactly. In a graph, the rows are distinguished by all that the layers read out
    read, and each output is to be read from what its own layer reads.

    Args:
        net: any network; without a hidden layer its inputs are looked at.
        task: what the outputs should be.
        block: all rows of the task.
    """
    values = {INPUT: Dyadic(block.inputs.astype(np.int64))}
    values |= zip((node.name for node in net.wiring.layers), layer_values(net, block), strict=True)
    places = [layer_number(name) - 1 for name in net.output_layers]
    reads = [net.wiring.layers[place].reads for place in places]
    targets = [
        [
            None if block.cares is not None and not block.cares[row, bit] else int(target)
            for bit, target in enumerate(block.expected[row])
        ]
        for row in range(len(block.inputs))
    ]

    def grouped(names: tuple[str, ...]) -> tuple[Group, ...]:
        by_values: dict[tuple[Fraction, ...], list[int]] = {}
        for row in range(len(block.inputs)):
            parts = [values[name] for name in names]
            own = tuple(part.at(row, at) for part in parts for at in range(part.shape[1]))
            by_values.setdefault(own, []).append(row)
        return tuple(
            Group(
                tuple(rows),
                own,
                any(_expected_bits(targets, rows, bit) == {0, 1} for bit in range(net.n_out)),
            )
            for own, rows in by_values.items()
        )

    bits = iter(enumerate(task.output_bits))
    readable: dict[str, bool | None] = {}
    for place, names in zip(places, reads, strict=True):
        groups = grouped(names)
        for bit, name in islice(bits, net.layers[place].n_out):
            readable[name] = _is_readable(groups, targets, bit)
    return Separability(
        grouped(tuple(dict.fromkeys(name for own in reads for name in own))), readable
    )


def _expected_bits(
    targets: Sequence[Sequence[int | None]], rows: Sequence[int], bit: int
) -> set[int]:
    return {target for row in rows if (target := targets[row][bit]) is not None}


def _is_readable(
    groups: Sequence[Group], targets: Sequence[Sequence[int | None]], bit: int
) -> bool | None:
    """Return whether some plane separates the values of rows with a 1 from those with a 0."""
    expected = [(group.values, _expected_bits(targets, group.rows, bit)) for group in groups]
    if any(len(bits) > 1 for _, bits in expected):
        return False
    fixed = [(values, 1 in bits) for values, bits in expected if bits]
    if len(fixed) > LARGEST_SEPARATION:
        return None
    return not fixed or is_separable(
        [values for values, _ in fixed], [is_one for _, is_one in fixed]
    )
