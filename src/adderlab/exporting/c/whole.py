"""A network in whole numbers of the narrowest types that hold them, with nothing rounded.

Rule: whatever is computed lies in a range that is derived here: each weight less its zero, each
product, each partial sum in the order in which it is taken, and each value. A type holds all of a
layer, so no operation overflows, whatever the width of ``int``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.exporting.c.expressions import whole_lines
from adderlab.exporting.c.plan import LayerPlan, Plan, Source, layer_title, too_wide
from adderlab.exporting.c.stored import Stored, stored
from adderlab.exporting.c.tables import Table, signed_type, unsigned_type
from adderlab.nets import Layer, Network
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.scaled import Bends, exponent_of, shifted, value_exponent, whole_bends
from adderlab.nets.wiring import INPUT

_INT64: Final = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """What a layer gives, with bounds of each unit, in units of ``2**exponent``."""

    source: Source
    exponent: int
    low: Any
    high: Any


class _Span:
    """The range of whatever is computed in one type."""

    def __init__(self) -> None:
        self.low, self.high = 0, 0

    def add(self, *numbers: Any) -> None:
        for own in numbers:
            array = np.asarray(own)
            if array.size:
                self.low = min(self.low, int(array.min()))
                self.high = max(self.high, int(array.max()))

    def type(self, where: str) -> str:
        kind = signed_type(self.low, self.high)
        if kind is None:
            raise too_wide(where)
        return kind


def whole_plan(net: Network, base: str) -> Plan:
    """Return a network whose activations are all straight lines in whole numbers.

    Raises:
        NetworkError: something takes more than 64 bits.
    """
    zeros, ones = np.zeros(net.n_in, np.int64), np.ones(net.n_in, np.int64)
    values = {INPUT: _Values(Source(INPUT, net.n_in, "uint8_t"), 0, zeros, ones)}
    layers: list[LayerPlan] = []
    out = net.output_layers
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        limits.check()
        taken, exponent = _joined([values[name] for name in node.reads])
        own, exponent = _layer(layer, node.name, node.reads, taken, exponent, base)
        layers.append(own.plan)
        source = Source(node.name, layer.n_out, own.plan.value_type)
        values[node.name] = _Values(source, exponent, own.low, own.high)
    taken, exponent = _joined([values[name] for name in out])
    span = _Span()
    for part in taken:
        span.add(part.low, part.high)
    least, most = span.low, span.high
    threshold, raw_of_1 = None, None
    if net.readout.kind == "threshold":
        limit = Fraction(net.readout.threshold) / Fraction(2) ** exponent
        is_strict = net.readout.convention == ">"
        edge = math.floor(limit) + 1 if is_strict else math.ceil(limit)  # the least that reads as 1
        edge = min(max(edge, least), most + 1)
        span.add(least - 1, most + 1)
        kind = span.type("the outputs")
        written = edge - 1 if is_strict else edge
        threshold = Table("threshold", np.array([written], dtype=object), kind)
    else:
        unit = Fraction(2) ** -exponent
        if unit.denominator == 1 and unit <= most:
            raw_of_1 = str(unit.numerator)
        kind = span.type("the outputs")
    if len(out) == 1:  # the last layer writes the raw outputs themselves
        layers[-1] = replace(layers[-1], value_type=kind)
        taken = [replace(taken[0], source=replace(taken[0].source, type=kind))]
    return Plan(
        tuple(layers),
        tuple(part.source for part in taken),
        kind,
        exponent,
        threshold,
        net.readout.convention,
        raw_of_1,
        (),
        ("Exact arithmetic in whole numbers: nothing is rounded, and no sum leaves its type.",),
    )


def _joined(parts: Sequence[_Values]) -> tuple[list[_Values], int]:
    """Return what is read together in one unit, the least of all."""
    exponent = min(part.exponent for part in parts)
    joined: list[_Values] = []
    for part in parts:
        factor = 1 << part.exponent - exponent
        low, high = (_times(end, factor) for end in (part.low, part.high))
        source = replace(part.source, factor=factor)
        joined.append(_Values(source, exponent, low, high))
    return joined, exponent


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    plan: LayerPlan
    low: Any
    high: Any


def _layer(
    layer: Layer,
    name: str,
    reads: tuple[str, ...],
    taken: Sequence[_Values],
    exponent: int,
    base: str,
) -> tuple[_Layer, int]:
    """Return a layer that reads values in units of ``2**exponent``, and the exponent of its own."""
    pieces = [layer.activation.of_unit(unit).pieces for unit in range(layer.n_out)]
    kinds = [own for own in dict.fromkeys(pieces) if own is not None]
    weight = _with_whole_zero(stored(layer.weight), layer)
    scale = weight.scale or Dyadic(np.ones((), np.int64))
    bias = Dyadic(np.zeros(layer.n_out, np.int64)) if layer.bias is None else layer.bias.exact()
    power = weight.numbers.exponent + exponent
    at = min(
        (
            *_exponents(scale, power),
            *_exponents(bias),
            *(exponent_of(Fraction(knot)) for own in kinds for knot in own.knots if knot),
        ),
        default=0,
    )
    factors = np.array(
        [shifted(int(n), power + scale.exponent - at) if n else 0 for n in scale.integers.flat],
        dtype=object,
    )
    biases = np.array(
        [shifted(int(n), bias.exponent - at) if n else 0 for n in bias.integers.flat], dtype=object
    )
    span, x_span = _Span(), _Span()
    low, high = (np.concatenate(ends) for ends in ([p.low for p in taken], [p.high for p in taken]))
    x_span.add(low, high)
    x_type = taken[0].source.type
    if len(taken) > 1 or taken[0].source.factor > 1:
        x_type = x_span.type(name)
    sums = _sums(weight, low, high, span)
    totals = [_times(end, factors) for end in sums]
    span.add(*totals)
    totals = [np.minimum(*totals), np.maximum(*totals)]
    totals = [_plus(end, biases) for end in totals]
    span.add(*totals)
    sum_type = span.type(name)
    out = value_exponent(kinds, at)
    bends = {own: whole_bends(own, at, out) for own in kinds}
    ends, steps = _images([bends[own] for own in pieces if own is not None], *totals)
    values = _Span()
    values.add(*ends, steps)
    value_type = values.type(name)
    slope = None
    if len(kinds) > 1:  # a prelu, whose units differ in the slope below 0
        slopes = [bends[own].lines[0].factor for own in pieces if own is not None]
        kind = signed_type(min(slopes), max(slopes))
        if kind is None:
            raise too_wide(name)
        slope = Table(f"{name}_slope", np.array(slopes, dtype=object), kind)
    text = whole_lines(
        bends[kinds[0]], sum_type, value_type, f"{base}_{slope.name}[unit]" if slope else ""
    )
    tables = _tables(layer, name, weight, factors, biases, at)
    unit = f" in units of 2^{at}" if at else ""
    ends_text = f"{int(totals[0].min())}..{int(totals[1].max())}"
    about = (
        layer_title(layer, name, reads),
        f"sums lie in {ends_text}{unit}; {sum_type} holds each sum, product and partial sum",
        *_scale_text(weight, factors, at, exponent),
    )
    plan = LayerPlan(
        name,
        about,
        tuple(part.source for part in taken),
        layer.n_out,
        x_type,
        sum_type,
        value_type,
        text,
        slope=slope,
        **tables,
    )
    return _Layer(plan, *ends), out


def _exponents(values: Dyadic, power: int = 0) -> list[int]:
    """Return the exponents of the lowest bits of numbers that are not 0, times ``2**power``."""
    numbers = set(values.integers.ravel().tolist()) - {0}
    return [power + values.exponent + exponent_of(Fraction(int(n))) for n in numbers]


def _with_whole_zero(weight: Stored, layer: Layer) -> Stored:
    """Return a weight whose zeros lie on the grid of its numbers; else what the values are."""
    if weight.zero is None or not weight.zero.largest:
        return replace(weight, zero=None)
    if weight.numbers.exponent == 0 and weight.zero.exponent >= 0:
        return replace(weight, zero=weight.zero.rescaled(0))
    return Stored(layer.weight.exact(), 0, None, None, None)


def _sums(weight: Stored, low: Any, high: Any, span: _Span) -> tuple[Any, Any]:
    """Return bounds on each unit's sum of products, and count whatever is computed on the way."""
    numbers = weight.numbers.integers
    if weight.zero is not None:
        zero = weight.zero.integers
        numbers = _plus(numbers, -(zero[:, None] if zero.shape else zero))
        span.add(zero, numbers)
    span.add(weight.numbers.integers)
    structure = weight.structure
    if structure is not None:
        columns = structure.indices.astype(np.int64)
        low, high = low[columns], high[columns]
    if not numbers.size:
        empty = np.zeros(structure.shape[0] if structure is not None else 0, np.int64)
        return empty, empty
    ends = _times(numbers, low), _times(numbers, high)
    least, most = np.minimum(*ends), np.maximum(*ends)
    span.add(least, most)
    least, most = _running(least), _running(most)
    if structure is None:
        span.add(least, most)
        return least[:, -1], most[:, -1]
    pointers = structure.indptr.astype(np.int64)
    sums: list[Any] = []
    for running in (least, most):
        before = np.concatenate([np.zeros(1, running.dtype), running])
        span.add(running - before[pointers[structure.row_of_entry()]])
        sums.append(before[pointers[1:]] - before[pointers[:-1]])
    return sums[0], sums[1]


