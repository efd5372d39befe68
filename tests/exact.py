"""The independent evaluator: a network's values in fractions, one row and one unit at a time.

Nothing here uses the package's arithmetic or evaluation: only its data. Tests of every room compare
with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from strategies import fractions_of

from adderlab.nets import Activation, Layer, Network, Readout

Activate = Callable[[Activation, Fraction], Fraction]
Parameters = tuple[list[list[Fraction]], list[Fraction]]
"""Of one layer: its weights row by row, and its biases."""
LayerValues = tuple[list[Fraction], list[Fraction]]
"""Of one layer: its sums, and its values after the activation."""


def weights_and_biases(layer: Layer) -> Parameters:
    """Return a layer's weights row by row, and its biases."""
    weight = fractions_of(layer.weight).tolist()
    bias = [Fraction(0)] * len(weight) if layer.bias is None else fractions_of(layer.bias).tolist()
    return weight, bias


def activated(activation: Activation, value: Fraction) -> Fraction:
    """Return the activation of an exact sum, by the textbook's definition."""
    if activation.kind == "relu":
        return max(value, Fraction(0))
    if activation.kind == "leaky":
        return value if value > 0 else value * Fraction(activation.slope)
    if activation.kind == "step":
        return Fraction(value > 0 or (value == 0 and activation.convention == ">="))
    if activation.kind == "prelu":
        (slope,) = activation.slopes
        return value if value > 0 else value * Fraction(slope)
    return straight(activation, value, lambda name: Fraction(getattr(activation, name)))


def straight(activation: Activation, value: Any, constant: Callable[[str], Any]) -> Any:
    """Return what an activation whose products never round makes of a value.

    ``constant`` returns an option's number as the arithmetic has it.
    """
    match activation.kind:
        case "identity":
            return value
        case "hardtanh" | "clamp":
            if activation.min is not None and value < constant("min"):
                return constant("min")
            if activation.max is not None and value > constant("max"):
                return constant("max")
            return value
        case "relu6":
            return min(max(value, Fraction(0)), Fraction(6))
        case "threshold":
            return value if value > constant("threshold") else constant("value")
        case "abs":
            return abs(value)
        case "sign":
            return Fraction((value > 0) - (value < 0))
        case "heaviside":
            return constant("value") if value == 0 else Fraction(value > 0)
        case _:
            assert activation.kind == "where"
            limit = constant("threshold")
            is_above = value >= limit if activation.convention == ">=" else value > limit
            chosen = "above" if is_above else "below"
            return value if getattr(activation, chosen) is None else constant(chosen)


def layer_values(
    net: Network,
    bits: Sequence[int],
    activate: Activate = activated,
    parameters: Sequence[Parameters] | None = None,
) -> list[LayerValues]:
    """Return the sums and values of every layer for one row of input bits.

    ``parameters`` stand in for those of the network's layers.
    """
    named = {"input": [Fraction(int(bit)) for bit in bits]}
    layers: list[LayerValues] = []
    parameters = parameters or [weights_and_biases(layer) for layer in net.layers]
    for number, (layer, (weight, bias)) in enumerate(zip(net.layers, parameters, strict=True)):
        reads = layer.inputs or [f"fc{number}" if number else "input"]
        values = [value for name in reads for value in named[name]]
        sums = [
            sum((w * x for w, x in zip(row, values, strict=True) if x), start=b)
            for row, b in zip(weight, bias, strict=True)
        ]
        values = [activate(layer.activation, total) for total in sums]
        named[f"fc{number + 1}"] = values
        layers.append((sums, values))
    return layers


def raw_outputs(
    net: Network,
    bits: Sequence[int],
    activate: Activate = activated,
    parameters: Sequence[Parameters] | None = None,
) -> list[Fraction]:
    """Return the raw outputs of one row, exactly; arguments as those of :func:`layer_values`."""
    layers = layer_values(net, bits, activate, parameters)
    ends = [len(layers)] if net.outputs is None else [int(name[2:]) for name in net.outputs]
    return [value for number in ends for value in layers[number - 1][1]]


def bit_of(readout: Readout, value: Fraction | float | None) -> int | None:
    """Return the bit that a raw output stands for; ``None`` if it is none."""
    if value is None:
        return None
    if readout.kind == "exact":
        return int(value) if value in (0, 1) else None
    threshold = Fraction(readout.threshold)
    return int(value > threshold or (value == threshold and readout.convention == ">="))
