"""Layers built unit by unit: each unit a weighted sum of the units below it, with a bias."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np

from adderlab.formats import FORMATS
from adderlab.nets import EXACT, Activation, Layer, Network
from adderlab.nets.tensors import Sparse, as_stored
from adderlab.tasks import Task

Form: TypeAlias = Mapping[int, int]
"""A sum of units of the layer below: weights by the unit's number."""

_INDEX_TYPES: Final = (np.uint8, np.uint16, np.uint32)


@dataclass(slots=True)
class Stack:
    """A network under construction.

    Attributes:
        n_in: inputs.
        layers: finished layers as (rows of forms, biases, width below).
        rows: the forms of the layer being built.
        biases: its biases.
    """

    n_in: int
    layers: list[tuple[list[Form], list[int], int]] = field(default_factory=list)
    rows: list[Form] = field(default_factory=list)
    biases: list[int] = field(default_factory=list)

    def unit(self, form: Form, bias: int = 0) -> Form:
        """Add a unit to the layer being built and return it as a form for the next layer."""
        self.rows.append(form)
        self.biases.append(bias)
        return {len(self.rows) - 1: 1}

    def finish_layer(self) -> None:
        """End the layer being built; what comes next stands above it."""
        below = len(self.layers[-1][0]) if self.layers else self.n_in
        self.layers.append((self.rows, self.biases, below))
        self.rows, self.biases = [], []

    def network(self, outputs: Iterable[Form], task: Task, format: str) -> Network:
        """Return the network whose outputs are sums of the last layer's units, exactly 0 or 1."""
        for form in outputs:
            _ = self.unit(form)
        self.finish_layer()
        relu = Activation("relu")
        last = len(self.layers) - 1
        layers = tuple(
            _layer(rows, biases, below, format, Activation() if number == last else relu)
            for number, (rows, biases, below) in enumerate(self.layers)
        )
        return Network(layers, EXACT, task, format)


def plus(*forms: Form) -> dict[int, int]:
    """Return the sum of forms."""
    total: dict[int, int] = {}
    for form in forms:
        for unit, weight in form.items():
            total[unit] = total.get(unit, 0) + weight
    return total


def times(factor: int, form: Form) -> dict[int, int]:
    """Return a form times a whole number."""
    return {unit: factor * weight for unit, weight in form.items()}


def _layer(
    rows: list[Form], biases: list[int], below: int, format: str, activation: Activation
) -> Layer:
    lengths = [len(row) for row in rows]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    pairs = [sorted(row.items()) for row in rows]
    columns = np.array([unit for row in pairs for unit, _ in row])
    values = np.empty(len(columns), dtype=object)
    values[:] = [weight for row in pairs for _, weight in row]
    form = FORMATS[format]
    weight = Sparse(
        (len(rows), below),
        indptr.astype(_narrowest(int(indptr[-1]))),
        columns.astype(_narrowest(max(below - 1, 0))),
        as_stored(values, form),
    )
    bias = as_stored(np.array(biases, dtype=object), form) if any(biases) else None
    return Layer(weight, bias, activation)


def _narrowest(largest: int) -> Any:
    """Return the narrowest unsigned type that holds a number."""
    return next((kind for kind in _INDEX_TYPES if largest <= np.iinfo(kind).max), np.uint64)
