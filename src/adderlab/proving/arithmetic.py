"""A number format's own arithmetic, operation by operation, in a stated order of summation.

Rule: every product and every partial sum is rounded to the format, to nearest with ties to
even, and nothing is fused. Products of two values of at most 24 bits, and their sums, are
computed in double first; rounding twice gives the same as rounding once, because double
carries more than twice the bits and two (Figueroa's theorem); fp64 rounds by itself.

References:
    Figueroa, "When is double rounding innocuous?", SIGNUM Newsletter 30(3) (1995).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.formats import Format
from adderlab.nets import Activation, Network, Readout

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, UInt8

ORDERS: Final[dict[str, tuple[bool, bool]]] = {
    "products left to right, then the bias": (False, False),
    "the bias, then products left to right": (True, False),
    "products right to left, then the bias": (False, True),
    "the bias, then products right to left": (True, True),
}
"""By name, whether the bias comes first, and whether the products are taken from the right."""


def format_outputs(
    net: Network, inputs: UInt8[np.ndarray, "batch n_in"], form: Format, order: str
) -> Float64[np.ndarray, "batch n_out"]:
    """Return the raw outputs as the format's own arithmetic gives them.

    Args:
        net: a network whose parameters are all representable in ``form``, without tanh.
        inputs: rows of bits.
        form: a float format.
        order: a name of :data:`ORDERS`.
    """
    bias_first, from_right = ORDERS[order]
    values = inputs.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for layer in net.layers:
            weight = layer.weight.exact().to_floats()
            sums = np.zeros((len(values), layer.n_out))
            bias = layer.bias.exact().to_floats() if layer.bias is not None else None
            if bias is not None and bias_first:
                sums = sums + bias
            columns = range(layer.n_in)
            for column in reversed(columns) if from_right else columns:
                products = form.round(values[:, column, None] * weight[:, column])
                sums = form.round(sums + products)
            if bias is not None and not bias_first:
                sums = form.round(sums + bias)
            values = _activate(layer.activation, sums, form)
    return values


def _activate(
    activation: Activation, sums: Float64[np.ndarray, "batch n_out"], form: Format
) -> Float64[np.ndarray, "batch n_out"]:
    match activation.kind:
        case "relu":
            return np.maximum(sums, 0)
        case "leaky":
            return np.where(sums > 0, sums, form.round(sums * activation.slope))
        case "step":
            is_on = sums > 0 if activation.convention == ">" else sums >= 0
            return is_on.astype(np.float64)
        case "identity":
            return sums
        case _:
            raise AssertionError(f"no format defines {activation.kind}")


def format_bits(
    readout: Readout, raw: Float64[np.ndarray, "batch n_out"]
) -> tuple[UInt8[np.ndarray, "batch n_out"], Bool[np.ndarray, "batch n_out"]]:
    """Return the bits of a format's raw outputs, and where they are bits at all."""
    if readout.kind == "exact":
        return (raw == 1).astype(np.uint8), (raw == 0) | (raw == 1)
    bits = raw > readout.threshold if readout.convention == ">" else raw >= readout.threshold
    return bits.astype(np.uint8), ~np.isnan(raw)
