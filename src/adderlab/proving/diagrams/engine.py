"""The second engine: a network as decision diagrams, unit by unit, for all inputs at once.

Rule: every unit's function is exact. Bends and jumps are pruned by a diagram's exact minimum and
maximum; nodes that no unit of the present layer needs are freed. At a cap on nodes or time the
answer is that there is none, never a guess.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final, TypeAlias

from adderlab.limits import Budget, CapReached
from adderlab.nets import Layer, Network
from adderlab.nets.activations import Pieces
from adderlab.nets.dyadic import dyadic_of
from adderlab.nets.unit_weights import stored_exponent, unit_rows
from adderlab.nets.wiring import INPUT
from adderlab.proving.diagrams.specification import is_specified, must_vanish
from adderlab.proving.diagrams.table import (
    RESULTS_PER_NODE,
    ZERO,
    Diagrams,
    Function,
)
from adderlab.proving.scales import Scale, pieces_of_unit
from adderlab.proving.verdict import Margin

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from adderlab.tasks import Task

MOST_NODES: Final = 4_000_000
"""Nodes there may be at once: about 2 GB of Python numbers and tables."""
FREE_AT: Final = 50_000
ORDERS: Final = ("words", "weights")

Values: TypeAlias = "tuple[list[Function], int]"
"""A layer's values as whole numbers, and the power of two that multiplies them."""


@dataclass(frozen=True, slots=True)
class DiagramResult:
    """The answer by diagrams.

    Attributes:
        is_right: on all inputs; ``None`` if the caps were reached or the task has no diagram.
        wrong: an input that is wrong, by input bit.
        margin: where it is right, for a threshold readout.
        reason: why there is no answer.
        nodes: how many were created in all.
        order: of the variables.
        ranges: of what each layer is given, input bits first, the exact least and largest
            values as whole numbers; only where it is right.
        exponents: the power of two that these are multiples of.
    """

    is_right: bool | None
    wrong: dict[str, int] | None = None
    margin: Margin | None = None
    reason: str = ""
    nodes: int = 0
    order: str = ""
    ranges: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    exponents: tuple[int, ...] = ()


def decide(
    net: Network,
    task: Task,
    *,
    budget: Budget | None = None,
    most_nodes: int = MOST_NODES,
) -> DiagramResult:
    """Return whether the network is right on every input, by diagrams.

    Args:
        net: a network without tanh.
        task: what it should compute.
        budget: the time and memory there is in all.
        most_nodes: nodes there may be at once.
    """
    if not is_specified(task):
        return DiagramResult(None, reason=f"no diagram is known for {task.name}")
    budget = budget or Budget.of()
    tried: dict[tuple[str, ...], str] = {}
    nodes = 0
    for order in ORDERS:
        bits = variable_order(net, task, order)
        if bits in tried:
            continue
        attempt = _Attempt(net, task, bits, budget, most_nodes)
        try:
            decision = attempt.decide()
        except CapReached as cap:
            tried[bits] = str(cap)
            nodes += attempt.diagrams.created
            del attempt  # its memory, before the next one takes its own
            if not budget.seconds_left:
                break
            continue
        nodes += attempt.diagrams.created
        return replace(decision, nodes=nodes, order=order)
    return DiagramResult(None, reason=next(reversed(tried.values())), nodes=nodes)


def variable_order(net: Network, task: Task, order: str) -> tuple[str, ...]:
    """Return the input bits in the order in which diagrams test them, heaviest first.

    ``words`` interleaves the operands' bits by significance; ``weights`` takes the bits by their
    largest weight in the first layer.
    """
    if order == "words":
        ranked = [
            (word.width - place, number, bit)
            for number, word in enumerate(task.inputs)
            for place, bit in enumerate(word.bits)
        ]
        return tuple(bit for _, _, bit in sorted(ranked, key=lambda entry: (-entry[0], entry[1])))
    largest = [0] * net.n_in
    for row in unit_rows(net.layers[0], 1):
        for column, weight in row:
            largest[column] = max(largest[column], abs(weight))
    names = task.input_bits
    return tuple(names[i] for i in sorted(range(net.n_in), key=lambda i: (-largest[i], i)))


