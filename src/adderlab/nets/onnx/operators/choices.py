"""Comparisons, choices by them, and the number of the largest."""

from __future__ import annotations

import torch
from torch import Tensor

from adderlab.nets.onnx.graph import Step
from adderlab.nets.onnx.operators.shared import Entry, axis_of, check_size, refused
from adderlab.nets.onnx.tensors import dtype_of


def where(step: Step, condition: Tensor, left: Tensor, right: Tensor) -> Tensor:
    """The left where a condition holds, else the right."""
    shape = torch.broadcast_shapes(condition.shape, left.shape, right.shape)
    _ = check_size(step, shape)
    return torch.where(condition, left, right)


def cast(step: Step, value: Tensor) -> Tensor:
    """Another type of numbers."""
    return value.to(dtype_of(int(step.attributes["to"]), step.where))


def cast_like(step: Step, value: Tensor, other: Tensor) -> Tensor:
    """The type of other numbers."""
    del step
    return value.to(other.dtype)


def number_of_largest(*, least: bool = False) -> Entry:
    """Return the entry of the number of the first largest along an axis, or of the least."""

    def entry(step: Step, value: Tensor) -> Tensor:
        axis = axis_of(step, value, int(step.attributes.get("axis", 0)))
        keeps = bool(step.attributes["keepdims"])
        if value.shape[axis] == 0:
            raise refused(step, "there is nothing to choose from", "export the model again")
        own = -value if least else value
        if not step.attributes.get("select_last_index"):
            return torch.argmax(own, axis, keepdim=keeps)
        if any(step.depends) and value.shape[axis] > 2:
            raise refused(
                step, "it takes the last of equals (select_last_index)", "take the first of equals"
            )
        return value.shape[axis] - 1 - torch.argmax(own.flip(axis), axis, keepdim=keeps)

    return entry
