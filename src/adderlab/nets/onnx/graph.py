"""A graph as it is read: what goes in, the constants, the nodes in order, what comes out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor, dtype


@dataclass(frozen=True, slots=True)
class Input:
    """A value that is given.

    Attributes:
        name: its name.
        dtype: the type of its numbers.
        shape: its sizes, ``None`` for one that is open; ``None`` where nothing is said.
    """

    name: str
    dtype: dtype
    shape: tuple[int | None, ...] | None


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A node.

    Attributes:
        where: what errors call it.
        kind: its operator.
        version: the opset in which the operator last changed before the model's.
        inputs: the names of the values it takes; empty for one that is left out.
        outputs: of those it gives.
        attributes: with the operator's defaults for those that the node does not have.
        depends: of each input, whether it depends on what the network is given.
    """

    where: str
    kind: str
    version: int
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    depends: tuple[bool, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """What is read of a model.

    Attributes:
        where: the file.
        opset: the version of its operators.
        inputs: what it is given.
        constants: its weights and whatever else is stored, by name.
        steps: the nodes that the outputs need.
        outputs: the names of those that are read.
        dtype: the type of its numbers.
        model: the same part of the model as a file, weights and all.
    """

    where: str
    opset: int
    inputs: tuple[Input, ...]
    constants: dict[str, Tensor]
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    dtype: dtype
    model: bytes
