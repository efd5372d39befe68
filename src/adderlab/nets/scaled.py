"""A network in whole numbers: each layer's sums over one power of two, with their ranges.

Rule: nothing is rounded. A layer's weights, bias, knots and lines become whole numbers over a power
of two that all of them lie on; ``low`` and ``high`` hold every sum of every input. So an integer
type that holds the ranges holds the sums: two's complement adds and multiplies modulo ``2**bits``,
where partial sums that leave the type come back, and comparisons see sums that have not left it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import chain, pairwise
from typing import Final

import numpy as np

from adderlab import limits
from adderlab.nets.activations.piecewise import Pieces
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.network import Layer, Network
from adderlab.nets.unit_weights import stored_weights, unit_rows
from adderlab.nets.wiring import INPUT

Terms = tuple[tuple[int, int], ...]
"""The inputs that a unit reads, by their places, with their factors."""


@dataclass(frozen=True, slots=True)
class Line:
    """``factor * s + constant`` of a sum ``s``, in units of the values."""

    factor: int
    constant: int


@dataclass(frozen=True, slots=True)
class Bends:
    """An activation as lines between knots, in whole numbers: see :class:`Pieces`."""

    lines: tuple[Line, ...]
    knots: tuple[int, ...]
    values: tuple[int, ...]

    @property
    def is_relu(self) -> bool:
        """Whether it is the larger of the sum and 0."""
        return self == RELU

    @property
    def is_identity(self) -> bool:
        """Whether it is the sum itself."""
        return self == SAME

    def at(self, line: Line, total: int) -> int:
        """Return a line's value."""
        return line.factor * total + line.constant

    def image(self, low: int, high: int) -> tuple[int, int]:
        """Return bounds on the values of sums between two ends."""
        ends: list[int] = []
        borders = (low, *self.knots, high)
        for line, (first, last) in zip(self.lines, pairwise(borders), strict=True):
            first, last = max(first, low), min(last, high)
            if first <= last:
                ends += [self.at(line, first), self.at(line, last)]
        ends += [v for k, v in zip(self.knots, self.values, strict=True) if low <= k <= high]
        return min(ends), max(ends)

    def finer(self, times: int) -> Bends:
        """Return it with values that are counted in units that many times smaller."""
        lines = tuple(Line(line.factor * times, line.constant * times) for line in self.lines)
        return Bends(lines, self.knots, tuple(value * times for value in self.values))


RELU: Final = Bends((Line(0, 0), Line(1, 0)), (0,), (0,))
SAME: Final = Bends((Line(1, 0),), (), ())


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds on a whole number, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class ScaledLayer:
    """A layer in whole numbers.

    Attributes:
        weights: of each unit, the inputs that it reads with their factors, none of them 0.
        biases: of each unit.
        bends: of each unit, what makes a value of its sum.
        exponent: the sums are multiples of ``2**exponent``.
        low: the least sum of each unit.
        high: the largest.
        value_exponent: the values are multiples of ``2**value_exponent``.
        values: bounds on each unit's value.
        reads: what it reads, joined in this order: ``"input"`` and earlier layers by their names.
    """

    weights: tuple[Terms, ...]
    biases: tuple[int, ...]
    bends: tuple[Bends, ...]
    exponent: int
    low: tuple[int, ...]
    high: tuple[int, ...]
    value_exponent: int = 0
    values: tuple[Range, ...] = ()
    reads: tuple[str, ...] = ()

    @property
    def units(self) -> int:
        return len(self.weights)

    def finer(self, times: int) -> ScaledLayer:
        """Return it with values counted in units that many times smaller, a power of two."""
        return replace(
            self,
            bends=tuple(bends.finer(times) for bends in self.bends),
            value_exponent=self.value_exponent - (times.bit_length() - 1),
            values=tuple(Range(own.low * times, own.high * times) for own in self.values),
        )


@dataclass(frozen=True, slots=True)
class _Column:
    """A value that a layer reads: a multiple of ``2**exponent``, and its range."""

    exponent: int
    range: Range


def scaled_layers(net: Network) -> tuple[ScaledLayer, ...] | None:
    """Return a network's layers in whole numbers; ``None`` where an activation is a curve."""
    columns = {INPUT: [_Column(0, Range(0, 1))] * net.n_in}
    layers: list[ScaledLayer] = []
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        limits.check()
        pieces = _pieces(layer)
        if pieces is None:
            return None
        taken = [column for name in node.reads for column in columns[name]]
        scaled = _scaled_layer(layer, pieces, taken, node.reads)
        layers.append(scaled)
        columns[node.name] = [_Column(scaled.value_exponent, own) for own in scaled.values]
    return tuple(layers)


