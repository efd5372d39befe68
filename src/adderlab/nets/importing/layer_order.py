"""Which of several weights comes first: by their names, by the file, or by the shapes that fit.

Rule: names count more than the order of the file (safetensors sorts its tensors), and an order in
which the sizes do not chain is none. Where only one order chains, it is the one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

FIRST: Final = frozenset({"in", "input", "first"})
LAST: Final = frozenset(
    {"out", "output", "last", "head", "final", "readout", "classifier", "logits"}
)
"""Words in names of layers that say where they stand."""

MOST_STEPS: Final = 10_000
"""Layers that are tried in looking for an order in which the shapes fit."""


@dataclass(frozen=True, slots=True)
class Weight:
    """A layer's weight.

    Attributes:
        name: of the layer; empty where the weight stands alone.
        rows: values that it gives.
        columns: values that it takes.
    """

    name: str
    rows: int
    columns: int


@dataclass(frozen=True, slots=True)
class Order:
    """Layers in order, and by what: ``names``, ``file`` or ``shapes``."""

    weights: tuple[Weight, ...]
    reason: str


def order_of(
    weights: Sequence[Weight], sizes: tuple[int, ...], *, keeps_order: bool
) -> Order | None:
    """Return the weights in the order in which they are used; ``None`` where none is known.

    Args:
        weights: in the order of the file.
        sizes: those that the layers must have, from input to output; any where empty.
        keeps_order: whether the file's order is that in which they were defined.
    """
    by_name = _by_name(weights)
    if by_name is not None and _fit(by_name, sizes):
        return Order(by_name, "names")
    if keeps_order and _fit(weights, sizes):
        return Order(tuple(weights), "file")
    by_shape = _by_shape(weights, sizes)
    return None if by_shape is None else Order(by_shape, "shapes")


def _by_name(weights: Sequence[Weight]) -> tuple[Weight, ...] | None:
    """Return the weights by the numbers and words in their names; ``None`` where these don't say.

    Examples:
        >>> [w.name for w in _by_name([Weight(n, 1, 1) for n in ("fc10", "out", "fc9")])]
        ['fc9', 'fc10', 'out']
    """
    places: dict[tuple[int, tuple[int, ...]], Weight] = {}
    stems: dict[int, tuple[str, ...]] = {}
    for weight in weights:
        parts = re.findall(r"[a-z]+|[0-9]+", weight.name.lower())
        words = tuple(part for part in parts if not part.isdigit())
        rank = 1 if LAST.intersection(words) else -1 if FIRST.intersection(words) else 0
        place = rank, tuple(int(part) for part in parts if part.isdigit())
        if place in places or stems.setdefault(rank, words) != words:
            return None
        places[place] = weight
    return tuple(places[place] for place in sorted(places))


def _fit(weights: Sequence[Weight], sizes: tuple[int, ...]) -> bool:
    own = (weights[0].columns, *(weight.rows for weight in weights))
    chain = all(before.rows == after.columns for before, after in pairwise(weights))
    return chain and (not sizes or own == sizes)


def _by_shape(weights: Sequence[Weight], sizes: tuple[int, ...]) -> tuple[Weight, ...] | None:
    """Return the only order in which the sizes chain; ``None`` where there is none, or another."""
    orders: list[tuple[Weight, ...]] = []
    steps = 0
    stack: list[tuple[int, ...]] = [(place,) for place in range(len(weights))]
    while stack:
        steps += 1
        if steps > MOST_STEPS or len(orders) > 1:
            return None
        taken = stack.pop()
        if len(taken) == len(weights):
            order = tuple(weights[place] for place in taken)
            orders += [order] if _fit(order, sizes) else []
            continue
        stack += [
            (*taken, place)
            for place, weight in enumerate(weights)
            if place not in taken and weight.columns == weights[taken[-1]].rows
        ]
    return orders[0] if len(orders) == 1 else None
