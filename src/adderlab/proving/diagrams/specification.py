"""A task's specification as diagrams that must be identically 0; never with a network's units.

Rule: a task with a linear word form is judged by it (an adder is right exactly if its outputs
are bits and ``sum 2**i c_i = a + b``); any other against its own definition, bit by bit. The form
is summed by Horner's rule from the heaviest bits down, so what is summed so far stays small as
long as the network is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from adderlab.proving.diagrams.table import ZERO, Diagrams, Function
from adderlab.proving.linear_forms import LINEAR_FORMS, kind_of, places
from adderlab.tasks import Task

Bits: TypeAlias = Mapping[str, Function]
"""The functions of named bits."""


def is_specified(task: Task) -> bool:
    """Return whether the task has a specification as diagrams."""
    return kind_of(task) in {*LINEAR_FORMS, *DEFINED, "multiplier"}


def must_vanish(
    diagrams: Diagrams, task: Task, inputs: Mapping[str, int], outputs: Bits
) -> list[Function]:
    """Return functions that are all 0 exactly if the output bits are the task's.

    Args:
        diagrams: the table.
        task: a task that :func:`is_specified`.
        inputs: the variable of each input bit.
        outputs: the function of each output bit, 0 or 1 on every input.
    """
    name = kind_of(task)
    if name in LINEAR_FORMS:
        weights = LINEAR_FORMS[name](task)
        return [_horner(diagrams, weights, inputs, outputs)]
    if name == "multiplier":
        return [_product_difference(diagrams, task, inputs, outputs)]
    function = DEFINED[name](diagrams, task, inputs)
    return [diagrams.combine(outputs[bit], 1, function[bit], -1) for bit in task.output_bits]


def _horner(
    diagrams: Diagrams, weights: Mapping[str, int], inputs: Mapping[str, int], outputs: Bits
) -> Function:
    """Return the weighted sum of all bits, heaviest first."""
    levels: dict[int, list[tuple[str, int]]] = {}
    for bit, weight in weights.items():
        place = (weight & -weight).bit_length() - 1
        levels.setdefault(place, []).append((bit, weight >> place))
    total = ZERO
    for place in range(max(levels), -1, -1):
        here = levels.get(place, [])
        form = diagrams.linear(
            0, [(inputs[bit], coefficient) for bit, coefficient in here if bit in inputs]
        )
        total = diagrams.combine(total, 2, form, 1)
        for bit, coefficient in here:
            if bit in outputs:
                total = diagrams.combine(total, 1, outputs[bit], coefficient)
    return total


def _product_difference(
    diagrams: Diagrams, task: Task, inputs: Mapping[str, int], outputs: Bits
) -> Function:
    """Return ``p - a * b`` by the school's method: b, doubled, once for each bit of a.

    Such a diagram grows exponentially in the width, whatever the order of its variables.
    """
    first, second = task.inputs
    factor = diagrams.linear(
        0, [(inputs[bit], weight) for bit, weight in places(task, second.name, 1).items()]
    )
    total = ZERO
    for bit in first.bits:
        total = diagrams.combine(total, 2, diagrams.where(inputs[bit], factor), 1)
    product = _horner(diagrams, places(task, "p", 1), inputs, outputs)
    return diagrams.combine(product, 1, total, -1)


def _difference(diagrams: Diagrams, task: Task, inputs: Mapping[str, int]) -> Function:
    weights = {**places(task, "a", 1), **places(task, "b", -1)}
    return diagrams.linear(0, [(inputs[bit], weight) for bit, weight in weights.items()])


def _comparator(diagrams: Diagrams, task: Task, inputs: Mapping[str, int]) -> dict[str, Function]:
    difference = _difference(diagrams, task, inputs)
    greater = diagrams.above(difference, 0)
    less = diagrams.above(diagrams.scaled(difference, -1), 0)
    either = diagrams.combine(greater, -1, less, -1)
    return {"gt": greater, "lt": less, "eq": (either[0] + 1, either[1])}


def _parity(diagrams: Diagrams, task: Task, inputs: Mapping[str, int]) -> dict[str, Function]:
    even, odd = ZERO, (1, 0)
    for variable in sorted((inputs[bit] for bit in task.input_bits), reverse=True):
        even, odd = diagrams.node(variable, even, odd), diagrams.node(variable, odd, even)
    return {"p": even}


def _majority(diagrams: Diagrams, task: Task, inputs: Mapping[str, int]) -> dict[str, Function]:
    ones = diagrams.linear(0, [(inputs[bit], 1) for bit in task.input_bits])
    return {"m": diagrams.above(ones, task.n_in // 2)}


DEFINED: Final[dict[str, Callable[[Diagrams, Task, Mapping[str, int]], dict[str, Function]]]] = {
    "comparator": _comparator,
    "parity": _parity,
    "majority": _majority,
}
"""Tasks by their own definition: the function of each output bit."""
