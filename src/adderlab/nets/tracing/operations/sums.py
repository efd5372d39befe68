"""Sums, products with constants, and quotients by constants."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from adderlab.nets.activations import RULES, Activation
from adderlab.nets.tracing.nodes import IDENTITY
from adderlab.nets.tracing.operations.shared import (
    COMPARE,
    activated,
    as_used,
    copies,
    is_computed,
    one_number,
    plus,
    source_of,
    times,
    units_of,
)
from adderlab.nets.tracing.places import place
from adderlab.nets.tracing.recorder import Recorder

BY_NUMBERS: Final = "divide by constants alone"


def product(rec: Recorder, func: Any, out: Tensor, left: Tensor, right: Tensor) -> Any:
    """``A @ B`` of two matrices, one of them of constants."""
    del func, out
    if rec.memory.is_computed(left) and rec.memory.is_computed(right):
        raise rec.refusal("two computed values are multiplied", "multiply by constants alone")
    if rec.memory.is_computed(right):
        return rec.matrix(rec.memory.codes(right).T.contiguous(), left).T.contiguous()
    return rec.matrix(rec.memory.codes(left), right.T)


def product_and_sum(
    rec: Recorder,
    func: Any,
    out: Tensor,
    shift: Tensor,
    left: Tensor,
    right: Tensor,
    *,
    beta: float = 1,
    alpha: float = 1,
) -> Any:
    """``b + A @ B``."""
    if (alpha, beta) != (1, 1):
        raise rec.refusal("a product and a sum are scaled", "multiply by constants before")
    is_bias = not rec.memory.is_computed(shift) and shift.ndim == 1
    if is_bias and not rec.memory.is_computed(right):
        return rec.matrix(
            rec.memory.codes(left), right.T, shift.expand(right.shape[1]).contiguous()
        )
    products = product(rec, func, out, left, right)
    return plus(rec, out, products, rec.memory.codes(shift).expand(out.shape))


def batched(rec: Recorder, func: Any, out: Tensor, left: Tensor, right: Tensor) -> Any:
    """A product of matrices in batches."""
    del func
    if rec.memory.is_computed(left) and rec.memory.is_computed(right):
        raise rec.refusal("two computed values are multiplied", "multiply by constants alone")
    if rec.memory.is_computed(right):
        return batched(
            rec, None, out.transpose(1, 2), right.transpose(1, 2), left.transpose(1, 2)
        ).transpose(1, 2)
    codes = rec.memory.codes(left)
    if bool((right == right[:1]).all()):
        rows = codes.reshape(-1, codes.shape[2])
        return rec.matrix(rows, right[0].T).reshape(out.shape)
    return torch.stack([rec.matrix(a, b.T) for a, b in zip(codes, right, strict=True)])


def vector(rec: Recorder, func: Any, out: Tensor, left: Tensor, right: Tensor) -> Any:
    """``A @ v``."""
    del func, out
    if rec.memory.is_computed(right):
        raise rec.refusal("a matrix is multiplied with one row of the batch", "keep (batch, bits)")
    return rec.matrix(rec.memory.codes(left), right[None])[:, 0]


def total(
    rec: Recorder, func: Any, out: Tensor, value: Tensor, dims: Any = None, *_: Any, **__: Any
) -> Any:
    """A sum over some dimensions."""
    del func
    codes = rec.memory.codes(value)
    dims = [dims] if isinstance(dims, int) else list(dims or range(codes.ndim))
    over = {dim % codes.ndim for dim in dims}
    kept = [dim for dim in range(codes.ndim) if dim not in over]
    count = math.prod(codes.shape[dim] for dim in over)
    table = codes.permute(*kept, *sorted(over)).reshape(-1, count)
    ones = torch.ones((1, count), dtype=_dtype(rec))
    return rec.matrix(table, ones).reshape(out.shape)


def mean(
    rec: Recorder, func: Any, out: Tensor, value: Tensor, dims: Any = None, *_: Any, **__: Any
) -> Any:
    """A mean: a sum that is divided by their number."""
    count = value.numel() // max(out.numel(), 1)
    return _quotients(rec, out, total(rec, func, out, value, dims), torch.tensor(float(count)))


def _dtype(rec: Recorder) -> torch.dtype:
    return {"fp64": torch.float64, "fp32": torch.float32, "fp16": torch.float16}.get(
        rec.nodes.format, torch.bfloat16
    )


def _quotients(rec: Recorder, out: Tensor, codes: Tensor, divisors: Tensor) -> Any:
    """Return the codes of values divided by constants: of powers of two, products."""
    by = np.broadcast_to(divisors.double().numpy(), out.shape)
    numbers = np.unique(by).tolist()
    for number in numbers:
        if number == 0 or not math.isfinite(number):
            raise rec.refusal(f"values are divided by {number:g}", "divide by other numbers")
    if all(abs(math.frexp(number)[0]) == 0.5 for number in numbers):
        return times(rec, out, codes, 1 / by)
    order, (units,) = rec.by_row(codes.contiguous())
    own = rec.same_in_rows(by, order)
    new = np.zeros(len(units), dtype=np.int64)
    for number in numbers:  # a layer has one activation
        at = np.flatnonzero(own == number)
        terms = [[(int(unit), 1.0)] for unit in units[at]]
        new[at] = rec.rows_of_terms(terms, None, Activation("quotient", divisor=number))
    return rec.filled(out, order, new)


def sum_(
    rec: Recorder, func: Any, out: Tensor, left: Any, right: Any, alpha: float = 1, sign: int = 1
) -> Any:
    """``a + b``, each of them values or constants."""
    del func
    codes = [rec.memory.codes(as_used(rec, part)).expand(out.shape) for part in (left, right)]
    factor = float(alpha) * sign
    if factor == 1 and (powers := _one_and_powers(rec, out, *codes)) is not None:
        return powers
    if abs(factor) != 1:
        is_value = is_computed(rec, right)
        codes[1] = (
            times(rec, out, codes[1], factor)
            if is_value
            else rec.memory.codes(as_used(rec, right) * factor).expand(out.shape)
        )
        factor = 1.0
    return plus(rec, out, *codes, factors=(1.0, factor))


def difference(
    rec: Recorder, func: Any, out: Tensor, left: Any, right: Any, alpha: float = 1
) -> Any:
    """``a - b``."""
    return sum_(rec, func, out, left, right, alpha, sign=-1)


def reversed_difference(
    rec: Recorder, func: Any, out: Tensor, left: Any, right: Any, alpha: float = 1
) -> Any:
    """``b - a``."""
    return sum_(rec, func, out, right, left, alpha, sign=-1)


def scaled(rec: Recorder, func: Any, out: Tensor, left: Any, right: Any) -> Any:
    """``c * y``."""
    del func
    if all(isinstance(part, Tensor) and rec.memory.is_computed(part) for part in (left, right)):
        return _gated(rec, out, left, right)
    value, factor = (left, right) if is_computed(rec, left) else (right, left)
    codes = rec.memory.codes(value).expand(out.shape)
    return times(rec, out, codes, as_used(rec, factor))


def _gated(rec: Recorder, out: Tensor, left: Tensor, right: Tensor) -> Any:
    """``y * sigmoid(y)``, which is SiLU; ``y * tanh(softplus(y))``, which is Mish; bits' and."""
    parts = (rec.memory.codes(part).expand(out.shape).contiguous() for part in (left, right))
    order, columns = rec.by_row(*parts)
    for units, gates in (columns, columns[::-1]):
        kinds = {_gate(rec, *pair) for pair in zip(units.tolist(), gates.tolist(), strict=True)}
        if len(kinds) == 1 and (kind := kinds.pop()):
            return activated(rec, out, order, units, Activation(kind))
    pairs = [tuple(_scaled_bit(rec, unit) for unit in pair)
             for pair in zip(*(own.tolist() for own in columns), strict=True)]  # fmt: skip
    if all(a and b and 1 in (a[1], b[1]) for a, b in pairs):  # nothing is rounded
        return _both_bits(rec, out, order, pairs)
    raise rec.refusal("two computed values are multiplied", "multiply by constants alone")


