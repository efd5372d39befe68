"""What one changed number does to a row's outputs: lines, cell by cell.

Rule: with all other parameters fixed, every unit is a piecewise linear function of the changed
number, which may jump at steps. Only what the number reaches is computed; every other unit
keeps the value it has on that row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from adderlab.building.repair.intervals import (
    IDENTITY,
    ZERO,
    Envelope,
    Interval,
    Intervals,
    Line,
    constant,
    where_positive,
    where_zero,
)
from adderlab.building.repair.parameters import Parameter
from adderlab.nets import Activation, Network, read_bits, trace
from adderlab.nets.dyadic import Dyadic
from adderlab.tasks import RowBlock, Task


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the network as it is.

    Attributes:
        values: the inputs, then each layer's activations.
        sums: each layer's sums.
        expected: the output bits; ``None`` where any will do.
        is_right: for each output, whether its bit is as expected.
    """

    values: list[list[Fraction]]
    sums: list[list[Fraction]]
    expected: list[int | None]
    is_right: list[bool]


class Rows:
    """A network on every row of a task, and what a changed number does there."""

    def __init__(self, net: Network, task: Task) -> None:
        self.readout = net.readout
        self.activations = [layer.activation for layer in net.layers]
        self.weights: list[list[list[Fraction]]] = [
            [_fractions(exact, unit) for unit in range(layer.n_out)]
            for layer in net.layers
            for exact in (layer.weight.exact(),)
        ]
        self.block: RowBlock = next(task.blocks(task.rows))
        self.steps = list(trace(net, self.block.inputs))
        bits, is_bit = read_bits(net.readout, self.steps[-1].values)
        self.bits_right: Any = self.block.is_right(bits) & is_bit
        if self.block.cares is not None:
            self.bits_right |= ~self.block.cares
        self.wrong = [int(row) for row in np.flatnonzero(~self.bits_right.all(axis=1))]
        self.right = [int(row) for row in np.flatnonzero(self.bits_right.all(axis=1))]

    def row(self, number: int) -> Row:
        """Return one row, its numbers as fractions."""
        cares = self.block.cares
        return Row(
            [
                [Fraction(int(bit)) for bit in self.block.inputs[number]],
                *(_fractions(step.values, number) for step in self.steps),
            ],
            [_fractions(step.sums, number) for step in self.steps],
            [
                int(bit) if cares is None or cares[number, output] else None
                for output, bit in enumerate(self.block.expected[number])
            ],
            [bool(right) for right in self.bits_right[number]],
        )

    def allowed(self, row: Row, parameter: Parameter, within: Intervals) -> Intervals:
        """Return the values in ``within`` that make every bit of the row right."""
        intervals: list[Interval] = []
        for cell, lines in self._outputs(row, parameter, within):
            kept: Interval | None = cell
            for output, bit in enumerate(row.expected):
                if kept is None:
                    break
                if bit is None:
                    continue
                if output not in lines and not parameter.is_threshold:
                    kept = kept if row.is_right[output] else None
                else:
                    kept = self._right(row, output, lines, parameter, kept)
            if kept is not None:
                intervals.append(kept)
        return Intervals.of(intervals)

    def _right(
        self, row: Row, output: int, lines: dict[int, Line], parameter: Parameter, cell: Interval
    ) -> Interval | None:
        """Return where on the cell one bit is right."""
        bit = row.expected[output]
        if self.readout.kind == "exact":
            return where_zero(lines[output].minus(constant(bit or 0)), cell)
        distance = self._distance(row, output, lines, parameter)
        return where_positive(distance, cell, or_zero=self._counts_when_tied(bit))

    def distances(
        self, row: Row, parameter: Parameter, within: Intervals
    ) -> Iterator[tuple[int, Envelope]]:
        """Yield each output that matters with its signed distance to the threshold."""
        cells = list(self._outputs(row, parameter, within))
        for output, bit in enumerate(row.expected):
            if bit is not None:
                ahead = [(at, self._distance(row, output, lines, parameter)) for at, lines in cells]
                yield output, ahead

    def is_tied(self, row: Row, output: int) -> bool:
        """Return whether an output is right with nothing to spare: just on the threshold."""
        return row.is_right[output] and row.values[-1][output] == self.readout.threshold

    def _counts_when_tied(self, bit: int | None) -> bool:
        """Return whether an output on the threshold reads as this bit."""
        return bool(bit) == (self.readout.convention == ">=")

    def _distance(
        self, row: Row, output: int, lines: dict[int, Line], parameter: Parameter
    ) -> Line:
        """Return how far an output is on the right side of the threshold."""
        is_changed = parameter.is_threshold
        threshold = IDENTITY if is_changed else constant(Fraction(self.readout.threshold))
        value = lines.get(output) or constant(row.values[-1][output])
        return value.minus(threshold) if row.expected[output] else threshold.minus(value)

    def _outputs(
        self, row: Row, parameter: Parameter, within: Intervals
    ) -> Iterator[tuple[Interval, dict[int, Line]]]:
        """Yield cells that make up ``within``, with the outputs that differ from the row's."""
        sums: dict[int, Line] = {}
        if not parameter.is_threshold:
            unit, source = parameter.index[0], parameter.source
            factor = Fraction(1) if source is None else row.values[parameter.layer][source]
            if factor:
                rest = row.sums[parameter.layer][unit] - factor * parameter.value
                sums[unit] = Line(factor, rest)
        for part in within.parts:
            yield from self._through(row, parameter.layer, sums, part)

    def _through(
        self, row: Row, layer: int, sums: dict[int, Line], cell: Interval
    ) -> Iterator[tuple[Interval, dict[int, Line]]]:
        """Yield the cells, and the changed outputs on each, that a layer's changed sums give."""
        if not sums:
            yield cell, {}
            return
        activation = self.activations[layer]
        kinks = () if activation.kind == "identity" else (line.root for line in sums.values())
        before = row.values[layer + 1]
        for part in cell.split(kink for kink in kinks if kink is not None):
            values = {
                unit: line
                for unit, total in sums.items()
                if (line := _activated(activation, total, part)) != constant(before[unit])
            }
            if layer + 1 == len(self.weights):
                yield part, values
            else:
                after = self._sums(row, layer + 1, values)
                yield from self._through(row, layer + 1, after, part)

    def _sums(self, row: Row, layer: int, values: dict[int, Line]) -> dict[int, Line]:
        """Return a layer's sums that changed when these units of the layer before did."""
        before = row.values[layer]
        shifts = [(unit, line.intercept - before[unit]) for unit, line in values.items()]
        slopes = [(unit, line.slope) for unit, line in values.items() if line.slope]
        lines: dict[int, Line] = {}
        for unit, weights in enumerate(self.weights[layer]):
            slope = sum((weights[i] * change for i, change in slopes), ZERO)
            shift = sum((weights[i] * change for i, change in shifts if change), ZERO)
            if slope or shift:
                lines[unit] = Line(slope, row.sums[layer][unit] + shift)
        return lines


def _activated(activation: Activation, total: Line, cell: Interval) -> Line:
    """Return the activation of a sum on a cell where the sum keeps its sign."""
    if activation.kind == "identity":
        return total
    value = total.at(cell.sample)
    if activation.kind == "step":
        return constant(value > 0 or (value == 0 and activation.convention == ">="))
    if value > 0:
        return total
    return total.times(Fraction(activation.slope)) if activation.kind == "leaky" else constant(0)


def _fractions(values: Dyadic, row: int) -> list[Fraction]:
    return [values.at(row, column) for column in range(values.shape[1])]
