"""What a network computes on given rows, exactly.

Rule: no floating point decides anything here. Sums and activations of straight lines are done in
whole numbers that share a power of two; a row of quotients in fractions; curves, whose values are
no fractions, are enclosed between two fractions by ball arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from adderlab import limits
from adderlab.blocks.numbers import counted
from adderlab.errors import NetworkError
from adderlab.nets.activations import Activation
from adderlab.nets.activations.precision import ball_precision
from adderlab.nets.dyadic import Dyadic, join
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import Values
from adderlab.nets.tensors import Sparse, entries_of, structure_of
from adderlab.nets.wiring import INPUT, join_lists

if TYPE_CHECKING:
    from jaxtyping import Int64, UInt8

Activate: TypeAlias = Callable[[Activation, Dyadic], Dyadic]
Ends: TypeAlias = tuple[Fraction, Fraction]

GATHER_LIMIT: Final = 1 << 22
"""Numbers that one gather of a sparse product may hold at once (32 MB of int64)."""

TINY_BITS: Final = 1 << 14
"""Values below ``2**-TINY_BITS`` are enclosed by that bound: doubles end at ``2**-1074``."""

GATHER_OBJECTS: Final = 1 << 17
"""The same of Python's own integers, of any size: about 10 MB where they are of 500 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerStep:
    """One layer's work on given rows: the sums, and what the activation makes of them."""

    sums: Dyadic
    values: Dyadic


def is_exact(net: Network) -> bool:
    """Return whether the network's outputs are fractions: whether it is free of curves."""
    return all(layer.activation.is_exact for layer in net.layers)


def outputs(net: Network, inputs: UInt8[np.ndarray, "batch n_in"]) -> Dyadic:
    """Return the raw outputs on the given rows, exactly, as (batch, n_out).

    Raises:
        NetworkError: the rows have another number of bits, or the network has curves
            (whose outputs are no fractions; see :func:`enclose_row`).
    """
    values = {INPUT: _bits(net, inputs)}
    for _ in _steps(net, values):
        pass
    return net.wiring.output.take(values, join)


def trace(
    net: Network, inputs: UInt8[np.ndarray, "batch n_in"], *, activate: Activate = Activation.exact
) -> Iterator[LayerStep]:
    """Yield each layer's sums and activations on the given rows, exactly.

    Args:
        net: the network.
        inputs: rows of bits.
        activate: :meth:`Activation.nearest` takes curves in double; sums behind it are not exact.

    Raises:
        NetworkError: as :func:`outputs`.
    """
    yield from _steps(net, {INPUT: _bits(net, inputs)}, activate)


def _bits(net: Network, inputs: UInt8[np.ndarray, "batch n_in"]) -> Dyadic:
    if inputs.ndim != 2 or inputs.shape[1] != net.n_in:
        raise NetworkError(
            f"rows of shape {list(inputs.shape)} for a network of {counted(net.n_in, 'input')}",
            where="inputs",
            remedy=f"give shape [batch, {net.n_in}]",
        )
    return Dyadic(inputs.astype(np.int64))


def _steps(
    net: Network, values: dict[str, Dyadic], activate: Activate = Activation.exact
) -> Iterator[LayerStep]:
    """Yield each layer's step, and put its values among ``values``."""
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        sums = affine(layer, node.take(values, join))
        values[node.name] = activate(layer.activation, sums)
        yield LayerStep(sums, values[node.name])


def affine(layer: Layer, values: Dyadic) -> Dyadic:
    """Return ``W x + b`` for each row, exactly."""
    structure = structure_of(layer.weight)
    if structure is not None:
        sums = _sparse_product(structure, entries_of(layer.weight), values)
    else:
        exact = layer.weight.exact()
        sums = values.matmul(Dyadic(exact.integers.T, exact.exponent))
    return sums if layer.bias is None else sums.plus(layer.bias.exact())


