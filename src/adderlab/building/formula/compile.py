"""A formula in the lecture's notation to a network, with its indicators compared.

Rules: the network has the formula's own numbers; one that its format lacks is rounded to the
nearest in one step, ties to even, and named, or refused where the format does not round. A layer
has one activation, so step units get layers of their own. Walking back from the output, a step
stands in the step layer before the run of relu layers that it feeds, and a relu in the layer just
before the one that it feeds. So a relu is read by the next layer alone; inputs and steps, which are
bits, are handed on by units that copy them.
"""

from __future__ import annotations

import decimal
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from adderlab.building.formula.meaning import Check, check_lines
from adderlab.building.formula.parse import parse_formula
from adderlab.building.formula.syntax import (
    Call,
    Expression,
    Line,
    Named,
    Number,
    Spot,
    Sum,
    checked,
    fault,
    located,
    raise_all,
    step_argument,
)
from adderlab.errors import FormulaError, ResourceError
from adderlab.formats import format_named
from adderlab.nets.activations import Activation
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import EXACT, Readout
from adderlab.nets.tensors import as_stored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from jaxtyping import Shaped

    from adderlab.building.formula.syntax import Spot
    from adderlab.errors import FormulaError
    from adderlab.formats import Format
    from adderlab.tasks import Task


LARGEST: Final = 10_000_000
"""Parameters of a network, and bits of the words in a formula, beyond which nothing is built."""

Position: TypeAlias = tuple[int, int]
"""How many step layers stand between a layer and the output, itself included if it is one, and
how far before the last of these, or before the output, it stands as a relu layer."""
OUTPUT: Final[Position] = (0, 0)


@dataclass(frozen=True, slots=True)
class Unit:
    """A sum of atoms times constants, and a bias, before the activation of its layer.

    Atoms are numbers: the task's input bits in order, then relus and steps as they appear.
    """

    terms: Mapping[int, Fraction]
    bias: Fraction
    position: Position
    spot: Spot


@dataclass(frozen=True, slots=True)
class Units:
    """The relu and step units by their atoms, in order, and the output units in order."""

    hidden: Mapping[int, Unit]
    outputs: Sequence[Unit]


def units_of(
    lines: Sequence[Line], task: Task, *, inside_steps: bool, share: bool, where: str
) -> Units:
    """Return the units of a formula.

    Args:
        lines: one for each output bit of the task.
        task: whose bits they read.
        inside_steps: whether to leave out the steps that are the lines' outermost operations.
        share: whether units of one layer that compute the same become one.
        where: the file or option that the formula comes from, for messages.

    Raises:
        FormulaError: constants multiply to too large a number.
        ResourceError: the words that they read whole have over :data:`LARGEST` bits in all.
    """
    collector = _Collector(task)
    try:
        outputs = {
            line.output: collector.unit(
                (step_argument(line.expression) if inside_steps else None) or line.expression,
                OUTPUT,
                line.spot,
            )
            for line in lines
        }
    except FormulaError as fault:
        raise located(fault, where) from None
    if collector.word_bits > LARGEST:
        raise ResourceError(
            f"the formula's words have {collector.word_bits} bits in all, the limit is {LARGEST}",
            where=where,
            remedy="write a smaller formula",
        )
    units = Units(
        {atom: collector.spelled(unit) for atom, unit in sorted(collector.hidden.items())},
        [collector.spelled(outputs[output]) for output in sorted(outputs)],
    )
    return _merged(units) if share else units


class _Collector:
    """Gathers the units below each output; whole words stay whole until they are counted.

    Attributes:
        hidden: the units found, by their atoms; a unit reads word number ``n`` as atom ``~n``.
        word_bits: how many bits the words have that the units read whole.
    """

    def __init__(self, task: Task) -> None:
        self.words = task.inputs
        self.ends = [*accumulate(word.width for word in task.inputs)]
        self.atoms = task.n_in
        self.hidden: dict[int, Unit] = {}
        self.word_bits = 0

    def unit(self, expression: Expression, position: Position, spot: Spot) -> Unit:
        """Return the unit that an expression is, after gathering those that it reads."""
        terms: dict[int, Fraction] = {}
        bias = Fraction(0)
        parts: list[tuple[Fraction, Expression]] = [(Fraction(1), expression)]
        while parts:
            factor, part = parts.pop()
            if isinstance(part, Number):
                bias += factor * part.value
            elif isinstance(part, Sum):
                parts += [(checked(factor * by, spot), term) for by, term in reversed(part.terms)]
            else:
                atom = self._atom(part) if isinstance(part, Named) else self._call(part, position)
                terms[atom] = terms.get(atom, Fraction(0)) + factor
        self.word_bits += sum(self.words[~atom].width for atom in terms if atom < 0)
        return Unit(terms, bias, position, spot)

    def _atom(self, name: Named) -> int:
        """Return the atom of an input bit or word."""
        number = self.words.index(name.word)
        return ~number if name.place is None else self.ends[number] - 1 - name.place

    def _call(self, call: Call, position: Position) -> int:
        """Return the atom of a relu or step that a unit at ``position`` reads."""
        atom = self.atoms
        self.atoms += 1
        steps, relus = position
        own = (steps, relus + 1) if call.kind == "relu" else (steps + 1, 0)
        self.hidden[atom] = self.unit(call.argument, own, call.spot)
        return atom

    def spelled(self, unit: Unit) -> Unit:
        """Return the unit with each word's bits in its place, and without terms of 0."""
        terms: dict[int, Fraction] = {}
        for atom, by in unit.terms.items():
            width = self.words[~atom].width if atom < 0 else 1
            first = self.ends[~atom] - 1 if atom < 0 else atom
            for place in range(width):
                bit = first - place
                terms[bit] = terms.get(bit, Fraction(0)) + by * (1 << place)
        return replace(unit, terms=_nonzero(terms))