@dataclass(frozen=True, slots=True)
class States:
    """The outputs of several networks on one table, where equal functions are the same one.

    Attributes:
        diagrams: the table.
        variables: the variable of each input bit.
        of: of each network, each output's function: its bit, or 2 where the output is no bit.
    """

    diagrams: Diagrams
    variables: Mapping[str, int]
    of: tuple[tuple[Function, ...], ...]


def states_of(
    nets: Sequence[Network],
    task: Task,
    order: tuple[str, ...],
    *,
    budget: Budget,
    most_nodes: int = MOST_NODES,
) -> States:
    """Return what each network's outputs are on every input.

    Args:
        nets: networks without curves.
        task: it names the input bits.
        order: the input bits in the order in which diagrams test them.
        budget: the time and memory there is.
        most_nodes: nodes there may be at once.

    Raises:
        CapReached: a cap was reached.
    """
    diagrams = None
    done: list[Function] = []
    for net in nets:
        attempt = _Attempt(net, task, order, budget, most_nodes, diagrams, done)
        diagrams, states = attempt.diagrams, attempt.states()
        done = [*attempt.kept, *states]
    assert diagrams is not None
    count = task.n_out
    of = tuple(tuple(done[start : start + count]) for start in range(0, len(done), count))
    return States(diagrams, {bit: number for number, bit in enumerate(order)}, of)


def layers_of(
    net: Network,
    task: Task,
    order: tuple[str, ...],
    on_layer: Callable[[Diagrams, Values], None],
    *,
    budget: Budget,
    most_nodes: int = MOST_NODES,
) -> None:
    """Make the diagrams of each layer's values, and hand them over before any is freed.

    Args:
        net: a network without curves.
        task: it names the input bits.
        order: the input bits in the order in which diagrams test them.
        on_layer: called with the table and a layer's functions.
        budget: the time and memory there is.
        most_nodes: nodes there may be at once.

    Raises:
        CapReached: a cap was reached.
    """
    attempt = _Attempt(net, task, order, budget, most_nodes)
    attempt.on_layer = lambda values: on_layer(attempt.diagrams, values)
    _ = attempt.states()


