"""A formula in the lecture's notation to a network, with its indicators compared.

Rule: the network has the formula's own numbers; one that its format lacks is rounded to the
nearest and named, or refused where the format does not round.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adderlab.building.formula.faults import raise_all
from adderlab.building.formula.fitting import Fitting
from adderlab.building.formula.layers import Plan, plan_layers
from adderlab.building.formula.meaning import Check, check_lines
from adderlab.building.formula.parse import parse_formula
from adderlab.building.formula.syntax import step_argument
from adderlab.building.formula.units import units_of
from adderlab.formats import format_named
from adderlab.nets.activations import Activation
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import EXACT, Readout
from adderlab.nets.tensors import as_stored

if TYPE_CHECKING:
    from fractions import Fraction

    from adderlab.tasks import Task

_Numbers: TypeAlias = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class CompiledFormula:
    """What a formula became.

    Attributes:
        network: the network.
        checks: each indicator compared with the formula beside it, in the order of the lines.
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