def _pieces(layer: Layer) -> list[Pieces] | None:
    """Return the lines of each unit's activation."""
    units = [layer.activation.of_unit(unit) for unit in range(layer.n_out)]
    if len(set(units)) == 1:
        shared = units[0].pieces if units[0].is_exact else None
        return None if shared is None else [shared] * len(units)
    own = [unit.pieces if unit.is_exact else None for unit in units]
    return None if None in own else [pieces for pieces in own if pieces is not None]


def _scaled_layer(
    layer: Layer, pieces: Sequence[Pieces], columns: Sequence[_Column], reads: tuple[str, ...]
) -> ScaledLayer:
    """Return a layer that reads values with exponents and ranges."""
    power = stored_weights(layer).exponent
    rows = [[(i, w) for i, w in row if w] for row in unit_rows(layer, 1)]
    bias = Dyadic(np.zeros(layer.n_out, np.int64)) if layer.bias is None else layer.bias.exact()
    biases = [int(value) for value in bias.integers.tolist()]
    different = set(pieces)
    at = min(
        chain(
            (power + columns[i].exponent + _zeros(w) for row in rows for i, w in row),
            (bias.exponent + _zeros(value) for value in biases if value),
            (exponent_of(Fraction(knot)) for own in different for knot in own.knots),
        ),
        default=0,
    )
    shifts = [power + column.exponent - at for column in columns]
    weights = tuple(tuple((i, shifted(w, shifts[i])) for i, w in row) for row in rows)
    biases = [shifted(value, bias.exponent - at) if value else 0 for value in biases]
    ranges = [column.range for column in columns]
    sums = [_sum(row, own, ranges) for row, own in zip(weights, biases, strict=True)]
    out = value_exponent(different, at)
    bends = {own: whole_bends(own, at, out) for own in different}
    units = tuple(bends[own] for own in pieces)
    images = (own.image(total.low, total.high) for own, total in zip(units, sums, strict=True))
    return ScaledLayer(
        weights,
        tuple(biases),
        units,
        at,
        tuple(total.low for total in sums),
        tuple(total.high for total in sums),
        out,
        tuple(Range(*image) for image in images),
        reads,
    )


def _sum(terms: Iterable[tuple[int, int]], bias: int, ranges: Sequence[Range]) -> Range:
    low = high = bias
    for place, weight in terms:
        ends = weight * ranges[place].low, weight * ranges[place].high
        low += min(ends)
        high += max(ends)
    return Range(low, high)


def value_exponent(pieces: Iterable[Pieces], exponent: int) -> int:
    """Return the power of two that the values lie on, of sums that are multiples of another."""
    numbers = [
        number
        for own in pieces
        for number in (
            *((line.slope, exponent) for line in own.lines),
            *((line.intercept, 0) for line in own.lines),
            *((value, 0) for value in own.values),
        )
    ]
    return min((exponent_of(Fraction(n)) + power for n, power in numbers if n), default=0)


def whole_bends(pieces: Pieces, exponent: int, out: int) -> Bends:
    """Return lines of sums in units of ``2**exponent`` whose values are in units of ``2**out``."""
    grid, unit = Fraction(2) ** exponent, Fraction(2) ** out
    lines = tuple(
        Line(int(Fraction(line.slope) * grid / unit), int(Fraction(line.intercept) / unit))
        for line in pieces.lines
    )
    knots = tuple(int(Fraction(knot) / grid) for knot in pieces.knots)
    return Bends(lines, knots, tuple(int(Fraction(value) / unit) for value in pieces.values))


def _zeros(number: int) -> int:
    """Return how many lowest bits of a number that is not 0 are 0."""
    return (number & -number).bit_length() - 1


def exponent_of(value: Fraction) -> int:
    """Return the exponent of the lowest bit of a dyadic fraction; 0 of 0."""
    if not value:
        return 0
    return _zeros(value.numerator) - (value.denominator.bit_length() - 1)


def shifted(number: int, shift: int) -> int:
    """Return a number times a power of two, which leaves it whole."""
    return number << shift if shift >= 0 else number >> -shift