class _Attempt:
    """One run of the engine with one variable order, on a table of its own or a given one.

    ``kept`` are functions of the table that are not to be freed, and ``on_layer`` is called with
    the values of each layer.
    """

    def __init__(
        self,
        net: Network,
        task: Task,
        order: tuple[str, ...],
        budget: Budget,
        most_nodes: int,
        diagrams: Diagrams | None = None,
        kept: Sequence[Function] = (),
    ) -> None:
        self.net, self.task, self.budget = net, task, budget
        own = Diagrams(most_nodes=most_nodes, on_tick=budget.check)
        self.diagrams = own if diagrams is None else diagrams
        self.kept = list(kept)
        self.variables = {bit: number for number, bit in enumerate(order)}
        self.order = order
        self.ranges: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self.exponents: list[int] = []
        self.on_layer: Callable[[Values], None] = lambda values: None

    def decide(self) -> DiagramResult:
        """Return the result; raises :class:`CapReached` at a cap."""
        values, exponent = self._outputs()
        bits: list[Function] = []
        for value in values:
            bit, leftover = self._read(value, exponent)
            if leftover != ZERO:
                return DiagramResult(False, self._input_of(leftover))
            bits.append(bit)
        outputs = dict(zip(self.task.output_bits, bits, strict=True))
        checks = must_vanish(self.diagrams, self.task, self.variables, outputs)
        for check in checks:
            if check != ZERO:
                return DiagramResult(False, self._input_of(check))
        try:
            margin = self._margin(values, exponent)
        except CapReached:  # the proof stands; only its margin is not known
            margin = None
        ranges, exponents = tuple(self.ranges), tuple(self.exponents)
        return DiagramResult(True, margin=margin, ranges=ranges, exponents=exponents)

    def states(self) -> list[Function]:
        """Return each output's bit, or 2 where it is none; raises :class:`CapReached`."""
        values, exponent = self._outputs()
        diagrams = self.diagrams
        states: list[Function] = []
        for value in values:
            bit, leftover = self._read(value, exponent)
            above = diagrams.above(leftover, 0)
            below = diagrams.above(diagrams.scaled(leftover, -1), 0)
            is_none = diagrams.combine(above, 1, below, 1)
            is_one = diagrams.above(diagrams.combine(bit, 1, is_none, -1), 0)
            states.append(diagrams.combine(is_one, 1, is_none, 2))
        return states

    def _outputs(self) -> tuple[list[Function], int]:
        """Return the raw outputs as whole numbers over one power of two."""
        kept = FREE_AT
        names = self.task.input_bits
        bits = [self.diagrams.linear(0, [(self.variables[name], 1)]) for name in names]
        values: dict[str, Values] = {INPUT: (bits, 0)}
        for node, layer in zip(self.net.wiring.layers, self.net.layers, strict=True):
            inputs = node.take(values, self._join)
            self._note_ranges(inputs)
            if node.reads == (INPUT,):
                sums, exponent = self._sums_of_inputs(layer)
            else:
                sums, exponent = self._sums(layer, *inputs)
            values[node.name] = self._activated(layer, sums, exponent)
            self.on_layer(values[node.name])
            self.budget.check()
            if len(self.diagrams) > 2 * kept or self.diagrams.results > RESULTS_PER_NODE * kept:
                self._free(values)
                kept = max(FREE_AT, len(self.diagrams))
        return self.net.wiring.output.take(values, self._join)

    def _join(self, parts: list[Values]) -> Values:
        """Return functions end to end, over one power of two."""
        low = min(exponent for _, exponent in parts)
        scaled = self.diagrams.scaled
        return [
            function if exponent == low else scaled(function, 1 << (exponent - low))
            for functions, exponent in parts
            for function in functions
        ], low

    def _free(self, values: dict[str, Values]) -> None:
        """Free the nodes that neither values nor kept functions need."""
        live = [function for functions, _ in values.values() for function in functions]
        rest = iter(self.diagrams.keep_only([*live, *self.kept]))
        for name, (functions, exponent) in values.items():
            values[name] = (list(islice(rest, len(functions))), exponent)
        self.kept = list(rest)

    def _note_ranges(self, inputs: Values) -> None:
        """Keep the bounds of what a layer is given."""
        functions, exponent = inputs
        ends = [self.diagrams.bounds(function) for function in functions]
        self.ranges.append((tuple(low for low, _ in ends), tuple(high for _, high in ends)))
        self.exponents.append(exponent)

    def _sums_of_inputs(self, layer: Layer) -> tuple[list[Function], int]:
        """Return the sums of a layer that reads input bits alone."""
        factor, offsets, low = _scale_and_offsets(layer, 0)
        variables = [self.variables[name] for name in self.task.input_bits]
        return [
            self.diagrams.linear(offset, [(variables[column], weight) for column, weight in row])
            for offset, row in zip(offsets, unit_rows(layer, factor), strict=True)
        ], low

    def _sums(
        self, layer: Layer, values: list[Function], exponent: int
    ) -> tuple[list[Function], int]:
        """Return a layer's sums of what it is given."""
        factor, offsets, low = _scale_and_offsets(layer, exponent)
        combine, scaled = self.diagrams.combine, self.diagrams.scaled
        sums: list[Function] = []
        for offset, row in zip(offsets, unit_rows(layer, factor), strict=True):
            total: Function | None = None
            for column, weight in row:
                if weight == 0:
                    continue
                if total is None:
                    total = scaled(values[column], weight)
                else:
                    total = combine(total, 1, values[column], weight)
            total = total or ZERO
            sums.append((total[0] + offset, total[1]))
        return sums, low

    def _activated(self, layer: Layer, sums: list[Function], exponent: int) -> Values:
        activation, diagrams = layer.activation, self.diagrams
        if activation.kind == "identity":
            return sums, exponent
        if activation.kind == "relu":
            return [diagrams.relu(function) for function in sums], exponent
        if activation.kind == "step":
            limit = 0 if activation.convention == ">" else -1
            return [diagrams.above(function, limit) for function in sums], 0
        units = [pieces_of_unit(activation, number) for number in range(len(sums))]
        scale = Scale.of(units, exponent)
        values = [
            self._on_pieces(diagrams.scaled(function, scale.up), pieces, scale)
            for function, pieces in zip(sums, units, strict=True)
        ]
        return values, scale.values

    def _on_pieces(self, total: Function, pieces: Pieces, scale: Scale) -> Function:
        """Return a piecewise linear function of a sum: its first line, then bends and jumps."""
        diagrams = self.diagrams
        first = pieces.lines[0]
        result = diagrams.scaled(total, scale.slope(first.slope)) if first.slope else ZERO
        result = (result[0] + scale.value(first.intercept), result[1])
        for (before, after), knot, value in zip(
            pairwise(pieces.lines), pieces.knots, pieces.values, strict=True
        ):
            limit = scale.sum(knot)
            bend = scale.slope(after.slope) - scale.slope(before.slope)
            if bend:
                past = diagrams.relu((total[0] - limit, total[1]))
                result = diagrams.combine(result, 1, past, bend)
            left, at, right = (scale.value(x) for x in (before.at(knot), value, after.at(knot)))
            for below, jump in ((limit - 1, at - left), (limit, right - at)):
                if jump:
                    result = diagrams.combine(result, 1, diagrams.above(total, below), jump)
        return result

    def _read(self, value: Function, exponent: int) -> tuple[Function, Function]:
        """Return an output's bit, and a function that is 0 exactly if it is a bit everywhere."""
        readout = self.net.readout
        if readout.kind == "threshold":
            function, limit = self._limit(value, exponent)
            return self.diagrams.above(function, limit), ZERO
        unit = 1 << -min(exponent, 0)
        whole = self.diagrams.scaled(value, 1 << max(exponent, 0))
        bit = self.diagrams.above(whole, 0)
        return bit, self.diagrams.combine(whole, 1, bit, -unit)

    def _limit(self, value: Function, exponent: int) -> tuple[Function, int]:
        """Return the output, and the whole number above which it reads as 1, on one scale."""
        threshold = dyadic_of(self.net.readout.threshold)
        low = min(exponent, threshold.exponent)
        limit = int(threshold.integers[()]) << (threshold.exponent - low)
        function = self.diagrams.scaled(value, 1 << (exponent - low))
        return function, limit if self.net.readout.convention == ">" else limit - 1

    def _margin(self, values: list[Function], exponent: int) -> Margin | None:
        if self.net.readout.kind == "exact":
            return None
        readout = self.net.readout
        low = min(exponent, dyadic_of(readout.threshold).exponent)
        zeros: list[Fraction] = []
        ones: list[Fraction] = []
        for value in values:
            below, above = self.diagrams.nearest(*self._limit(value, exponent))
            if below is not None:
                zeros.append(readout.distance(below * Fraction(2) ** low, 0))
            if above is not None:
                ones.append(readout.distance(above * Fraction(2) ** low, 1))
        return Margin(min(zeros, default=None), min(ones, default=None))

    def _input_of(self, function: Function) -> dict[str, int]:
        """Return an input on which a function that is not identically 0 is not 0."""
        _, most = self.diagrams.bounds(function)
        path = self.diagrams.reaching(function, largest=most > 0)
        return {bit: path.get(number, 0) for number, bit in enumerate(self.order)}


def _scale_and_offsets(layer: Layer, exponent: int) -> tuple[int, list[int], int]:
    """Return what makes a layer's products whole, its biases on that scale, and the scale.

    Args:
        layer: the layer.
        exponent: the power of two that the values it is given are multiples of.
    """
    bias = layer.bias.exact() if layer.bias is not None else None
    low = own = stored_exponent(layer) + exponent
    offsets = [0] * layer.n_out
    if bias is not None:
        low = min(own, bias.exponent)
        offsets = [int(value) << (bias.exponent - low) for value in bias.integers]
    return 1 << (own - low), offsets, low
