"""What a float format does not define: constants that it does not hold, and library functions.

Rule: a slope or a threshold that the format does not hold is rounded to it when a row is run. A
proof holds whether it is rounded to the format, to fp32, or not at all, since libraries differ.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from adderlab.formats import FORMATS, Format
from adderlab.nets import Network
from adderlab.nets.activations import tanh
from adderlab.nets.readout import OPEN, Readout, read_states

if TYPE_CHECKING:
    from jaxtyping import Float64, UInt8

Doubles: TypeAlias = "Float64[np.ndarray, '*shape']"

LIBRARY_ULPS: Final = 2
"""The error that tanh is assumed to have in a library, in units in the last place of the format.

References:
    The GNU C Library manual, "Known Maximum Errors in Math Functions": tanh and tanhf, at most 2
    on x86-64. SLEEF, which PyTorch calls for vectors: 1.0 for its ``u10`` functions.
"""
ASSUMPTION: Final = f"tanh within {LIBRARY_ULPS} units in the last place"
"""What a verdict in a format says of a network with tanh."""


def constants_of(value: float, form: Format) -> tuple[float, ...]:
    """Return what a constant may be when it is used: itself, or rounded to the format or fp32."""
    kept = [value, *(float(other.round(np.array(value))) for other in (form, FORMATS["fp32"]))]
    return tuple(dict.fromkeys(kept))


def with_rounded_constants(net: Network, form: Format) -> Network:
    """Return the network with its slopes and its threshold rounded to the format."""

    def rounded(value: float) -> float:
        return float(form.round(np.array(value)))

    layers = tuple(
        replace(layer, activation=replace(layer.activation, slope=rounded(layer.activation.slope)))
        for layer in net.layers
    )
    readout = replace(net.readout, threshold=rounded(net.readout.threshold))
    return replace(net, layers=layers, readout=readout)


def overflowing_constant(net: Network, form: Format) -> str:
    """Return the name and value of a constant beyond the format's range, or nothing."""
    constants = [("the slope", layer.activation.slope) for layer in net.layers]
    constants.append(("the threshold", net.readout.threshold))
    for name, value in constants:
        if not np.isfinite(form.round(np.array(value))):
            return f"{name} {value:g}"
    return ""


def read_either_way(
    readout: Readout, low: Doubles, high: Doubles, form: Format
) -> UInt8[np.ndarray, "*shape"]:
    """Return what outputs read as whichever way the threshold is rounded; ``OPEN`` elsewhere."""
    states = read_states(readout, low, high)
    if readout.kind == "exact" or form.holds(Fraction(readout.threshold)):
        return states
    for threshold in constants_of(readout.threshold, form)[1:]:
        others = read_states(replace(readout, threshold=threshold), low, high)
        states[states != others] = OPEN
    return states


def tanh_bound(sums: Doubles, sign: int, form: Format) -> Doubles:
    """Return bounds of tanh as a library gives it: lower ones for sign -1, upper ones for 1."""
    values = tanh(sums)
    sizes = np.abs(values) * (1 + 2.0**-45) + 2.0**-1060
    _, exponents = np.frexp(sizes)
    ulps = np.ldexp(1.0, np.maximum(exponents - form.precision, form.smallest))
    error = LIBRARY_ULPS * ulps + np.abs(values) * 2.0**-45 + 2.0**-1060
    return np.nextafter(values + sign * error, sign * np.inf)
