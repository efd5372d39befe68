"""Tasks that are one linear equation between their bits, as weights of the bits.

An adder is right exactly if its outputs are bits and ``sum 2**i c_i - a - b = 0``. The equation
is the task's own word-level meaning: nothing of any network is in it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adderlab.tasks import Task


def places(task: Task, word: str, factor: int) -> dict[str, int]:
    """Return ``factor`` times a word's value as weights of its bits."""
    own = next(entry for entry in (*task.inputs, *task.outputs) if entry.name == word)
    return {bit: factor << (own.width - 1 - place) for place, bit in enumerate(own.bits)}


def _adder(task: Task) -> dict[str, int]:
    weights = places(task, "c", 1)
    for word in task.inputs:
        weights |= places(task, word.name, -1)
    return weights


def _subtractor(task: Task) -> dict[str, int]:
    width = task.inputs[0].width
    return {
        **places(task, "d", 1),
        **places(task, "borrow", -(1 << width)),
        **places(task, "a", -1),
        **places(task, "b", 1),
    }


def _popcount(task: Task) -> dict[str, int]:
    return {**places(task, "n", 1), **dict.fromkeys(task.input_bits, -1)}


LINEAR_FORMS: Final[dict[str, Callable[[Task], dict[str, int]]]] = {
    "half-adder": _adder,
    "full-adder": _adder,
    "adder": _adder,
    "subtractor": _subtractor,
    "popcount": _popcount,
}
"""By the task's name without its width: each bit's weight in a sum that must be 0."""


def kind_of(task: Task) -> str:
    """Return a task's name without its width."""
    return task.name.partition(":")[0]
