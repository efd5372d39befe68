"""Search for every single parameter whose change makes a network right.

Rule: the set of values that work is exact, the value taken is one that the tensor stores, and
every repair is proved by the function that is passed in.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from typing import Any, Final

import numpy as np

from adderlab.building.repair.intervals import LINE, Envelope, Intervals, lowest
from adderlab.building.repair.parameters import (
    Margin,
    Parameter,
    best_value,
    parameters_of,
    with_value,
)
from adderlab.building.repair.results import Candidate, Repair, Repairs
from adderlab.building.repair.rows import Rows
from adderlab.errors import NetworkError, ResourceError
from adderlab.nets import Network, is_exact, outputs
from adderlab.nets.dyadic import Dyadic, from_floats
from adderlab.tasks import Task

LARGEST_ROWS: Final = 4096
LARGEST_WORK: Final = 1 << 26
"""Rows x parameters x units; near it 2 s where one parameter repairs (an adder of 6 bits), 6 min
where 350 do (8-32-32-32-2), on two cores, 2026-11-21."""


def find_repairs(net: Network, task: Task, *, prove: Callable[[Network], object]) -> Repairs:
    """Return every change of one parameter that makes the network right on every row.

    A parameter is a weight, a bias or the readout's threshold. With all others fixed, an
    output of a row is a piecewise linear function of the one that changes, so the values that
    make the row right are a union of intervals, found exactly; those of all rows are
    intersected. Of the values that work, :mod:`adderlab.building.repair.parameters` takes one.

    Args:
        net: a network of dense or packed tensors, without tanh.
        task: what it is to compute.
        prove: the verdict on a network, true where it is proved right; called on each repair.

    Raises:
        TaskError: the task does not fit the network.
        NetworkError: the network has tanh, or a sparse, scaled or wide tensor.
        ResourceError: more rows, or rows x parameters x units, than can be tried.
    """
    net.check_fits(task)
    _check_activations(net)
    thresholds = int(net.readout.kind == "threshold")
    _check_size(task.rows, net.parameters + thresholds, net.hidden + net.n_out)
    parameters = list(parameters_of(net))
    rows = Rows(net, task)
    wrong_rows = tuple(task.row(number).inputs for number in rows.wrong)
    if not wrong_rows:
        return Repairs((), (), (), task.rows)
    repairs: list[Repair] = []
    unstorable: list[Candidate] = []
    for parameter, works in _solve(rows, parameters):
        after = best_value(works, _margins(rows, parameter), parameter.form, parameter.value)
        place = (parameter.tensor, parameter.index, parameter.value, works)
        if after is None:
            unstorable.append(Candidate(*place))
            continue
        changed = with_value(net, parameter, after)
        if not prove(changed):
            raise AssertionError(f"{Candidate(*place).name} = {after} is not proved")
        repairs.append(Repair(*place, after, *_measured(changed, rows), changed))
    repairs.sort(key=lambda repair: (-(repair.margin or 0), repair.change))
    return Repairs(tuple(repairs), tuple(unstorable), wrong_rows, task.rows)


def _check_activations(net: Network) -> None:
    if not is_exact(net):
        number = next(n for n, layer in enumerate(net.layers, 1) if layer.activation.kind == "tanh")
        raise NetworkError(
            "the layer has tanh, whose values are no fractions: the weights that work can't be "
            "said exactly",
            where=f"fc{number}",
            remedy="repair a network of relu, leaky, step and identity",
        )


def _check_size(rows: int, parameters: int, units: int) -> None:
    remedy = "repair a smaller network, or train it again"
    if rows > LARGEST_ROWS:
        raise ResourceError(
            f"the task has {rows} rows, more than {LARGEST_ROWS}", where="repair", remedy=remedy
        )
    work = rows * parameters * units
    if work > LARGEST_WORK:
        raise ResourceError(
            f"{rows} rows x {parameters} parameters x {units} units are {work} steps, more than "
            f"{LARGEST_WORK}",
            where="repair",
            remedy=remedy,
        )


def _solve(rows: Rows, parameters: list[Parameter]) -> list[tuple[Parameter, Intervals]]:
    """Return the parameters that some value makes right on every row, with all such values.

    The wrong rows come first: they rule out nearly all parameters.
    """
    left = [(parameter, Intervals((LINE,))) for parameter in parameters]
    for number in rows.wrong + rows.right:
        if not left:
            break
        row = rows.row(number)
        tried = ((parameter, rows.allowed(row, parameter, works)) for parameter, works in left)
        left = [(parameter, works) for parameter, works in tried if works]
    return left


def _margins(rows: Rows, parameter: Parameter) -> tuple[Margin, ...]:
    """Return the network's margin, then the one without ties; none for an exact readout.

    The second leaves out the outputs that were right just on the threshold.
    """
    if rows.readout.kind == "exact":
        return ()

    def margin(within: Intervals, *, with_ties: bool) -> Envelope:
        functions: dict[tuple[Any, ...], Envelope] = {}  # many rows give the same one
        for number in rows.wrong + rows.right:
            row = rows.row(number)
            for output, distance in rows.distances(row, parameter, within):
                if with_ties or not rows.is_tied(row, output):
                    functions[tuple(distance)] = distance
        return lowest(functions.values())

    return partial(margin, with_ties=True), partial(margin, with_ties=False)


def _measured(net: Network, rows: Rows) -> tuple[Fraction | None, Fraction | None]:
    """Return the margin over all rows, and over those that were wrong before."""
    if net.readout.kind == "exact":
        return None, None
    raw = outputs(net, rows.block.inputs)
    above = raw.plus(from_floats([-net.readout.threshold]))
    signs = np.where(rows.block.expected > 0, 1, -1)
    distances: Any = above.integers * signs
    cares = rows.block.cares
    counted = np.ones(distances.shape, dtype=bool) if cares is None else cares
    was_wrong = counted.copy()
    was_wrong[rows.right] = False
    return _least(distances[counted], above.exponent), _least(distances[was_wrong], above.exponent)


def _least(integers: Any, exponent: int) -> Fraction:
    return Dyadic(integers.min(keepdims=True), exponent).at(0)
