"""What the operators' entries need: one is a function of a node and of the tensors it takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import torch
from torch import Tensor

from adderlab import limits
from adderlab.errors import ModelError
from adderlab.nets.onnx.graph import Step

Entry: TypeAlias = Callable[..., Any]
"""Takes the node and its tensors, and returns a tensor or several."""

MOST_NUMBERS: Final = 1 << 24
"""Numbers of a value that is computed, of all rows that the graph is run on."""


def refused(step: Step, what: str, remedy: str) -> ModelError:
    """Return the error for a node."""
    return ModelError(what, where=step.where, remedy=remedy)


def check_size(step: Step, shape: Iterable[int]) -> tuple[int, ...]:
    """Return a shape, if a value of it is of a bearable size.

    Raises:
        ModelError: it is not.
    """
    sizes = tuple(shape)
    if math.prod(sizes) > MOST_NUMBERS:
        raise refused(
            step,
            f"its result of shape {list(sizes)[:8]} has more than {MOST_NUMBERS} numbers",
            "take something smaller",
        )
    limits.check(16 * math.prod(sizes))
    return sizes


def constant(step: Step, at: int, tensor: Tensor, name: str) -> Tensor:
    """Return an input that must not depend on what the network is given.

    Raises:
        ModelError: it does.
    """
    if step.depends[at]:
        raise refused(
            step, f"its {name} depends on the values of the input", "give it as a constant"
        )
    return tensor


def whole(step: Step, at: int, tensor: Tensor, name: str) -> list[int]:
    """Return the whole numbers of a constant input."""
    return [int(number) for number in constant(step, at, tensor, name).reshape(-1).tolist()]


def axis_of(step: Step, tensor: Tensor, axis: int) -> int:
    """Return an axis counted from the front.

    Raises:
        ModelError: there is none.
    """
    if not -tensor.ndim <= axis < tensor.ndim:
        raise refused(step, f"there is no axis {axis} of {tensor.ndim}", "export the model again")
    return axis % tensor.ndim


def plain(function: Callable[[Tensor], Tensor]) -> Entry:
    """Return the entry of a function of one tensor."""
    return lambda step, value: function(value)


def pairwise(function: Callable[[Tensor, Tensor], Tensor]) -> Entry:
    """Return the entry of a function of two tensors, number by number."""

    def entry(step: Step, left: Tensor, right: Tensor) -> Tensor:
        _ = check_size(step, torch.broadcast_shapes(left.shape, right.shape))
        return function(left, right)

    return entry


def folded(function: Callable[[Tensor, Tensor], Tensor]) -> Entry:
    """Return the entry of an operator of any number of tensors, from left to right."""
    pair = pairwise(function)

    def entry(step: Step, first: Tensor, *others: Tensor) -> Tensor:
        for other in others:
            first = pair(step, first, other)
        return first

    return entry


def of_constants(entry: Entry) -> Entry:
    """Return the entry of an operator that is read of constants alone."""

    def checked(step: Step, *tensors: Any) -> Any:
        if any(step.depends):
            raise refused(
                step,
                f"{step.kind} of values that depend on the input is not read",
                "docs/classes.md lists the operators that are read",
            )
        return entry(step, *tensors)

    return checked
