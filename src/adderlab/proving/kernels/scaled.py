"""A chain of layers in whole numbers: each layer's sums over one power of two, with their ranges.

Rule: nothing is rounded. A layer's weights, bias, knots and lines become whole numbers over a power
of two that all of them lie on; ``low`` and ``high`` hold every sum of every input. So an integer
type that holds the ranges holds the sums: two's complement adds and multiplies modulo ``2**bits``,
where partial sums that leave the type come back, and comparisons see sums that have not left it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np

from adderlab.nets import Network
from adderlab.nets.activations.piecewise import Pieces
from adderlab.nets.network import Layer

LARGEST_LAYER: Final = 1 << 16
"""Weights of a layer up to which it is taken apart."""

WIDEST: Final = 64


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


RELU: Final = Bends((Line(0, 0), Line(1, 0)), (0,), (0,))
SAME: Final = Bends((Line(1, 0),), (), ())


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
    """

    weights: tuple[tuple[tuple[int, int], ...], ...]
    biases: tuple[int, ...]
    bends: tuple[Bends, ...]
    exponent: int
    low: tuple[int, ...]
    high: tuple[int, ...]

    @property
    def units(self) -> int:
        return len(self.weights)


@dataclass(frozen=True, slots=True)
class ScaledNet:
    """A network in whole numbers; its outputs' threshold is subtracted from them.

    Attributes:
        layers: from the input bits to the outputs.
        exponent: the outputs are multiples of ``2**exponent``.
        threshold: in these units; 0 of an exact readout.
        bits: the narrowest integers of two's complement that hold everything that is compared.
    """

    layers: tuple[ScaledLayer, ...]
    exponent: int
    threshold: int
    bits: int

    @property
    def terms(self) -> int:
        """Products behind the first layer."""
        return sum(len(unit) for layer in self.layers[1:] for unit in layer.weights)


def scaled(net: Network) -> ScaledNet | None:
    """Return a chain in whole numbers; ``None`` where it is none, or has other than lines."""
    if not net.is_chain or any(
        layer.n_in * layer.n_out > LARGEST_LAYER or _pieces(layer) is None for layer in net.layers
    ):
        return None
    threshold = Fraction(net.readout.threshold) if net.readout.kind == "threshold" else Fraction(0)
    exponent, low, high = 0, [0] * net.n_in, [1] * net.n_in
    layers: list[ScaledLayer] = []
    held: list[int] = []
    for layer in net.layers:
        own, exponent, low, high = _scaled_layer(layer, exponent, low, high)
        layers.append(own)
        held += [*own.low, *own.high, *low, *high]
        held += [knot for bends in own.bends for knot in bends.knots]
    at = min(exponent, _exponent_of(threshold), 0)
    if at != exponent:  # what is compared lies on one grid with the readout's numbers
        layers[-1] = _refined(layers[-1], 1 << (exponent - at))
        low, high = ([end << (exponent - at) for end in ends] for ends in (low, high))
    unit = int(threshold / Fraction(2) ** at)
    value_of_1 = int(Fraction(1) / Fraction(2) ** at)
    held += [*low, *high, unit, value_of_1]
    held += [end - unit for ends in (low, high) for end in ends]
    return ScaledNet(tuple(layers), at, unit, _bits_for(held))


def _bits_for(numbers: Sequence[int]) -> int:
    """Return the bits of two's complement that hold numbers, with both ends left free."""
    largest = max(map(abs, numbers)) + 1
    return next((bits for bits in (8, 16, 32, 64) if largest < 1 << (bits - 1)), WIDEST + 1)


def _pieces(layer: Layer) -> list[Pieces] | None:
    """Return the lines of each unit's activation."""
    units = [layer.activation.of_unit(unit) for unit in range(layer.n_out)]
    if len(set(units)) == 1:
        shared = units[0].pieces if units[0].is_exact else None
        return None if shared is None else [shared] * len(units)
    own = [unit.pieces if unit.is_exact else None for unit in units]
    return None if None in own else [pieces for pieces in own if pieces is not None]


