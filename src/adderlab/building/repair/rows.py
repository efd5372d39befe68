"""The parameters of a network, and a row's outputs as functions of one of them.

Rule: with all other parameters fixed, every unit is a piecewise linear function of the parameter,
which may jump at steps. Only units that depend on it are computed; every other unit has the value
that it has on that row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any, Final

import numpy as np

from adderlab.building.repair.intervals import (
    IDENTITY,
    ZERO,
    Envelope,
    Interval,
    Intervals,
    Line,
    constant,
    sign,
    where_sign,
)
from adderlab.errors import NetworkError
from adderlab.formats import FORMATS, FP64, Format
from adderlab.nets import Activation, Network, Readout, read_bits, trace
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.network import map_parameters
from adderlab.nets.readout import read_bit
from adderlab.nets.state_dict import FORMAT_OF
from adderlab.nets.tensors import Dense, Packed, Tensor
from adderlab.tasks import Task

THRESHOLD: Final = "threshold"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A weight, a bias, or the readout's threshold.

    Attributes:
        tensor: the name of its tensor, or ``threshold``.
        index: its index in the tensor; empty for the threshold.
        value: its present value.
        form: the format that its tensor stores numbers in; a double for the threshold.
        layer: the number of its layer, from 0; for the threshold, the number of layers.
    """

    tensor: str
    index: tuple[int, ...]
    value: Fraction
    form: Format
    layer: int

    @property
    def name(self) -> str:
        """The tensor with the index: ``fc2.weight[1,2]``."""
        return f"{self.tensor}[{','.join(map(str, self.index))}]" if self.index else self.tensor

    @property
    def is_threshold(self) -> bool:
        """Whether it is the readout's threshold."""
        return self.tensor == THRESHOLD

    def changed(self, net: Network, value: Fraction) -> Network:
        """Return the network with another value of the parameter, without its training record."""
        if self.is_threshold:
            readout = replace(net.readout, threshold=float(value))
            return replace(net, readout=readout, training=None)

        def change(name: str, tensor: Tensor) -> Tensor:
            if name != self.tensor:
                return tensor
            assert isinstance(tensor, Dense | Packed)
            numbers: Any = np.array(tensor.numbers)
            numbers[self.index] = float(value) if self.form.kind == "float" else int(value)
            return replace(tensor, numbers=numbers)

        return replace(map_parameters(net, change), training=None)


def parameters_of(net: Network) -> Iterator[Parameter]:
    """Yield every weight and bias in order, then the threshold where the readout has one.

    Raises:
        NetworkError: a tensor is sparse, scaled or wide.
    """
    for number, layer in enumerate(net.layers):
        for part, tensor in (("weight", layer.weight), ("bias", layer.bias)):
            if tensor is not None:
                name = f"fc{number + 1}.{part}"
                values = tensor.exact()
                form = _storage(name, tensor, net)
                for index in product(*map(range, values.shape)):
                    yield Parameter(name, index, values.at(*index), form, number)
    if net.readout.kind == "threshold":
        yield Parameter(THRESHOLD, (), Fraction(net.readout.threshold), FP64, net.depth)


