"""The arithmetic of an integer format where activations are no integers: scales, curves, slopes.

Rule: the weights stay integers and the activations are fp32 (fp64 where fp32 does not hold a
scale). A sum is taken over the integers ``q - zero`` times the activations, each product and each
partial sum rounded; then the row's scale multiplies it, rounded once; then the bias is added,
itself rounded once from its integers and scale. Sums over input bits are sums of integers, so
they are exact. This is how weight-only quantization is computed, with the scale after the sum.

The network is rewritten so that each of these steps is a layer of its own: a layer of integers,
then a diagonal one of scales.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from adderlab.formats import FORMATS, FP64, Format
from adderlab.nets.network import Layer, Network
from adderlab.nets.tensors import Dense, Scaled, Sparse, Tensor, entries_of, structure_of
from adderlab.nets.wiring import INPUT

if TYPE_CHECKING:
    from jaxtyping import Float64

Doubles: TypeAlias = "Float64[np.ndarray, '*shape']"

_ONE: Final = Dense(np.array(1.0))


def has_float_activations(net: Network) -> bool:
    """Return whether sums of a network of an integer format are no integers."""
    return any(
        isinstance(layer.weight, Scaled)
        or isinstance(layer.bias, Scaled)
        or not layer.activation.is_exact
        or not all(
            number.is_integer()
            for numbers in layer.activation.constants.values()
            for number in numbers
        )
        for layer in net.layers
    )


def float_format_of(net: Network) -> Format | None:
    """Return the narrowest of fp32 and fp64 that holds the network's integers and scales."""
    return next((form for form in (FORMATS["fp32"], FP64) if _fits(net, form)), None)


def with_scales_as_layers(
    net: Network, names: Sequence[tuple[str, ...]]
) -> tuple[Network, list[tuple[str, ...]]]:
    """Return the network with its scales as layers of their own, and the names of its units.

    Args:
        net: a network whose integers and scales a float format holds; the result is of that
            format.
        names: the names of the units, column by column; the sum of a unit gets its name too.
    """
    form = float_format_of(net)
    assert form is not None
    layers: list[Layer] = []
    columns = [names[0]]
    renamed = {INPUT: INPUT}
    for node, layer, column in zip(net.wiring.layers, net.layers, names[1:], strict=True):
        reads = tuple(renamed[name] for name in node.reads)
        weight = _stored(layer.weight, form)
        bias = None if layer.bias is None else _dense(layer.bias.exact().to_floats(), form)
        if isinstance(layer.weight, Scaled):
            scales = np.broadcast_to(layer.weight.scale.exact().to_floats(), (layer.n_out,))
            layers.append(Layer(weight, None, inputs=reads))
            columns.append(column)
            weight, reads = _diagonal(scales, form), (f"fc{len(layers)}",)
        layers.append(Layer(weight, bias, layer.activation, reads))
        columns.append(column)
        renamed[node.name] = f"fc{len(layers)}"
    outputs = tuple(renamed[name] for name in net.output_layers)
    return Network(tuple(layers), net.readout, format=form.name, outputs=outputs), columns


def rounds_biases(net: Network) -> bool:
    """Return whether a bias is rounded in the rewriting, which then computes something else."""
    form = float_format_of(net)
    assert form is not None
    biases = [layer.bias.exact() for layer in net.layers if layer.bias is not None]
    return any(
        not bias.is_double or bool((form.round(bias.to_floats()) != bias.to_floats()).any())
        for bias in biases
    )


def _fits(net: Network, form: Format) -> bool:
    for _, tensor in net.tensors():
        parts = [_integers(tensor)]
        if isinstance(tensor, Scaled):
            parts.append(tensor.scale.exact().to_floats())
        for part in parts:
            if not np.isfinite(part).all() or (form.round(part) != part).any():
                return False
    return True


def _integers(tensor: Tensor) -> Doubles:
    """Return ``q - zero`` of a scaled tensor, and the values of any other, as they are stored."""
    plain = Scaled(tensor.q, _ONE, tensor.zero) if isinstance(tensor, Scaled) else tensor
    return entries_of(plain).to_floats()


def _stored(tensor: Tensor, form: Format) -> Dense | Sparse:
    """Return ``q - zero`` of a scaled tensor, and the values of any other, in a float format."""
    values, structure = _dense(_integers(tensor), form), structure_of(tensor)
    return values if structure is None else replace(structure, values=values)


def _diagonal(scales: Doubles, form: Format) -> Sparse:
    count = len(scales)
    indices = np.arange(count, dtype=np.uint32)
    return Sparse(
        (count, count), np.arange(count + 1, dtype=np.uint32), indices, _dense(scales, form)
    )


def _dense(values: Doubles, form: Format) -> Dense:
    return Dense(form.round(values).astype(np.float32 if form.precision == 24 else np.float64))
