"""The plain forward pass in double: for figures, for searching and for showing, never for verdicts.

Rule: its error is not bounded. What is decided by it is decided again, by
:mod:`adderlab.nets.evaluation` or :mod:`adderlab.nets.enclosure`, by whoever asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from adderlab.nets.activations import Activation
from adderlab.nets.wiring import INPUT, Wiring, chain, join_arrays

if TYPE_CHECKING:
    from jaxtyping import Float64

    from adderlab.nets.network import Network


def forward(
    weights: Sequence[Float64[np.ndarray, "*member n_out n_in"]],
    biases: Sequence[Float64[np.ndarray, "*member n_out"]],
    activations: Sequence[Activation],
    inputs: Float64[np.ndarray, "*batch n_in"],
    wiring: Wiring | None = None,
) -> Float64[np.ndarray, "*batch n_out"]:
    """Return raw outputs, of one network or of many of one shape.

    Args:
        weights: of each layer; many networks have an axis of members first.
        biases: likewise.
        activations: of each layer.
        inputs: rows, with an axis of members first, or the same for all.
        wiring: what each layer reads; the one before it unless given.
    """
    wiring = wiring or chain(len(weights))
    values = {INPUT: inputs}
    with np.errstate(over="ignore", invalid="ignore"):
        for node, weight, bias, activation in zip(
            wiring.layers, weights, biases, activations, strict=True
        ):
            shift = bias[..., None, :] if weight.ndim > 2 else bias
            sums = node.take(values, join_arrays) @ np.swapaxes(weight, -1, -2) + shift
            values[node.name] = activation.plain(sums)
    return wiring.output.take(values, join_arrays)


def outputs_in_double(
    net: Network, inputs: Float64[np.ndarray, "*batch n_in"]
) -> Float64[np.ndarray, "*batch n_out"]:
    """Return a network's raw outputs in double, on any numbers as inputs."""
    return forward(
        [layer.weight.exact().to_floats() for layer in net.layers],
        [
            np.zeros(layer.n_out) if layer.bias is None else layer.bias.exact().to_floats()
            for layer in net.layers
        ],
        [layer.activation for layer in net.layers],
        inputs,
        net.wiring,
    )