def _scaled_layer(
    layer: Layer, exponent: int, low: list[int], high: list[int]
) -> tuple[ScaledLayer, int, list[int], list[int]]:
    """Return a layer whose inputs have an exponent and ranges; and those of its values."""
    weight = layer.weight.exact()
    bias = layer.bias.exact() if layer.bias is not None else None
    pieces = _pieces(layer)
    assert pieces is not None
    numbers = [[int(value) for value in row] for row in weight.integers.tolist()]
    biases = [0] * layer.n_out if bias is None else [int(b) for b in bias.integers.tolist()]
    products = weight.exponent + exponent + _shared_zeros(value for row in numbers for value in row)
    own_bias = (0 if bias is None else bias.exponent) + _shared_zeros(biases)
    knots = [_exponent_of(Fraction(knot)) for own in set(pieces) for knot in own.knots]
    candidates = [products, *([own_bias] if any(biases) else []), *knots]
    at = min(candidates)
    numbers = [
        [_shifted(value, weight.exponent + exponent - at) for value in row] for row in numbers
    ]
    biases = [_shifted(b, (0 if bias is None else bias.exponent) - at) for b in biases]
    lows, highs = [], []
    for row, shift in zip(numbers, biases, strict=True):
        ends = [sorted((w * a, w * b)) for w, a, b in zip(row, low, high, strict=True)]
        lows.append(shift + sum(end[0] for end in ends))
        highs.append(shift + sum(end[1] for end in ends))
    lines = [line for own in set(pieces) for line in own.lines]
    factors = [_exponent_of(Fraction(line.slope)) for line in lines if line.slope]
    constants = [
        _exponent_of(Fraction(number))
        for own in set(pieces)
        for number in (*own.values, *(line.intercept for line in own.lines))
        if number
    ]
    out = min([at + factor for factor in factors] + constants, default=0)
    bends = {own: _bends(own, at, out) for own in set(pieces)}
    units = tuple(bends[own] for own in pieces)
    images = [bend.image(least, most) for bend, least, most in zip(units, lows, highs, strict=True)]
    kept = tuple(tuple((i, w) for i, w in enumerate(row) if w) for row in numbers)
    scaled_layer = ScaledLayer(kept, tuple(biases), units, at, tuple(lows), tuple(highs))
    return scaled_layer, out, [a for a, _ in images], [b for _, b in images]


def _bends(pieces: Pieces, exponent: int, out: int) -> Bends:
    """Return lines of sums in units of ``2**exponent`` whose values are in units of ``2**out``."""
    grid, unit = Fraction(2) ** exponent, Fraction(2) ** out
    lines = tuple(
        Line(int(Fraction(line.slope) * grid / unit), int(Fraction(line.intercept) / unit))
        for line in pieces.lines
    )
    knots = tuple(int(Fraction(knot) / grid) for knot in pieces.knots)
    return Bends(lines, knots, tuple(int(Fraction(value) / unit) for value in pieces.values))


def _refined(layer: ScaledLayer, times: int) -> ScaledLayer:
    """Return a layer whose values are counted in units that many times smaller."""
    bends = tuple(
        Bends(
            tuple(Line(line.factor * times, line.constant * times) for line in own.lines),
            own.knots,
            tuple(value * times for value in own.values),
        )
        for own in layer.bends
    )
    return ScaledLayer(layer.weights, layer.biases, bends, layer.exponent, layer.low, layer.high)


def _shared_zeros(numbers: Iterator[int] | Sequence[int]) -> int:
    """Return how many lowest bits are 0 in all numbers."""
    both = 0
    for number in numbers:
        both |= abs(number)
    return (both & -both).bit_length() - 1 if both else 0


def _exponent_of(value: Fraction) -> int:
    """Return the exponent of the lowest bit of a dyadic fraction; 0 of 0."""
    if not value:
        return 0
    zeros = (value.numerator & -value.numerator).bit_length() - 1
    return zeros - (value.denominator.bit_length() - 1)


def _shifted(number: int, shift: int) -> int:
    """Return a number times a power of two, which leaves it whole."""
    return number << shift if shift >= 0 else number >> -shift


def as_numbers(values: Sequence[int], bits: int) -> np.ndarray:
    """Return whole numbers modulo ``2**bits`` as an array of that type."""
    half, whole = 1 << (bits - 1), 1 << bits
    return np.array([(v + half) % whole - half for v in values], dtype=f"int{bits}")
