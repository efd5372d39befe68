"""Fast arithmetic with a proved error bound: values in double, and how far off they can be.

Rule: for each unit, the exact sum *and* the result of every order of summation in the number
format at hand lie within ``errors`` of ``values``. A bound of 0 means that no rounding can
happen at all; it is reached through the grid rule:

    if all products of a sum (bias included) are whole multiples of one unit that the format
    can represent, and neither the positive nor the negative ones add up to more than 2**p
    units, then every partial sum in every order is a whole number of units of at most p bits,
    so nothing is ever rounded.

Where the rule does not apply, the bound is the standard one: n products and a bias, each
operation rounded with relative error at most u, give an error of at most
((1 + u)**(n + 1) - 1) times the sum of magnitudes, plus (1 + u)**n times half a smallest
subnormal a product. Where a partial sum may leave the format, nothing is known: the bound is
infinite.

References:
    Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 3.1 and lemma 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab import limits
from adderlab.formats import Format
from adderlab.nets.activations import DOUBLE_UNIT, SLACK, Activation, Rounding, lowest_bits
from adderlab.nets.constants import variants
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import Readout, read_bits
from adderlab.nets.wiring import INPUT, join_arrays, join_tuples

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, Int64, UInt8

    from adderlab.nets.dyadic import Dyadic

LARGEST_DENSE: Final = 1 << 24
"""Entries of a layer beyond which it is left to exact evaluation."""
SMALLEST_NORMAL: Final = 2.0**-1022


@dataclass(frozen=True, slots=True, eq=False)
class Enclosure:
    """Values with bounds on their distance to the exact ones and to the format's own.

    Attributes:
        values: computed in double, always finite.
        errors: never negative; infinite where nothing is known (an overflow, say).
        rounds: whether any sum on the way, of any row, may have been rounded.
    """

    values: Float64[np.ndarray, "batch n_out"]
    errors: Float64[np.ndarray, "batch n_out"]
    rounds: bool

    def bits(
        self, readout: Readout
    ) -> tuple[UInt8[np.ndarray, "batch n_out"], Bool[np.ndarray, "batch n_out"]]:
        """Return the bits under a readout, and where they are surely those."""
        return read_bits(readout, *self.ends())

    def ends(
        self,
    ) -> tuple[Float64[np.ndarray, "batch n_out"], Float64[np.ndarray, "batch n_out"]]:
        """Return doubles between which the exact values, and the format's own, lie."""
        if not self.errors.any():
            return self.values, self.values
        is_exact = self.errors == 0
        with np.errstate(over="ignore"):  # infinite ends are true as well
            low = np.nextafter(self.values - self.errors, -np.inf)
            high = np.nextafter(self.values + self.errors, np.inf)
        return np.where(is_exact, self.values, low), np.where(is_exact, self.values, high)

    def distances(
        self, threshold: float, sign: int
    ) -> tuple[Float64[np.ndarray, "batch n_out"], Float64[np.ndarray, "batch n_out"]]:
        """Return bounds below and above ``sign`` times the distance from the threshold."""
        with np.errstate(over="ignore", invalid="ignore"):
            distance = sign * (self.values - threshold)
            slack = self.errors * 2 + np.abs(distance) * 2.0**-50
            low, high = distance - slack, distance + slack
        is_known = np.isfinite(low) & np.isfinite(high)
        return np.where(is_known, low, -np.inf), np.where(is_known, high, np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class _FloatLayer:
    """A layer in doubles, with what its bounds need."""

    weight: Float64[np.ndarray, "n_in n_out"]
    bias: Float64[np.ndarray, " n_out"]
    off: float  # relative distance of the doubles to the stored values
    grid: Int64[np.ndarray, "n_in n_out"]  # exponent of each weight's lowest bit, high for 0
    bias_grid: Int64[np.ndarray, " n_out"]
    activations: tuple[Activation, ...]  # with the constants as they are, and as a library may
    # round them

    @property
    def activation(self) -> Activation:
        """The activation itself."""
        return self.activations[0]


class Machine:
    """A network prepared for fast enclosures in one float format's arithmetic.

    Args:
        net: the network; constants that the format does not hold may be rounded to it.
        form: the format.
        library: whether the bounds allow for the errors of library functions; not for bounds on
            exact values alone.
    """

    def __init__(self, net: Network, form: Format, *, library: bool = False) -> None:
        self.form = form
        self.rounding = Rounding.of(form, library=library)
        self.layers = [_float_layer(layer, form) for layer in net.layers]
        self.nodes, self.output = net.wiring.layers, net.wiring.output
        self.never_rounds = self._never_rounds()

    @staticmethod
    def can_run(net: Network) -> bool:
        """Return whether every layer is small enough, and within range, for doubles."""
        return all(
            layer.n_in * layer.n_out <= LARGEST_DENSE
            and _in_range(layer.weight.exact())
            and (layer.bias is None or _in_range(layer.bias.exact()))
            for layer in net.layers
        )

    def _never_rounds(self) -> bool:
        """Return whether the grid rule holds for every sum on every input at once."""
        high = np.ones(len(self.layers[0].weight))
        values = {INPUT: (np.zeros_like(high), high, np.zeros(len(high), dtype=np.int64))}
        for node, layer in zip(self.nodes, self.layers, strict=True):
            low, high, grids = node.take(values, join_tuples)
            if layer.activation.rounds or layer.off or len(layer.activations) > 1:
                return False
            up, down = np.maximum(layer.weight, 0), np.minimum(layer.weight, 0)
            with np.errstate(over="ignore", invalid="ignore"):
                positive = high @ up + low @ down + np.maximum(layer.bias, 0)
                negative = -(low @ up + high @ down + np.minimum(layer.bias, 0))
            unit = self._units(layer, grids)
            if not self._fits(np.maximum(positive, negative), unit).all():
                return False
            low, high = layer.activation.image(-negative, positive)
            values[node.name] = (low, high, layer.activation.rule.grid(layer.activation, unit))
        return True

    def enclose(self, inputs: UInt8[np.ndarray, "batch n_in"]) -> Enclosure:
        """Return the raw outputs on the given rows with their bounds."""
        bits = inputs.astype(np.float64)
        if self.never_rounds:
            plain = {INPUT: bits}
            for node, layer in zip(self.nodes, self.layers, strict=True):
                sums = node.take(plain, join_arrays) @ layer.weight + layer.bias
                plain[node.name] = layer.activation.plain(sums)
            values = self.output.take(plain, join_arrays)
            return Enclosure(values, np.zeros_like(values), rounds=False)
        enclosed = {INPUT: (bits, np.zeros_like(bits), np.zeros(bits.shape[1], dtype=np.int64))}
        rounds = False
        with np.errstate(all="ignore"):
            for node, layer in zip(self.nodes, self.layers, strict=True):
                values, errors, grids = self._affine(layer, *node.take(enclosed, join_tuples))
                values, errors = bounded(values, errors)
                rounds = rounds or bool(errors.any())
                values, errors = bounded(*self._activated(layer, values, errors))
                rounds = rounds or bool(errors.any())
                grids = layer.activation.rule.grid(layer.activation, grids)
                enclosed[node.name] = (values, errors, grids)
        values, errors, _ = self.output.take(enclosed, join_tuples)
        return Enclosure(values, errors, rounds)

    def largest_error(self) -> float:
        """Return a bound on the errors of :meth:`enclose` on any row, by the ranges of the sums.

        Infinite where a layer is neither relus nor sums: curves and constants are bounded row by
        row alone.
        """
        high = np.ones(len(self.layers[0].weight))
        ranges = {INPUT: (np.zeros_like(high), high, np.zeros_like(high))}
        with np.errstate(over="ignore", invalid="ignore"):
            for node, layer in zip(self.nodes, self.layers, strict=True):
                if layer.activation.kind not in ("relu", "identity"):
                    return np.inf
                low, high, errors = node.take(ranges, join_tuples)
                up, down = np.maximum(layer.weight, 0), np.minimum(layer.weight, 0)
                size = (np.maximum(np.abs(low), np.abs(high)) + 2 * errors) * SLACK
                total = size @ (up - down) + np.abs(layer.bias)
                carried = errors @ (up - down)
                bound = sum_bound(total, carried, len(up), self.rounding, off=layer.off) * SLACK
                if not np.isfinite(bound).all():
                    return np.inf
                ends = low @ up + high @ down, high @ up + low @ down
                low, high = layer.activation.image(*(end + layer.bias for end in ends))
                ranges[node.name] = (low, high, bound)
            _, _, errors = self.output.take(ranges, join_tuples)
        return float(errors.max(initial=0.0))

    def _activated(
        self,
        layer: _FloatLayer,
        sums: Float64[np.ndarray, "batch n_out"],
        errors: Float64[np.ndarray, "batch n_out"],
    ) -> tuple[Float64[np.ndarray, "batch n_out"], Float64[np.ndarray, "batch n_out"]]:
        """Return the activations of sums, with bounds that hold however constants are rounded."""
        values, bound = layer.activation.enclosed(sums, errors, self.rounding)
        for other in layer.activations[1:]:
            others, own = other.enclosed(sums, errors, self.rounding)
            bound = np.maximum(bound, (own + np.abs(others - values)) * SLACK)
        return values, bound

    def _affine(
        self,
        layer: _FloatLayer,
        values: Float64[np.ndarray, "batch n_in"],
        errors: Float64[np.ndarray, "batch n_in"],
        grids: Int64[np.ndarray, " n_in"],
    ) -> tuple[
        Float64[np.ndarray, "batch n_out"],
        Float64[np.ndarray, "batch n_out"],
        Int64[np.ndarray, " n_out"],
    ]:
        """Return the sums of a layer, their bounds, and the grids they lie on if exact."""
        weight, magnitude = layer.weight, np.abs(layer.weight)
        sums = values @ weight + layer.bias
        is_exact, unit = self._on_grid(layer, values, errors, grids, sums)
        if is_exact.all():
            return sums, np.zeros_like(sums), unit
        carried = errors @ magnitude
        total = (np.abs(values) + errors) @ magnitude + np.abs(layer.bias)
        bound = sum_bound(total, carried, weight.shape[0], self.rounding, off=layer.off)
        return sums, np.where(is_exact, 0.0, bound), unit

    def _on_grid(
        self,
        layer: _FloatLayer,
        values: Float64[np.ndarray, "batch n_in"],
        errors: Float64[np.ndarray, "batch n_in"],
        grids: Int64[np.ndarray, " n_in"],
        sums: Float64[np.ndarray, "batch n_out"],
    ) -> tuple[Bool[np.ndarray, "batch n_out"], Int64[np.ndarray, " n_out"]]:
        """Return where the grid rule holds, and the exponent of each unit's grid."""
        weight = layer.weight
        unit = self._units(layer, grids)
        positive = np.maximum(values, 0) @ np.maximum(weight, 0) + np.maximum(layer.bias, 0)
        if (values < 0).any():
            positive += np.minimum(values, 0) @ np.minimum(weight, 0)
        is_exact = self._fits(np.maximum(positive, positive - sums), unit)
        if layer.off:
            is_exact[:] = False
        if errors.any():  # counted, since small errors times small weights underflow to 0
            is_exact &= (errors > 0).astype(np.float64) @ (weight != 0).astype(np.float64) == 0
            is_exact &= np.isfinite(errors).all(axis=1, keepdims=True)  # 0 times an infinity is NaN
        return is_exact, unit

    def _units(
        self, layer: _FloatLayer, grids: Int64[np.ndarray, " n_in"]
    ) -> Int64[np.ndarray, " n_out"]:
        """Return the exponent of the grid that all products of each sum, and its bias, lie on."""
        return np.minimum((grids[:, None] + layer.grid).min(axis=0), layer.bias_grid)

    def _fits(
        self, larger: Float64[np.ndarray, "*batch n_out"], unit: Int64[np.ndarray, " n_out"]
    ) -> Bool[np.ndarray, "*batch n_out"]:
        """Return where sums of at most ``larger`` on grids of ``2**unit`` are never rounded."""
        form = self.form
        # below 53 bits the sums of magnitudes are exact where they matter; at 53 leave room
        room = SLACK if form.precision == 53 else 1.0
        fits = larger * room <= np.ldexp(1.0, np.minimum(unit + form.precision, 1023))
        return fits & (larger <= float(form.largest)) & (unit >= form.smallest)


def sum_bound(
    total: Float64[np.ndarray, "*shape"],
    carried: Float64[np.ndarray, "*shape"] | float,
    products: int,
    rounding: Rounding,
    *,
    off: float = 0.0,
) -> Float64[np.ndarray, "*shape"]:
    """Return how far sums of products computed in double may be from what they stand for.

    That is: from the exact sums of the exact factors, and from what any order of summation in
    the arithmetic of ``rounding`` gives. The derivation is the standard one of this file's head,
    once for the roundings of that arithmetic and once for those of double; ``rounding.unit``
    holds both units, and ``(1 + u)**n - 1 + (1 + v)**n - 1 <= (1 + u + v)**n - 1``.

    Args:
        total: the sum of the terms' magnitudes, those of the factors enlarged by their errors.
        carried: the factors' errors times the weights' magnitudes.
        products: how many products each sum has, beside its bias.
        rounding: the arithmetic.
        off: relative distance of the weights to the stored ones.
    """
    terms = products + 2
    growth = growth_of(products, rounding) + off
    tiny = terms * rounding.tiny
    bound = (carried + growth * total + tiny * (1 + growth)) * SLACK
    may_overflow = total > rounding.largest / ((1 + growth) * SLACK)
    bound[may_overflow] = np.inf
    return bound


def growth_of(products: int, rounding: Rounding) -> float:
    """Return how much a sum of products and a bias may grow, rounded up."""
    return float(np.expm1((products + 2) * np.log1p(rounding.unit))) * SLACK


def bounded(
    values: Float64[np.ndarray, "batch n_out"], errors: Float64[np.ndarray, "batch n_out"]
) -> tuple[Float64[np.ndarray, "batch n_out"], Float64[np.ndarray, "batch n_out"]]:
    """Return the bounds with every value finite: what overflowed is 0, off by anything."""
    is_known = np.isfinite(values) & np.isfinite(errors)
    if is_known.all():
        return values, errors
    return np.where(is_known, values, 0.0), np.where(is_known, errors, np.inf)


def _in_range(exact: Dyadic) -> bool:
    """Return whether the nearest doubles are finite, and rounded by a relative error alone."""
    floats = exact.to_floats()
    is_normal = (np.abs(floats) >= SMALLEST_NORMAL) | (exact.integers == 0)
    return bool(np.isfinite(floats).all()) and (bool(is_normal.all()) or exact.is_double)


def _float_layer(layer: Layer, form: Format) -> _FloatLayer:
    limits.check(24 * layer.n_in * layer.n_out)  # weights, their transpose and their grid
    weight, bias = layer.weight.exact(), layer.bias.exact() if layer.bias is not None else None
    floats = weight.to_floats().T
    bias_floats = bias.to_floats() if bias is not None else np.zeros(layer.n_out)
    is_stored = weight.is_double and (bias is None or bias.is_double)
    return _FloatLayer(
        weight=np.ascontiguousarray(floats),
        bias=bias_floats,
        off=0.0 if is_stored else 2 * DOUBLE_UNIT,
        grid=lowest_bits(floats),
        bias_grid=lowest_bits(bias_floats),
        activations=variants(layer.activation, form),
    )
