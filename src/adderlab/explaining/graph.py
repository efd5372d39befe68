"""The forward pass of a network on one row, as values that each know their operands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias

from adderlab.errors import NetworkError, ResourceError
from adderlab.explaining import backprop
from adderlab.explaining.activated import curve, piecewise
from adderlab.explaining.backprop import Number, Value
from adderlab.nets.activations import Activation
from adderlab.nets.network import Network
from adderlab.nets.tensors import Sparse
from adderlab.nets.walk import unit_names
from adderlab.nets.wiring import INPUT, join_lists
from adderlab.notation import Formula, symbol

if TYPE_CHECKING:
    from adderlab.tasks import Task

Key: TypeAlias = tuple[str, tuple[int, ...]]
"""A parameter: its tensor's name and its index there."""

LOSSES: Final = {"mse": backprop.mean_squared_error, "bce": backprop.cross_entropy}

LARGEST_NETWORK: Final = 2000
"""Parameters up to which each has a line of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """All values of a network on one row.

    Attributes:
        values: in the order in which they are computed: inputs, then parameters, sums and
            activations layer by layer, the loss at the end.
        kinds: what each of them is: ``input``, ``parameter``, ``sum``, ``activation``, ``loss``.
        parameters: the values of the parameters.
        sums: each layer's ``W x + b``.
        units: each layer's values after its activation.
        read: what each layer reads, and at the end what is read out.
    """

    values: tuple[Value, ...]
    kinds: tuple[str, ...]
    parameters: dict[Key, Value]
    sums: tuple[tuple[Value, ...], ...]
    units: tuple[tuple[Value, ...], ...]
    read: tuple[tuple[Value, ...], ...]

    @property
    def outputs(self) -> tuple[Value, ...]:
        """The raw outputs."""
        return self.read[-1]

    @property
    def loss(self) -> Value:
        """The last value."""
        return self.values[-1]


def parameters_of(net: Network) -> dict[Key, Fraction]:
    """Return every stored parameter, exactly; a sparse tensor's absent entries are none.

    Raises:
        NetworkError: there are slopes of a prelu.
        ResourceError: there are more than :data:`LARGEST_NETWORK`.
    """
    check_size(net)
    for name, _ in net.slopes():
        raise NetworkError(
            "the slopes of prelu are parameters whose gradients are not listed",
            where=name,
            remedy="take leaky relu of that slope",
        )
    parameters: dict[Key, Fraction] = {}
    for name, tensor in net.tensors():
        exact = tensor.exact()
        if isinstance(tensor, Sparse):
            rows, columns = tensor.row_of_entry(), tensor.indices
            places = [(int(row), int(at)) for row, at in zip(rows, columns, strict=True)]
        else:
            places = [divmod_index(at, exact.shape) for at in range(exact.integers.size)]
        parameters |= {(name, place): exact.at(*place) for place in places}
    return parameters


def check_size(net: Network) -> None:
    """Refuse a network that is too large to be read line by line.

    Raises:
        ResourceError: with its size.
    """
    if net.parameters > LARGEST_NETWORK:
        raise ResourceError(
            f"{net.parameters} parameters are too many to list one by one",
            where="explain",
            remedy=f"take a network of up to {LARGEST_NETWORK}",
        )


def divmod_index(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index of the entry number ``flat`` of a tensor, row by row."""
    return (flat,) if len(shape) == 1 else divmod(flat, shape[1])


def forward(
    net: Network,
    task: Task,
    parameters: Mapping[Key, Number],
    bits: Sequence[int],
    targets: Sequence[int | None],
    loss: str,
) -> Graph:
    """Compute one row, keeping every value.

    Args:
        net: for its layers; its parameters are not read.
        task: names the inputs and outputs.
        parameters: the parameters' numbers.
        bits: the inputs.
        targets: what each output should be; ``None`` where any value will do, which is
            taken to be the output itself, so that its loss is 0.
        loss: ``mse`` or ``bce``.
    """
    taken = {"L"}
    values: list[Value] = []
    kinds: list[str] = []

    def keep(kind: str, *new: Value) -> None:
        values.extend(new)
        kinds.extend([kind] * len(new))

    columns = unit_names(net, task)
    inputs = [
        Value(_name(name, taken), Fraction(bit)) for name, bit in zip(columns[0], bits, strict=True)
    ]
    keep("input", *inputs)
    known = {INPUT: inputs}
    held: dict[Key, Value] = {}
    all_sums: list[tuple[Value, ...]] = []
    all_units: list[tuple[Value, ...]] = []
    read: list[tuple[Value, ...]] = []
    for node, layer, names in zip(net.wiring.layers, net.layers, columns[1:], strict=True):
        before = node.take(known, join_lists)
        own = {
            (tensor, index): Value(symbol(tensor, *index), value)
            for (tensor, index), value in parameters.items()
            if tensor in (f"{node.name}.weight", f"{node.name}.bias")
        }
        keep("parameter", *own.values())
        held |= own
        is_plain = layer.activation.kind == "identity"
        units = [_name(name, taken) for name in names]
        sums = tuple(
            backprop.affine(
                unit if is_plain else _name(_sum_name(name), taken),
                [own.get((f"{node.name}.weight", (at, column))) for column in range(layer.n_in)],
                before,
                own.get((f"{node.name}.bias", (at,))),
            )
            for at, (name, unit) in enumerate(zip(names, units, strict=True))
        )
        keep("sum", *sums)
        after = sums
        if not is_plain:
            after = tuple(
                _activate(layer.activation, unit, z) for unit, z in zip(units, sums, strict=True)
            )
            keep("activation", *after)
        all_sums.append(sums)
        all_units.append(after)
        read.append(tuple(before))
        known[node.name] = list(after)
    outputs = net.wiring.output.take(known, join_lists)
    read.append(tuple(outputs))
    target_numbers: list[Number] = [
        y.number if t is None else Fraction(t) for y, t in zip(outputs, targets, strict=True)
    ]
    keep("loss", LOSSES[loss](outputs, target_numbers))
    return Graph(tuple(values), tuple(kinds), held, tuple(all_sums), tuple(all_units), tuple(read))


def _activate(activation: Activation, name: Formula, z: Value) -> Value:
    match activation.kind:
        case "relu":
            return backprop.relu(name, z)
        case "leaky":
            return backprop.leaky(name, z, Fraction(activation.slope))
        case "tanh":
            return backprop.tanh(name, z)
        case "step":
            return backprop.step(name, z, ties=activation.convention == ">=")
        case _ if activation.is_exact:
            return piecewise(name, z, activation)
        case _:
            return curve(name, z, activation)


def _sum_name(unit: str) -> str:
    """Return the name of a unit's sum: ``z1`` of ``h1``, ``z_c0`` of the output ``c0``."""
    return f"z{unit[1:]}" if unit[0] == "h" and unit[1:2].isdigit() else f"z_{unit}"


def _name(name: str, taken: set[str]) -> Formula:
    """Return a name that is not taken: a task's words may have the names of units."""
    while name in taken:
        name += "'"
    taken.add(name)
    return symbol(name)
