"""Layers built unit by unit: each unit a weighted sum of the units below it, with a bias."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from adderlab import limits
from adderlab.formats import FORMATS
from adderlab.nets import EXACT, Activation, Layer, Network
from adderlab.nets.codebook import narrowest
from adderlab.nets.tensors import Sparse, as_stored
from adderlab.tasks import Task

Form: TypeAlias = Mapping[int, int]
"""A sum of units of the layer below: weights by the unit's number."""


@dataclass(slots=True)
class Rows:
    """A layer under construction, row by row of its sparse matrix.

    Attributes:
        below: units of the layer below.
        ends: where each row ends among the entries.
        columns: of each entry.
        weights: of each entry.
        biases: of each row.
    """

    below: int
    ends: list[int] = field(default_factory=list[int])
    columns: array[int] = field(default_factory=lambda: array("I"))
    weights: list[int] = field(default_factory=list[int])
    biases: list[int] = field(default_factory=list[int])

    def add(self, form: Form, bias: int) -> None:
        """Add a row."""
        for column in sorted(form):
            self.columns.append(column)
            self.weights.append(form[column])
        self.ends.append(len(self.columns))
        self.biases.append(bias)

    def layer(self, format: str, activation: Activation) -> Layer:
        """Return the layer."""
        form = FORMATS[format]
        values = np.empty(len(self.weights), dtype=object)
        values[:] = self.weights
        weight = Sparse(
            (len(self.ends), self.below),
            np.array([0, *self.ends], dtype=narrowest(self.ends[-1])),
            np.frombuffer(self.columns, dtype=np.uintc).astype(narrowest(max(self.below - 1, 0))),
            as_stored(values, form),
        )
        biases = np.array(self.biases, dtype=object)
        bias = as_stored(biases, form) if any(self.biases) else None
        return Layer(weight, bias, activation)


class Stack:
    """A network under construction, of finished layers and the one being built."""

    def __init__(self, n_in: int) -> None:
        self._layers = [Rows(n_in)]

    def unit(self, form: Form, bias: int = 0) -> Form:
        """Add a unit to the layer being built and return it as a form for the next layer."""
        limits.check()
        rows = self._layers[-1]
        rows.add(form, bias)
        return {len(rows.ends) - 1: 1}

    def finish_layer(self) -> None:
        """End the layer being built; what comes next stands above it."""
        self._layers.append(Rows(len(self._layers[-1].ends)))

    def network(self, outputs: Iterable[Form], task: Task, format: str) -> Network:
        """Return the network whose outputs are sums of the last layer's units, exactly 0 or 1."""
        for form in outputs:
            _ = self.unit(form)
        relu = Activation("relu")
        layers: list[Layer] = []
        for number, rows in enumerate(self._layers, start=1):
            limits.check()
            is_last = number == len(self._layers)
            layers.append(rows.layer(format, Activation() if is_last else relu))
        return Network(tuple(layers), EXACT, task, format)


def plus(first: Form, *others: Form) -> dict[int, int]:
    """Return the sum of forms; a weight that nothing is added to stays the same object."""
    total = dict(first)
    for form in others:
        for unit, weight in form.items():
            total[unit] = total[unit] + weight if unit in total else weight
    return total


def times(factor: int, form: Form) -> dict[int, int]:
    """Return a form times a whole number."""
    return {unit: factor * weight for unit, weight in form.items()}
