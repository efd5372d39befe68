"""Activations: PyTorch's own where the two agree, else what ONNX's definition says."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 -- as everywhere

from adderlab.nets.onnx.graph import Step
from adderlab.nets.onnx.operators.shared import Entry, constant, refused

LARGEST: Final = float(torch.finfo(torch.float32).max)
"""A bound that is none."""

NEVER: Final = 2.0**60
"""A threshold above what a network adds up to."""


def leaky(step: Step, value: Tensor) -> Tensor:
    """Leaky relu."""
    return F.leaky_relu(value, float(step.attributes["alpha"]))


def prelu(step: Step, value: Tensor, slopes: Tensor) -> Tensor:
    """Leaky relu with slopes that are spread over the values from the last axis on."""
    slopes = constant(step, 1, slopes, "slope")
    if torch.broadcast_shapes(slopes.shape, value.shape) != value.shape:
        raise refused(step, "its slopes do not fit its values", "export the model again")
    return torch.ops.aten._prelu_kernel(value, slopes.expand(value.shape))  # noqa: SLF001


def hard_sigmoid(step: Step, value: Tensor) -> Tensor:
    """``max(0, min(1, alpha * y + beta))``."""
    alpha, beta = (
        torch.tensor(float(step.attributes[name]), dtype=value.dtype) for name in ("alpha", "beta")
    )
    return torch.clamp(value * alpha + beta, 0.0, 1.0)


def elu(step: Step, value: Tensor) -> Tensor:
    """ELU."""
    return F.elu(value, float(step.attributes["alpha"]))


def celu(step: Step, value: Tensor) -> Tensor:
    """CELU, which is ELU where its constant is 1."""
    return F.celu(value, float(step.attributes["alpha"]))


def selu(step: Step, value: Tensor) -> Tensor:
    """``gamma`` times an ELU."""
    gamma = torch.tensor(float(step.attributes["gamma"]), dtype=value.dtype)
    return elu(step, value) * gamma


def softplus(step: Step, value: Tensor) -> Tensor:
    """Softplus, without PyTorch's line above a threshold."""
    del step
    return F.softplus(value, threshold=NEVER)


def gelu(step: Step, value: Tensor) -> Tensor:
    """GELU of both kinds."""
    return F.gelu(value, approximate=step.attributes["approximate"])


def swish(step: Step, value: Tensor) -> Tensor:
    """``y * sigmoid(alpha * y)``."""
    if step.attributes["alpha"] != 1:
        raise refused(step, f"its alpha is {step.attributes['alpha']:g}", "alpha 1 is read")
    return F.silu(value)


def thresholded(step: Step, value: Tensor) -> Tensor:
    """``y`` above a number, else 0."""
    return F.threshold(value, float(step.attributes["alpha"]), 0.0)


def clip(
    step: Step, value: Tensor, low: Tensor | None = None, high: Tensor | None = None
) -> Tensor:
    """Values kept between two numbers, either of which may be left out."""
    if step.version < 11:
        ends = [float(step.attributes[name]) for name in ("min", "max")]
        bounds: list[Any] = [None if abs(end) >= LARGEST else end for end in ends]
    else:
        bounds = [
            None if end is None else constant(step, at, end, name).item()
            for at, end, name in ((1, low, "min"), (2, high, "max"))
        ]
    if bounds == [None, None]:
        return value
    if None not in bounds and bounds[0] > bounds[1]:
        raise refused(step, f"its min {bounds[0]:g} is above its max {bounds[1]:g}", "swap them")
    return torch.clamp(value, *bounds)


def dropout(step: Step, value: Tensor, ratio: Any = None, training: Tensor | None = None) -> Any:
    """Nothing, as in inference."""
    del ratio
    if training is not None and bool(constant(step, 2, training, "training_mode").any()):
        raise refused(step, "dropout is in training mode", "export the model in eval mode")
    if any(step.outputs[1:]):
        raise refused(step, "dropout's mask is used", "export the model in eval mode")
    return F.dropout(value, training=False)


def softmax(function: Any) -> Entry:
    """Return the entry of softmax or its logarithm; before opset 13 it joins the last axes."""

    def entry(step: Step, value: Tensor) -> Tensor:
        axis = int(step.attributes["axis"])
        if step.version >= 13 or axis in (-1, value.ndim - 1):
            return function(value, axis)
        lead = value.reshape(value.shape[:axis].numel(), -1)
        return function(lead, 1).reshape(value.shape)

    return entry
