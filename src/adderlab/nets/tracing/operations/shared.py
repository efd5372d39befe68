"""What entries for several kinds of operations need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import torch
from torch import Tensor

from adderlab.nets.activations import Activation
from adderlab.nets.tracing.nodes import Node
from adderlab.nets.tracing.recorder import Recorder

Entry: TypeAlias = Callable[..., Any]

COMPARE: Final = "compare outputs with a number, or with one another, by >, >=, < or <="
BY_CONSTANTS: Final = "multiply by constants alone"


def units_of(rec: Recorder, codes: Tensor) -> list[int]:
    """Return the units among codes, each once."""
    own = codes[codes >= 0] // rec.rows
    return [int(unit) for unit in torch.unique(own)]


def is_computed(rec: Recorder, value: Any) -> bool:
    """Return whether a value holds values of the batch."""
    return isinstance(value, Tensor) and rec.memory.is_computed(value)


def as_used(rec: Recorder, value: Any) -> Any:
    """Return a number, or a tensor without dimensions, as PyTorch takes it beside the batch."""
    if isinstance(value, Tensor) and (value.ndim or rec.memory.is_computed(value)):
        return value
    return as_taken(rec, value)


def as_taken(rec: Recorder, value: Any) -> Tensor:
    """Return a constant rounded to the type in which PyTorch computes with it."""
    wide = torch.float64 if rec.nodes.format == "fp64" else torch.float32
    return torch.as_tensor(value, dtype=torch.float64).to(wide).double()


def one_number(rec: Recorder, value: Any) -> float:
    """Return the only number of a constant.

    Raises:
        ModelError: it is computed, or holds several.
    """
    if is_computed(rec, value):
        raise rec.refusal("two computed values are compared for the larger one")
    numbers = {float(number) for number in as_taken(rec, value).reshape(-1)}
    if len(numbers) != 1:
        raise rec.refusal("several limits are used at once", "use one number for all units")
    return numbers.pop()


def plus(
    rec: Recorder,
    out: Tensor,
    left: Tensor,
    right: Tensor,
    *,
    factors: tuple[float, float] = (1.0, 1.0),
    activation: Activation | None = None,
) -> Any:
    """Return the codes of a sum of two; constants become biases."""
    order, (first, second) = rec.by_row(left.contiguous(), right.contiguous())
    terms: list[list[tuple[int, float]]] = []
    shifts: list[float] = []
    for units in zip(first.tolist(), second.tolist(), strict=True):
        parts = list(zip(units, factors, strict=True))
        terms.append([(unit, factor) for unit, factor in parts if unit >= 0])
        shifts.append(sum(rec.memory.value_of(unit) * factor for unit, factor in parts if unit < 0))
    has_bias = bool((first < 0).any() or (second < 0).any())
    units = rec.rows_of_terms(
        terms,
        shifts if has_bias else None,
        activation or Activation(),
        is_added=activation is None,
    )
    return rec.filled(out, order, units)


def times(rec: Recorder, out: Tensor, codes: Tensor, factor: Any) -> Any:
    """Return the codes of values times constants."""
    order, (units,) = rec.by_row(codes.contiguous())
    factors = np.broadcast_to(np.asarray(factor, dtype=np.float64), out.shape)
    own = rec.same_in_rows(factors, order)
    terms = [[(unit, float(c))] for unit, c in zip(units.tolist(), own, strict=True)]
    return rec.filled(out, order, rec.rows_of_terms(terms))


def activated(
    rec: Recorder, out: Tensor, order: Any, units: Any, kind: Activation, *, is_bits: bool = False
) -> Any:
    """Return the codes of an activation of units; constants stay what PyTorch makes of them."""
    terms = [[(unit, 1.0)] for unit in units.tolist()]
    return rec.filled(out, order, rec.rows_of_terms(terms, None, kind, is_bits=is_bits))


def source_of(node: Node | None, at: int) -> tuple[int, float] | None:
    """Return the only unit that a unit reads, and its factor."""
    if node is None:
        return None
    if node.weight is None:
        return node.columns[at], 1.0
    (places,) = np.nonzero(np.asarray(node.weight[at], dtype=np.float64))
    if len(places) != 1:
        return None
    return node.columns[int(places[0])], float(node.weight[at][places[0]])


def copies(rec: Recorder, units: Any, what: tuple[str, str, str]) -> Any:
    """Return new units that no network holds, one for each of those given.

    Args:
        rec: the recorder.
        units: the units.
        what: why no network holds them, where they were computed, and the remedy.
    """
    columns = tuple(dict.fromkeys(units.tolist()))
    first = rec.nodes.add(Node(columns))
    rec.unreadable |= dict.fromkeys(range(first, first + len(columns)), what)
    return np.array([first + columns.index(unit) for unit in units.tolist()])
