"""Backpropagation as the lecture explains it: read this file from top to bottom.

A network is computed by small operations. Each computes a new value from older ones and keeps
its own derivative: how fast the new value changes with each of the old. That is all that
``backward`` needs. It visits the same values in reverse order, and passes every value's gradient
on to the values that it was computed from:

    dL/dold  +=  dL/dnew * dnew/dold                                        (the chain rule)

Rule: nothing is rounded that need not be. Numbers are fractions; tanh and cross entropy, whose
values are not, are computed in double. A gradient that was not computed is ``None``, never 0.
At exactly 0, where relu has no derivative, PyTorch's choice is taken: 0.

References:
    Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors" (1986).
    Karpathy, micrograd (2020): every operation keeps its own derivative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

from adderlab.notation import (
    DOTS,
    Formula,
    call,
    minus,
    number,
    power,
    product,
    ratio,
    symbol,
    total,
    words,
)

Number: TypeAlias = Fraction | float

MOST_TERMS: Final = 6
"""Terms up to which a formula lists every product; a longer sum has dots in the middle."""


ABSENT: Final = words("no weight")
"""The formula of a derivative that is 0 because a sparse layer stores no weight there."""


@dataclass(slots=True, eq=False)
class Value:
    """A number of the network, and how it was computed.

    Attributes:
        name: as in the network: ``a``, ``fc1.weight[0,1]``, ``z1``, ``h1``, ``c0``, ``L``.
        number: its value.
        formula: how it was computed; ``None`` for an input or a parameter.
        edges: the older values it was computed from, each with its local derivative.
        gradient: dL/d(this value); ``None`` until it is computed.
        note: a remark, at a kink.
    """

    name: Formula
    number: Number
    formula: Formula | None = None
    edges: tuple[Edge, ...] = ()
    gradient: Number | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A value that another was computed from, and how fast the other changes with it.

    Attributes:
        old: the older value.
        derivative: dnew/dold, as a number; ``None`` where there is none: behind a step.
        formula: the same in symbols.
    """

    old: Value
    derivative: Number | None
    formula: Formula


def backward(values: Sequence[Value]) -> None:
    """Fill in the gradient of every value that the last one, the loss, depends on.

    Args:
        values: in the order in which they were computed, so that a value's
            operands come before it.
    """
    loss = values[-1]
    loss.gradient = Fraction(1)  # dL/dL
    for new in reversed(values):
        # Everything computed from `new` has been visited, so its gradient is complete: computed
        # once, and used for each of its operands. That is the dynamic programming.
        if new.gradient is None:
            continue  # the loss does not depend on it, or only through a step
        for edge in new.edges:
            if edge.derivative is not None:
                so_far = edge.old.gradient or Fraction(0)
                edge.old.gradient = so_far + new.gradient * edge.derivative


# The operations. Each computes one number, and its local derivatives.


def affine(
    name: Formula, weights: Sequence[Value | None], values: Sequence[Value], bias: Value | None
) -> Value:
    """Return ``w1 * x1 + w2 * x2 + … + b``; a weight that is not stored is 0, and here ``None``."""
    result = bias.number if bias is not None else Fraction(0)
    edges: list[Edge] = []
    for w, x in zip(weights, values, strict=True):
        if w is None:
            edges.append(Edge(x, Fraction(0), ABSENT))
            continue
        result += w.number * x.number
        edges.append(Edge(w, x.number, x.name))  # d(w * x)/dw = x
        edges.append(Edge(x, w.number, w.name))  # d(w * x)/dx = w
    if bias is not None:
        edges.append(Edge(bias, Fraction(1), number(Fraction(1))))
    return Value(name, result, _affine_formula(weights, values, bias), tuple(edges))


def relu(name: Formula, z: Value) -> Value:
    """Return ``z`` above 0, and 0 elsewhere: slope 1 where it is on, 0 where it is off."""
    is_on = z.number > 0
    slope = Edge(z, Fraction(is_on), number(Fraction(is_on)))
    note = ""
    if z.number == 0:
        note = f"{z.name} is exactly 0: relu has no derivative there, PyTorch takes 0"
    return Value(
        name, z.number if is_on else Fraction(0), call("relu", z.name), (slope,), note=note
    )