def _running(values: Any) -> Any:
    """Return the sums of rows up to each place."""
    if values.dtype != object and int(np.abs(values).max()) * values.size >= _INT64:
        values = values.astype(object)
    return np.cumsum(values, axis=-1, dtype=values.dtype)


def _times(left: Any, right: Any) -> Any:
    """Return products, exactly."""
    product = Dyadic(np.asarray(left)).times(Dyadic(np.asarray(right)))
    return product.integers


def _plus(left: Any, right: Any) -> Any:
    """Return sums, exactly."""
    return Dyadic(np.asarray(left)).plus(Dyadic(np.asarray(right))).integers


def _images(bends: Sequence[Bends], low: Any, high: Any) -> tuple[tuple[Any, Any], list[int]]:
    """Return bounds on each unit's value, and whatever is computed on a line before its shift."""
    kept: dict[tuple[int, int, int], tuple[int, int]] = {}
    steps: list[int] = []
    ends: list[tuple[int, int]] = []
    rows = zip(bends, low.tolist(), high.tolist(), strict=True)
    for own, least, most in limits.each(rows):
        key = id(own), least, most
        if key not in kept:
            kept[key] = own.image(least, most)
            steps += _steps(own, least, most)
        ends.append(kept[key])
    columns = [np.array(column, dtype=object) for column in zip(*ends, strict=True)]
    return (_narrow(columns[0]), _narrow(columns[1])), steps