def _nonzero(terms: Mapping[int, Fraction]) -> dict[int, Fraction]:
    return {atom: by for atom, by in terms.items() if by}


def _merged(units: Units) -> Units:
    """Return the units with equal ones of one layer merged into the one that appears first."""
    stand_in: dict[int, int] = {}
    first: dict[tuple[Position, Fraction, frozenset[tuple[int, Fraction]]], int] = {}
    kept: dict[int, Unit] = {}
    from_inputs = sorted(units.hidden.items(), key=lambda item: item[1].position, reverse=True)
    for atom, unit in from_inputs:
        own = _renamed(unit, stand_in)
        key = (own.position, own.bias, frozenset(own.terms.items()))
        stand_in[atom] = first.setdefault(key, atom)
        if stand_in[atom] == atom:
            kept[atom] = own
    return Units(dict(sorted(kept.items())), [_renamed(unit, stand_in) for unit in units.outputs])


def _renamed(unit: Unit, stand_in: Mapping[int, int]) -> Unit:
    """Return the unit reading each atom's stand-in."""
    terms: dict[int, Fraction] = {}
    for atom, by in unit.terms.items():
        other = stand_in.get(atom, atom)
        terms[other] = terms.get(other, Fraction(0)) + by
    return replace(unit, terms=_nonzero(terms))


@dataclass(frozen=True, slots=True)
class Plan:
    """One layer before its tensors are made.

    Attributes:
        activation: ``relu``, ``step`` or, of the last layer, ``identity``.
        reads: the atoms that come in, in order.
        units: what it computes from them, in order.
    """

    activation: str
    reads: Sequence[int]
    units: Sequence[Unit]


def plan_layers(units: Units, task: Task, *, where: str) -> list[Plan]:
    """Return the layers from the input to the output.

    Raises:
        ResourceError: they have more than :data:`LARGEST` parameters in all.
    """
    positions = sorted({unit.position for unit in units.hidden.values()}, reverse=True)
    level_at = {position: level for level, position in enumerate([*positions, OUTPUT])}
    level_of = {atom: level_at[unit.position] for atom, unit in units.hidden.items()}
    atoms: list[list[int]] = [[] for _ in level_at]
    rows: list[list[Unit]] = [[] for _ in level_at]
    for atom, level in level_of.items():
        atoms[level].append(atom)
        rows[level].append(units.hidden[atom])
    rows[-1] += units.outputs
    last: dict[int, tuple[int, Spot]] = {}
    for level, readers in enumerate(rows):
        for unit in readers:
            last.update(dict.fromkeys(unit.terms, (level, unit.spot)))
    copies = 0
    for atom, (end, spot) in sorted(last.items()):
        for level in range(level_of.get(atom, -1) + 1, end):
            copy = Unit({atom: Fraction(1)}, Fraction(0), (0, 0), spot)
            atoms[level].append(atom)
            rows[level].append(copy)
            copies += 1
            _limit(copies, where)
    reads = [range(task.n_in), *atoms[:-1]]
    _limit(sum((len(ins) + 1) * len(outs) for ins, outs in zip(reads, rows, strict=True)), where)
    kinds = ["relu" if relus else "step" for _, relus in positions]
    return [
        Plan(kind, ins, outs)
        for kind, ins, outs in zip([*kinds, "identity"], reads, rows, strict=True)
    ]


def _limit(parameters: int, where: str) -> None:
    if parameters > LARGEST:
        raise ResourceError(
            f"the network would have {parameters} parameters or more, the limit is {LARGEST}",
            where=where,
            remedy="write a smaller formula",
        )


_SHOWN: Final = decimal.Context(prec=12)