def leaky(name: Formula, z: Value, below: Fraction) -> Value:
    """Return ``z`` above 0, and ``below * z`` elsewhere."""
    slope = Fraction(1) if z.number > 0 else below
    note = ""
    if z.number == 0:
        note = f"{z.name} is exactly 0: leaky relu has no derivative there, PyTorch takes the slope"
    formula = call("leaky", z.name)
    return Value(name, z.number * slope, formula, (Edge(z, slope, number(slope)),), note=note)


def tanh(name: Formula, z: Value) -> Value:
    """Return the hyperbolic tangent: it never goes flat, its slope is 1 minus its square."""
    result = math.tanh(z.number)
    slope = minus(number(Fraction(1)), power(name, 2))
    return Value(name, result, call("tanh", z.name), (Edge(z, 1 - result**2, slope),))


def step(name: Formula, z: Value, *, ties: bool) -> Value:
    """Return 1 above 0, else 0; 0 itself counts as above where ``ties``. No gradient passes."""
    is_on = z.number > 0 or (ties and z.number == 0)
    note = f"a step is flat but for its jump: PyTorch passes no gradient back to {z.name}"
    formula = call("step", z.name)
    return Value(name, Fraction(is_on), formula, (Edge(z, None, symbol("none")),), note=note)


# The losses: one number from all outputs y of a row and their targets t.


def mean_squared_error(outputs: Sequence[Value], targets: Sequence[Number]) -> Value:
    """Return the mean of ``(y - t)^2``: over the outputs here, over the rows of a batch outside."""
    n = len(outputs)
    result: Number = Fraction(0)
    terms: list[Formula] = []
    edges: list[Edge] = []
    for y, t in zip(outputs, targets, strict=True):
        off = minus(y.name, number(t))
        result += (y.number - t) ** 2 / n
        terms.append(power(off, 2))
        slope = ratio(product(number(Fraction(2)), off), number(Fraction(n)))
        edges.append(Edge(y, 2 * (y.number - t) / n, slope))
    formula = ratio(total(*terms), number(Fraction(n))) if n > 1 else terms[0]
    return Value(symbol("L"), result, formula, tuple(edges))


def cross_entropy(outputs: Sequence[Value], targets: Sequence[Number]) -> Value:
    """Return the mean of ``log(1 + e^y) - t * y``, the binary cross entropy of a logit ``y``."""
    n = len(outputs)
    result = 0.0
    terms: list[Formula] = []
    edges: list[Edge] = []
    for y, t in zip(outputs, targets, strict=True):
        logit = float(y.number)
        # log(1 + e^y), written so that e^y never overflows
        result += (max(logit, 0.0) + math.log1p(math.exp(-abs(logit))) - t * logit) / n
        terms.append(minus(call("softplus", y.name), product(number(t), y.name)))
        off = minus(call("sigmoid", y.name), number(t))
        slope = off if n == 1 else ratio(off, number(Fraction(n)))
        edges.append(Edge(y, (_sigmoid(logit) - t) / n, slope))
    formula = ratio(total(*terms), number(Fraction(n))) if n > 1 else terms[0]
    return Value(symbol("L"), result, formula, tuple(edges))


def _sigmoid(y: float) -> float:
    return 1 / (1 + math.exp(-y)) if y >= 0 else math.exp(y) / (1 + math.exp(y))


def _affine_formula(
    weights: Sequence[Value | None], values: Sequence[Value], bias: Value | None
) -> Formula:
    pairs = [(w, x) for w, x in zip(weights, values, strict=True) if w is not None]
    if len(pairs) <= MOST_TERMS:
        terms = [product(w.name, x.name) for w, x in pairs]
    else:
        (first, start), (last, end) = pairs[0], pairs[-1]
        terms = [product(first.name, start.name), DOTS, product(last.name, end.name)]
    terms += [bias.name] if bias is not None else []
    return total(*terms) if terms else number(Fraction(0))
