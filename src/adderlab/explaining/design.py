"""How a network compares with another design, up to the order and the scale of its units.

Whether they are one network :mod:`adderlab.nets.canonical` says; which unit of one is closest to
which of the other, the angle between their weights and biases does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import permutations
from typing import Any, Final

from adderlab.nets.canonical import canonical_form
from adderlab.nets.network import Network
from adderlab.nets.readout import Readout

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
    forms = [canonical_form(replace(candidate, readout=Readout())) for candidate in (net, design)]
    is_same = forms[0] == forms[1] is not None
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
