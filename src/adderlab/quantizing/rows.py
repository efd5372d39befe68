"""A task's rows as arrays, and what many networks of one shape make of them at once, in double.

Rule: nothing here is a verdict. Double picks candidates fast; what is kept is judged exactly by
whoever asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.errors import NetworkError, ResourceError
from adderlab.nets import Activation, Network, Readout
from adderlab.nets.forward import forward
from adderlab.nets.layout import Layout, join
from adderlab.nets.readout import read_states
from adderlab.tasks import Task

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64

LARGEST_ROWS: Final = 1 << 12
LARGEST_PARAMETERS: Final = 1 << 14


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Every row of a task.

    Attributes:
        inputs: bits.
        expected: bits.
        cares: where a bit matters.
    """

    inputs: Float64[np.ndarray, "rows n_in"]
    expected: Float64[np.ndarray, "rows n_out"]
    cares: Bool[np.ndarray, "rows n_out"]


def rows_of(task: Task) -> Rows:
    """Return all rows of a task.

    Raises:
        ResourceError: there are too many to try a network on again and again.
    """
    if task.rows > LARGEST_ROWS:
        raise ResourceError(
            f"{task.name} has over {LARGEST_ROWS} inputs, too many to search with",
            where="method",
            remedy="round to nearest: `method` nearest",
        )
    block = next(task.blocks(task.rows))
    cares = np.ones(block.expected.shape, dtype=bool) if block.cares is None else block.cares
    return Rows(
        block.inputs.astype(np.float64), block.expected.astype(np.float64), np.asarray(cares)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Arrays:
    """The parameters of many networks of one shape, the first axis being the network.

    Attributes:
        weights: of each layer, (member, out, in).
        biases: of each layer, (member, out); zeros where it has none.
    """

    weights: tuple[Float64[np.ndarray, "member n_out n_in"], ...]
    biases: tuple[Float64[np.ndarray, "member n_out"], ...]

    def __len__(self) -> int:
        return len(self.weights[0])

    @property
    def layout(self) -> Layout:
        """Where each parameter lies in :meth:`flat`; absent biases have their places too."""
        return Layout((self.weights[0].shape[2], *(array.shape[1] for array in self.weights)))

    def flat(self) -> Float64[np.ndarray, "member parameters"]:
        """Return each network's parameters as one vector."""
        return join(
            [array for pair in zip(self.weights, self.biases, strict=True) for array in pair]
        )

    @classmethod
    def split(cls, layout: Layout, flat: Float64[np.ndarray, "member parameters"]) -> Arrays:
        """Return the networks that vectors of parameters stand for."""
        parts = layout.split(flat)
        return cls(parts[::2], parts[1::2])

    def take(self, index: slice | np.ndarray) -> Arrays:
        """Return some of the networks."""
        return Arrays(
            tuple(array[index] for array in self.weights),
            tuple(array[index] for array in self.biases),
        )


@dataclass(frozen=True, slots=True)
class Shape:
    """What is not a number in a network: activations, readout, which layers have a bias."""

    activations: tuple[Activation, ...]
    readout: Readout
    has_bias: tuple[bool, ...]


def arrays_of(net: Network) -> tuple[Arrays, Shape]:
    """Return a network's values in double, and its shape.

    Raises:
        ResourceError: it is too large to be searched.
        NetworkError: a value is beyond double, or it is no chain of layers.
    """
    net.check_chain("a search over roundings")
    if net.parameters > LARGEST_PARAMETERS:
        raise ResourceError(
            f"{net.parameters} parameters, zeros included, are too many to search",
            where="method",
            remedy="round to nearest: `method` nearest",
        )
    weights = tuple(layer.weight.exact().to_floats()[None] for layer in net.layers)
    biases = tuple(
        (np.zeros(layer.n_out) if layer.bias is None else layer.bias.exact().to_floats())[None]
        for layer in net.layers
    )
    for name, array in zip(("weight", "bias"), (weights, biases), strict=True):
        if not all(np.isfinite(values).all() for values in array):
            raise NetworkError(
                f"a {name} is beyond double", where="network", remedy="take a smaller network"
            )
    shape = Shape(
        tuple(layer.activation for layer in net.layers),
        net.readout,
        tuple(layer.bias is not None for layer in net.layers),
    )
    return Arrays(weights, biases), shape


def outputs_of(
    arrays: Arrays, activations: Sequence[Activation], inputs: Float64[np.ndarray, "rows n_in"]
) -> Float64[np.ndarray, "member rows n_out"]:
    """Return every network's raw outputs on every row, in double."""
    return forward(arrays.weights, arrays.biases, activations, inputs)


def distances(
    raw: Float64[np.ndarray, "member rows n_out"], rows: Rows, readout: Readout
) -> Float64[np.ndarray, "member rows n_out"]:
    """Return how far each output is on its right side, negative on the wrong one.

    Infinite where the bit does not matter; of an exact readout, minus the distance to the bit.
    """
    return np.where(rows.cares, readout.distance(raw, rows.expected), np.inf)


def is_right(
    raw: Float64[np.ndarray, "member rows n_out"], rows: Rows, readout: Readout
) -> Bool[np.ndarray, "member rows n_out"]:
    """Return where each output reads as the bit that is expected, or its bit does not matter."""
    return (read_states(readout, raw) == rows.expected) | ~rows.cares


def wrong_rows(
    arrays: Arrays, shape: Shape, rows: Rows
) -> tuple[Float64[np.ndarray, " member"], Float64[np.ndarray, " member"]]:
    """Return, for each network, how many rows are wrong, and its smallest signed distance."""
    raw = outputs_of(arrays, shape.activations, rows.inputs)
    right = is_right(raw, rows, shape.readout)
    return (~right.all(axis=2)).sum(axis=1), distances(raw, rows, shape.readout).min(axis=(1, 2))
