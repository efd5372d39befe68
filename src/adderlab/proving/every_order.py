"""Rows that rounding bounds leave open: every order of summation of units with few terms.

Rule: a row counts as right only if bounds on every output read as the expected bit, whatever the
order, grouping, fusing and wider accumulators (:mod:`adderlab.proving.summation`). A row counts as
wrong only after one order for each unit was run, term after term, and gave a wrong bit.

Units of more than ``MOST_TERMS`` terms get the rounding-error bound of
:mod:`adderlab.nets.enclosure`, and no order of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from adderlab.formats import Format
from adderlab.nets import Activation, Layer, Network
from adderlab.nets.activations import Rounding
from adderlab.nets.activations.piecewise import slope_below
from adderlab.nets.constants import variants
from adderlab.nets.enclosure import sum_bound
from adderlab.nets.readout import OPEN
from adderlab.nets.wiring import Node, join_arrays, layer_number
from adderlab.proving.constants import curve_bounds, read_either_way, with_rounded_constants
from adderlab.proving.summation import (
    MOST_TERMS,
    least_in_order,
    least_products,
    least_sum,
    lowest_kept,
    order_of,
)

if TYPE_CHECKING:
    from jaxtyping import Float64, UInt8

Doubles: TypeAlias = "Float64[np.ndarray, '*shape']"
Place: TypeAlias = tuple[int, int]
"""A unit: the number of its layer, 0 for the input, and its number there, from 0."""

BATCH: Final = 64
"""Rows at a time, so that the sums of all subsets stay in the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class _Unit:
    """The terms of one unit that are not 0: the columns of its weights, then its bias."""

    columns: list[int]
    weights: Float64[np.ndarray, " columns"]
    bias: float

    @property
    def terms(self) -> int:
        return len(self.columns) + (self.bias != 0)


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Two ends of each value: bounds, and extremes of stated orders (NaN where there are none)."""

    low: Float64[np.ndarray, "batch units"]
    high: Float64[np.ndarray, "batch units"]
    least: Float64[np.ndarray, "batch units"]
    most: Float64[np.ndarray, "batch units"]

    def row(self, number: int) -> Ends:
        """Return the ends of one row, as a batch of its own."""
        part = slice(number, number + 1)
        return Ends(self.low[part], self.high[part], self.least[part], self.most[part])

    @classmethod
    def joined(cls, parts: Sequence[Ends]) -> Ends:
        """Return the ends of several layers' values side by side."""
        if len(parts) == 1:
            return parts[0]
        fields = ("low", "high", "least", "most")
        return cls(*(join_arrays([getattr(part, name) for part in parts]) for name in fields))


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """An order of summation for each unit, and what the network gives in it.

    Attributes:
        outputs: raw outputs, as the format's arithmetic gives them.
        text: the order in words.
    """

    outputs: Float64[np.ndarray, " n_out"]
    text: str


