"""What each layer reads: which of the values that were computed before it.

Rule: an evaluation keeps its values by name, beginning with :data:`INPUT`. A layer reads what its
node names, joined in that order, and adds its own value; what nothing reads later is dropped, so
that a chain holds no more than one layer's values at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np

V = TypeVar("V")

INPUT: Final = "input"


@dataclass(frozen=True, slots=True)
class Node:
    """A layer's place among the values, or that of the outputs.

    Attributes:
        name: of its own value.
        reads: the values that it reads, each once: :data:`INPUT` and earlier layers' names.
        last: those of them that nothing reads later.
    """

    name: str
    reads: tuple[str, ...]
    last: tuple[str, ...]

    def take(self, values: dict[str, V], join: Callable[[list[V]], V]) -> V:
        """Return what it reads, and drop what nothing reads later.

        Args:
            values: by name.
            join: makes one value of several.
        """
        if len(self.reads) == 1 and self.last:  # in a chain always: without a list it is faster
            return values.pop(self.reads[0])
        last = self.last
        parts = [values.pop(name) if name in last else values[name] for name in self.reads]
        return parts[0] if len(parts) == 1 else join(parts)


@dataclass(frozen=True, slots=True)
class Wiring:
    """The nodes of a network's layers, in their order, and that of its outputs."""

    layers: tuple[Node, ...]
    output: Node


def wiring_of(reads: Sequence[tuple[str, ...]], outputs: tuple[str, ...]) -> Wiring:
    """Return the wiring of layers that are named ``fc1``, ``fc2`` and so on.

    Args:
        reads: what each layer reads.
        outputs: the layers that are read out.
    """
    nodes: list[Node] = []
    later: set[str] = set()
    names = [*(f"fc{number}" for number in range(1, len(reads) + 1)), "output"]
    for name, own in zip(reversed(names), reversed([*reads, outputs]), strict=True):
        nodes.append(Node(name, own, tuple(read for read in own if read not in later)))
        later.update(own)
    output, *layers = nodes
    return Wiring(tuple(reversed(layers)), output)


@cache
def chain(depth: int) -> Wiring:
    """Return the wiring of layers that each read the one before; the last is read out."""
    names = (INPUT, *(f"fc{number}" for number in range(1, depth + 1)))
    return wiring_of([(name,) for name in names[:-1]], (names[-1],))


def join_arrays(parts: list[Any]) -> Any:
    """Return arrays as one, by their last axis."""
    return np.concatenate(parts, axis=-1)


def join_tuples(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return tuples of arrays as one tuple, each array by its last axis."""
    return tuple(join_arrays(list(arrays)) for arrays in zip(*parts, strict=True))


def join_lists(parts: list[list[V]]) -> list[V]:
    """Return lists end to end."""
    return [value for part in parts for value in part]
