"""A network and its task as an SMT-LIB script that is satisfiable exactly if an input is wrong.

Rule: whole numbers alone. Each layer's sums are scaled by the power of two that makes all of
their terms whole; each sum is a variable of its own, bound by an equation, which is the form
that linear arithmetic solvers decide fastest (`benchmarks/solvers.py`).

References:
    Barrett, Fontaine, Tinelli, "The SMT-LIB Standard: Version 2.6" (2021), https://smt-lib.org
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from adderlab.nets import Layer, Network
from adderlab.nets.activations import Pieces
from adderlab.nets.activations.piecewise import Line
from adderlab.nets.dyadic import dyadic_of
from adderlab.nets.unit_weights import stored_exponent, unit_rows
from adderlab.nets.wiring import INPUT
from adderlab.proving.scales import Scale, pieces_of_unit
from adderlab.proving.solver.specification import is_wrong, product, total, whole
from adderlab.tasks import Task


def to_script(net: Network, task: Task) -> str:
    """Return the script; its input bits are the variables ``i0``, ``i1``, … in order.

    Args:
        net: a network without curves.
        task: a task with a specification in SMT-LIB.
    """
    return "\n".join(_lines(net, task)) + "\n"


def _lines(net: Network, task: Task) -> Iterator[str]:
    names = [f"i{number}" for number in range(net.n_in)]
    bits = dict(zip(task.input_bits, names, strict=True))
    yield "(set-logic QF_LIA)"
    for name in names:
        yield f"(declare-const {name} Int) (assert (<= 0 {name} 1))"
    values = {INPUT: (names, 0)}
    for number, (node, layer) in enumerate(zip(net.wiring.layers, net.layers, strict=True), 1):
        sums, exponent = _sums(layer, *node.take(values, _join))
        names = []
        for unit, terms in enumerate(sums):
            name = f"s{number}_{unit}"
            yield f"(declare-const {name} Int) (assert (= {name} {terms}))"
            names.append(name)
        yield from _activated(layer, names, exponent, number)
        names = [f"h{number}_{unit}" for unit in range(layer.n_out)]
        values[node.name] = (names, _exponent_after(layer, exponent))
    names, exponent = net.wiring.output.take(values, _join)
    faults: list[str] = []
    for bit, name in zip(task.output_bits, names, strict=True):
        value, is_bit = _read(net, name, exponent)
        yield f"(define-fun o_{bit} () Int {value})"
        bits[bit] = f"o_{bit}"
        faults += [f"(not {is_bit})"] if is_bit else []
    yield f"(assert (or false {' '.join(faults)} {is_wrong(task, bits)}))"


def _join(parts: list[tuple[list[str], int]]) -> tuple[list[str], int]:
    """Return terms end to end, over one power of two."""
    low = min(exponent for _, exponent in parts)
    return [_on_scale(name, exponent, low) for names, exponent in parts for name in names], low


def _sums(layer: Layer, names: list[str], exponent: int) -> tuple[list[str], int]:
    """Return a layer's sums as terms, and the power of two that they are multiples of."""
    bias = layer.bias.exact() if layer.bias is not None else None
    low = at = stored_exponent(layer) + exponent
    if bias is not None:
        low = min(at, bias.exponent)
    sums: list[str] = []
    for unit, row in enumerate(unit_rows(layer, 1 << (at - low))):
        terms = [product(weight, names[column]) for column, weight in row if weight]
        offset = int(bias.integers[unit]) << (bias.exponent - low) if bias is not None else 0
        sums.append(total([*terms, whole(offset)] if offset or not terms else terms))
    return sums, low


def _activated(layer: Layer, names: list[str], exponent: int, number: int) -> Iterator[str]:
    activation = layer.activation
    scale = _scale(layer, exponent)
    for unit, name in enumerate(names):
        if activation.kind == "relu":
            term = f"(ite (> {name} 0) {name} 0)"
        elif activation.kind == "step":
            term = f"(ite ({activation.convention} {name} 0) 1 0)"
        else:
            term = _on_pieces(pieces_of_unit(activation, unit), name, scale)
        yield f"(define-fun h{number}_{unit} () Int {term})"


def _on_pieces(pieces: Pieces, name: str, scale: Scale) -> str:
    """Return a piecewise linear function of a sum as a term."""

    def on_line(line: Line) -> str:
        terms = [product(scale.slope(line.slope) * scale.up, name)] if line.slope else []
        offset = scale.value(line.intercept)
        return total([*terms, whole(offset)] if offset or not terms else terms)

    at = product(scale.up, name)
    term = on_line(pieces.lines[0])
    for (before, after), knot, value in zip(
        pairwise(pieces.lines), pieces.knots, pieces.values, strict=True
    ):
        limit = whole(scale.sum(knot))
        if before.at(knot) != value:
            term = f"(ite (= {at} {limit}) {whole(scale.value(value))} {term})"
        term = f"(ite (> {at} {limit}) {on_line(after)} {term})"
    return term


def _scale(layer: Layer, exponent: int) -> Scale:
    return Scale.of(
        [pieces_of_unit(layer.activation, number) for number in range(layer.n_out)], exponent
    )


def _exponent_after(layer: Layer, exponent: int) -> int:
    """Return the power of two that a layer's activated units are multiples of."""
    return _scale(layer, exponent).values


def _read(net: Network, name: str, exponent: int) -> tuple[str, str]:
    """Return an output's bit, and the condition under which it is a bit, if it may not be.

    Under an exact readout the bit is the output itself; an output that is no bit is wrong already,
    so linear arithmetic is enough.
    """
    readout = net.readout
    if readout.kind == "exact":
        value, unit = _on_scale(name, exponent, min(exponent, 0)), 1 << -min(exponent, 0)
        bit = value if unit == 1 else f"(ite (= {value} {unit}) 1 0)"
        return bit, f"(or (= {value} 0) (= {value} {unit}))"
    threshold: Any = dyadic_of(readout.threshold)
    low = min(exponent, threshold.exponent)
    limit = whole(int(threshold.integers[()]) << (threshold.exponent - low))
    return f"(ite ({readout.convention} {_on_scale(name, exponent, low)} {limit}) 1 0)", ""


def _on_scale(name: str, exponent: int, low: int) -> str:
    return product(1 << (exponent - low), name)
