"""What the prover must agree with, said again in the plainest way: fractions, one row at a time.

Nothing here uses the package's arithmetic, rounding or evaluation: only its data.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from exact import bit_of, raw_outputs, straight, weights_and_biases

from adderlab.nets import Activation, Network, Readout
from adderlab.tasks import Task

# precision, exponent of the smallest subnormal, largest finite value, has infinities
FLOATS = {
    "fp64": (53, -1074, (2 - Fraction(1, 2**52)) * 2**1023, True),
    "fp32": (24, -149, (2 - Fraction(1, 2**23)) * 2**127, True),
    "fp16": (11, -24, Fraction(65504), True),
    "bf16": (8, -133, (2 - Fraction(1, 2**7)) * 2**127, True),
    "fp8-e4m3": (4, -9, Fraction(448), False),
    "fp8-e5m2": (3, -16, Fraction(57344), True),
}

SAMPLES = int(os.environ.get("ADDERLAB_SOUNDNESS", "0"))
"""Random networks to judge in each sampled test, where that is more than the suite takes."""

Number = Fraction | float
"""A finite value, or an infinity; a NaN is written ``None``."""


@dataclass(frozen=True)
class TaskRow:
    """One row: its input bits, and the output bits asked for, ``None`` where any will do."""

    inputs: dict[str, int]
    bits: list[int]
    expected: list[int | None]


def rows_of(task: Task) -> list[TaskRow]:
    """Return a task's rows, from the first word's lowest value to the last one's highest."""
    result: list[TaskRow] = []
    for numbers in itertools.product(*(range(word.size) for word in task.inputs)):
        inputs = {word.name: n for word, n in zip(task.inputs, numbers, strict=True)}
        outputs = task.row_of(inputs).outputs
        bits = [int(c) for word in task.inputs for c in f"{inputs[word.name]:0{word.width}b}"]
        expected: list[int | None] = []
        for word in task.outputs:
            value = outputs[word.name]
            text = "?" * word.width if value is None else f"{value:0{word.width}b}"
            expected += [None if c == "?" else int(c) for c in text]
        result.append(TaskRow(inputs, bits, expected))
    return result


def is_right(bits: list[int | None], expected: list[int | None]) -> bool:
    """Return whether every output that matters is the bit asked for."""
    return all(bit in (None, got) for got, bit in zip(bits, expected, strict=True))


def words_of(task: Task, bits: list[int | None]) -> dict[str, int | None]:
    """Return the words that output bits make; ``None`` for one that has no bit."""
    words: dict[str, int | None] = {}
    place = 0
    for word in task.outputs:
        part = bits[place : place + word.width]
        words[word.name] = None if None in part else int("".join(map(str, part)), 2)
        place += word.width
    return words


@dataclass(frozen=True)
class Judgement:
    """What a network does on all rows, by :func:`raw_outputs`."""

    wrong: list[int]
    right: int
    raw: list[list[Fraction]]
    of_0: Fraction | None
    of_1: Fraction | None


def judge(net: Network, task: Task) -> Judgement:
    """Return what exact arithmetic gives on every row."""
    rows = rows_of(task)
    raw = [raw_outputs(net, row.bits) for row in rows]
    wrong = [
        number
        for number, (row, values) in enumerate(zip(rows, raw, strict=True))
        if not is_right([bit_of(net.readout, value) for value in values], row.expected)
    ]
    threshold = Fraction(net.readout.threshold)
    sides: dict[int, list[Fraction]] = {0: [], 1: []}
    if net.readout.kind == "threshold":
        for row, values in zip(rows, raw, strict=True):
            for value, bit in zip(values, row.expected, strict=True):
                if bit is not None:
                    sides[bit].append((value - threshold) * (1 if bit else -1))
    lowest = {bit: min(result, default=None) for bit, result in sides.items()}
    return Judgement(wrong, len(rows) - len(wrong), raw, lowest[0], lowest[1])


def rounded(value: Number | None, name: str) -> Number | None:
    """Return a value rounded to a float format: to nearest, ties to even, no saturation."""
    if value is None or isinstance(value, float) or not value:
        return value
    precision, smallest, largest, has_infinity = FLOATS[name]
    size = abs(value)
    # 2**exponent <= size < 2**(exponent + 1)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent -= size < Fraction(2) ** exponent
    unit = Fraction(2) ** max(exponent - precision + 1, smallest)
    nearest = round(size / unit) * unit  # Python's round is to even
    if nearest > largest:
        if not has_infinity:
            return None
        return math.inf if value > 0 else -math.inf
    return nearest if value > 0 else -nearest


def product(weight: Fraction, value: Number | None, name: str) -> Number | None:
    """Return the rounded product of a stored weight and a format's value."""
    if isinstance(value, float):
        return None if not weight else math.copysign(value, value * (1 if weight > 0 else -1))
    return None if value is None else rounded(weight * value, name)


def plus(left: Number | None, right: Number | None, name: str) -> Number | None:
    """Return the rounded sum of two of a format's values."""
    if left is None or right is None:
        return None
    if isinstance(left, float) and isinstance(right, float):
        return left if left == right else None
    if isinstance(left, float) or isinstance(right, float):
        return left if isinstance(left, float) else right
    return rounded(left + right, name)


