"""Networks between Python and the page: chains of dense layers within the page's limits.

Rule: nothing is rounded on the way. A value is a double by its shortest text, in both directions;
a network that the page can't hold is refused, and so is a value that the network's format can't.
Of a tensor with a scale the page has the values and the scale, whose quotients are whole numbers.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from adderlab.blocks.numbers import counted
from adderlab.errors import NetworkError
from adderlab.formats import FORMATS, SCALE_FORMATS, Format, format_named
from adderlab.nets import EXACT, Activation, Layer, Network, Readout
from adderlab.nets.tensors import Dense, Packed, Scaled, Tensor, stored_in
from adderlab.page_data.schema import (
    MOST_INPUTS,
    MOST_LAYERS,
    MOST_OUTPUTS,
    MOST_UNITS,
    ExactEntry,
    LayerEntry,
    NetworkEntry,
    checked,
)

NETWORK: Final = TypeAdapter(NetworkEntry)
ACTIVATIONS: Final = ("relu", "identity", "step", "leaky", "tanh")
LIMITS: Final = (
    f"the page has chains of up to {MOST_LAYERS} layers, {MOST_INPUTS} inputs, {MOST_UNITS} units "
    f"a layer and {MOST_OUTPUTS} outputs"
)
LARGEST_WHOLE: Final = 1 << 53

WIDEST_SCALE: Final = "fp32"
"""Which must hold a scale; it is stored as ``quantize`` stores it."""

MOST_SCALED_BITS: Final = 16
"""Of whole numbers with a scale: their products with one are doubles, each its own."""


def to_page(net: Network) -> dict[str, Any]:
    """Return the network as the page has it.

    Raises:
        NetworkError: it is beyond the page's limits, or has what the page does not have: a scale
            for each row, a zero point, the format ``wide``, another activation, layers that join
            several.
    """
    _check_limits(net)
    readout = net.readout
    return {
        "layers": [_layer_to_page(layer, n, net) for n, layer in enumerate(net.layers, start=1)],
        "readout": {"kind": "exact"}
        if readout.kind == "exact"
        else {
            "kind": "threshold",
            "threshold": _plain(readout.threshold),
            "convention": readout.convention,
        },
        "format": net.format,
    }


def from_page(value: Any) -> Network:
    """Return the network that the page says.

    Raises:
        NetworkError: it is none, is beyond the page's limits, or has a value that its format does
            not hold.
    """
    if isinstance(value, NetworkEntry):
        entry = value
    else:
        try:
            entry = checked(NETWORK, value)
        except ValueError as error:
            raise NetworkError(str(error), where="network", remedy=LIMITS) from None
    form = format_named(entry.format).name
    if form == "wide":
        raise _no_doubles(form)
    layers = tuple(
        _layer_from_page(layer, number, form) for number, layer in enumerate(entry.layers, start=1)
    )
    if isinstance(entry.readout, ExactEntry):
        readout = EXACT
    else:
        readout = Readout("threshold", entry.readout.threshold, entry.readout.convention)
    net = Network(layers, readout, None, form)
    _check_limits(net)
    return net


def _check_limits(net: Network) -> None:
    if not net.is_chain:
        raise NetworkError("layers of this network join several", where="network", remedy=LIMITS)
    sizes = (
        (net.depth, "layer", MOST_LAYERS),
        (net.n_in, "input", MOST_INPUTS),
        (max(layer.n_out for layer in net.layers), "unit", MOST_UNITS),
        (net.n_out, "output", MOST_OUTPUTS),
    )
    for size, what, most in sizes:
        if size > most:
            of_layer = " in a layer" if what == "unit" else ""
            raise NetworkError(
                f"the network has {counted(size, what)}{of_layer}", where="network", remedy=LIMITS
            )
    if net.format == "wide":
        raise _no_doubles(net.format)


def _no_doubles(form: str) -> NetworkError:
    return NetworkError(
        f"the page's numbers are doubles, which do not hold the format {form}",
        where="network",
        remedy="build the network in fp32 or fp64",
    )


def _layer_to_page(layer: Layer, number: int, net: Network) -> dict[str, Any]:
    activation = layer.activation
    if activation.kind not in ACTIVATIONS:
        raise NetworkError(
            f"the activation is {activation}",
            where=f"fc{number}",
            remedy=f"the page has {', '.join(ACTIVATIONS)}",
        )
    options = {
        "step": {"convention": activation.convention},
        "leaky": {"slope": _plain(activation.slope)},
    }
    bias, form = layer.bias, format_named(net.format)
    scales = {
        f"{part}_scale": _plain(_scale(tensor, f"fc{number}.{part}", form))
        for part, tensor in (("weight", layer.weight), ("bias", bias))
        if isinstance(tensor, Scaled)
    }
    return {
        "weight": _numbers(layer.weight, f"fc{number}.weight", form),
        "bias": None if bias is None else _numbers(bias, f"fc{number}.bias", form),
        "activation": activation.kind,
        **options.get(activation.kind, {}),
        **scales,
    }


def _scale(tensor: Scaled, where: str, form: Format) -> float:
    """Return what a tensor's whole numbers are multiplied with."""
    if tensor.scale.shape or tensor.zero is not None:
        raise NetworkError(
            "it has " + ("a zero point" if tensor.zero is not None else "a scale for each row"),
            where=where,
            remedy="the page has one scale for a tensor: `quantize` it anew without options",
        )
    exact = tensor.scale.exact()
    _check_scale(exact.at(), where, form)
    return float(exact.to_floats())