class EveryOrder:
    """A network prepared for all orders of summation in a float format.

    Args:
        net: a network whose parameters the format holds.
        names: of the inputs, and of each layer's units.
        form: the format.
    """

    def __init__(self, net: Network, names: Sequence[tuple[str, ...]], form: Format) -> None:
        self.net, self.form = net, form
        self.rounded = with_rounded_constants(net, form)
        self.names = names
        self.units = [_units(layer) for layer in net.layers]
        self.reads = [_numbers(node) for node in net.wiring.layers]
        self.read_out = _numbers(net.wiring.output)
        sizes = [net.n_in, *(layer.n_out for layer in net.layers)]
        self.sources = [_places(reads, sizes) for reads in self.reads]
        self.outputs = _places(self.read_out, sizes)

    def states(self, ends: Sequence[Ends]) -> UInt8[np.ndarray, "batch n_out"]:
        """Return what the outputs read as in every order; ``OPEN`` where that is not known.

        Args:
            ends: what :meth:`ends` returns.
        """
        last = self._joined(ends, self.read_out)
        states = read_either_way(self.net.readout, last.low, last.high, self.form)
        is_known = np.isfinite(last.low) & np.isfinite(last.high)
        return np.where(is_known, states, OPEN).astype(np.uint8)

    def extreme_orders(
        self, inputs: UInt8[np.ndarray, " n_in"], ends: Sequence[Ends], row: int
    ) -> Iterator[Orders]:
        """Yield, output by output, an order of its least value, then of its largest.

        Args:
            inputs: the bits of a row.
            ends: what :meth:`ends` returns for a batch.
            row: where the row is in the batch.
        """
        own = [end.row(row) for end in ends]
        for place in self.outputs:
            for sign in (1, -1):
                orders: dict[Place, list[int]] = {}
                self._choose(own, place, sign, orders)
                yield Orders(self._outputs(inputs, orders), self._text(orders))

    def why_open(self, ends: Sequence[Ends], row: int) -> str:
        """Return why no order decides a row."""
        last = self._joined(ends, self.read_out).row(row)
        if not (np.isfinite(last.low).all() and np.isfinite(last.high).all()):
            return "some order may overflow"
        if any(np.isnan(end.row(row).least).any() for end in ends):
            return (
                "within the rounding bound of the threshold, and a sum has more than "
                f"{MOST_TERMS} terms"
            )
        return (
            "right in all orders tried, but perhaps not where products are fused or partial sums "
            "are kept in a wider format"
        )

    def ends(self, inputs: UInt8[np.ndarray, "batch n_in"]) -> list[Ends]:
        """Return the ends of the inputs and of every layer's values, on few rows."""
        values = inputs.astype(np.float64)
        every = [Ends(values, values, values, values)]
        with np.errstate(all="ignore"):
            for layer, rounded, units, reads in zip(
                self.net.layers, self.rounded.layers, self.units, self.reads, strict=True
            ):
                before = self._joined(every, reads)
                columns = [self._unit_ends(unit, before) for unit in units]
                sums = Ends(*(np.stack(end, axis=1) for end in zip(*columns, strict=True)))
                overflows = ~np.isfinite(before.low + before.high).all(axis=1)
                sums.low[overflows], sums.high[overflows] = -np.inf, np.inf  # 0 * inf is NaN
                least, most = _extremes(rounded.activation, sums, self.form)
                bounds = _bounds(layer.activation, sums, self.form)
                every.append(Ends(*bounds, least, most))
        return every

    def _unit_ends(self, unit: _Unit, before: Ends) -> list[Doubles]:
        """Return the ends of one unit's sums: low, high, least and most."""
        form = self.form
        if unit.terms > MOST_TERMS:
            return [*_bounded_sums(unit, before, form), *[np.full(len(before.low), np.nan)] * 2]
        ends: list[Doubles] = []
        for sign in (1, -1):
            terms = _least_terms(unit, before, sign, form)
            ends.append(sign * least_sum(terms, form))
        for sign in (1, -1):
            terms = _terms_of_extremes(unit, before, sign, form)
            ends.append(sign * least_in_order(terms, form)[-1])
        return ends

    @staticmethod
    def _joined(every: Sequence[Ends], reads: Sequence[int]) -> Ends:
        """Return the ends of what a layer reads, or of what is read out."""
        return Ends.joined([every[number] for number in reads])

    def _choose(
        self, every: Sequence[Ends], place: Place, sign: int, orders: dict[Place, list[int]]
    ) -> None:
        """Enter the order of a unit's least value (sign 1) or its largest (-1), and its inputs'."""
        number, at = place
        if number == 0 or place in orders:
            return
        unit = self.units[number - 1][at]
        if unit.terms > MOST_TERMS:
            return
        before = self._joined(every, self.reads[number - 1])
        with np.errstate(all="ignore"):
            terms = _terms_of_extremes(unit, before, sign, self.form)
        table = least_in_order(terms, self.form)
        orders[place] = order_of(table[:, 0], terms[:, 0], self.form)
        for column, weight in zip(unit.columns, unit.weights, strict=True):
            source = self.sources[number - 1][column]
            self._choose(every, source, sign if weight > 0 else -sign, orders)

    def _outputs(
        self, inputs: UInt8[np.ndarray, " n_in"], orders: dict[Place, list[int]]
    ) -> Float64[np.ndarray, " n_out"]:
        """Return the raw outputs on one row, each unit summed in its order, else left to right."""
        every, form = [inputs.astype(np.float64)], self.form
        with np.errstate(all="ignore"):
            for number, (layer, units, reads) in enumerate(
                zip(self.rounded.layers, self.units, self.reads, strict=True), start=1
            ):
                values = join_arrays([every[read] for read in reads])
                sums = np.zeros(len(units))
                for at, unit in enumerate(units):
                    terms = form.round(unit.weights * values[unit.columns])
                    terms = np.append(terms, unit.bias) if unit.bias else terms
                    for term in orders.get((number, at), range(len(terms))):
                        sums[at] = form.round(sums[at] + terms[term])
                values = layer.activation.plain(sums)
                every.append(form.round(values) if layer.activation.rounds else values)
        return join_arrays([every[read] for read in self.read_out])

    def _text(self, orders: dict[Place, list[int]]) -> str:
        """Return the orders that are not left to right in words: ``c0 as h2 + bias + h1; …``."""
        parts: list[str] = []
        for (number, at), order in sorted(orders.items()):
            if order != sorted(order):
                sources = (self.sources[number - 1][c] for c in self.units[number - 1][at].columns)
                names = [*(self.names[layer][unit] for layer, unit in sources), "bias"]
                terms = " + ".join(names[term] for term in order)
                parts.append(f"{self.names[number][at]} as {terms}")
        rest = "products left to right, then the bias"
        return "; ".join([*parts, f"elsewhere {rest}" if parts else rest])


