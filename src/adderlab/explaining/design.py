"""How a network compares with another design, up to the order and the scale of its units.

Multiply what comes into a relu unit by a positive number and divide what goes out by it, or
give two units each other's places: the network computes the same. So two networks of one hidden
layer are compared unit by unit in the form in which a unit's weights and bias have size 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations
from typing import Any, Final

from adderlab.nets.network import Network

MOST_ORDERS: Final = 50_000
"""Ways to pair units up to which all are tried; beyond, each design unit takes the best left."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """A unit of the design and the unit of the network closest to it.

    Attributes:
        designed: the design's unit, from 1.
        unit: the network's, from 1; ``None`` where it has no unit left.
        likeness: the cosine of the angle between their weights and biases: 1 for a positive
            multiple.
        scale: the factor, where it is one exactly.
    """

    designed: int
    unit: int | None
    likeness: float
    scale: Fraction | None

    def to_dict(self) -> dict[str, Any]:
        return {
            "designed": self.designed,
            "unit": self.unit,
            "likeness": self.likeness,
            "scale": None if self.scale is None else float(self.scale),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """A network compared with a design.

    Attributes:
        design: the design's name.
        is_same: whether they are one network up to order and positive scale of the units.
        pairs: each unit of the design with the closest one.
    """

    design: str
    is_same: bool
    pairs: tuple[Pairing, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "design": self.design,
            "same": self.is_same,
            "pairs": [pair.to_dict() for pair in self.pairs],
        }


@dataclass(frozen=True, slots=True)
class _Unit:
    into: tuple[Fraction, ...]
    out: tuple[Fraction, ...]

    @property
    def normal(self) -> tuple[tuple[Fraction, ...], tuple[Fraction, ...]]:
        """The unit with weights and bias scaled to total size 1, its outgoing weights to match."""
        size = sum((abs(weight) for weight in self.into), start=Fraction(0))
        if not size:
            return self.into, (Fraction(0),) * len(self.out)  # a unit of 0 gives 0
        return tuple(weight / size for weight in self.into), tuple(
            weight * size for weight in self.out
        )


def compare_with(net: Network, design: Network, name: str) -> Comparison | None:
    """Return how a network compares with a design; ``None`` if their shapes can't be compared.

    Args:
        net: of one hidden layer of relu or leaky relu; a graph has no such form.
        design: the same.
        name: of the design.
    """
    kinds = {candidate.layers[0].activation for candidate in (net, design)}
    if (
        not (net.is_chain and design.is_chain)
        or (net.depth, design.depth) != (2, 2)
        or (net.n_in, net.n_out) != (design.n_in, design.n_out)
        or len(kinds) != 1
        or (kind := net.layers[0].activation).rule.kink != "bend"
        or kind.slope_pair is None
    ):
        return None
    own, other = _units(net), _units(design)
    is_same = sorted(unit.normal for unit in own) == sorted(
        unit.normal for unit in other
    ) and _out_bias(net) == _out_bias(design)
    likeness = [[_cosine(own_unit.into, unit.into) for unit in own] for own_unit in other]
    pairs = tuple(
        Pairing(
            at + 1,
            None if unit is None else unit + 1,
            0.0 if unit is None else likeness[at][unit],
            None if unit is None else _multiple(own[unit].into, other[at].into),
        )
        for at, unit in enumerate(_best_order(likeness, len(own)))
    )
    return Comparison(name, is_same, pairs)


def _units(net: Network) -> list[_Unit]:
    first, second = net.layers
    weight, out = first.weight.exact(), second.weight.exact()
    bias = first.bias.exact() if first.bias is not None else None
    return [
        _Unit(
            (
                *(weight.at(unit, column) for column in range(first.n_in)),
                bias.at(unit) if bias is not None else Fraction(0),
            ),
            tuple(out.at(row, unit) for row in range(second.n_out)),
        )
        for unit in range(first.n_out)
    ]


def _out_bias(net: Network) -> list[Fraction]:
    last = net.layers[-1]
    bias = last.bias.exact() if last.bias is not None else None
    return [bias.at(row) if bias is not None else Fraction(0) for row in range(last.n_out)]


def _best_order(likeness: Sequence[Sequence[float]], own: int) -> list[int | None]:
    """Return for each unit of the design its partner; the sum of all cosines is greatest."""
    designed = len(likeness)
    places: list[int | None] = [*range(own), *([None] * max(0, designed - own))]
    if math.perm(len(places), designed) <= MOST_ORDERS:

        def together(order: tuple[int | None, ...]) -> float:
            pairs = zip(likeness, order, strict=True)
            return sum(line[unit] for line, unit in pairs if unit is not None)

        return list(max(permutations(places, designed), key=together))
    best: list[int | None] = []
    for line in likeness:
        left = [unit for unit in range(own) if unit not in best]
        best.append(max(left, key=lambda unit: line[unit]) if left else None)
    return best


def _cosine(first: Sequence[Fraction], second: Sequence[Fraction]) -> float:
    a, b = [float(x) for x in first], [float(x) for x in second]
    sizes = math.hypot(*a) * math.hypot(*b)
    return sum(x * y for x, y in zip(a, b, strict=True)) / sizes if sizes else 0.0


def _multiple(first: Sequence[Fraction], second: Sequence[Fraction]) -> Fraction | None:
    """Return the positive ``c`` with ``first = c * second``; ``None`` if there is none."""
    at = next((place for place, x in enumerate(second) if x), None)
    if at is None:
        return None
    factor = first[at] / second[at]
    same = all(x == factor * y for x, y in zip(first, second, strict=True))
    return factor if factor > 0 and same else None
