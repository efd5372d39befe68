"""What each layer reads: which of the values that were computed before it.

Rule: layers are named ``fc1``, ``fc2`` and so on. Each reads the input and earlier layers, joined
in the order in which it names them, and any number of later ones may read it; what is read out is
joined likewise. An evaluation keeps its values by name, beginning with :data:`INPUT`: a layer
takes what its node names and adds its own value. What nothing reads later is dropped, so that a
chain holds no more than one layer's values at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, TypeVar

import numpy as np

V = TypeVar("V")

INPUT: Final = "input"

MOST_NAMED: Final = 12
"""Layers of which a text says what they read."""


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

    @property
    def inner(self) -> frozenset[str]:
        """The input and the layers that a layer reads."""
        return frozenset(name for node in self.layers for name in node.reads)

    def columns(self) -> tuple[tuple[str, ...], ...]:
        """Return the input and the layers by their distance from it.

        The distance is the longest way, so that a layer stands behind all that it reads. What no
        layer reads stands at the end, in the order in which it is read out.
        """
        distance = {INPUT: 0}
        for node in self.layers:
            distance[node.name] = 1 + max(distance[name] for name in node.reads)
        inner = self.inner
        columns: list[list[str]] = [[] for _ in range(max(distance.values()) + 1)]
        for name, place in distance.items():
            if name in inner:
                columns[place].append(name)
        columns[-1] += [name for name in self.output.reads if name not in inner]
        return tuple(map(tuple, columns))

    def __str__(self) -> str:
        """Return what a layer reads where it isn't the one before it, and what is read out."""
        names = [INPUT, *(node.name for node in self.layers)]
        texts = [
            f"{node.name} reads {', '.join(node.reads)}"
            for node, before in zip(self.layers, names, strict=False)
            if node.reads != (before,)
        ]
        more = len(texts) - MOST_NAMED
        texts[MOST_NAMED:] = [f"{more} more layers read others too"] if more > 0 else []
        return "; ".join([*texts, f"read out: {', '.join(self.output.reads)}"])

    def to_dict(self) -> dict[str, list[str]]:
        """Return what each layer reads, by its name, and under ``output`` what is read out."""
        return {node.name: list(node.reads) for node in (*self.layers, self.output)}


def layer_number(name: str) -> int:
    """Return the number in a layer's name: 2 of ``fc2``; 0 of the input."""
    return 0 if name == INPUT else int(name.removeprefix("fc"))


@cache
def wiring_of(reads: tuple[tuple[str, ...], ...], outputs: tuple[str, ...]) -> Wiring:
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
    return wiring_of(tuple((name,) for name in names[:-1]), (names[-1],))


def join_arrays(parts: list[Any]) -> Any:
    """Return arrays as one, by their last axis."""
    return np.concatenate(parts, axis=-1)


def join_tuples(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return tuples of arrays as one tuple, each array by its last axis."""
    return tuple(join_arrays(list(arrays)) for arrays in zip(*parts, strict=True))


def join_lists(parts: list[list[V]]) -> list[V]:
    """Return lists end to end."""
    return [value for part in parts for value in part]