def _storage(name: str, tensor: Tensor, net: Network) -> Format:
    """Return the number format of a tensor's stored numbers."""
    if isinstance(tensor, Packed):
        if tensor.bits == 1:
            return FORMATS["binary"]
        if tensor.bits == 2 and net.format == "ternary":
            return FORMATS["ternary"]
        half = 1 << (tensor.bits - 1)
        return Format(f"int{tensor.bits}", tensor.bits, "integer", largest=half - 1, least=-half)
    if not isinstance(tensor, Dense):
        raise NetworkError(
            f"the tensor is {type(tensor).__name__.lower()}, and only dense and packed ones "
            "are repaired",
            where=name,
            remedy="store the network in a float format or in one of int2 to int32",
        )
    dtype = tensor.numbers.dtype
    if dtype in FORMAT_OF:
        return FORMATS[FORMAT_OF[dtype]]
    limits = np.iinfo(dtype)
    return Format(
        str(dtype), limits.bits, "integer", largest=int(limits.max), least=int(limits.min)
    )


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the task, evaluated on the network.

    Attributes:
        number: its number in the task.
        values: the inputs, then each layer's activations.
        sums: each layer's sums.
        expected: the output bits; ``None`` for an output that does not matter.
        is_right: for each output, whether it reads as expected.
    """

    number: int
    values: list[list[Fraction]]
    sums: list[list[Fraction]]
    expected: list[int | None]
    is_right: list[bool]


class Rows:
    """A network evaluated on every row of a task.

    Attributes:
        net: the network.
        readout: the network's.
        wrong: the rows with a wrong bit.
        right: the others.
    """

    def __init__(self, net: Network, task: Task) -> None:
        self.net, self.readout = net, net.readout
        self._pieces = [_pieces(layer.activation) for layer in net.layers]
        self._has_kink = [bool(layer.activation.rule.kink) for layer in net.layers]
        self._weights = [
            [_fractions(weight, unit) for unit in range(weight.shape[0])]
            for weight in (layer.weight.exact() for layer in net.layers)
        ]
        self._limits = [constant(_limit(net.readout, bit)) for bit in (0, 1)]
        self._right_signs = [_right_signs(net.readout, bit) for bit in (0, 1)]
        rows = _rows(net, task)
        self.wrong = [row for row in rows if not all(row.is_right)]
        self.right = [row for row in rows if all(row.is_right)]

    def allowed(self, row: Row, parameter: Parameter, within: Intervals) -> Intervals:
        """Return the values in ``within`` that make every bit of the row right."""
        intervals: list[Interval] = []
        for cell, lines in self._outputs(row, parameter, within):
            part: Interval | None = cell
            for output, bit in enumerate(row.expected):
                if part is None or bit is None:
                    continue
                if output in lines or parameter.is_threshold:
                    value, limit = self._compared(row, output, lines, parameter)
                    part = where_sign(value.minus(limit), part, self._right_signs[bit])
                elif not row.is_right[output]:
                    part = None
            if part is not None:
                intervals.append(part)
        return Intervals.of(intervals)

    def distances(
        self, row: Row, parameter: Parameter, within: Intervals
    ) -> Iterator[tuple[int, Envelope]]:
        """Yield each output that matters, with its signed distance to the threshold."""
        cells = list(self._outputs(row, parameter, within))
        for output, bit in enumerate(row.expected):
            if bit is not None:
                pairs = [
                    (cell, *self._compared(row, output, lines, parameter)) for cell, lines in cells
                ]
                yield (
                    output,
                    [
                        (cell, value.minus(limit) if bit else limit.minus(value))
                        for cell, value, limit in pairs
                    ],
                )

    def is_tied(self, row: Row, output: int) -> bool:
        """Return whether an output is right and exactly on the threshold."""
        return row.is_right[output] and row.values[-1][output] == self.readout.threshold

    def _compared(
        self, row: Row, output: int, lines: dict[int, Line], parameter: Parameter
    ) -> tuple[Line, Line]:
        """Return an output, and what it is compared with: the threshold or the expected bit."""
        value = lines.get(output) or constant(row.values[-1][output])
        limit = IDENTITY if parameter.is_threshold else self._limits[row.expected[output] or 0]
        return value, limit

    def _outputs(
        self, row: Row, parameter: Parameter, within: Intervals
    ) -> Iterator[tuple[Interval, dict[int, Line]]]:
        """Yield the cells that ``within`` consists of, with the outputs that change on each."""
        sums: dict[int, Line] = {}
        if not parameter.is_threshold:
            unit, *source = parameter.index  # a weight's source; a bias has none
            factor = row.values[parameter.layer][source[0]] if source else Fraction(1)
            if factor:
                rest = row.sums[parameter.layer][unit] - factor * parameter.value
                sums[unit] = Line(factor, rest)
        for part in within.parts:
            yield from self._propagate(row, parameter.layer, sums, part)

    def _propagate(
        self, row: Row, layer: int, sums: dict[int, Line], cell: Interval
    ) -> Iterator[tuple[Interval, dict[int, Line]]]:
        """Yield the parts of a cell, and the outputs that change on each with a layer's sums."""
        if not sums:
            yield cell, {}
            return
        roots = [line.root for line in sums.values()] if self._has_kink[layer] else []
        before = row.values[layer + 1]
        for part in cell.split(root for root in roots if root is not None):
            values: dict[int, Line] = {}
            for unit, total in sums.items():
                line = self._pieces[layer][sign(total.at(part.sample))].of(total)
                if line != constant(before[unit]):
                    values[unit] = line
            if layer + 1 == len(self._weights):
                yield part, values
            else:
                yield from self._propagate(row, layer + 1, self._sums(row, layer + 1, values), part)

    def _sums(self, row: Row, layer: int, values: dict[int, Line]) -> dict[int, Line]:
        """Return the sums of a layer that change with these values of the layer before."""
        before = row.values[layer]
        shifts = [(unit, line.intercept - before[unit]) for unit, line in values.items()]
        slopes = [(unit, line.slope) for unit, line in values.items() if line.slope]
        lines: dict[int, Line] = {}
        for unit, weights in enumerate(self._weights[layer]):
            slope = sum((weights[i] * change for i, change in slopes), ZERO)
            shift = sum((weights[i] * change for i, change in shifts if change), ZERO)
            if slope or shift:
                lines[unit] = Line(slope, row.sums[layer][unit] + shift)
        return lines


def _rows(net: Network, task: Task) -> list[Row]:
    block = next(task.blocks(task.rows))
    steps = list(trace(net, block.inputs))
    bits, is_bit = read_bits(net.readout, steps[-1].values)
    cares = np.ones(bits.shape, dtype=bool) if block.cares is None else block.cares
    is_right: Any = (block.is_right(bits) & is_bit) | ~cares
    return [
        Row(
            number,
            [
                [Fraction(int(bit)) for bit in block.inputs[number]],
                *(_fractions(step.values, number) for step in steps),
            ],
            [_fractions(step.sums, number) for step in steps],
            [
                int(bit) if matters else None
                for bit, matters in zip(block.expected[number], cares[number], strict=True)
            ],
            is_right[number].tolist(),
        )
        for number in range(task.rows)
    ]


def _pieces(activation: Activation) -> dict[int, Line]:
    """Return the activation's line for sums below, at and above 0."""
    assert activation.slope_pair is not None
    below, above = map(Fraction, activation.slope_pair)
    values = activation.exact(Dyadic(np.array([-1, 0, 1])))
    line_above = Line(above, values.at(2) - above)
    if not activation.rule.kink:
        return dict.fromkeys((-1, 0, 1), line_above)
    return {-1: Line(below, values.at(0) + below), 0: constant(values.at(1)), 1: line_above}


def _limit(readout: Readout, bit: int) -> Fraction:
    """Return what an output is compared with: the threshold or, by an exact readout, the bit."""
    return Fraction(readout.threshold if readout.kind == "threshold" else bit)


def _right_signs(readout: Readout, bit: int) -> list[int]:
    """Return the signs of output minus limit for which the output reads as the bit."""
    values = {step: _limit(readout, bit) + step for step in (-1, 0, 1)}
    return [step for step, value in values.items() if read_bit(readout, value, value) == bit]


def _fractions(values: Dyadic, row: int) -> list[Fraction]:
    return [values.at(row, column) for column in range(values.shape[1])]
