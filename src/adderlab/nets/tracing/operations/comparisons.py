"""Comparisons, which give bits, and operations of bits."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from adderlab.nets.activations import RULES, Activation
from adderlab.nets.convention import Convention, is_above
from adderlab.nets.tracing.nodes import IDENTITY
from adderlab.nets.tracing.operations.shared import (
    COMPARE,
    Entry,
    is_computed,
    one_number,
    source_of,
    units_of,
)
from adderlab.nets.tracing.places import is_assert
from adderlab.nets.tracing.recorder import PATH, Recorder, tensors_in

CHOICES: Final = "choose between constants, or between what is compared and a constant"


def comparison(convention: Convention, sign: int) -> Entry:
    """Return the entry of ``a > b`` (sign 1) or ``a < b`` (-1), and of those that admit ties."""

    def entry(rec: Recorder, func: Any, out: Tensor, left: Any, right: Any) -> Any:
        del func
        codes: list[Any] = []
        for part, other in ((left, right), (right, left)):
            own = part
            if not is_computed(rec, part):
                dtype = torch.result_type(part, other)
                own = torch.as_tensor(part, dtype=dtype).double()
                _check_threshold(rec, part, own)
            codes.append(rec.memory.codes(own).expand(out.shape))
        codes = list(logits(rec, torch.stack(codes), dim=0))
        order, (first, second) = rec.by_row(*(own.contiguous() for own in codes))
        return _steps(rec, out, order, first, second, convention, sign)

    return entry


def _check_threshold(rec: Recorder, threshold: Any, used: Tensor) -> None:
    if not torch.isfinite(used).all():
        value = float(used.reshape(-1)[~torch.isfinite(used).reshape(-1)][0])
        raise rec.refusal(f"the threshold is {value}", "compare with a finite number")
    if used.numel() == 1 and float(used) != (
        threshold.item() if isinstance(threshold, Tensor) else threshold
    ):
        number = threshold.item() if isinstance(threshold, Tensor) else threshold
        rec.note(f"{number!r} is compared as PyTorch rounds it, {float(used)!r}")


def logits(rec: Recorder, codes: Tensor, dim: int) -> Tensor:
    """Return codes with what softmaxes were taken of, where each row along ``dim`` is of one."""
    units = units_of(rec, codes)
    if not units or (codes < 0).any() or any(unit not in rec.ranked for unit in units):
        return codes
    groups = torch.tensor([rec.ranked[unit][1] for unit in units])
    own = groups[torch.searchsorted(torch.tensor(units), codes // rec.rows)]
    if (own != own.select(dim, 0).unsqueeze(dim)).any():
        return codes
    table = codes.clone()
    for unit in units:
        at = (codes >= 0) & (codes // rec.rows == unit)
        table[at] = rec.ranked[unit][0] * rec.rows + codes[at] % rec.rows
    return table


def _steps(
    rec: Recorder,
    out: Tensor,
    order: Any,
    first: Any,
    second: Any,
    convention: Convention,
    sign: int,
) -> Any:
    terms: list[list[tuple[int, float]]] = []
    shifts: list[float] = []
    bits: list[int | None] = []
    for units in zip(first.tolist(), second.tolist(), strict=True):
        parts = list(zip(units, (float(sign), -float(sign)), strict=True))
        own = [(unit, factor) for unit, factor in parts if unit >= 0]
        shift = sum(rec.memory.value_of(unit) * factor for unit, factor in parts if unit < 0)
        terms.append(own)
        shifts.append(shift)
        bits.append(_compared_bit(rec, own, shift, convention))
    if all(bit is not None for bit in bits):
        return rec.filled(out, order, np.array(bits))
    step = Activation("step", convention=convention)
    units = rec.rows_of_terms(terms, shifts if any(shifts) else None, step)
    return rec.filled(out, order, units)


def _compared_bit(
    rec: Recorder, terms: list[tuple[int, float]], shift: float, convention: Convention
) -> int | None:
    """Return the unit of a comparison of one bit with a constant; ``None`` for any other."""
    if len(terms) != 1 or not rec.nodes.is_bit(terms[0][0]):
        return None
    ((unit, factor),) = terms
    at_0, at_1 = (is_above(value, 0.0, convention) for value in (shift, factor + shift))
    if at_0 == at_1:
        return rec.constant_unit(float(at_1))
    if at_1:
        return unit
    return rec.rows_of_terms([[(unit, -1.0)]], [1.0], is_bits=True)[0]


def step_of(
    rec: Recorder, out: Tensor, parts: Any, shift: float, convention: Convention, order: Any
) -> Any:
    """Return the codes of a step of a weighted sum of columns of units."""
    terms = [
        [(int(unit), factor) for unit, factor in zip(own, [f for _, f in parts], strict=True)]
        for own in zip(*(units.tolist() for units, _ in parts), strict=True)
    ]
    step = Activation("step", convention=convention)
    return rec.filled(out, order, rec.rows_of_terms(terms, [shift] * len(terms), step))


def rounded(rec: Recorder, func: Any, out: Tensor, value: Tensor, *_: Any, **__: Any) -> Any:
    """Rounding of what lies between 0 and 1: 1 above 0.5, since 0.5 is rounded to even."""
    del func
    order, (units,) = rec.by_row(rec.memory.codes(value))
    for unit in units.tolist():
        node = rec.nodes.node_of(unit)
        kind = node.activation if node is not None else None
        is_unit = kind is not None and (
            kind.kind in ("sigmoid", "hardsigmoid", "step")
            or (
                kind.kind in ("hardtanh", "clamp")
                and kind.constants == {"min": (0.0,), "max": (1.0,)}
            )
        )
        if not (is_unit or rec.nodes.is_bit(unit)):
            raise rec.refusal("values beyond 0 and 1 are rounded", COMPARE)
    return step_of(rec, out, [(units, 1.0)], -0.5, ">", order)


def logic(shift: float, factor: float = 1.0) -> Entry:
    """Return the entry of ``and`` and ``or`` of two bits: a step of their sum."""

    def entry(rec: Recorder, func: Any, out: Tensor, left: Any, right: Any) -> Any:
        del func
        order, columns = bits_of(rec, out, left, right)
        return step_of(rec, out, [(own, factor) for own in columns], shift, ">", order)

    return entry


def exclusive(rec: Recorder, func: Any, out: Tensor, left: Any, right: Any) -> Any:
    """``xor`` of two bits: their sum less twice their ``and``."""
    del func
    order, (first, second) = bits_of(rec, out, left, right)
    pairs = list(zip(first.tolist(), second.tolist(), strict=True))
    step = Activation("step")
    both = rec.rows_of_terms([[(a, 1.0), (b, 1.0)] for a, b in pairs], [-1.5] * len(pairs), step)
    terms = [[(a, 1.0), (b, 1.0), (c, -2.0)] for (a, b), c in zip(pairs, both, strict=True)]
    return rec.filled(out, order, rec.rows_of_terms(terms, None, is_bits=True))


def inverted(rec: Recorder, func: Any, out: Tensor, value: Tensor) -> Any:
    """``not`` of a bit."""
    del func
    order, (units,) = bits_of(rec, out, value)
    terms = [[(unit, -1.0)] for unit in units.tolist()]
    return rec.filled(out, order, rec.rows_of_terms(terms, [1.0] * len(terms), is_bits=True))


def equal(is_equal: bool) -> Entry:
    """Return the entry of ``==`` or ``!=``: of two bits, or of a class and a number."""

    def entry(rec: Recorder, func: Any, out: Tensor, left: Any, right: Any) -> Any:
        value, number = (left, right) if is_computed(rec, left) else (right, left)
        codes = rec.memory.codes(value)
        units = units_of(rec, codes)
        if not is_computed(rec, number) and all(unit in rec.classes for unit in units):
            class_number = one_number(rec, number)
            order, (own,) = rec.by_row(codes)
            chosen: list[int] = []
            for unit in own.tolist():
                classes = rec.classes[unit]
                known = class_number.is_integer() and 0 <= class_number < len(classes)
                chosen.append(classes[int(class_number)] if known else rec.constant_unit(0.0))
            same = rec.filled(out, order, np.array(chosen))
            if is_equal:
                return same
            rec.memory.write(out, same)
            return inverted(rec, func, out, out)
        if not all(rec.nodes.is_bit(unit) for unit in _units(rec, left, right)):
            same = _equal_values(rec, func, out, left, right)
            if is_equal:
                return same
            rec.memory.write(out, same)
            return inverted(rec, func, out, out)
        different = exclusive(rec, func, out, left, right)
        if not is_equal:
            return different
        rec.memory.write(out, different)
        return inverted(rec, func, out, out)

    return entry


def _units(rec: Recorder, *operands: Any) -> set[int]:
    """Return the units among operands."""
    computed = [operand for operand in operands if is_computed(rec, operand)]
    return {unit for operand in computed for unit in units_of(rec, rec.memory.codes(operand))}


def _equal_values(rec: Recorder, func: Any, out: Tensor, left: Any, right: Any) -> Any:
    """``a == b`` of any values: ``a >= b`` less ``a > b``."""
    at_least = comparison(">=", 1)(rec, func, out, left, right)
    above = comparison(">", 1)(rec, func, out, left, right)
    order, (first, second) = rec.by_row(at_least, above)
    terms = [[(a, 1.0), (b, -1.0)] for a, b in zip(first.tolist(), second.tolist(), strict=True)]
    return rec.filled(out, order, rec.rows_of_terms(terms, None, is_bits=True))


def is_bit(rec: Recorder, unit: int) -> bool:
    """Return whether a unit, or a constant, is 0 or 1."""
    return rec.nodes.is_bit(unit) if unit >= 0 else rec.memory.value_of(unit) in (0.0, 1.0)


def bits_of(rec: Recorder, out: Tensor, *values: Any) -> tuple[Any, list[Any]]:
    """Return where the rows' bits are, and the units of each operand.

    Raises:
        ModelError: a value is no bit.
    """
    codes = [rec.memory.codes(value).expand(out.shape) for value in values]
    order, columns = rec.by_row(*(own.contiguous() for own in codes))
    bits: list[Any] = []
    for column in columns:
        own: list[int] = []
        for unit in column.tolist():
            if not is_bit(rec, unit):
                raise rec.refusal("a value that is no bit is used as one", COMPARE)
            own.append(unit if unit >= 0 else rec.constant_unit(rec.memory.value_of(unit)))
        bits.append(np.array(own, dtype=np.int64))
    return order, bits


def chosen(rec: Recorder, func: Any, out: Tensor, condition: Tensor, left: Any, right: Any) -> Any:
    """``where(y > t, a, b)``: between two constants; between y and a multiple of it."""
    if not rec.memory.is_computed(condition):
        parts = [rec.memory.codes(part).expand(out.shape) for part in (left, right)]
        return func(condition, *parts)
    codes = [
        rec.memory.codes(part).expand(out.shape).contiguous() for part in (condition, left, right)
    ]
    order, (bits, first, second) = rec.by_row(*codes)
    new = np.zeros(len(bits), dtype=np.int64)
    for at, (bit, a, b) in enumerate(
        zip(bits.tolist(), first.tolist(), second.tolist(), strict=True)
    ):
        new[at] = _choice(rec, bit, a, b)
    return rec.filled(out, order, new)


def masked(rec: Recorder, func: Any, out: Tensor, value: Tensor, mask: Tensor, by: Any) -> Any:
    """``masked_fill``: a number where a bit is 1."""
    del func
    number = by if is_computed(rec, by) else torch.as_tensor(by, dtype=value.dtype)
    return chosen(rec, torch.where, out, mask, number, value)


def _choice(rec: Recorder, bit: int, left: int, right: int) -> int:
    """Return the unit that is ``one`` where a bit is 1, else ``two``."""
    values = [rec.memory.value_of(end) if end < 0 else None for end in (left, right)]
    if values == [1.0, 0.0]:
        return bit
    comparison = _comparison_of(rec, bit)
    if comparison is not None:
        unit, threshold, convention, is_turned = comparison
        above, below = (right, left) if is_turned else (left, right)
        chosen = _by_comparison(rec, unit, threshold, convention, above, below)
        if chosen is not None:
            return rec.rows_of_terms([[(unit, 1.0)]], None, chosen)[0]
    a, b = values
    if a is not None and b is not None and Fraction(a) - Fraction(b) == Fraction(a - b):
        return rec.rows_of_terms([[(bit, a - b)]], [b], is_bits={a, b} == {0.0, 1.0})[0]
    if all(value is not None or rec.nodes.is_bit(end)
           for value, end in ((a, left), (b, right))):  # fmt: skip
        return _chosen_bit(rec, bit, left, right)
    raise rec.refusal("where chooses between two computed values", CHOICES)


def _chosen_bit(rec: Recorder, bit: int, left: int, right: int) -> int:
    """Return ``left`` where a bit is 1, else ``right``, each a bit or a constant.

    It is a sum of two terms of which one is 0, so no number format rounds it.
    """
    step = Activation("step")
    terms: list[tuple[int, float]] = []
    for end, factor, shift in ((left, 1.0, -1.5), (right, -1.0, -0.5)):
        if end >= 0:
            terms.append((rec.rows_of_terms([[(bit, factor), (end, 1.0)]], [shift], step)[0], 1.0))
        elif constant := rec.memory.value_of(end):
            flag = bit
            if factor < 0:
                flag = rec.rows_of_terms([[(bit, -1.0)]], [1.0], is_bits=True)[0]
            terms.append((flag, constant))
    is_bits = all(value in (0.0, 1.0) for _, value in terms)
    return rec.rows_of_terms([terms], None, is_bits=is_bits)[0]


def _comparison_of(rec: Recorder, bit: int) -> tuple[int, float, Convention, bool] | None:
    """Return the unit that a bit compares with a constant, how, and whether it asks for less."""
    node, (_, at) = rec.nodes.node_of(bit), rec.nodes.place_of(bit)
    source = source_of(node, at)
    if node is None or node.activation.kind != "step" or source is None:
        return None
    unit, factor = source
    convention = node.activation.convention
    shift = 0.0 if node.bias is None else float(node.bias[at])
    if factor == 1:
        return unit, -shift, convention, False
    return (unit, shift, ">=" if convention == ">" else ">", True) if factor == -1 else None


def _by_comparison(
    rec: Recorder, unit: int, threshold: float, convention: Convention, above: int, below: int
) -> Activation | None:
    """Return the activation that is one value above a threshold and another elsewhere."""
    ends = [rec.memory.value_of(end) if end < 0 else None for end in (above, below)]
    if threshold == 0 and above == unit:
        if ends[1] == 0:
            return Activation("relu")
        inner, (_, at) = rec.nodes.node_of(below), rec.nodes.place_of(below)
        source = source_of(inner, at) if below >= 0 else None
        is_multiple = inner is not None and inner.bias is None and inner.activation == IDENTITY
        if is_multiple and source is not None and source[0] == unit:
            return Activation("leaky", slope=source[1])
    if above == unit and convention == ">" and _is_softplus(rec, below, unit, threshold):
        return Activation("softplus", threshold=threshold)
    if any(end >= 0 and end != unit for end in (above, below)) or "where" not in RULES:
        return None
    options: dict[str, Any] = {"above": ends[0], "below": ends[1], "threshold": threshold}
    return Activation("where", convention=convention, **options)


def _is_softplus(rec: Recorder, unit: int, of: int, threshold: float) -> bool:
    """Return whether a unit is the softplus of another, with a threshold that is not below one."""
    node = rec.nodes.node_of(unit) if unit >= 0 else None
    kind = node.activation if node is not None and node.weight is node.bias is None else None
    if node is None or kind is None or kind.kind != "softplus" or kind.number("beta") != 1:
        return False
    return node.columns[rec.nodes.place_of(unit)[1]] == of and kind.number("threshold") >= threshold


def depends(rec: Recorder, func: Any, out: Any, *_: Any, **__: Any) -> Any:
    """A number taken out of the batch, on which Python's path may depend."""
    if is_assert():
        return [None] * len(out) if isinstance(out, tuple) else None
    name = func._schema.name.partition("::")[2]  # noqa: SLF001 -- how PyTorch names it
    is_kept = name in ("any", "all", "min", "aminmax", "isfinite", "isnan", "max")
    if is_kept and all(tensor.ndim for tensor in tensors_in([out])):  # a number for each row
        raise rec.refusal(f"{name} can't be read")
    raise rec.refusal(PATH, "replace if, while and loops over values by a comparison or where")
