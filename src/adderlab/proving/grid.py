"""The grid rule in whole numbers: whether a format can ever round in a network, at any width.

Rule: as in :mod:`adderlab.nets.enclosure`, but for all inputs at once and without floating
point: with each unit's exact least and largest value, the positive and the negative terms of every
sum are bounded; if all of a layer's terms are whole multiples of one unit and neither bound is
above 2**p units, no order of summation rounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import limits
from adderlab.bits import INT64_BITS
from adderlab.formats import Format
from adderlab.nets import Activation, Layer, Network
from adderlab.nets.activations import Pieces
from adderlab.nets.dyadic import Dyadic, dyadic_of
from adderlab.nets.tensors import structure_of
from adderlab.nets.unit_weights import stored_weights
from adderlab.nets.wiring import INPUT

if TYPE_CHECKING:
    from jaxtyping import Int64, Shaped

ENTRIES_AT_ONCE: Final = 1 << 15
"""Terms, which may be Python's own integers, that are made between two looks at the limits."""

Ranges = Sequence[tuple[Sequence[int], Sequence[int]]]
"""Of each layer's sources, the least and the largest values, as whole numbers."""


@dataclass(frozen=True, slots=True)
class SumBound:
    """The largest sum of one sign in a layer: ``units * 2**exponent``."""

    units: int
    exponent: int


def sum_bounds(net: Network, ranges: Ranges, exponents: Sequence[int]) -> Iterator[SumBound]:
    """Yield each layer's bound on the positive, and on the negative, terms of any of its sums.

    Args:
        net: a network of straight lines whose products never round.
        ranges: of the values that each layer reads, input bits first.
        exponents: the power of two that each layer's sources are multiples of.
    """
    for layer, (least, most), exponent in zip(net.layers, ranges, exponents, strict=True):
        positive, negative, low = _bounds(layer, _array(least), _array(most), exponent)
        yield SumBound(max(int(positive.max()), -int(negative.min())), low)


def interval_ranges(net: Network) -> tuple[list[tuple[list[int], list[int]]], list[int]]:
    """Return the ranges and exponents for :func:`sum_bounds`, by intervals over all inputs.

    The ranges are those that each unit can't leave, wider than the exact ones that diagrams
    know.

    Args:
        net: a network of straight lines.
    """
    values = {INPUT: ([0] * net.n_in, [1] * net.n_in, 0)}
    ranges: list[tuple[list[int], list[int]]] = []
    exponents: list[int] = []
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        least, most, exponent = node.take(values, _join)
        ranges.append((least, most))
        exponents.append(exponent)
        positive, negative, exponent = _bounds(layer, _array(least), _array(most), exponent)
        least, most = [int(value) for value in negative], [int(value) for value in positive]
        if layer.activation.kind != "identity":
            least, most, exponent = _activated(layer.activation, least, most, exponent)
        values[node.name] = (least, most, exponent)
    return ranges, exponents


def _join(parts: list[tuple[list[int], list[int], int]]) -> tuple[list[int], list[int], int]:
    """Return ranges end to end, over one power of two."""
    low = min(exponent for _, _, exponent in parts)
    least = [value << (exponent - low) for values, _, exponent in parts for value in values]
    most = [value << (exponent - low) for _, values, exponent in parts for value in values]
    return least, most, low


def _activated(
    activation: Activation, least: list[int], most: list[int], exponent: int
) -> tuple[list[int], list[int], int]:
    """Return the range of units from that of their sums, and its power of two.

    The extremes are at the ends or at a knot between them; a jump's limits on both sides count.
    """
    ends = Dyadic(np.stack([_array(least), _array(most)]), exponent)
    if activation.rule.is_centered or activation.pieces is None:
        zero = np.zeros(len(least), dtype=np.int64)
        between = Dyadic(np.clip(zero, _array(least), _array(most))[None], exponent)
        parts = [activation.exact(ends), activation.exact(between)]
    else:
        parts = [activation.exact(ends), *_at_knots(activation.pieces, ends)]
    exponent = min(part.exponent for part in parts)
    values = np.concatenate([part.rescaled(exponent).integers for part in parts])
    return values.min(axis=0).tolist(), values.max(axis=0).tolist(), exponent


def _at_knots(pieces: Pieces, ends: Dyadic) -> Iterator[Dyadic]:
    """Yield the values at and beside each knot, where sums reach it."""
    for (before, after), knot, value in zip(
        pairwise(pieces.lines), pieces.knots, pieces.values, strict=True
    ):
        is_reached = ~ends.take(0).exceeds(knot, ">") & ends.take(1).exceeds(knot, ">=")
        units = np.flatnonzero(is_reached)
        for limit in {before.at(knot), value, after.at(knot)} if units.size else ():
            own = pieces.exact(ends.take(slice(0, 1)))  # what is not reached is any value there is
            number = dyadic_of(limit)
            exponent = min(own.exponent, number.exponent)
            integers = own.rescaled(exponent).integers.astype(object)
            integers[0, units] = int(number.rescaled(exponent).integers[()])
            yield Dyadic(integers, exponent)


