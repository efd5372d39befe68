"""How rows of bits go into a graph's inputs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from torch import Tensor

from adderlab.blocks.numbers import counted
from adderlab.errors import ModelError
from adderlab.nets.onnx.graph import Graph, Input
from adderlab.nets.tracing.calls import MOST_TRIED, Call

if TYPE_CHECKING:
    from adderlab.tasks import Task

MOST_ROWS: Final = 4096
"""Rows of a batch whose size is fixed."""


@dataclass(frozen=True, slots=True)
class GraphCall(Call):
    """One way to give bits to a graph's inputs.

    Attributes:
        shapes: of each input, the sizes of a row.
        order: the inputs in the order of the bits.
        is_one_row: whether no input has an axis for the batch.
    """

    shapes: tuple[tuple[int, ...], ...] = ()
    order: tuple[int, ...] = ()
    is_one_row: bool = False

    def arguments(self, bits: Tensor) -> tuple[Tensor, ...]:
        """Return the tensors that hold rows of bits."""
        parts: dict[int, Tensor] = {}
        at = 0
        for number in self.order:
            width = self.widths[number]
            lead = () if self.is_one_row else (len(bits),)
            part = bits[:, at : at + width]
            parts[number] = part.reshape(*lead, *self.shapes[number]).clone()
            at += width
        return tuple(parts[number] for number in range(len(parts)))


def calls_of(graph: Graph, task: Task | None) -> Iterator[GraphCall]:
    """Yield the ways in which a graph may be given bits, the likeliest first.

    Raises:
        ModelError: its inputs are of no shape that bits could have.
    """
    ways = [way for way in (_batched(graph), _single(graph)) if way is not None]
    if not ways:
        raise ModelError(
            "the inputs have different numbers of rows",
            where=graph.where,
            remedy="give each a first axis for the batch, or none",
        )
    n_in = None if task is None else task.n_in
    known = [call for way in ways for call in _sized(graph, way, n_in)]
    fitting = [call for call in known if n_in is None or call.n_in == n_in]
    for call in fitting or known:
        yield _named(graph, call, task)


@dataclass(frozen=True, slots=True)
class _Way:
    """Where the rows are: the sizes of a row of each input, and how many rows there are."""

    shapes: tuple[tuple[int | None, ...], ...]
    batch: int | None
    is_one_row: bool


def _batched(graph: Graph) -> _Way | None:
    """Return the reading in which each input's first axis is the batch."""
    open_shape: tuple[int | None, ...] = (None, None)
    shapes = [open_shape if value.shape is None else value.shape for value in graph.inputs]
    if not all(len(shape) > 1 or shape == (None,) for shape in shapes):
        return None
    firsts = {shape[0] for shape in shapes if shape[0] is not None}
    if len(firsts) > 1 or max(firsts, default=0) > MOST_ROWS:
        return None
    return _Way(tuple(shape[1:] for shape in shapes), next(iter(firsts), None), False)


def _single(graph: Graph) -> _Way | None:
    """Return the reading in which the inputs are one row."""
    shapes = [value.shape for value in graph.inputs]
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes) or any(len(shape) > 1 and None in shape for shape in known):
        return None
    return _Way(tuple(known), 1, True)


def _sized(graph: Graph, way: _Way, n_in: int | None) -> Iterator[GraphCall]:
    """Yield a reading with sizes in place of those that are open."""
    is_open = [None in shape for shape in way.shapes]
    fixed = sum(
        math.prod(s for s in shape if s)
        for shape, o in zip(way.shapes, is_open, strict=True)
        if not o
    )
    if not any(is_open):
        sizes = [0]
    elif n_in is not None:
        left = n_in - fixed
        sizes = [left // sum(is_open)] if left > 0 and left % sum(is_open) == 0 else []
    else:
        sizes = list(_sizes(graph))[:MOST_TRIED]
    for size in sizes:
        shapes = tuple(_filled(shape, size) for shape in way.shapes)
        widths = tuple(math.prod(shape) for shape in shapes)
        yield GraphCall(
            sum(widths), widths, shapes=shapes, order=tuple(range(len(widths))),
            batch=way.batch, is_one_row=way.is_one_row,
        )  # fmt: skip


def _filled(shape: tuple[int | None, ...], width: int) -> tuple[int, ...]:
    """Return a shape in which the first open size holds what the others leave of a width."""
    sizes: list[int] = []
    for size in shape:
        sizes.append(width if size is None else size)
        width = 1 if size is None else width
    return tuple(sizes)


def _sizes(graph: Graph) -> Iterator[int]:
    """Yield how many bits there may be, from the shapes of the weights."""
    matrices = [value for value in graph.constants.values() if value.ndim == 2]
    sizes = [size for value in matrices for size in value.shape]
    yield from dict.fromkeys(size for size in [*sizes, *range(2, 9), 1] if size > 0)


def _named(graph: Graph, call: GraphCall, task: Task | None) -> GraphCall:
    """Return a way of calling in the order of the task's words, and a note on what goes where."""
    inputs: tuple[Input, ...] = graph.inputs
    if len(inputs) == 1:
        return call
    names = [value.name for value in inputs]
    words = [] if task is None else [(word.name, word.width) for word in task.inputs]
    if sorted(words) == sorted(zip(names, call.widths, strict=True)):
        order = tuple(names.index(name) for name, _ in words)
        return replace(
            call, order=order, note=f"each of its {len(inputs)} inputs is given its word"
        )
    widths = set(call.widths)
    each = counted(widths.pop(), "bit") if len(widths) == 1 else f"{list(call.widths)} bits"
    joined = ", ".join(names[:8])
    return replace(call, note=f"its inputs {joined} are given {each} each, in this order")
