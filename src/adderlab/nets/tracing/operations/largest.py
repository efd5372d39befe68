"""The number of the largest of several values."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from adderlab.nets.activations import RULES, Activation
from adderlab.nets.tracing.operations.comparisons import depends, logits
from adderlab.nets.tracing.operations.curves import larger
from adderlab.nets.tracing.operations.shared import copies
from adderlab.nets.tracing.places import place
from adderlab.nets.tracing.recorder import READABLE, Recorder

MOST_RANKED: Final = 1024
"""Values of a softmax up to which the bounds of the activation ``logit`` hold."""


def softmax(rec: Recorder, func: Any, out: Tensor, value: Tensor, dim: int, *_: Any) -> Any:
    """What keeps the order of several values; of two, the sigmoid of their difference.

    In a number format close values become equal, so the largest is asked of ``logit`` units.

    PyTorch's softmax of two was within 1.0 units in the last place of 1 of that sigmoid (torch
    2.13, AVX-512, fp32, fp64, fp16 and bf16); the sigmoid's entry allows for twice of it.
    """
    codes = rec.memory.codes(value)
    order, columns = rec.by_row(*(own.contiguous() for own in codes.unbind(dim)))
    if (np.array(columns) < 0).any():
        raise rec.refusal("constants stand among the values of a softmax")
    is_log = "log" in str(func._schema.name)  # noqa: SLF001 -- how PyTorch names it
    if len(columns) == 2 and not is_log and "sigmoid" in RULES:
        sigmoid = Activation("sigmoid")
        terms = [[[(a, 1.0), (b, -1.0)] for a, b in zip(*pair, strict=True)]
                 for pair in ((columns[0], columns[1]), (columns[1], columns[0]))]  # fmt: skip
        new = [np.array(rec.rows_of_terms(own, None, sigmoid)) for own in terms]
    else:
        remedy = "take the largest with argmax, or compare the values before the softmax"
        what = ("the values of a softmax are no network's", place(), remedy)
        new = [copies(rec, units, what) for units in columns]
    if len(columns) > MOST_RANKED:
        raise rec.refusal(f"a softmax of {len(columns)} values, more than {MOST_RANKED}")
    first = len(rec.ranked)
    flat = [(int(unit), 1.0) for own in columns for unit in own]
    ranked = rec.rows_of_terms([[term] for term in flat], None, Activation("logit"))
    for units, sources in zip(new, np.array(ranked).reshape(len(columns), -1), strict=True):
        for at, (unit, source) in enumerate(zip(units.tolist(), sources.tolist(), strict=True)):
            rec.ranked[unit] = (source, first + at)
    parts = zip(out.unbind(dim), new, strict=True)
    return torch.stack([rec.filled(own, order, units) for own, units in parts], dim)


def largest(
    rec: Recorder, func: Any, out: Tensor, value: Tensor, dim: Any = None, keepdim: bool = False
) -> Any:
    """The number of the first largest value along a dimension."""
    del func
    codes = logits(rec, rec.memory.codes(value), dim=-1 if dim is None else dim)
    if dim is None:
        if codes.numel() != codes.shape[-1] or codes.ndim == 0:
            raise rec.refusal("the largest of all rows is asked for", "say which dimension: dim=1")
        dim = -1
    table = codes.movedim(dim, -1)
    shape = table.shape[:-1]
    table = table.reshape(-1, table.shape[-1])
    heads = table.numpy().max(axis=1)
    order, _ = rec.by_row(torch.from_numpy(np.where(heads >= 0, heads % rec.rows, -1)))
    _, (units,) = rec.by_row(table.contiguous())
    count = table.shape[1]
    if len(units) != count * order.shape[1]:
        raise rec.refusal("constants stand among the values whose largest is asked for")
    new = [_number_of_largest(rec, own.tolist()) for own in units.reshape(-1, count)]
    flat = torch.empty(len(table), dtype=torch.int64)
    flat[torch.from_numpy(order.reshape(-1))] = rec.codes_of(
        np.array(new)[None], np.arange(rec.rows)[:, None]
    ).reshape(-1)
    result = flat.reshape(shape)
    return (result.unsqueeze(dim) if keepdim else result).reshape(out.shape)


def _number_of_largest(rec: Recorder, units: list[int]) -> int:
    """Return a unit whose value is the number of the first largest of several."""
    count = len(units)
    pairs = [(i, j) for i in range(count) for j in range(i + 1, count)]
    step = Activation("step", convention=">=")
    not_less = (
        dict(
            zip(
                pairs,
                rec.rows_of_terms(
                    [[(units[i], 1.0), (units[j], -1.0)] for i, j in pairs], None, step
                ),
                strict=True,
            )
        )
        if pairs
        else {}
    )
    terms: list[list[tuple[int, float]]] = []
    shifts: list[float] = []
    for number in range(count):
        after = [(not_less[number, j], 1.0) for j in range(number + 1, count)]
        before = [(not_less[i, number], -1.0) for i in range(number)]
        terms.append([*after, *before])
        shifts.append(float(-len(after)))
    if count == 1:
        return rec.constant_unit(0.0)
    is_first = rec.rows_of_terms(terms, shifts, step)
    if count == 2:
        rec.classes[is_first[1]] = tuple(is_first)
        return is_first[1]
    numbers = [[(unit, float(number)) for number, unit in enumerate(is_first) if number]]
    (value,) = rec.rows_of_terms(numbers)
    rec.classes[value] = tuple(is_first)
    return value


def largest_and_number(
    rec: Recorder, func: Any, out: Any, value: Tensor, *args: Any, **kwargs: Any
) -> Any:
    """``max(dim=…)``: the second of its results is read, the first is no network's."""
    if isinstance(out, Tensor):  # of all numbers, or of two tensors
        return larger(rec, func, out, value, *args) if args else depends(rec, func, out)
    numbers = largest(rec, func, out[1], value, *args, **kwargs)
    order, (units,) = rec.by_row(numbers)
    what = ("the largest of several computed values is used", place(), READABLE)
    return rec.filled(out[0], order, copies(rec, units, what)), numbers
