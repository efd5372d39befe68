"""Where the parameters of a network lie when they are laid end to end in one vector.

Rule: fc1.weight row by row, fc1.bias, fc2.weight and so on, in the order of PyTorch's
``parameters()``. Whoever holds parameters flat (the start of a population, a run's blocks, a
kernel's offsets, a search's choices) takes the places from here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Place:
    """Where one tensor lies: ``size`` numbers from ``first`` on."""

    name: str
    shape: tuple[int, ...]
    first: int

    @property
    def size(self) -> int:
        """How many numbers the tensor has."""
        return math.prod(self.shape)

    @property
    def range(self) -> slice:
        """Its part of the vector."""
        return slice(self.first, self.first + self.size)


@dataclass(frozen=True, slots=True)
class Layout:
    """The layout of networks with a bias in every layer.

    Attributes:
        sizes: values in each layer, from the inputs to the outputs.
    """

    sizes: tuple[int, ...]

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return sum((n_in + 1) * n_out for n_in, n_out in pairwise(self.sizes))

    def places(self) -> Iterator[Place]:
        """Yield where each tensor lies, in their order."""
        first = 0
        for number, (n_in, n_out) in enumerate(pairwise(self.sizes), start=1):
            yield Place(f"fc{number}.weight", (n_out, n_in), first)
            yield Place(f"fc{number}.bias", (n_out,), first + n_in * n_out)
            first += (n_in + 1) * n_out

    def incoming(self, unit: int) -> list[int]:
        """Return the places of a unit's weights and bias.

        Args:
            unit: numbered from 0, through all layers.
        """
        places = list(self.places())
        for weight, bias in zip(places[::2], places[1::2], strict=True):
            n_out, n_in = weight.shape
            if unit < n_out:
                row = weight.first + unit * n_in
                return [*range(row, row + n_in), bias.first + unit]
            unit -= n_out
        raise IndexError("there is no such unit")

    def by_unit(self) -> list[int]:
        """Return all places, those of each unit's weights and bias one after another."""
        units = range(sum(self.sizes[1:]))
        return [place for unit in units for place in self.incoming(unit)]

    def split(self, flat: Any) -> tuple[Any, ...]:
        """Return vectors of parameters (the last axis) as weights and biases, without a copy."""
        return tuple(
            flat[..., place.range].reshape(*flat.shape[:-1], *place.shape)
            for place in self.places()
        )


def join(arrays: Sequence[Any]) -> Any:
    """Return weights and biases, each with an axis of members first, as one row a member."""
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)
