"""The layers that a forward pass consists of, and the network that they make.

Rule: each operation is kept as it is computed, as a node of its own. Nodes are joined only where
that computes the same in every number format: an activation with the sums that it alone is
applied to, a bias with the products that it alone is added to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from adderlab.errors import NetworkError
from adderlab.nets.activations import Activation
from adderlab.nets.network import Layer
from adderlab.nets.tensors import Dense, Sparse, Tensor
from adderlab.nets.wiring import INPUT

IDENTITY: Final = Activation()

MOST_DENSE: Final = 64
"""Units up to which a layer of single terms is stored with its zeros."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """Units that were computed by one operation.

    Attributes:
        columns: the units that it reads, each once.
        weight: (units, columns); ``None`` for a diagonal of ones.
        bias: (units,), or ``None``.
        activation: of the sums.
        is_added: whether the bias was added by an operation of its own, to sums without one.
        place: the line of the user's code.
        is_bits: whether its values are 0 and 1.
    """

    columns: tuple[int, ...]
    weight: Any = None
    bias: Any = None
    activation: Activation = IDENTITY
    is_added: bool = False
    place: str = ""
    is_bits: bool = False

    @property
    def n_out(self) -> int:
        return len(self.columns) if self.weight is None else len(self.weight)


@dataclass(slots=True)
class Nodes:
    """The units so far: those of the input first, then those of each node.

    Attributes:
        n_in: input bits.
        kind: the NumPy type of the module's numbers.
        format: its name as a number format.
        nodes: in the order in which they were computed.
    """

    n_in: int
    kind: Any
    format: str
    nodes: list[Node] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    units: int = 0

    def __post_init__(self) -> None:
        self.units = self.n_in

    def add(self, node: Node) -> int:
        """Add a node, and return the number of its first unit."""
        self.starts.append(self.units)
        self.nodes.append(node)
        self.units += node.n_out
        return self.starts[-1]

    def place_of(self, unit: int) -> tuple[int, int]:
        """Return the number of a unit's node, -1 for the input, and its place in it."""
        if unit < self.n_in:
            return -1, unit
        number = int(np.searchsorted(self.starts, unit, side="right")) - 1
        return number, unit - self.starts[number]

    def node_of(self, unit: int) -> Node | None:
        """Return the node of a unit; ``None`` for an input."""
        number, _ = self.place_of(unit)
        return None if number < 0 else self.nodes[number]

    def is_bit(self, unit: int) -> bool:
        """Return whether a unit's value is always 0 or 1."""
        node = self.node_of(unit)
        return node is None or node.is_bits or node.activation.kind == "step"

    def all_of(self, number: int) -> tuple[int, ...]:
        """Return the units of a node, or of the input for -1."""
        if number < 0:
            return tuple(range(self.n_in))
        return tuple(range(self.starts[number], self.starts[number] + self.nodes[number].n_out))


def layers_of(nodes: Nodes, outputs: Sequence[int]) -> tuple[tuple[Layer, ...], tuple[str, ...]]:
    """Return the layers that compute the given units, and those that are read out.

    Args:
        nodes: everything that was computed.
        outputs: the units that are read out, in order: all units of some nodes.

    Raises:
        NetworkError: a number can't be stored in the module's format.
    """
    ends = _sources(nodes, outputs)
    plan = _joined(nodes, _needed(nodes, ends), ends)
    names = {-1: INPUT}
    layers: list[Layer] = []
    for number, node in plan.items():
        reads = _sources(nodes, node.columns)
        joined = [unit for source in reads for unit in nodes.all_of(source)]
        weight = _weight(nodes, node, joined)
        bias = None if node.bias is None else _numbers(nodes, node.bias)
        inputs = tuple(names[source] for source in reads)
        layers.append(Layer(weight, bias, node.activation, inputs))
        names[number] = f"fc{len(layers)}"
    return tuple(layers), tuple(names[end] for end in ends)


def _sources(nodes: Nodes, units: Sequence[int]) -> list[int]:
    """Return the nodes of units, each once, in the order in which they first occur."""
    return list(dict.fromkeys(nodes.place_of(unit)[0] for unit in units))


def _needed(nodes: Nodes, ends: Sequence[int]) -> list[int]:
    """Return the numbers of the nodes that lead to the ends."""
    needed = set(ends)
    for number in range(len(nodes.nodes) - 1, -1, -1):
        if number in needed:
            needed.update(_sources(nodes, nodes.nodes[number].columns))
    return sorted(needed - {-1})


def _joined(nodes: Nodes, needed: Sequence[int], ends: Sequence[int]) -> dict[int, Node]:
    """Return the needed nodes by number, each joined with the one before it where that may be.

    A joined node has the number of the later one, whose units it computes.
    """
    readers: dict[int, list[int]] = {}
    for number in needed:
        for source in _sources(nodes, nodes.nodes[number].columns):
            readers.setdefault(source, []).append(number)
    plan: dict[int, Node] = {}
    for number in needed:
        node = nodes.nodes[number]
        source = nodes.place_of(node.columns[0])[0]
        before = plan.get(source)
        is_alone = readers.get(source) == [number] and source not in ends
        if (
            before is not None
            and is_alone
            and node.weight is None
            and node.columns == nodes.all_of(source)
            and before.activation == IDENTITY
            and (node.bias is None or (node.is_added and before.bias is None))
        ):
            del plan[source]
            node = replace(
                before,
                bias=before.bias if node.bias is None else node.bias,
                activation=node.activation,
                is_bits=node.is_bits,
            )
        plan[number] = node
    return plan


def _weight(nodes: Nodes, node: Node, joined: Sequence[int]) -> Tensor:
    """Return a node's weights with a column for each unit of the layers that it reads."""
    place = {unit: at for at, unit in enumerate(joined)}
    columns = np.array([place[unit] for unit in node.columns], dtype=np.int64)
    if node.weight is not None and len(columns) == len(joined) and (np.diff(columns) == 1).all():
        return _numbers(nodes, node.weight)
    count = node.n_out
    if node.weight is None and max(count, len(joined)) > MOST_DENSE:
        ones = _numbers(nodes, np.ones(count))
        kind = np.uint16 if len(joined) < 1 << 16 else np.uint32
        return Sparse(
            (count, len(joined)), np.arange(count + 1, dtype=kind), columns.astype(kind), ones
        )
    own = np.eye(count) if node.weight is None else node.weight
    whole: Any = np.zeros((count, len(joined)), dtype=own.dtype)
    whole[:, columns] = own
    return _numbers(nodes, whole)


def _numbers(nodes: Nodes, values: Any) -> Dense:
    """Return numbers stored in the module's format, which must hold them."""
    if values.dtype == nodes.kind:
        return Dense(values)
    stored = values.astype(nodes.kind)
    is_off = stored.astype(np.float64) != values
    if is_off.any():
        raise NetworkError(
            f"{float(values[is_off][0])!r} is not representable in {nodes.format}",
            where="tensor",
            remedy="take a wider dtype, for example with model.double()",
        )
    return Dense(stored)
