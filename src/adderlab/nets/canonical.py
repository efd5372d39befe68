"""The form that a network has up to the order and the positive scale of its hidden units.

Multiply what comes into a relu unit by a positive number and divide what goes out by it, or give
two units each other's places: the network computes the same. Here each unit is scaled so that its
weights and its bias are whole numbers without a common factor, and the units of a layer are put in
an order that depends on their numbers alone.

Rule: everything is exact, and networks with equal forms differ in nothing else. What is recognized:

- a chain of layers of any depth, its units in any order;
- of relu, leaky relu, prelu, abs and identity, a positive factor on what comes in, and its inverse
  on what goes out; what goes out of such a unit that is 0 on every input counts as 0;
- of step, sign and heaviside, a positive factor on what comes in, which changes nothing;
- the same values in another number format or kind of file, and a bias of zeros that is left out.

What is not: the same function by other units (one that is split in two, a dead one left out, tanh
with both its signs changed, a factor on the outputs that the threshold makes up for), a graph with
its units in another order, and more than :data:`MOST_PARAMETERS` parameters. Units that differ by
their place in a symmetric wiring alone are told apart by trial, at most :data:`MOST_TRIALS` times;
of networks that need more, some equal ones are not recognized.

References:
    McKay, Piperno, "Practical graph isomorphism, II" (2014), section 2,
    https://doi.org/10.1016/j.jsc.2013.09.003 (refinement of colors, individualization)
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, TypeAlias

from adderlab import limits
from adderlab.nets.activations import Activation
from adderlab.nets.dyadic import Dyadic, join
from adderlab.nets.network import Layer, Network

MOST_PARAMETERS: Final = 100_000
"""Parameters up to which a form is computed, which takes a second for so many."""

MOST_TRIALS: Final = 100
"""Units that are told apart by trial."""

Color: TypeAlias = int
"""A unit's place among the units of its layer; equal for those that are not told apart."""


@dataclass(frozen=True, slots=True)
class _Unit:
    """A hidden unit or an output, scaled.

    Attributes:
        kind: what is applied to its sum, as text.
        row: its weights, whole numbers; times ``2**exponent`` they are its values.
        bias: likewise.
        exponent: 0 where the unit's scale does not count.
    """

    kind: str
    row: tuple[int, ...]
    bias: int
    exponent: int


def canonical_form(net: Network) -> str | None:
    """Return a hash that is equal for networks that are one up to order and scale of units.

    Args:
        net: the network; its task, its number format and its training record do not count.

    Returns:
        64 hexadecimal digits; ``None`` of a network of too many parameters.

    Examples:
        >>> from adderlab.nets import network
        >>> first = network([[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]])
        >>> second = network([[[4, 4], [1, 1]], [[0.25, 0], [-0.5, 1]]], [[-4, 0], [0, 0]])
        >>> canonical_form(first) == canonical_form(second)
        True
    """
    if net.parameters > MOST_PARAMETERS:
        return None
    layers = _scaled(net.layers, is_chain=net.is_chain)
    orders = [list(range(len(units))) for units in layers]
    if net.is_chain:
        orders[:-1] = _Coloring(net.n_in, layers).orders()
    digest = hashlib.sha256(f"{net.readout!r} {net.wiring.to_dict()} {net.n_in}".encode())
    before = None
    for units, order in zip(layers, orders, strict=True):
        for line in _lines(units, order, before):
            digest.update(line.encode())
        digest.update(b"\n")
        before = order if net.is_chain else None
    return digest.hexdigest()


