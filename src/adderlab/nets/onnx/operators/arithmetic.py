"""Products, sums and quotients."""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor

from adderlab.nets.onnx.graph import Step
from adderlab.nets.onnx.operators.shared import axis_of, check_size, refused, whole

IN_EVAL: Final = "export the model in eval mode"


def matmul(step: Step, left: Tensor, right: Tensor) -> Tensor:
    """``A @ B``, as NumPy's matmul."""
    rows, columns = left.shape[:-1], right.shape[-1:] if right.ndim > 1 else ()
    lead = right.shape[:-2]
    if lead and len(rows) > 1:
        lead = torch.broadcast_shapes(lead, rows[:-1])
    _ = check_size(step, (*lead, *rows, *columns))
    if left.ndim == 1:
        return (left[None] @ right)[..., 0, :] if right.ndim > 1 else left[None] @ right
    return left @ right


def gemm(step: Step, left: Tensor, right: Tensor, shift: Tensor | None = None) -> Tensor:
    """``alpha * A' @ B' + beta * C``."""
    attributes = step.attributes
    left = left.T if attributes.get("transA", 0) else left
    right = right.T if attributes.get("transB", 0) else right
    alpha, beta = float(attributes["alpha"]), float(attributes["beta"])
    size = check_size(step, (*left.shape[:1], *right.shape[1:]))
    if shift is not None and beta != 1:
        shift = shift * torch.tensor(beta, dtype=shift.dtype)
    if shift is not None:
        _check_spreads(step, shift, size)
        if alpha == 1 and not step.depends[2] and shift.numel() in (1, size[-1]):
            one_row = shift.ndim < 2 or shift.shape[0] == 1
            if one_row:
                return torch.addmm(shift.reshape(-1).expand(size[-1]).contiguous(), left, right)
    product = left @ right
    if alpha != 1:
        product = product * torch.tensor(alpha, dtype=product.dtype)
    return product if shift is None else product + shift


def _check_spreads(step: Step, shift: Tensor, size: tuple[int, ...]) -> None:
    if torch.broadcast_shapes(shift.shape, size) != size:
        raise refused(step, "its sum has another shape than its product", "export the model again")


def divide(step: Step, left: Tensor, right: Tensor) -> Tensor:
    """``a / b``; of integers, rounded towards 0."""
    _ = check_size(step, torch.broadcast_shapes(left.shape, right.shape))
    if left.dtype.is_floating_point:
        return left / right
    return torch.div(left, right, rounding_mode="trunc")


def total(step: Step, value: Tensor, axes: Tensor | None = None) -> Tensor:
    """A sum over some axes."""
    over = _axes(step, value, axes)
    return value if over is None else torch.sum(value, over, keepdim=_keeps(step))


def mean(step: Step, value: Tensor, axes: Tensor | None = None) -> Tensor:
    """A mean over some axes."""
    over = _axes(step, value, axes)
    return value if over is None else torch.mean(value, over, keepdim=_keeps(step))


def _axes(step: Step, value: Tensor, axes: Tensor | None) -> list[int] | None:
    """Return the axes; ``None`` where nothing is to be done."""
    attribute = step.attributes.get("axes")
    over = list(attribute or ()) if axes is None else whole(step, 1, axes, "axes")
    if not over:
        return None if step.attributes.get("noop_with_empty_axes") else list(range(value.ndim))
    return [axis_of(step, value, axis) for axis in over]


def _keeps(step: Step) -> bool:
    return bool(step.attributes["keepdims"])


def batch_norm(
    step: Step, value: Tensor, scale: Tensor, shift: Tensor, mean: Tensor, variance: Tensor
) -> Any:
    """A scale and a shift for each unit, as in inference."""
    attributes = step.attributes
    if attributes.get("training_mode") or not attributes.get("spatial", 1) or any(step.outputs[1:]):
        raise refused(step, "batch norm uses the batch's own mean", IN_EVAL)
    if any(step.depends[1:]):
        raise refused(step, "its scale depends on the values of the input", IN_EVAL)
    return torch.batch_norm(
        value, scale, shift, mean, variance, False, 0.0, float(attributes["epsilon"]), False
    )


def einsum(step: Step, *values: Tensor) -> Tensor:
    """A sum of products over named axes."""
    equation = step.attributes["equation"].replace(" ", "")
    left, _, right = equation.partition("->")
    terms = left.split(",")
    if not equation.replace(",", "").replace("->", "").isalpha() or len(terms) != len(values):
        raise refused(step, f"the equation is {equation[:60]!r}", "name every axis by a letter")
    sizes = {
        letter: size
        for term, value in zip(terms, values, strict=True)
        for letter, size in zip(term, value.shape, strict=True)
    }
    _ = check_size(step, sizes.values())
    _ = check_size(step, [sizes.get(letter, 1) for letter in right])
    return torch.einsum(equation, *values)


def dequantized(step: Step, value: Tensor, scale: Tensor, zero: Tensor | None = None) -> Tensor:
    """``(q - zero) * scale`` of stored integers."""
    attributes = step.attributes
    if attributes.get("block_size") or attributes.get("output_dtype"):
        raise refused(step, "its scales are of blocks", "give a scale for each row or column")
    if scale.ndim > 1:
        raise refused(step, f"its scale has {scale.ndim} axes", "give a scale for each row")
    shape = [1] * value.ndim
    if scale.numel() > 1:
        shape[axis_of(step, value, int(attributes.get("axis", 1)))] = -1
    own = value.to(torch.int64)
    if zero is not None:
        own = own - zero.to(torch.int64).reshape(shape)
    return own.to(scale.dtype) * scale.reshape(shape)


def power(step: Step, value: Tensor, exponent: Tensor) -> Tensor:
    """``a ** b``, in the type of a."""
    del step
    return torch.pow(value, exponent).to(value.dtype)
