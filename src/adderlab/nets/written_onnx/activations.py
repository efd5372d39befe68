"""Activations as ONNX's operators: one entry for each kind.

Rule: what a kind is, its entry in :mod:`adderlab.nets.activations.table` says; an operator of ONNX
is taken only where it computes the same, constants included.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from adderlab.errors import NetworkError
from adderlab.nets.activations import Activation
from adderlab.nets.activations.smooth import SELU_ALPHA, SELU_SCALE
from adderlab.nets.convention import Convention
from adderlab.nets.written_onnx.build import Build

COMPARISONS: Final[dict[Convention, str]] = {">": "Greater", ">=": "GreaterOrEqual"}


class _Place:
    """Where a layer's activation is written: nodes and constants are named for the layer."""

    def __init__(self, build: Build, layer: str, sums: str) -> None:
        self.build, self.layer, self.sums = build, layer, sums
        self._count = 0

    def op(self, kind: str, *inputs: str, is_last: bool = False, **options: Any) -> str:
        """Add a node; the last one gives the layer's value."""
        self._count += not is_last
        out = self.layer if is_last else f"{self.layer}.{kind.lower()}{self._count}"
        return self.build.op(kind, *inputs, out=out, **options)

    def last(self, kind: str, *inputs: str, **options: Any) -> str:
        """Add the node that gives the layer's value."""
        return self.op(kind, *inputs, is_last=True, **options)

    def number(self, name: str, value: Any) -> str:
        """Store a constant."""
        return self.build.number(f"{self.layer}.{name}", value)

    def above(self, limit: str, convention: Convention = ">") -> str:
        """Add a comparison of the sums."""
        return self.op(COMPARISONS[convention], self.sums, limit)


Entry = Callable[[_Place, Activation], str]


def put_activation(build: Build, activation: Activation, layer: str, sums: str) -> str:
    """Add an activation's nodes, and return the name of the layer's value.

    Args:
        build: the graph.
        activation: what is applied.
        layer: the layer's name, which its value gets.
        sums: the name of what it is applied to.
    """
    return ENTRIES[activation.kind](_Place(build, layer, sums), activation)


def _same(place: _Place, activation: Activation) -> str:
    del activation
    return place.sums


def _plain(kind: str) -> Entry:
    return lambda place, activation: place.last(kind, place.sums)


def _step(place: _Place, activation: Activation) -> str:
    above = place.above(place.number("zero", 0.0), activation.convention)
    return place.last("Cast", above, to=place.build.type)


def _leaky(place: _Place, activation: Activation) -> str:
    if place.build.is_single:  # its slope is an attribute, which is a fp32 number
        return place.last("LeakyRelu", place.sums, alpha=float(np.float32(activation.slope)))
    return place.last("PRelu", place.sums, place.number("slope", [activation.slope]))


def _prelu(place: _Place, activation: Activation) -> str:
    return place.last("PRelu", place.sums, place.number("slope", activation.slopes))


def _clip(place: _Place, activation: Activation) -> str:
    limits = (0.0, 6.0) if activation.kind == "relu6" else (activation.min, activation.max)
    names = [
        "" if limit is None else place.number(name, limit)
        for name, limit in zip(("min", "max"), limits, strict=True)
    ]
    return place.last("Clip", place.sums, *(names if names[1] else names[:1]))


def _threshold(place: _Place, activation: Activation) -> str:
    above = place.above(place.number("threshold", activation.number("threshold")))
    return place.last("Where", above, place.sums, place.number("value", activation.number("value")))


def _heaviside(place: _Place, activation: Activation) -> str:
    zero = place.number("zero", 0.0)
    is_tie = place.op("Equal", place.sums, zero)
    step = place.op("Cast", place.above(zero), to=place.build.type)
    return place.last("Where", is_tie, place.number("value", activation.number("value")), step)


def _where(place: _Place, activation: Activation) -> str:
    limit = place.number("threshold", activation.number("threshold"))
    above = place.above(limit, activation.convention)
    values = [
        place.sums if value is None else place.number(name, value)
        for name, value in (("above", activation.above), ("below", activation.below))
    ]
    return place.last("Where", above, *values)


