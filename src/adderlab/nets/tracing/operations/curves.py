"""Activations, and what is written with other operations but is one."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from adderlab.nets.activations import RULES, Activation
from adderlab.nets.tracing.operations.shared import Entry, activated, is_computed, one_number
from adderlab.nets.tracing.recorder import Recorder


def activation(kind: str, *options: str, **fixed: Any) -> Entry:
    """Return the entry of an activation.

    Args:
        kind: its name in our table.
        *options: what the operation's further arguments are, in order.
        **fixed: options that it always has.
    """

    def entry(
        rec: Recorder, func: Any, out: Tensor, value: Tensor, *args: Any, **kwargs: Any
    ) -> Any:
        arguments = {name: arg for name, arg in zip(options, args, strict=False) if arg is not None}
        arguments |= {name: arg for name, arg in kwargs.items() if name in options}
        arguments = {
            argument.name: argument.default_value
            for argument in func._schema.arguments[1:]  # noqa: SLF001
            if argument.name in options and argument.has_default_value()
        } | arguments
        return applied(rec, out, value, kind, **{**fixed, **arguments})

    return entry


def applied(rec: Recorder, out: Tensor, source: Tensor, kind: str, /, **options: Any) -> Any:
    """Return the codes of an activation's values."""
    if kind not in RULES:
        raise rec.refusal(f"{kind} can't be read")
    wide = rec.nodes.format == "fp64"
    numbers: dict[str, Any] = {
        name: float(option if wide else np.float32(option)) if isinstance(option, float) else option
        for name, option in options.items()
    }
    order, (units,) = rec.by_row(rec.memory.codes(source))
    return activated(rec, out, order, units, Activation(kind, **numbers))


def leaky(
    rec: Recorder, func: Any, out: Tensor, value: Tensor, negative_slope: float = 0.01
) -> Any:
    """Leaky relu; PyTorch rounds the slope to fp32 in all formats but fp64 (measured, 2.13)."""
    del func
    return applied(rec, out, value, "leaky", slope=float(negative_slope))


def heaviside(rec: Recorder, func: Any, out: Tensor, value: Tensor, at_zero: Tensor) -> Any:
    """A step, with the value at 0 that is given."""
    del func
    values = {float(number) for number in at_zero.reshape(-1)}
    if len(values) == 1 and values not in ({0.0}, {1.0}):
        return applied(rec, out, value, "heaviside", value=values.pop())
    if len(values) != 1:
        raise rec.refusal("units have different values at 0", "use one number for all units")
    order, (units,) = rec.by_row(rec.memory.codes(value))
    step = Activation("step", convention=">=" if values == {1.0} else ">")
    return activated(rec, out, order, units, step)


def sign(rec: Recorder, func: Any, out: Tensor, value: Tensor) -> Any:
    """Two steps: above 0, less below 0."""
    if "sign" in RULES:
        return applied(rec, out, value, "sign")
    del func
    order, (units,) = rec.by_row(rec.memory.codes(value))
    step = Activation("step")
    above = rec.rows_of_terms([[(unit, 1.0)] for unit in units.tolist()], None, step)
    below = rec.rows_of_terms([[(unit, -1.0)] for unit in units.tolist()], None, step)
    both = [[(a, 1.0), (b, -1.0)] for a, b in zip(above, below, strict=True)]
    return rec.filled(out, order, rec.rows_of_terms(both))


def clamp(
    rec: Recorder, func: Any, out: Tensor, value: Tensor, min: Any = None, max: Any = None
) -> Any:
    """Values kept between two constants; from 0 on, relu."""
    del func
    low, high = (None if end is None else one_number(rec, end) for end in (min, max))
    if (low, high) == (0.0, None):
        return applied(rec, out, value, "relu")
    return applied(rec, out, value, "clamp", min=low, max=high)


def clamp_max(rec: Recorder, func: Any, out: Tensor, value: Tensor, end: Any) -> Any:
    """Values kept below a constant."""
    return clamp(rec, func, out, value, None, end)


def hardtanh(
    rec: Recorder, func: Any, out: Tensor, value: Tensor, low: float = -1, high: float = 1
) -> Any:
    """Values kept between two numbers, whose slope is 0 at these."""
    del func
    return applied(rec, out, value, "hardtanh", min=float(low), max=float(high))


def larger(rec: Recorder, func: Any, out: Tensor, left: Tensor, right: Any) -> Any:
    """``maximum(y, c)``."""
    value, end = (left, right) if is_computed(rec, left) else (right, left)
    return clamp(rec, func, out, value, _checked_shape(rec, out, value, end))


def smaller(rec: Recorder, func: Any, out: Tensor, left: Tensor, right: Any) -> Any:
    """``minimum(y, c)``."""
    value, end = (left, right) if is_computed(rec, left) else (right, left)
    return clamp(rec, func, out, value, None, _checked_shape(rec, out, value, end))


def _checked_shape(rec: Recorder, out: Tensor, value: Tensor, end: Any) -> Any:
    if out.shape != value.shape:
        raise rec.refusal("a limit changes the shape of the batch")
    return end


def threshold(rec: Recorder, func: Any, out: Tensor, value: Tensor, at: float, by: float) -> Any:
    """``y`` where it is above a number, else another number."""
    del func
    if (at, by) == (0, 0):
        return applied(rec, out, value, "relu")
    return applied(rec, out, value, "threshold", threshold=float(at), value=float(by))


def elu(
    rec: Recorder,
    func: Any,
    out: Tensor,
    value: Tensor,
    alpha: float = 1,
    scale: float = 1,
    inner: float = 1,
) -> Any:
    """ELU, or SELU by its two constants."""
    del func
    if (scale, inner) == (1, 1):
        return applied(rec, out, value, "elu", alpha=float(alpha))
    if (round(alpha, 6), round(scale, 6), inner) == (1.673263, 1.050701, 1):
        return applied(rec, out, value, "selu")
    raise rec.refusal("an elu with constants of its own")


def celu(rec: Recorder, func: Any, out: Tensor, value: Tensor, alpha: float = 1) -> Any:
    """CELU, which is ELU where its constant is 1."""
    del func
    if alpha != 1:
        raise rec.refusal(
            f"a celu with the constant {alpha:g}",
            f"write {alpha:g} * elu(y / {alpha:g}), which is the same",
        )
    return applied(rec, out, value, "elu", alpha=1.0)


def prelu(rec: Recorder, func: Any, out: Tensor, value: Tensor, slopes: Tensor) -> Any:
    """Leaky relu with slopes that were learned: one for all units, or one for each."""
    del func
    numbers = sorted({float(slope) for slope in slopes.reshape(-1)})
    if len(numbers) == 1:
        return applied(rec, out, value, "leaky", slope=numbers[0])
    order, (units,) = rec.by_row(rec.memory.codes(value))
    own = rec.same_in_rows(np.broadcast_to(slopes.double().numpy(), out.shape), order)
    new = np.zeros(len(units), dtype=np.int64)
    for slope in numbers:  # a layer has one activation
        at = np.flatnonzero(own == slope)
        terms = [[(int(unit), 1.0)] for unit in units[at]]
        new[at] = rec.rows_of_terms(terms, None, Activation("leaky", slope=slope))
    return rec.filled(out, order, new)
