"""What a float format does not define: constants that it does not hold, and library functions.

Rule: a constant of an activation, or a threshold, that the format does not hold is rounded to it
when a row is run. A proof holds however libraries round it (:mod:`adderlab.nets.constants`).
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from adderlab.formats import Format
from adderlab.nets import Activation, Network
from adderlab.nets.activations import Rounding
from adderlab.nets.constants import constants_of, overflowing, rounded_to
from adderlab.nets.readout import OPEN, Readout, read_states

if TYPE_CHECKING:
    from jaxtyping import Float64, UInt8

Doubles: TypeAlias = "Float64[np.ndarray, '*shape']"


def assumption(net: Network) -> str:
    """Return what a verdict in a format assumes of library functions; nothing without curves."""
    curves = {
        layer.activation.kind: f"{layer.activation.kind} {layer.activation.rule.library}"
        for layer in net.layers
        if layer.activation.rule.library is not None
    }
    return ", ".join(curves.values())


TOO_CLOSE: Final = "logits may be too close for a softmax to keep them apart"
"""Why a row is open where a format's own values can't be run."""


def can_be_run(net: Network) -> bool:
    """Return whether a format's own values can be computed, and not be bounded alone."""
    return all(layer.activation.rule.can_be_run for layer in net.layers)


def with_rounded_constants(net: Network, form: Format) -> Network:
    """Return the network with the constants of activations and its threshold rounded."""
    layers = tuple(
        replace(
            layer,
            activation=layer.activation.with_constants(lambda value: rounded_to(form, value)),
        )
        for layer in net.layers
    )
    readout = replace(net.readout, threshold=rounded_to(form, net.readout.threshold))
    return replace(net, layers=layers, readout=readout)


def overflowing_constant(net: Network, form: Format) -> str:
    """Return the name and value of a constant beyond the format's range, or nothing."""
    for layer in net.layers:
        constant = overflowing(layer.activation, form)
        if constant:
            return constant
    if not np.isfinite(rounded_to(form, net.readout.threshold)):
        return f"the threshold {net.readout.threshold:g}"
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


def curve_bounds(
    activation: Activation, low: Doubles, high: Doubles, form: Format
) -> tuple[Doubles, Doubles]:
    """Return bounds of a curve, as a library gives it, on sums between two ends."""
    rule, rounding = activation.rule, Rounding.of(form, library=True)
    assert rule.ends is not None
    assert rule.library is not None
    is_known = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(is_known, low, 0.0), np.where(is_known, high, 0.0)
    at_low, at_high = rule.ends(activation, low), rule.ends(activation, high)
    least, most = rule.image(activation, low, high)
    least = np.minimum.reduce([least, at_low[0], at_high[0]])
    most = np.maximum.reduce([most, at_low[1], at_high[1]])
    if rule.library.is_rounded and activation.is_held_by(form):
        is_held = (form.round(low) == low) & (form.round(high) == high)
        own = rule.image(activation, low, high)  # rounding twice is rounding once there
        least, most = (
            form.round(np.where(is_held, *ends)) for ends in zip(own, (least, most), strict=True)
        )
        return np.where(is_known, least, -np.inf), np.where(is_known, most, np.inf)
    sums = np.maximum(np.abs(low), np.abs(high))
    values = np.maximum(np.abs(least), np.abs(most))
    _, exponents = np.frexp(rule.library.scale(activation, sums, values))
    ulps = np.ldexp(1.0, np.maximum(exponents - form.precision, form.smallest))
    error = rule.library.ulps * ulps
    if rule.gap is not None:
        error = error + rule.gap(activation, low, high, rounding.unit)
    least, most = np.nextafter(least - error, -np.inf), np.nextafter(most + error, np.inf)
    return np.where(is_known, least, -np.inf), np.where(is_known, most, np.inf)
