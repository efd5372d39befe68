"""What a task asks for, as diagrams that must be identically 0; never with a network's units.

Rule: a task with a linear word form is held against it (an adder is right exactly if its outputs
are bits and ``sum 2**i c_i = a + b``); any other against its own definition, bit by bit. The form
is summed by Horner's rule from the heaviest bits down, so what is summed so far stays small as
long as the network is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from adderlab.proving.diagrams.table import ZERO, Diagrams, Function
from adderlab.tasks import Task

Bits: TypeAlias = Mapping[str, Function]
"""The functions of named bits."""


def is_specified(task: Task) -> bool:
    """Return whether a diagram is known for what the task asks for."""
    name = task.name.partition(":")[0]
    return name in LINEAR or name in DEFINED


def must_vanish(
    diagrams: Diagrams, task: Task, inputs: Mapping[str, int], outputs: Bits
) -> list[Function]:
    """Return functions that are all 0 exactly if the output bits are the task's.

    Args:
        diagrams: the table.
        task: what is asked for; one that :func:`is_specified`.
        inputs: the variable of each input bit.
        outputs: the function of each output bit, 0 or 1 on every input.
    """
    name = task.name.partition(":")[0]
    if name in LINEAR:
        weights = LINEAR[name](task)
        return [_horner(diagrams, weights, inputs, outputs)]
    wanted = DEFINED[name](diagrams, task, inputs)
    return [diagrams.combine(outputs[bit], 1, wanted[bit], -1) for bit in task.output_bits]


def _places(task: Task, word: str, factor: int) -> dict[str, int]:
    """Return ``factor`` times a word's value as weights of its bits."""
    found = next(one for one in (*task.inputs, *task.outputs) if one.name == word)
    return {bit: factor << (found.width - 1 - place) for place, bit in enumerate(found.bits)}


def _adder(task: Task) -> dict[str, int]:
    weights = _places(task, "c", 1)
    for word in task.inputs:
        weights |= _places(task, word.name, -1)
    return weights


def _subtractor(task: Task) -> dict[str, int]:
    width = task.inputs[0].width
    return {
        **_places(task, "d", 1),
        **_places(task, "borrow", -(1 << width)),
        **_places(task, "a", -1),
        **_places(task, "b", 1),
    }


def _popcount(task: Task) -> dict[str, int]:
    return {**_places(task, "n", 1), **dict.fromkeys(task.input_bits, -1)}


LINEAR: Final[dict[str, Callable[[Task], dict[str, int]]]] = {
    "half-adder": _adder,
    "full-adder": _adder,
    "adder": _adder,
    "subtractor": _subtractor,
    "popcount": _popcount,
}
"""Tasks that are a linear equation between their bits: each bit's weight, summing to 0."""


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
        form = diagrams.linear(0, [(inputs[bit], one) for bit, one in here if bit in inputs])
        total = diagrams.combine(total, 2, form, 1)
        for bit, one in here:
            if bit in outputs:
                total = diagrams.combine(total, 1, outputs[bit], one)
    return total


def _difference(diagrams: Diagrams, task: Task, inputs: Mapping[str, int]) -> Function:
    weights = {**_places(task, "a", 1), **_places(task, "b", -1)}
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