def _hardsigmoid(place: _Place, activation: Activation) -> str:
    del activation
    six = place.number("six", 6.0)
    moved = place.op("Add", place.sums, place.number("three", 3.0))
    return place.last("Div", place.op("Clip", moved, place.number("zero", 0.0), six), six)


def _quotient(place: _Place, activation: Activation) -> str:
    return place.last("Div", place.sums, place.number("divisor", activation.number("divisor")))


def _softplus(place: _Place, activation: Activation) -> str:
    beta, times = activation.number("beta"), place.sums
    if beta != 1:
        factor = place.number("beta", beta)
        times = place.op("Mul", place.sums, factor)
        curve = place.op("Div", place.op("Softplus", times), factor)
    else:
        curve = place.op("Softplus", times)
    limit = place.number("threshold", activation.number("threshold"))
    return place.last("Where", place.op("Greater", times, limit), place.sums, curve)


def _elu(place: _Place, activation: Activation) -> str:
    alpha = activation.number("alpha")
    if place.build.is_single or float(np.float32(alpha)) == alpha:
        return place.last("Elu", place.sums, alpha=float(np.float32(alpha)))
    return _scaled_elu(place, alpha, 1.0)


def _selu(place: _Place, activation: Activation) -> str:
    del activation
    if place.build.is_single:
        return place.last("Selu", place.sums)
    return _scaled_elu(place, SELU_ALPHA, SELU_SCALE)


def _scaled_elu(place: _Place, alpha: float, scale: float) -> str:
    """Add an ELU whose constants an attribute would round."""
    below = place.op("Mul", place.op("Elu", place.sums, alpha=1.0), place.number("alpha", alpha))
    above = place.above(place.number("zero", 0.0))
    if scale == 1:
        return place.last("Where", above, place.sums, below)
    whole = place.op("Where", above, place.sums, below)
    return place.last("Mul", whole, place.number("scale", scale))


def _gelu(place: _Place, activation: Activation) -> str:
    """Add a GELU by its formula: ONNX's own operator is newer, and has fp32 constants in fp64."""
    if activation.approximate == "none":
        if not place.build.is_single:  # measured: onnx 1.23, onnxruntime 1.32
            raise NetworkError(
                "erf in fp64 is computed by no runtime of ONNX, and by onnx's evaluator in fp32",
                where=place.layer,
                remedy="take the network in fp32, or export to torch",
            )
        root = place.number("root", math.sqrt(0.5))
        curve = place.op("Erf", place.op("Mul", place.sums, root))
    else:
        cube = place.op("Mul", place.op("Mul", place.sums, place.sums), place.sums)
        inner = place.op("Add", place.sums, place.op("Mul", cube, place.number("cubic", 0.044715)))
        factor = place.number("factor", math.sqrt(2 / math.pi))
        curve = place.op("Tanh", place.op("Mul", inner, factor))
    share = place.op("Add", curve, place.number("one", 1.0))
    half = place.op("Mul", place.sums, place.number("half", 0.5))
    return place.last("Mul", half, share)


def _silu(place: _Place, activation: Activation) -> str:
    del activation
    return place.last("Mul", place.sums, place.op("Sigmoid", place.sums))


def _mish(place: _Place, activation: Activation) -> str:
    del activation
    return place.last("Mul", place.sums, place.op("Tanh", place.op("Softplus", place.sums)))


ENTRIES: Final[dict[str, Entry]] = {
    "relu": _plain("Relu"),
    "identity": _same,
    "logit": _same,
    "step": _step,
    "leaky": _leaky,
    "prelu": _prelu,
    "hardtanh": _clip,
    "relu6": _clip,
    "clamp": _clip,
    "threshold": _threshold,
    "abs": _plain("Abs"),
    "sign": _plain("Sign"),
    "heaviside": _heaviside,
    "where": _where,
    "tanh": _plain("Tanh"),
    "sigmoid": _plain("Sigmoid"),
    "hardsigmoid": _hardsigmoid,
    "quotient": _quotient,
    "softsign": _plain("Softsign"),
    "softplus": _softplus,
    "elu": _elu,
    "selu": _selu,
    "gelu": _gelu,
    "silu": _silu,
    "mish": _mish,
}
"""How each kind is written."""