def _steps(bends: Bends, low: int, high: int) -> list[int]:
    """Return ``factor * s`` at the ends of each line that has a factor, and the factors."""
    borders = (low, *bends.knots, high)
    steps: list[int] = []
    for line, (first, last) in zip(bends.lines, pairwise(borders), strict=True):
        first, last = max(first, low), min(last, high)
        if line.factor and first <= last:
            steps += [line.factor, line.factor * first, line.factor * last]
    return steps


def _narrow(numbers: Any) -> Any:
    return numbers.astype(np.int64) if Dyadic(numbers).largest < _INT64 else numbers


def _tables(
    layer: Layer, name: str, weight: Stored, factors: Any, biases: Any, at: int
) -> dict[str, Table | None]:
    """Return the tables of a layer by their fields."""
    tables: dict[str, Table | None] = {"weight": None}
    if weight.numbers.integers.size:
        tables["weight"] = _held(weight.table(f"{name}_weight"), name)
    structure = weight.structure
    if structure is not None and tables["weight"] is not None:
        for field, numbers in (("indptr", structure.indptr), ("indices", structure.indices)):
            tables[field] = Table(f"{name}_{field}", numbers, unsigned_type(int(numbers.max())))
    if weight.zero is not None:
        tables["zero"] = _whole_table(f"{name}_zero", weight.zero.integers.ravel(), name)
    if (factors != 1).any():
        tables["scale"] = _whole_table(f"{name}_scale", factors, name)
    if layer.bias is not None:
        own = stored(layer.bias)
        is_plain = own.scale is None and own.numbers.exponent == at == 0
        tables["bias"] = (
            _held(own.table(f"{name}_bias"), name)
            if is_plain
            else _whole_table(f"{name}_bias", biases, name)
        )
    return tables


def _whole_table(name: str, numbers: Any, where: str) -> Table:
    kind = signed_type(int(numbers.min()), int(numbers.max()))
    if kind is None:
        raise too_wide(where)
    return Table(name, numbers, kind)


def _held(table: Table | None, where: str) -> Table:
    if table is None:
        raise too_wide(where)
    return table


def _scale_text(weight: Stored, factors: Any, at: int, exponent: int) -> list[str]:
    if not (factors != 1).any():
        return []
    if weight.scale is None:
        return ["products are brought to the unit of the bias"]
    return [f"scales are in units of 2^{at - exponent - weight.numbers.exponent}"]
