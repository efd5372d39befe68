"""Networks between Python and the page: chains of dense layers within the page's limits.

Rule: nothing is rounded on the way. A value is a double by its shortest text, in both directions;
a network that the page can't hold is refused, and so is a value that the network's format can't.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from adderlab.blocks.numbers import counted
from adderlab.errors import NetworkError
from adderlab.formats import format_named
from adderlab.nets import EXACT, Activation, Layer, Network, Readout
from adderlab.nets.tensors import Dense, Packed, Tensor, stored_in
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


def to_page(net: Network) -> dict[str, Any]:
    """Return the network as the page has it.

    Raises:
        NetworkError: it is beyond the page's limits, or has what the page does not have: sparse or
            scaled weights whose values its format does not hold, the format ``wide``, another
            activation, layers that join several.
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
    bias = layer.bias
    return {
        "weight": _numbers(layer.weight, f"fc{number}.weight", net.format),
        "bias": None if bias is None else _numbers(bias, f"fc{number}.bias", net.format),
        "activation": activation.kind,
        **options.get(activation.kind, {}),
    }


def _numbers(tensor: Tensor, where: str, name: str) -> Any:
    """Return a tensor's values as lists of numbers, each held by the format of that name."""
    exact, form = tensor.exact(), format_named(name)
    if not all(form.holds(exact.at(*index)) for index in np.ndindex(exact.shape)):
        raise NetworkError(
            f"it has values that {name} does not hold, as weights with scales do",
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
    weight = _stored(entry.weight, f"fc{number}.weight", form)
    bias = None if entry.bias is None else _stored(entry.bias, f"fc{number}.bias", form)
    return Layer(weight, bias, activation)


def _stored(values: Any, where: str, form: str) -> Tensor:
    try:
        return stored_in(values, form)
    except NetworkError as error:  # it knows no name of the tensor
        raise NetworkError(error.what, where=where, remedy=error.remedy) from None