def _scaled_bit(rec: Recorder, unit: int) -> tuple[int, float] | None:
    """Return the bit that a unit is a multiple of, and the factor; ``None`` for none."""
    if unit < 0:
        return rec.constant_unit(1.0), rec.memory.value_of(unit)
    if rec.nodes.is_bit(unit):
        return unit, 1.0
    node = rec.nodes.node_of(unit)
    source = source_of(node, rec.nodes.place_of(unit)[1])
    is_plain = node is not None and node.bias is None and node.activation == IDENTITY
    return source if is_plain and source and rec.nodes.is_bit(source[0]) else None


def _both_bits(rec: Recorder, out: Tensor, order: Any, pairs: Any) -> Any:
    """Products of bits, or of multiples of them: a multiple of their ``and``."""
    terms = [[(a, 1.0), (b, 1.0)] for (a, _), (b, _) in pairs]
    both = rec.rows_of_terms(terms, [-1.5] * len(terms), Activation("step"))
    factors = [a * b for (_, a), (_, b) in pairs]
    multiples = [[(unit, factor)] for unit, factor in zip(both, factors, strict=True)]
    return rec.filled(out, order, rec.rows_of_terms(multiples))


def _gate(rec: Recorder, unit: int, gate: int) -> str:
    """Return the activation that a unit times another is; empty for none."""
    kind, source = _curve(rec, gate)
    if kind == Activation("sigmoid") and source == unit:
        return "silu"
    inner, source = _curve(rec, source) if kind == Activation("tanh") else (None, -1)
    is_softplus = inner is not None and inner.kind == "softplus" and inner.number("beta") == 1
    return "mish" if is_softplus and source == unit else ""


def _curve(rec: Recorder, unit: int) -> tuple[Activation | None, int]:
    """Return the activation that a unit is of another unit alone, and that unit."""
    node = rec.nodes.node_of(unit) if unit >= 0 else None
    if node is None or node.weight is not None or node.bias is not None:
        return None, -1
    return node.activation, node.columns[rec.nodes.place_of(unit)[1]]