def format_activated(activation: Activation, value: Number | None, name: str) -> Number | None:
    """Return the activation of a format's sum."""
    if activation.kind == "step":
        is_on = value is not None and (value > 0 or (value == 0 and activation.convention == ">="))
        return Fraction(is_on)

    def constant(option: str) -> Number | None:  # rounded to the format too
        return rounded(Fraction(getattr(activation, option)), name)

    if value is None:  # what PyTorch 2.13 makes of NaN
        if activation.kind == "where":
            return None if activation.below is None else constant("below")
        return Fraction(0) if activation.kind in ("sign", "heaviside") else None
    if activation.kind == "relu":
        return value if value > 0 else Fraction(0)
    if activation.kind in ("leaky", "prelu"):
        slopes = activation.slopes or (activation.slope,)
        slope = rounded(Fraction(slopes[0]), name)
        assert isinstance(slope, Fraction)
        return value if value > 0 else product(slope, value, name)
    return straight(activation, value, constant)


def bit_in(readout: Readout, value: Number | None, name: str) -> int | None:
    """Return the bit of a format's output, the threshold rounded to the format."""
    threshold = rounded(Fraction(readout.threshold), name)
    assert isinstance(threshold, Fraction)
    return bit_of(replace(readout, threshold=float(threshold)), value)


def turns(order: str, row: list[Fraction], bias: Fraction) -> list[int]:
    """Return in which order an order given in words takes a unit's terms, the bias as the last."""
    last = len(row)
    numbers = [*range(last), last]
    weights = [*row, bias]
    if order.startswith("terms"):
        key = {
            "terms of positive weight first": lambda i: weights[i] <= 0,
            "terms of negative weight first": lambda i: weights[i] >= 0,
            "terms by growing weight": lambda i: abs(weights[i]),
            "terms by falling weight": lambda i: -abs(weights[i]),
        }[order]
        return sorted(numbers, key=key)
    first, second = order.split(", ")
    products = numbers[:-1][::-1] if "right to left" in order else numbers[:-1]
    assert first == "the bias" or second == "then the bias"
    return [last, *products] if first == "the bias" else [*products, last]


def own_turns(net: Network, task: Task, order: str) -> tuple[dict[tuple[int, int], list[int]], str]:
    """Return the turns of the units that an order names, and the order of all others.

    ``c0 as h2 + bias + h1; elsewhere left to right`` names one unit.
    """
    *named, rest = order.split("; ")
    several = len(net.layers) > 2
    columns = [list(task.input_bits)]
    for number, layer in enumerate(net.layers, 1):
        is_last = number == len(net.layers)
        units = [f"h{number}.{u}" if several else f"h{u}" for u in range(1, layer.n_out + 1)]
        columns.append(list(task.output_bits) if is_last else units)
    result: dict[tuple[int, int], list[int]] = {}
    for part in named:
        unit, terms = part.split(" as ")
        depth = next(d for d, column in enumerate(columns[1:]) if unit in column)
        sources = [*columns[depth], "bias"]
        result[depth, columns[depth + 1].index(unit)] = [
            sources.index(t) for t in terms.split(" + ")
        ]
    return result, rest.removeprefix("elsewhere ")


def in_order(
    net: Network, bits: list[int], name: str, order: str, task: Task | None = None
) -> list[Number | None]:
    """Return the raw outputs of one row in a format, summed in an order given in words."""
    own, order = own_turns(net, task, order) if task is not None else ({}, order)
    values: list[Number | None] = [Fraction(bit) for bit in bits]
    for depth, layer in enumerate(net.layers):
        weight, bias = weights_and_biases(layer)
        result: list[Number | None] = []
        for unit, (row, start) in enumerate(zip(weight, bias, strict=True)):
            terms = [product(w, x, name) for w, x in zip(row, values, strict=True)]
            terms.append(start)
            total, *rest = [terms[i] for i in own.get((depth, unit), turns(order, row, start))]
            for term in rest:
                total = plus(total, term, name)
            result.append(format_activated(layer.activation, total, name))
        values = result
    return values


def all_sums(terms: list[Number | None], name: str) -> set[Number | None]:
    """Return every result of adding the terms two by two, in every order and grouping."""
    of: dict[int, set[Number | None]] = {1 << i: {term} for i, term in enumerate(terms)}
    for subset in range(1, 1 << len(terms)):
        if subset in of:
            continue
        result: set[Number | None] = set()
        part = (subset - 1) & subset
        while part > subset ^ part:  # each split into two once
            result |= {plus(a, b, name) for a in of[part] for b in of[subset ^ part]}
            part = (part - 1) & subset
        of[subset] = result
    return of[(1 << len(terms)) - 1]


def all_outputs(net: Network, bits: list[int], name: str) -> Iterator[tuple[Number | None, ...]]:
    """Yield every raw output of one row that some order of summation of each unit gives."""
    vectors: set[tuple[Number | None, ...]] = {tuple(Fraction(bit) for bit in bits)}
    for layer in net.layers:
        weight, bias = weights_and_biases(layer)
        following: set[tuple[Number | None, ...]] = set()
        for values in vectors:
            units: list[set[Number | None]] = []
            for row, start in zip(weight, bias, strict=True):
                terms = [product(w, x, name) for w, x in zip(row, values, strict=True)]
                terms += [start] if layer.bias is not None else []
                sums = all_sums(terms, name)
                units.append({format_activated(layer.activation, s, name) for s in sums})
            following |= set(itertools.product(*units))
        vectors = following
    yield from vectors
