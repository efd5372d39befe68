"""Constants, and the sizes of values."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from adderlab.nets.onnx.graph import Step
from adderlab.nets.onnx.operators.shared import check_size, refused, whole


def stored(step: Step) -> Tensor:
    """A constant in one of its spellings."""
    if len(step.attributes) == 1:
        ((name, value),) = step.attributes.items()
        if isinstance(value, Tensor):
            return value
        kinds = {"value_int": torch.int64, "value_ints": torch.int64,
                 "value_float": torch.float32, "value_floats": torch.float32}  # fmt: skip
        if name in kinds:
            return torch.tensor(value, dtype=kinds[name])
    raise refused(step, "a constant that is no tensor of numbers", "store it as a tensor")


def of_shape(step: Step, shape: Tensor) -> Tensor:
    """The same number everywhere."""
    sizes = check_size(step, whole(step, 0, shape, "shape"))
    if min(sizes, default=0) < 0:
        raise refused(step, f"its shape is {list(sizes)[:8]}", "export the model again")
    value = step.attributes.get("value")
    number = torch.zeros(1) if value is None else value
    return number.reshape(()).expand(sizes).clone()


def shape_of(step: Step, value: Tensor) -> Tensor:
    """The sizes of a value."""
    end = step.attributes.get("end")
    start = int(step.attributes.get("start", 0))
    return torch.tensor(list(value.shape)[start:end], dtype=torch.int64)


def size_of(step: Step, value: Tensor) -> Tensor:
    """How many numbers a value has."""
    del step
    return torch.tensor(value.numel(), dtype=torch.int64)


def counted(step: Step, start: Tensor, limit: Tensor, delta: Tensor) -> Tensor:
    """Numbers from a start on, in steps."""
    if not float(delta):
        raise refused(step, "its step is 0", "export the model again")
    count = max(math.ceil((float(limit) - float(start)) / float(delta)), 0)
    _ = check_size(step, (count,))
    return start + torch.arange(count).to(start.dtype) * delta
