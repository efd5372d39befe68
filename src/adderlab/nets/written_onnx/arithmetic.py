"""What a graph computes in: fp32 or fp64, whichever holds the numbers, and their sums where whole.

Rule: a weight is never rounded. Sums of whole numbers are never rounded either, whatever their
order: a type that would round one is not taken. With scales, or curves, sums are those of fp32, and
of fp64 where fp32 does not hold a scale, as a proof has them (`proving/quantized_arithmetic.py`).
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import numpy as np

from adderlab.errors import NetworkError
from adderlab.formats import FORMATS, Format
from adderlab.nets.constants import overflowing
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.enclosure import LARGEST_DENSE, Machine
from adderlab.nets.network import Network
from adderlab.nets.readout import Readout
from adderlab.nets.tensors import Dense, Scaled, Tensor, entries_of

FORMS: Final = (FORMATS["fp32"], FORMATS["fp64"])
OTHERS: Final = "export to json, c or verilog, which hold whole numbers of any size"
_ONE: Final = Dense(np.array(1.0))


def arithmetic_form(net: Network) -> Format:
    """Return the format that the graph of a network computes in.

    Raises:
        NetworkError: neither holds the network.
    """
    for number, layer in enumerate(net.layers, start=1):
        if layer.n_in * layer.n_out > LARGEST_DENSE:
            raise NetworkError(
                f"a matrix of {layer.n_out} x {layer.n_in} is too large to be written densely",
                where=f"fc{number}",
                remedy="export to json, c or verilog, which keep it sparse",
            )
    forms = [form for form in FORMS if holds(net, form)]
    if net.format == "fp64":
        forms = [form for form in forms if form is FORMATS["fp64"]]
    if not forms:
        raise NetworkError(
            "a number is beyond every float of ONNX, or has more bits than any",
            where="network",
            remedy=OTHERS,
        )
    if FORMATS[net.format].kind == "float" or not _is_whole(net):
        return forms[0]
    exact = next((form for form in forms if Machine(net, form).never_rounds), None)
    if exact is None:
        raise NetworkError(
            "a sum may take more than the 53 bits of a float of ONNX",
            where="network",
            remedy=OTHERS,
        )
    return exact


def holds(net: Network, form: Format) -> bool:
    """Return whether a float format holds every number of a network as it is stored."""
    if any(overflowing(layer.activation, form) for layer in net.layers):
        return False
    return Machine.can_run(net) and all(
        is_held(part, form) for _, tensor in net.tensors() for part in _parts(tensor)
    )


def is_held(values: Dyadic, form: Format) -> bool:
    """Return whether a float format holds each value."""
    if not values.is_double:
        return False
    floats = values.to_floats()
    return bool((form.round(floats) == floats).all())


def whole_part(tensor: Tensor) -> Dyadic:
    """Return ``q - zero`` of a scaled tensor, and the values of any other."""
    plain = Scaled(tensor.q, _ONE, tensor.zero) if isinstance(tensor, Scaled) else tensor
    return entries_of(plain)


def _parts(tensor: Tensor) -> tuple[Dyadic, ...]:
    if not isinstance(tensor, Scaled):
        return (entries_of(tensor),)
    zero = () if tensor.zero is None else (tensor.zero.exact(),)
    return (entries_of(tensor.q), *zero, whole_part(tensor), tensor.scale.exact())


def _is_whole(net: Network) -> bool:
    """Return whether every sum of a network is one of whole numbers."""
    return not any(isinstance(tensor, Scaled) for _, tensor in net.tensors()) and all(
        layer.activation.is_exact
        and all(
            number.is_integer() for own in layer.activation.constants.values() for number in own
        )
        for layer in net.layers
    )


def limit_of(readout: Readout, form: Format) -> float:
    """Return the number of a format that values of it are above just where they are above ``t``.

    Of ``> t`` it is the largest at most ``t``, of ``>= t`` the least at least ``t``; an infinity
    where all values of the format are above, or none.
    """
    exact = Fraction(readout.threshold)
    if readout.convention == ">":
        limit = form.at_most(exact)
        return -math.inf if limit is None else float(limit)
    limit = form.at_least(exact)
    return math.inf if limit is None else float(limit)