def _sparse_product(weight: Sparse, entries: Dyadic, values: Dyadic) -> Dyadic:
    """Return ``W x`` by gathering each row's entries and summing them run by run."""
    pointers = weight.indptr.astype(np.int64)
    columns = weight.indices.astype(np.int64)
    filled = np.flatnonzero(np.diff(pointers))
    batch = values.shape[0]
    longest = int(np.diff(pointers).max(initial=0))
    fits = max(values.largest, 1) * max(entries.largest, 1) * max(longest, 1) < 1 << 62
    dtype: Any = np.int64 if fits else np.object_
    sums = np.zeros((batch, weight.shape[0]), dtype=dtype)
    most = GATHER_LIMIT if fits else GATHER_OBJECTS
    rows = max(1, most // max(columns.size, 1))
    numbers = entries.integers
    for first, last in _units_at_once(pointers, filled, max(most // rows, 1)):
        units = filled[first:last]
        begin, end = pointers[units[0]], pointers[units[-1] + 1]
        own, borders = numbers[begin:end].astype(dtype), pointers[units] - begin
        for start in range(0, batch, rows):
            limits.check()
            part = values.integers[start : start + rows].astype(dtype)
            products = part[:, columns[begin:end]] * own
            sums[start : start + rows, units] = np.add.reduceat(products, borders, axis=1)
    return Dyadic(sums, values.exponent + entries.exponent)


def _units_at_once(
    pointers: Int64[np.ndarray, " rows_and_one"], filled: Int64[np.ndarray, " units"], most: int
) -> Iterator[tuple[int, int]]:
    """Yield ranges of the filled rows that have about so many entries together."""
    ends = pointers[filled + 1]
    first = 0
    while first < len(filled):
        last = int(np.searchsorted(ends, pointers[filled[first]] + most, side="right"))
        last = max(last, first + 1)
        yield first, last
        first = last


def evaluate(
    net: Network, inputs: UInt8[np.ndarray, "batch n_in"], *, precision: int = 200
) -> tuple[Values, Values]:
    """Return two ends between which each raw output lies: equal ones where it is a fraction.

    Args:
        net: any network.
        inputs: rows of bits.
        precision: bits carried where outputs are no fractions.
    """
    if is_exact(net):
        raw = outputs(net, inputs)
        return raw, raw
    ends = np.empty((*inputs.shape[:1], net.n_out, 2), dtype=object)
    for row, bits in enumerate(inputs):
        ends[row] = enclose_row(net, bits, precision=precision)
    return ends[..., 0], ends[..., 1]


def row_ends(
    net: Network, inputs: UInt8[np.ndarray, " n_in"], *, precision: int = 200
) -> list[Ends]:
    """Return the ends of :func:`evaluate` for one row, as fractions."""
    if is_exact(net):
        raw = outputs(net, inputs[None])
        return [(raw.at(0, unit), raw.at(0, unit)) for unit in range(net.n_out)]
    return enclose_row(net, inputs, precision=precision)


def enclose_row(
    net: Network, inputs: UInt8[np.ndarray, " n_in"], *, precision: int = 200
) -> list[Ends]:
    """Return fractions between which each raw output of one row lies, curves included.

    Args:
        net: any network.
        inputs: one row of bits.
        precision: bits carried; more gives narrower enclosures.

    References:
        Johansson, "Arb: Efficient Arbitrary-Precision Midpoint-Radius Interval Arithmetic"
        (2017).
    """
    with _numbers(net, precision) as numbers:
        values = numbers.inputs(inputs)
        for _ in _row_steps(net, values, numbers):
            pass
        return numbers.ends(net.wiring.output.take(values, join_lists))


def enclose_layers(
    net: Network, inputs: UInt8[np.ndarray, " n_in"], *, precision: int = 200
) -> list[tuple[list[Ends], list[Ends]]]:
    """Return fractions between which each layer's sums, and its values, of one row lie.

    The arguments are those of :func:`enclose_row`.
    """
    with _numbers(net, precision) as numbers:
        steps = _row_steps(net, numbers.inputs(inputs), numbers)
        return [(numbers.ends(sums), numbers.ends(own)) for sums, own in steps]


@dataclass(frozen=True, slots=True)
class _Numbers:
    """What one row is computed in: fractions, or balls.

    Attributes:
        zero: the number 0.
        of: the number that an entry of a tensor is.
        activated: the activation of a sum.
        ends: both ends of numbers, as fractions.
    """

    zero: Any
    of: Callable[..., Any]
    activated: Callable[[Activation, Any], Any]
    ends: Callable[[list[Any]], list[Ends]]

    def inputs(self, bits: UInt8[np.ndarray, " n_in"]) -> dict[str, list[Any]]:
        """Return the values of the input bits, by the input's name."""
        row = Dyadic(bits.astype(np.int64))
        return {INPUT: [self.of(row, at) for at in range(len(bits))]}


FRACTIONS: Final = _Numbers(
    Fraction(0), Dyadic.at, Activation.fraction, lambda values: [(value, value) for value in values]
)


@contextmanager
def _numbers(net: Network, precision: int) -> Generator[_Numbers]:
    """Enter the arithmetic for a row: fractions for quotients and lines, else balls."""
    if not is_exact(net) and all(layer.activation.is_rational for layer in net.layers):
        yield FRACTIONS
        return
    from flint import arb  # only curves need it

    with ball_precision(precision):
        yield _Numbers(arb(0), _ball, Activation.ball, _ends)


def _row_steps(
    net: Network, values: dict[str, list[Any]], numbers: _Numbers
) -> Iterator[tuple[list[Any], list[Any]]]:
    """Yield each layer's sums and values on one row, and put the values among ``values``."""
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        before = node.take(values, join_lists)
        weight = layer.weight.exact()
        bias = layer.bias.exact() if layer.bias is not None else None
        sums: list[Any] = []
        for row in range(layer.n_out):
            total = numbers.of(bias, row) if bias is not None else numbers.zero
            for column, value in enumerate(before):
                if weight.integers[row, column]:
                    total += numbers.of(weight, row, column) * value
            sums.append(total)
        values[node.name] = [
            numbers.activated(layer.activation.of_unit(row), total)
            for row, total in enumerate(sums)
        ]
        yield sums, values[node.name]


def _ends(balls: list[Any]) -> list[Ends]:
    """Return both ends of balls as fractions.

    Raises:
        NetworkError: nothing is known of a value.
    """
    ends: list[Ends] = []
    for ball in balls:
        if not ball.is_finite():
            raise NetworkError(
                "a value is too large to be enclosed",
                where="network",
                remedy="take smaller weights",
            )
        (middle, off), (radius, more) = _nearby(ball.mid()), _nearby(ball.rad())
        low, high = middle - radius - off - more, middle + radius + off + more
        ends.append(
            (
                max(low, Fraction(0)) if ball > 0 else low,
                min(high, Fraction(0)) if ball < 0 else high,
            )
        )
    return ends


def _ball(values: Dyadic, *index: int) -> Any:
    from flint import arb

    return arb((int(values.integers[index]), values.exponent))


def _nearby(number: Any) -> tuple[Fraction, Fraction]:
    """Return the number that a ball of radius 0 is, and 0; 0 and a bound where it is tiny.

    The tails of curves have exponents of many digits, which no fraction could be written with.
    """
    mantissa, exponent = map(int, number.man_exp())
    if mantissa and exponent + abs(mantissa).bit_length() < -TINY_BITS:
        return Fraction(0), Fraction(1, 1 << TINY_BITS)
    return Fraction(mantissa) * Fraction(2) ** exponent, Fraction(0)
