"""Operations that only move numbers, or convert them to a type that holds them."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from adderlab.nets.tracing.operations.shared import Entry, units_of
from adderlab.nets.tracing.recorder import PATH, Recorder, tensors_in

_BY_POSITION = "select by numbers that do not depend on the input"


def moved(at: int = 1) -> Entry:
    """Return the entry of an operation that only moves numbers, its first ``at`` arguments."""

    def entry(rec: Recorder, func: Any, out: Any, *args: Any, **kwargs: Any) -> Any:
        del out
        for other in tensors_in((*args[at:], *kwargs.values())):
            if rec.memory.is_computed(other):
                raise rec.refusal(PATH, _BY_POSITION)
        own = [_codes(rec, arg) for arg in args[:at]]
        return func(*own, *args[at:], **{k: v for k, v in kwargs.items() if k != "memory_format"})

    return entry


def _codes(rec: Recorder, value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_codes(rec, part) for part in value]
    return rec.memory.codes(value) if isinstance(value, Tensor) else value


def copied(rec: Recorder, func: Any, out: Tensor, into: Any, value: Any, *_: Any, **__: Any) -> Any:
    """``y[...] = v``: numbers written over others."""
    del func, into
    codes = rec.memory.codes(value)
    if isinstance(value, Tensor) and rec.memory.is_computed(value):
        _check_kept(rec, value, out, codes)
    return codes.expand(out.shape)


def filled(rec: Recorder, func: Any, out: Tensor, *_: Any, **__: Any) -> Any:
    """Constants written over numbers."""
    del func
    return rec.memory.of_constants(out)


def scattered(
    rec: Recorder, func: Any, out: Tensor, into: Tensor, dim: int, index: Tensor, value: Any
) -> Any:
    """Numbers written at places that do not depend on the input."""
    del out
    if rec.memory.is_computed(index):
        raise rec.refusal(PATH, _BY_POSITION)
    codes = rec.memory.codes(value)
    if codes.ndim == 0:
        codes = int(codes)
    return func(rec.memory.codes(into), dim, index, codes)


def padded(
    rec: Recorder, func: Any, out: Tensor, value: Tensor, pad: list[int], by: float = 0
) -> Any:
    """Constants around numbers."""
    del out
    return func(rec.memory.codes(value), pad, int(rec.memory.codes(float(by))))


def converted(rec: Recorder, func: Any, out: Tensor, value: Tensor, *_: Any, **__: Any) -> Any:
    """Another dtype that holds the same numbers."""
    del func
    codes = rec.memory.codes(value)
    _check_kept(rec, value, out, codes)
    return codes


def _check_kept(rec: Recorder, before: Tensor, after: Tensor, codes: Tensor) -> None:
    """Raise where a conversion may round a value of the batch."""
    widens = torch.promote_types(before.dtype, after.dtype) == after.dtype
    if not widens and not all(
        rec.nodes.is_bit(unit) or unit in rec.classes for unit in units_of(rec, codes)
    ):
        raise rec.refusal(
            f"values are converted to {after.dtype}, which rounds them",
            "convert bits alone, after a comparison",
        )