@dataclass(frozen=True, slots=True)
class Fitting:
    """Fits arrays to a format, one after the other, and keeps what could not be kept as it is.

    Attributes:
        form: the format.
        rounded: the name, the exact and the stored value of each number that was rounded.
        faults: those of the numbers that can't be stored.
    """

    form: Format
    rounded: list[tuple[str, Fraction, float]] = field(default_factory=list[Any])
    faults: list[FormulaError] = field(default_factory=list[Any])

    def fit(self, name: str, values: Shaped[np.ndarray, "*shape"], spots: Sequence[Spot]) -> None:
        """Replace each value by the one that the format stores.

        Args:
            name: the tensor's.
            values: whole numbers and fractions, a row for each unit.
            spots: where each unit stands in the source.
        """
        known: dict[Fraction, Fraction | None] = {}
        for index, value in np.ndenumerate(values):
            if value not in known:
                known[value] = nearest(Fraction(value), self.form)
            stored = known[value]
            if stored == value:
                continue
            entry = f"{name}[{','.join(map(str, index))}]"
            if stored is None:
                what = f"{entry} is {_text(value)}, which {self.form.name} can't hold"
                remedy = f"take a {'wider' if value.denominator == 1 else 'float'} format"
                self.faults.append(fault(what, spots[int(index[0])], remedy))
            else:
                self.rounded.append((entry, value, float(stored)))
                values[index] = stored


def nearest(value: Fraction, form: Format) -> Fraction | None:
    """Return the value of a format nearest to ``value``, ties to even.

    Only float formats round; ``None`` where the format does not, or ends before the value.
    """
    if form.holds(value):
        return value
    if form.kind != "float":
        return None
    size = abs(value)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent -= size < Fraction(2) ** exponent  # now the floor of the logarithm
    unit = Fraction(2) ** max(exponent - form.precision + 1, form.smallest)
    rounded = round(value / unit) * unit
    return rounded if form.holds(rounded) else None


def _text(value: Fraction) -> str:
    """Return a number in decimal, with twelve digits at most."""
    quotient = _SHOWN.divide(decimal.Decimal(value.numerator), decimal.Decimal(value.denominator))
    return str(quotient if quotient.adjusted() < _SHOWN.prec else quotient.normalize(_SHOWN))


_Numbers: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class CompiledFormula:
    """What a formula became.

    Attributes:
        network: the network.
        checks: each indicator compared with the formula on its line, in the order of the lines.
        rounded: each parameter that its format can't hold: its name, the formula's value, and
            the value stored.
    """

    network: Network
    checks: tuple[Check, ...]
    rounded: tuple[tuple[str, Fraction, float], ...]


def compile_formula(
    text: str, task: Task, *, where: str = "formula", format: str = "fp32", share: bool = False
) -> CompiledFormula:
    """Return the network that a formula is, and what its indicators say about it.

    Each ``relu(...)`` and ``step(...)`` becomes a unit. Where every output is a step, these
    steps become the readout, ``> 0``; otherwise the outputs are read as they stand.

    Args:
        text: for each output bit a line ``name = [1 ( SUM OP SUM ) =] EXPRESSION`` of sums,
            products with constants, ``relu`` and ``step`` of the task's input bits and words.
        task: what it is meant to compute.
        where: the file or option that the text comes from, for messages.
        format: the number format of the network.
        share: whether equal units of one layer become one.

    Raises:
        FormulaError: the text can't be read, has an indicator on more than 20 input bits, or
            holds a number that the format can neither hold nor round.
        FormatError: there is no such format.
        ResourceError: the network would have over 10 million parameters.

    Examples:
        >>> from adderlab.tasks import task_named
        >>> made = compile_formula(
        ...     '''
        ...     c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))
        ...     c0 = 1 ( a + b = 1 ) = step(ReLU( a + b - 0.5 ) - 2 * ReLU( a + b - 1.5))
        ...     ''',
        ...     task_named("half-adder"),
        ... )
        >>> made.network
        Network 2-3-2 for half-adder: relu, readout > 0, 17 parameters in fp32
        >>> [check.holds for check in made.checks]
        [True, False]
    """
    form = format_named(format)
    lines = parse_formula(text, task, where=where)
    is_read_out = all(step_argument(line.expression) is not None for line in lines)
    units = units_of(lines, task, inside_steps=is_read_out, share=share, where=where)
    plans = plan_layers(units, task, where=where)
    checks = check_lines(lines, task, where=where)
    fitting = Fitting(form)
    tensors = [_tensors(plan, number, fitting) for number, plan in enumerate(plans, start=1)]
    raise_all(fitting.faults, where=where)
    layers = tuple(
        Layer(as_stored(weight, form), as_stored(bias, form), Activation(plan.activation))
        for plan, (weight, bias) in zip(plans, tensors, strict=True)
    )
    readout = Readout("threshold", 0.0, ">") if is_read_out else EXACT
    network = Network(layers, readout, task, form.name)
    return CompiledFormula(network, checks, tuple(fitting.rounded))


def _tensors(plan: Plan, number: int, fitting: Fitting) -> tuple[_Numbers, _Numbers]:
    """Return weight and bias of a layer, fitted to the format."""
    column = {atom: place for place, atom in enumerate(plan.reads)}
    weight = np.zeros((len(plan.units), len(plan.reads)), dtype=object)
    bias = np.array([unit.bias for unit in plan.units], dtype=object)
    for row, unit in enumerate(plan.units):
        for atom, value in unit.terms.items():
            weight[row, column[atom]] = value
    spots = [unit.spot for unit in plan.units]
    fitting.fit(f"fc{number}.weight", weight, spots)
    fitting.fit(f"fc{number}.bias", bias, spots)
    return weight, bias