def never_rounds(net: Network, form: Format, bounds: Sequence[SumBound]) -> bool:
    """Return whether no sum of the network is ever rounded in a float format."""
    activations = {layer.activation for layer in net.layers}
    if any(activation.rounds or not activation.is_held_by(form) for activation in activations):
        return False
    return all(
        bound.units <= 1 << form.precision
        and bound.exponent >= form.smallest
        and bound.units <= _scaled_down(form.largest, bound.exponent)
        for bound in bounds
    )


def _scaled_down(value: int, exponent: int) -> int:
    return value >> exponent if exponent >= 0 else value << -exponent


def _bounds(layer: Layer, least: Any, most: Any, exponent: int) -> tuple[Any, Any, int]:
    """Return each unit's sum of positive and of negative terms, and their exponent."""
    structure = structure_of(layer.weight)
    stored = stored_weights(layer)
    low = stored.exponent + exponent
    bias = layer.bias.exact() if layer.bias is not None else None
    if bias is not None:
        low = min(low, bias.exponent)
    shift = stored.exponent + exponent - low
    if structure is not None:
        pointers = structure.indptr.astype(np.int64)
        parts = [
            _sums_of_rows(
                stored.take(slice(pointers[first], pointers[last])),
                structure.indices[pointers[first] : pointers[last]].astype(np.int64),
                pointers[first : last + 1] - pointers[first],
                (least, most),
                shift,
            )
            for first, last in _blocks(pointers)
        ]
    else:
        step = max(1, ENTRIES_AT_ONCE // layer.n_in)
        parts = []
        for first in range(0, layer.n_out, step):
            limits.check()
            rows = stored.take(slice(first, first + step))
            up, down = _terms(rows, least[None], most[None], shift)
            parts.append((up.sum(axis=1), down.sum(axis=1)))
    positive, negative = (np.concatenate(sums) for sums in zip(*parts, strict=True))
    if bias is not None:
        values = bias.integers.astype(object) << (bias.exponent - low)
        positive = positive + np.maximum(values, 0)
        negative = negative + np.minimum(values, 0)
    return positive, negative, low


def _blocks(pointers: Int64[np.ndarray, " rows_and_one"]) -> Iterator[tuple[int, int]]:
    """Yield ranges of sparse rows that have about :data:`ENTRIES_AT_ONCE` entries together."""
    first, rows = 0, len(pointers) - 1
    while first < rows:
        limits.check()
        most = int(pointers[first]) + ENTRIES_AT_ONCE
        last = max(first + 1, int(np.searchsorted(pointers, most, side="right")) - 1)
        yield first, last
        first = last


def _sums_of_rows(
    stored: Dyadic,
    columns: Int64[np.ndarray, " entries"],
    pointers: Int64[np.ndarray, " rows_and_one"],
    ends: tuple[Any, Any],
    shift: int,
) -> tuple[Any, Any]:
    """Return the sums of the positive and of the negative terms of sparse rows."""
    least, most = ends
    terms = _terms(stored, least[columns], most[columns], shift)
    positive, negative = (_by_row(part, pointers, len(pointers) - 1) for part in terms)
    return positive, negative


def _terms(stored: Dyadic, least: Any, most: Any, shift: int) -> tuple[Any, Any]:
    """Return the largest positive and the most negative value of each product."""
    limit = max(int(np.abs(most).max(initial=0)), int(np.abs(least).max(initial=0)), 1)
    numbers = stored.integers
    size = stored.largest.bit_length() + shift + limit.bit_length()
    if size + max(numbers.size, 1).bit_length() > INT64_BITS:
        numbers, least, most = (part.astype(object) for part in (numbers, least, most))
    else:
        numbers, least, most = (part.astype(np.int64) for part in (numbers, least, most))
    ends = np.stack([numbers * least, numbers * most]) * (1 << shift)
    return np.maximum(ends.max(axis=0), 0), np.minimum(ends.min(axis=0), 0)


def _by_row(
    terms: Shaped[np.ndarray, " entries"], ends: Shaped[np.ndarray, " rows_and_one"], rows: int
) -> Any:
    total = np.zeros(rows, dtype=terms.dtype)
    filled = np.flatnonzero(np.diff(ends))
    if filled.size:
        total[filled] = np.add.reduceat(terms, ends[filled])
    return total


def _array(values: Sequence[int]) -> Any:
    largest = max((abs(value) for value in values), default=0)
    return np.array(values, dtype=np.int64 if largest.bit_length() < INT64_BITS else object)
