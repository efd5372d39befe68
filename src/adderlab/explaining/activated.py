"""Activations beyond the lecture's, as operations of backprop: straight lines and curves.

Rule: as in :mod:`adderlab.explaining.backprop`: straight lines are computed in fractions, curves in
double.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from adderlab.explaining.backprop import Edge, Number, Value
from adderlab.nets.activations import Activation
from adderlab.notation import Formula, call, minus, number, product, symbol


def piecewise(name: Formula, z: Value, activation: Activation) -> Value:
    """Return what straight lines make of ``z``: the slope is that of the line it is on."""
    pieces, kind = activation.pieces, activation.kind
    assert pieces is not None
    line, is_knot = pieces.line_at(z.number)
    slope, note = Fraction(line.slope), ""
    result: Number = Fraction(line.intercept)
    if line.slope:
        result = z.number * slope + result
    if is_knot:
        slope = Fraction(activation.derivative(np.array([float(z.number)]))[0].item())
        note = f"{z.name} is exactly {z.number}: {kind} has no derivative there, PyTorch takes "
        note += str(slope)
    formula = call(kind, z.name)
    if not activation.has_gradient and kind != "sign":  # of sign PyTorch passes a gradient of 0
        note = f"{kind} is flat but for its jump: PyTorch passes no gradient back to {z.name}"
        return Value(name, result, formula, (Edge(z, None, symbol("none")),), note=note)
    return Value(name, result, formula, (Edge(z, slope, number(slope)),), note=note)


def curve(name: Formula, z: Value, activation: Activation) -> Value:
    """Return any other curve, its value and its slope in double."""
    at = np.array([float(z.number)])
    with np.errstate(all="ignore"):
        result, slope = activation.plain(at)[0].item(), activation.derivative(at)[0].item()
    if not (math.isfinite(result) and math.isfinite(slope)):
        raise OverflowError
    kind = activation.kind
    edge = Edge(z, slope, call(f"{kind}'", z.name))
    if kind == "sigmoid":
        edge = Edge(z, slope, product(name, minus(number(Fraction(1)), name)))
    return Value(name, result, call(kind, z.name), (edge,))