def _check_scale(scale: Fraction, where: str, form: Format) -> None:
    if form.kind != "integer" or form.bits > MOST_SCALED_BITS:
        raise NetworkError(
            f"it has a scale, and {form.name} is no format of whole numbers of up to "
            f"{MOST_SCALED_BITS} bits",
            where=where,
            remedy="store it without a scale, or in int8",
        )
    if scale <= 0 or not FORMATS[WIDEST_SCALE].holds(scale):
        raise NetworkError(
            f"its scale is {float(scale):.9g}",
            where=where,
            remedy=f"a scale is a number above 0 that {WIDEST_SCALE} holds",
        )


def _numbers(tensor: Tensor, where: str, form: Format) -> Any:
    """Return a tensor's values as lists of numbers, each held by the format."""
    exact = tensor.exact()
    held = tensor.q.exact() if isinstance(tensor, Scaled) else exact
    if not all(form.holds(held.at(*index)) for index in np.ndindex(held.shape)):
        raise NetworkError(
            f"it has values that {form.name} does not hold",
            where=where,
            remedy="the page has networks whose values are all of one format",
        )
    is_plain = isinstance(tensor, Dense | Packed)  # as stored: the sign of a zero too
    values = tensor.numbers.astype(np.float64) if is_plain else exact.to_floats()
    return _nested(values.tolist())


def _nested(values: Any) -> Any:
    return list(map(_nested, values)) if isinstance(values, list) else _plain(values)


def _plain(value: float) -> float | int:
    """Return a whole number as one, which JSON writes as JavaScript does: 1, and no 1.0."""
    is_whole = value.is_integer() and abs(value) < LARGEST_WHOLE
    return int(value) if is_whole and (value or math.copysign(1, value) > 0) else value


def _layer_from_page(entry: LayerEntry, number: int, form: str) -> Layer:
    if len({len(row) for row in entry.weight}) > 1:
        raise NetworkError(
            "its rows are not of one length",
            where=f"fc{number}.weight",
            remedy="a row is the weights of a unit, one for each input",
        )
    activation = Activation(
        entry.activation,
        slope=0.0 if entry.slope is None else entry.slope,
        convention=entry.convention or ">",
    )
    weight = _stored(entry.weight, entry.weight_scale, f"fc{number}.weight", form)
    bias = None
    if entry.bias is not None:
        bias = _stored(entry.bias, entry.bias_scale, f"fc{number}.bias", form)
    return Layer(weight, bias, activation)


def _stored(values: Any, scale: float | None, where: str, form: str) -> Tensor:
    try:
        if scale is None:
            return stored_in(values, form)
        exact = Fraction(scale)
        _check_scale(exact, where, format_named(form))
        return Scaled(stored_in(_quotients(values, exact), form), _stored_scale(exact))
    except NetworkError as error:  # it knows no name of the tensor
        raise NetworkError(error.what, where=where, remedy=error.remedy) from None


def _quotients(values: Any, scale: Fraction) -> Any:
    if isinstance(values, list):
        return [_quotients(value, scale) for value in values]
    return Fraction(values) / scale


def _stored_scale(scale: Fraction) -> Dense:
    name = next(name for name in SCALE_FORMATS if FORMATS[name].holds(scale))
    stored = stored_in(scale, name)
    assert isinstance(stored, Dense)
    return stored
