"""A formula's lines to units in layers.

Rule: a layer has one activation, so step units get layers of their own. Walking back from the
output, a step stands in the step layer before the run of relu layers that it feeds, and a relu
in the layer just before the one that it feeds. So a relu is read by the next layer alone;
inputs and steps, which are bits, are handed on by units that copy them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import accumulate
from typing import TYPE_CHECKING, Final, TypeAlias

from adderlab.building.formula.faults import Spot, checked, located
from adderlab.building.formula.names import Named
from adderlab.building.formula.syntax import Call, Expression, Line, Number, Sum, step_argument
from adderlab.errors import FormulaError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
