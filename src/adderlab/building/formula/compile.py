"""A formula in the lecture's notation to a network, with its indicators checked.

Rules: the network has the formula's own numbers; one that its format lacks is rounded to nearest
in one step, ties to even, and reported, or refused where the format does not round. A layer has one
activation, so step units get layers of their own. Walking back from the output, a step stands in
the step layer before the run of relu layers that it feeds, and a relu in the layer just before the
one that it feeds. So a relu is read by the next layer alone; inputs and steps, which are bits, are
passed on by units that copy them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Any, Final, TypeAlias

import numpy as np

from adderlab.blocks.numbers import significant
from adderlab.building.formula.check import Check, check_lines
from adderlab.building.formula.expression import (
    Call,
    Expression,
    Variable,
    leaves,
    limited,
    lowest_bit,
    step_argument,
)
from adderlab.building.formula.parse import parse_formula
from adderlab.errors import FormulaError, ResourceError
from adderlab.formats import Format, format_named
from adderlab.nets import EXACT, Activation, Layer, Network, Readout
from adderlab.nets.tensors import as_stored
from adderlab.tasks import Task
from adderlab.tasks.parsing import raise_all

LARGEST: Final = 10_000_000
"""Parameters of a network, and bits of the words in a formula, beyond which nothing is built."""

Position: TypeAlias = tuple[int, int]
"""How many step layers stand between a layer and the output, itself included if it is one, and
how far before the last of these, or before the output, it stands as a relu layer."""


@dataclass(frozen=True, slots=True)
class RoundedParameter:
    """A parameter that its format can't hold: its name, the formula's value, the value stored."""

    name: str
    exact: Fraction
    stored: float


@dataclass(frozen=True, slots=True)
class CompiledFormula:
    """The result of compiling a formula.

    Attributes:
        network: the network.
        checks: each indicator compared with the formula on its line, in the order of the lines.
        rounded: the parameters that the number format can't hold.
    """

    network: Network
    checks: tuple[Check, ...]
    rounded: tuple[RoundedParameter, ...]


def compile_formula(
    text: str, task: Task, *, where: str = "formula", format: str = "fp32", share: bool = False
) -> CompiledFormula:
    """Return the network of a formula, and its indicators compared with it.

    Each ``relu(...)`` and ``step(...)`` becomes a unit. Where every output is a step, these
    steps become the readout, ``> 0``; otherwise the readout is exact.

    Args:
        text: for each output bit a line ``name = [1 ( SUM OP SUM ) =] EXPRESSION`` of sums,
            products with constants, ``relu`` and ``step`` of the task's input bits and words.
        task: what it is meant to compute.
        where: the file or option that the text comes from, for messages.
        format: the number format of the network.
        share: whether equal units of one layer become one.

    Raises:
        FormulaError: the text can't be parsed, has an indicator on more than 20 input bits, or
            has a number that the format can neither hold nor round.
        FormatError: there is no such format.
        ResourceError: the network would have over 10 million parameters.

    Examples:
        >>> from adderlab.tasks import task_named
        >>> compiled = compile_formula(
        ...     '''
        ...     c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))
        ...     c0 = 1 ( a + b = 1 ) = step(ReLU( a + b - 0.5 ) - 2 * ReLU( a + b - 1.5))
        ...     ''',
        ...     task_named("half-adder"),
        ... )
        >>> compiled.network
        Network 2-3-2 for half-adder: relu, readout > 0, 17 parameters in fp32
        >>> [check.holds for check in compiled.checks]
        [True, False]
    """
    form = format_named(format)
    lines = parse_formula(text, task, where=where)
    arguments = [step_argument(line.expression) for line in lines]
    is_read_out = None not in arguments
    word_bits = sum(_word_bits(line.expression) for line in lines)
    _check_size(word_bits, "the formula's words have {} bits in all", where)
    units = _Units(task, where, share=share)
    outputs: dict[int, _Unit] = {}
    for line, argument in zip(lines, arguments, strict=True):
        value = line.expression if argument is None or not is_read_out else argument
        outputs[line.output] = units.unit(value, (0, 0), line.place)
    layers = _layers(units.hidden, [outputs[number] for number in sorted(outputs)], task, where)
    checks = check_lines(lines, task, where=where)
    misfits: list[RoundedParameter | FormulaError] = []
    tensors: list[tuple[Any, Any]] = []
    reads: Iterable[int] = range(task.n_in)
    for number, (_, layer) in enumerate(layers, start=1):
        tensors.append(_tensors(layer, list(reads), number, form, misfits))
        reads = layer
    raise_all([misfit for misfit in misfits if isinstance(misfit, FormulaError)], where=where)
    rounded = [misfit for misfit in misfits if isinstance(misfit, RoundedParameter)]
    network_layers = tuple(
        Layer(as_stored(weight, form), as_stored(bias, form), Activation(activation))
        for (activation, _), (weight, bias) in zip(layers, tensors, strict=True)
    )
    readout = Readout("threshold", 0.0, ">") if is_read_out else EXACT
    network = Network(network_layers, readout, task, form.name)
    return CompiledFormula(network, checks, tuple(rounded))


@dataclass(frozen=True, slots=True)
class _Unit:
    """A weighted sum and a bias, before the activation of its layer.

    Attributes:
        terms: weights, none of them 0, by the number of the input bit or hidden unit. Input bits
            come first, then relus and steps in the order of the text.
        bias: the constant.
        position: that of its layer.
        place: where it stands in the text.
    """

    terms: Mapping[int, Fraction]
    bias: Fraction
    position: Position
    place: str


class _Units:
    """The units of a formula, collected from the outputs down.

    Attributes:
        hidden: the relu and step units by number.
    """

    def __init__(self, task: Task, where: str, *, share: bool) -> None:
        self._words = task.inputs
        self._where = where
        self._share = share
        self._first: dict[Any, int] = {}
        self._next = task.n_in
        self.hidden: dict[int, _Unit] = {}

    def unit(self, expression: Expression, position: Position, place: str) -> _Unit:
        """Return the unit of an expression, after adding those that it reads."""
        sources: dict[int | Variable, Fraction] = {}
        bias = Fraction(0)
        for factor, leaf in leaves(expression):
            _ = limited(factor, f"{self._where} {place}")
            if isinstance(leaf, Fraction):
                bias += factor * leaf
            else:
                source = self._hidden_unit(leaf, position) if isinstance(leaf, Call) else leaf
                sources[source] = sources.get(source, Fraction(0)) + factor
        return _Unit(self._terms(sources), bias, position, place)

    def _hidden_unit(self, call: Call, reader: Position) -> int:
        """Return the number of the relu or step that a unit at ``reader`` reads."""
        number = self._next
        self._next += 1
        steps, relus = reader
        position = (steps, relus + 1) if call.function == "relu" else (steps + 1, 0)
        unit = self.unit(call.argument, position, call.place)
        if self._share:
            key = (position, unit.bias, frozenset(unit.terms.items()))
            number = self._first.setdefault(key, number)
        _ = self.hidden.setdefault(number, unit)
        return number

    def _terms(self, sources: Mapping[int | Variable, Fraction]) -> dict[int, Fraction]:
        """Return the weights by number, those of a word spread over its bits."""
        terms: dict[int, Fraction] = {}
        for source, factor in sources.items():
            if isinstance(source, int):
                terms[source] = factor
                continue
            lowest = lowest_bit(source.word, self._words)
            for bit, weight in source.weights:
                number = lowest - bit
                terms[number] = terms.get(number, Fraction(0)) + factor * weight
        return {number: weight for number, weight in terms.items() if weight}


def _word_bits(expression: Expression) -> int:
    """Return how many bits the words have that the units of an expression read as numbers."""
    parts = [leaf for _, leaf in leaves(expression)]
    words = {part.word for part in parts if isinstance(part, Variable) and part.bit is None}
    below = sum(_word_bits(part.argument) for part in parts if isinstance(part, Call))
    return below + sum(word.width for word in words)


def _layers(
    hidden: Mapping[int, _Unit], outputs: Sequence[_Unit], task: Task, where: str
) -> list[tuple[str, dict[int, _Unit]]]:
    """Return each layer's activation and its units by number, from the input to the output.

    Raises:
        ResourceError: they have more than :data:`LARGEST` parameters in all.
    """
    positions = sorted({unit.position for unit in hidden.values()}, reverse=True)
    level_of = {position: level for level, position in enumerate(positions)}
    rows: list[dict[int, _Unit]] = [{} for _ in positions]
    for number, unit in sorted(hidden.items()):
        rows[level_of[unit.position]][number] = unit
    rows.append(dict(enumerate(outputs)))
    last_reader: dict[int, tuple[int, str]] = {}
    for level, units in enumerate(rows):
        for unit in units.values():
            last_reader.update(dict.fromkeys(unit.terms, (level, unit.place)))
    size = "the network would have {} parameters or more"
    copies = 0
    for number, (end, place) in sorted(last_reader.items()):
        start = level_of[hidden[number].position] + 1 if number in hidden else 0
        for level in range(start, end):
            rows[level][number] = _Unit({number: Fraction(1)}, Fraction(0), (0, 0), place)
            copies += 1
            _check_size(copies, size, where)
    sizes = [task.n_in, *map(len, rows)]
    _check_size(sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes)), size, where)
    activations = [*("relu" if relus else "step" for _, relus in positions), "identity"]
    return list(zip(activations, rows, strict=True))


def _check_size(count: int, what: str, where: str) -> None:
    if count > LARGEST:
        what = f"{what.format(count)}, the limit is {LARGEST}"
        raise ResourceError(what, where=where, remedy="write a smaller formula")


def _tensors(
    units: Mapping[int, _Unit],
    reads: Sequence[int],
    number: int,
    form: Format,
    misfits: list[RoundedParameter | FormulaError],
) -> tuple[Any, Any]:
    """Return weight and bias of layer ``number``, rounded to the format; add what it can't hold."""
    column = {source: index for index, source in enumerate(reads)}
    weight = np.zeros((len(units), len(reads)), dtype=object)
    bias = np.array([unit.bias for unit in units.values()], dtype=object)
    places = [unit.place for unit in units.values()]
    for row, unit in enumerate(units.values()):
        for source, value in unit.terms.items():
            weight[row, column[source]] = value
    nearest = cache(lambda value: form.nearest(Fraction(value)))
    for tensor, values in (("weight", weight), ("bias", bias)):
        for index, value in np.ndenumerate(values):
            stored = nearest(value)
            if stored == value:
                continue
            name = f"fc{number}.{tensor}[{','.join(map(str, index))}]"
            if stored is None:
                what = f"{name} is {significant(value, 12)}, which {form.name} can't hold"
                remedy = f"take a {'wider' if value.denominator == 1 else 'float'} format"
                misfits.append(FormulaError(what, where=places[int(index[0])], remedy=remedy))
            else:
                misfits.append(RoundedParameter(name, value, float(stored)))
                values[index] = stored
    return weight, bias