def negated(rec: Recorder, func: Any, out: Tensor, value: Tensor) -> Any:
    """``-y``."""
    del func
    return times(rec, out, rec.memory.codes(value), -1.0)


def divided(rec: Recorder, func: Any, out: Tensor, left: Any, right: Any, **options: Any) -> Any:
    """``y / c``; ``y / (1 + |y|)``, which is softsign."""
    del func
    if options.get("rounding_mode") is not None:
        raise rec.refusal("values are rounded", COMPARE)
    if is_computed(rec, right):
        is_one = not is_computed(rec, left) and one_number(rec, left) == 1
        return reciprocal(rec, None, out, right) if is_one else _softsign(rec, out, left, right)
    return _quotients(rec, out, rec.memory.codes(left).expand(out.shape), as_used(rec, right))


def _softsign(rec: Recorder, out: Tensor, left: Any, right: Tensor) -> Any:
    what = ("two computed values are divided", BY_NUMBERS)
    if not is_computed(rec, left) or "softsign" not in RULES:
        raise rec.refusal(*what)
    order, (above, below) = rec.by_row(rec.memory.codes(left), rec.memory.codes(right))
    for unit, under in zip(above.tolist(), below.tolist(), strict=True):
        node, (number, at) = rec.nodes.node_of(under), rec.nodes.place_of(under)
        size = node.columns[at] if number >= 0 and node is not None and node.weight is None else -1
        inner = rec.nodes.node_of(size) if size >= 0 else None
        is_so = (
            node is not None
            and node.bias is not None
            and float(node.bias[at]) == 1
            and inner is not None
            and inner.activation.kind == "abs"
            and inner.weight is None
            and inner.columns[rec.nodes.place_of(size)[1]] == unit
        )
        if not is_so:
            raise rec.refusal(*what)
    return activated(rec, out, order, above, Activation("softsign"))


def exponential(rec: Recorder, func: Any, out: Tensor, value: Tensor) -> Any:
    """``exp(y)``, which is read in ``1 / (1 + exp(-y))`` alone."""
    del func
    order, (units,) = rec.by_row(rec.memory.codes(value))
    what = ("exp can't be read", place(), "1 / (1 + exp(-y)) alone is read, as a sigmoid")
    new = copies(rec, units, what)
    rec.powers |= {copy: (unit, 0) for copy, unit in zip(new.tolist(), units.tolist(), strict=True)}
    return rec.filled(out, order, new)


def _one_and_powers(rec: Recorder, out: Tensor, left: Tensor, right: Tensor) -> Any:
    """Return the codes of ``1 + exp(y)``; ``None`` for any other sum."""
    units = {unit for codes in (left, right) for unit in units_of(rec, codes)}
    if not units or any(rec.powers.get(unit, (0, 1))[1] for unit in units):
        return None
    order, columns = rec.by_row(left.contiguous(), right.contiguous())
    powers, ones = columns if (columns[0] >= 0).all() else columns[::-1]
    if any(unit >= 0 or rec.memory.value_of(unit) != 1 for unit in ones.tolist()):
        return None
    new = copies(rec, powers, rec.unreadable[int(powers[0])])
    sources = (rec.powers[unit][0] for unit in powers.tolist())
    rec.powers |= {copy: (unit, 1) for copy, unit in zip(new.tolist(), sources, strict=True)}
    return rec.filled(out, order, new)


def reciprocal(rec: Recorder, func: Any, out: Tensor, value: Tensor) -> Any:
    """``1 / (1 + exp(-y))``, which is the sigmoid of y."""
    del func
    order, (units,) = rec.by_row(rec.memory.codes(value))
    powers = [rec.powers.get(unit, (0, 0)) for unit in units.tolist()]
    if not all(added for _, added in powers) or "sigmoid" not in RULES:
        raise rec.refusal("a computed value is divided by", BY_NUMBERS)
    rec.note("1 / (1 + exp(-y)) was read as the sigmoid of y")
    turned = rec.rows_of_terms([[(source, -1.0)] for source, _ in powers])
    return activated(rec, out, order, np.array(turned), Activation("sigmoid"))


def normalized(
    rec: Recorder,
    func: Any,
    out: Any,
    value: Tensor,
    weight: Any,
    bias: Any,
    mean: Tensor | None,
    variance: Tensor,
    *options: Any,
) -> Any:
    """Batch norm in eval mode: a scale and a shift for each unit."""
    del func
    *training, _, epsilon = options
    if any(training) or mean is None:
        raise rec.refusal("batch norm uses the batch's own mean", "call model.eval()")
    scale = 1 / torch.sqrt(variance + epsilon)
    scale = scale if weight is None else scale * weight
    shift = -mean * scale if bias is None else bias - mean * scale
    shape = [1, -1, *[1] * (value.ndim - 2)]
    codes = times(rec, out[0], rec.memory.codes(value), scale.reshape(shape).double().numpy())
    shifts = rec.memory.of_constants(shift.reshape(shape).expand(value.shape))
    rec.note("batch norm was read as a scale and a shift, as eval mode has it")
    return plus(rec, out[0], codes, shifts), *[None] * (len(out) - 1)