def _numbers(node: Node) -> list[int]:
    """Return the numbers of the layers that a node reads, 0 for the input."""
    return [layer_number(name) for name in node.reads]


def _places(reads: Sequence[int], sizes: Sequence[int]) -> list[Place]:
    """Return where each of the joined values comes from."""
    return [(number, unit) for number in reads for unit in range(sizes[number])]


def _units(layer: Layer) -> list[_Unit]:
    weight = layer.weight.exact().to_floats()
    bias = np.zeros(layer.n_out) if layer.bias is None else layer.bias.exact().to_floats()
    return [
        _Unit(np.flatnonzero(row).tolist(), row[row != 0], float(shift))
        for row, shift in zip(weight, bias, strict=True)
    ]


def _least_terms(
    unit: _Unit, before: Ends, sign: int, form: Format
) -> Float64[np.ndarray, "terms batch"]:
    """Return lower bounds of a unit's terms, or of the negated terms for sign -1."""
    weights = sign * unit.weights[:, None]
    values = np.where(weights > 0, before.low.T[unit.columns], before.high.T[unit.columns])
    products = lowest_kept(least_products(weights, values, form.precision), form)
    return _with_bias(products, sign * unit.bias)


def _terms_of_extremes(
    unit: _Unit, before: Ends, sign: int, form: Format
) -> Float64[np.ndarray, "terms batch"]:
    """Return the rounded terms that the extremes of the values give, negated for sign -1."""
    weights = sign * unit.weights[:, None]
    values = np.where(weights > 0, before.least.T[unit.columns], before.most.T[unit.columns])
    return _with_bias(form.round(weights * values), sign * unit.bias)


def _with_bias(
    products: Float64[np.ndarray, "columns batch"], bias: float
) -> Float64[np.ndarray, "terms batch"]:
    if not bias:
        return products
    return np.concatenate([products, np.full((1, products.shape[1]), bias)])


def _bounded_sums(unit: _Unit, before: Ends, form: Format) -> tuple[Doubles, Doubles]:
    """Return the rounding-error bound of a sum of many terms."""
    magnitudes = np.abs(unit.weights)
    low, high = before.low[:, unit.columns], before.high[:, unit.columns]
    middle, radius = low / 2 + high / 2, (high - low) * 0.75
    sums = middle @ unit.weights + unit.bias
    total = (np.abs(middle) + radius) @ magnitudes + abs(unit.bias)
    error = sum_bound(total, radius @ magnitudes, len(magnitudes), Rounding.of(form))
    return np.nextafter(sums - error, -np.inf), np.nextafter(sums + error, np.inf)


def _extremes(activation: Activation, sums: Ends, form: Format) -> tuple[Doubles, Doubles]:
    """Return an activation's values at the extremes of its sums, as the format gives them."""
    ends = [activation.plain(end) for end in (sums.least, sums.most)]
    if activation.rounds:
        ends = [form.round(end) for end in ends]
    return np.minimum(*ends), np.maximum(*ends)


def _bounds(activation: Activation, sums: Ends, form: Format) -> tuple[Doubles, Doubles]:
    """Return bounds of an activation's values, with its own roundings and those of constants."""
    own = [_bounds_of(variant, sums.low, sums.high, form) for variant in variants(activation, form)]
    return np.minimum.reduce([low for low, _ in own]), np.maximum.reduce([high for _, high in own])


def _bounds_of(
    activation: Activation, low: Doubles, high: Doubles, form: Format
) -> tuple[Doubles, Doubles]:
    if activation.rule.library is not None:
        return curve_bounds(activation, low, high, form)
    if activation.rounds:
        return _leaky_bounds(slope_below(activation), low, high, form)
    return activation.image(low, high)


def _leaky_bounds(
    slope: Doubles, low: Doubles, high: Doubles, form: Format
) -> tuple[Doubles, Doubles]:
    """Return bounds of leaky relu."""
    spans = (low < 0) & (high > 0)
    least = [np.where(spans, 0.0, np.inf)]
    most = [np.where(spans, 0.0, -np.inf)]
    for end in (low, high):
        below = np.minimum(end, 0)
        for sign, ends in ((1, least), (-1, most)):
            products = least_products(np.asarray(sign * slope), below, 53)
            ends.append(np.where(end > 0, end, sign * lowest_kept(products, form)))
    return np.minimum.reduce(least), np.maximum.reduce(most)