def _scaled(layers: Sequence[Layer], *, is_chain: bool) -> list[list[_Unit]]:
    """Return the units of each layer, scaled; in a graph as they stand."""
    scaled: list[list[_Unit]] = []
    factors: list[tuple[int, int]] = []  # of what comes in: whole numbers and powers of two
    for number, layer in enumerate(layers, start=1):
        is_hidden = is_chain and number < len(layers)
        values = _values(layer)
        units: list[_Unit] = []
        unit_factors: list[tuple[int, int]] = []
        for place, numbers in enumerate(values.integers.astype(object).tolist()):
            limits.check()
            activation = layer.activation.of_unit(place)
            row, exponent = _multiplied(numbers, values.exponent, factors)
            rule = activation.rule
            is_free = is_hidden and rule.is_centered
            size = math.gcd(*row) if is_free else _power_of_two(row)
            row = [value // size for value in row] if size else row
            unit_factors.append((size, exponent) if is_free and not rule.is_flat else (1, 0))
            if not is_free:
                exponent += size.bit_length() - 1 if size else -exponent
            units.append(
                _Unit(_kind(activation), tuple(row[:-1]), row[-1], 0 if is_free else exponent)
            )
        factors = unit_factors if is_chain else []
        scaled.append(units)
    return scaled


def _values(layer: Layer) -> Dyadic:
    """Return each unit's weights and bias in a row."""
    weight = layer.weight.exact()
    if layer.bias is None:
        return join([weight, Dyadic(weight.integers[:, :1] * 0)])
    bias = layer.bias.exact()
    return join([weight, Dyadic(bias.integers[:, None], bias.exponent)])


def _multiplied(
    numbers: Sequence[int], exponent: int, factors: Sequence[tuple[int, int]]
) -> tuple[list[int], int]:
    """Return a row with each weight times its unit's factor, and its power of two."""
    if not factors:
        return list(numbers), exponent
    pairs = [(0, power) if not factor else (factor, power) for factor, power in factors]
    lowest = min(0, *(power for _, power in pairs))
    products = [
        (number * factor) << (power - lowest)
        for number, (factor, power) in zip(numbers, [*pairs, (1, 0)], strict=True)
    ]
    return products, exponent + lowest


def _power_of_two(row: Sequence[int]) -> int:
    """Return the largest power of two that divides all numbers; 0 where they are 0."""
    common = math.gcd(*row)
    return common & -common


def _kind(activation: Activation) -> str:
    options = [f"{name}={getattr(activation, name)!r}" for name in activation.rule.options]
    return f"{activation.kind}({', '.join(options)})"


class _Coloring:
    """Colors of the units of a chain, refined until each has one of its own.

    Args:
        n_in: inputs, which keep their places, as outputs do.
        layers: the units.
    """

    def __init__(self, n_in: int, layers: Sequence[Sequence[_Unit]]) -> None:
        self._layers = layers
        self._columns: list[list[list[tuple[int, int]]]] = []  # what each hidden unit gives
        for units, readers in pairwise(layers):
            self._columns.append(
                [[(unit.row[at], unit.exponent) for unit in readers] for at in range(len(units))]
            )
        self._inputs = list(range(n_in))
        self._colors = [
            _ranked([(unit.kind, unit.bias, unit.exponent) for unit in units])
            for units in layers[:-1]
        ]
        self._outputs = list(range(len(layers[-1])))

    def orders(self) -> list[list[int]]:
        """Return for each hidden layer its units in their order."""
        self._refine()
        for _ in range(MOST_TRIALS):
            place = next((at for at, c in enumerate(self._colors) if len(set(c)) < len(c)), None)
            if place is None:
                break
            self._part(place)
            self._refine()
        return [
            sorted(range(len(colors)), key=lambda at, colors=colors: colors[at])
            for colors in self._colors
        ]

    def _refine(self) -> None:
        """Give units different colors where what comes in or goes out has different colors."""
        before = -1
        while before != (before := sum(len(set(colors)) for colors in self._colors)):
            for at in range(len(self._colors)):
                input_colors = self._inputs if at == 0 else self._colors[at - 1]
                self._recolor(at, lambda unit, at=at: self._layers[at][unit].row, input_colors)
            for at in reversed(range(len(self._colors))):
                is_last = at == len(self._colors) - 1
                taken = self._outputs if is_last else self._colors[at + 1]
                self._recolor(at, lambda unit, at=at: self._columns[at][unit], taken)

    def _recolor(
        self, at: int, numbers_of: Callable[[int], Iterable[Any]], colors: list[Color]
    ) -> None:
        limits.check()
        self._colors[at] = _ranked(
            [
                (color, sorted(zip(numbers_of(unit), colors, strict=True)))
                for unit, color in enumerate(self._colors[at])
            ]
        )

    def _part(self, at: int) -> None:
        """Tell units of one color apart: all of them where none would notice, else the first."""
        colors = self._colors[at]
        color = min(color for color in colors if colors.count(color) > 1)
        same = [unit for unit, own in enumerate(colors) if own == color]
        rows = {self._layers[at][unit].row for unit in same}
        columns = {tuple(self._columns[at][unit]) for unit in same}
        apart = same if len(rows) == len(columns) == 1 else same[:1]
        keys = [(own, len(same)) for own in colors]
        for place, unit in enumerate(apart):
            keys[unit] = (color, place)
        self._colors[at] = _ranked(keys)


def _ranked(keys: list[Any]) -> list[Color]:
    """Return for each key how many different ones are smaller."""
    colors: list[Color] = [0] * len(keys)
    color = -1
    last: Any = None
    for at in sorted(range(len(keys)), key=keys.__getitem__):
        if keys[at] != last:
            color, last = color + 1, keys[at]
        colors[at] = color
    return colors


def _lines(units: list[_Unit], order: list[int], before: list[int] | None) -> Iterator[str]:
    """Yield a layer's units in their order, their weights in the order of those before."""
    for place in order:
        limits.check()
        unit = units[place]
        row = unit.row if before is None else [unit.row[at] for at in before]
        numbers = " ".join(format(value, "x") for value in (*row, unit.bias, unit.exponent))
        yield f"{unit.kind} {numbers}\n"
