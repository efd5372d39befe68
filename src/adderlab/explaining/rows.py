"""Backpropagation on given rows of a network: every value, every gradient, one step of SGD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.bits import to_bits
from adderlab.checking import described
from adderlab.errors import OptionError, ResourceError, TaskError
from adderlab.explaining.autograd import compare
from adderlab.explaining.backprop import Number, backward
from adderlab.explaining.graph import LARGEST_NETWORK, LOSSES, Graph, forward, parameters_of
from adderlab.explaining.results import Backprop, RowBackprop, Update, mean, steps_of
from adderlab.nets.network import Network
from adderlab.nets.tensors import Dense, Scaled
from adderlab.nets.walk import block_of_rows, checked_words

if TYPE_CHECKING:
    from adderlab.tasks import Task

LARGEST_WORK: Final = 20_000
"""Rows times parameters up to which every gradient of every row is kept."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row to learn from: input words, and what each output bit should be."""

    inputs: dict[str, int]
    bits: tuple[int, ...]
    targets: tuple[int | None, ...]


def example(
    task: Task, inputs: Mapping[str, int], target: Mapping[str, int] | None = None
) -> Example:
    """Return a row of a task, with its own outputs or with others as the target.

    Args:
        task: names the words.
        inputs: the input words.
        target: the output words; the task's own unless given.

    Raises:
        TaskError: a word is missing, unknown or out of its range.
    """
    block = block_of_rows(task, [checked_words(task, inputs)])
    bits = tuple(int(bit) for bit in block.inputs[0])
    if target is None:
        cares = block.cares
        targets = tuple(
            int(bit) if cares is None or cares[0, at] else None
            for at, bit in enumerate(block.expected[0])
        )
        return Example(dict(inputs), bits, targets)
    if set(target) != {word.name for word in task.outputs} or not all(
        isinstance(target[word.name], int) and 0 <= target[word.name] < word.size
        for word in task.outputs
    ):
        spans = ", ".join(f"{word.name} in {word.span}" for word in task.outputs)
        words = ", ".join(f"{name} = {described(value)}" for name, value in target.items())
        raise TaskError(
            f"{task.name} gives {spans}, got {words or 'nothing'}",
            where="target",
            remedy="give a whole number for each word",
        )
    columns = [to_bits(target[word.name], word.width) for word in task.outputs]
    targets = task.row_of_outputs(np.concatenate(columns, axis=-1)).tolist()
    return Example(dict(inputs), bits, tuple(targets))


def backprop_rows(
    net: Network,
    task: Task,
    examples: Sequence[Example],
    *,
    loss: str = "mse",
    lr: Fraction = Fraction(1, 10),
    notes: Sequence[str] = (),
) -> Backprop:
    """Return backpropagation on some rows, and one step of SGD on their mean loss.

    Args:
        net: a network small enough to be read.
        task: names its inputs and outputs.
        examples: the rows.
        loss: ``mse``, the mean over rows and outputs of the squared error, or ``bce``.
        lr: learning rate.
        notes: remarks to keep with the result.

    Raises:
        OptionError: no rows, another loss, or a learning rate that is not above 0.
        ResourceError: too many parameters or rows, or numbers too large for tanh or bce.
    """
    if loss not in LOSSES:
        raise OptionError(f"got {loss}", where="loss", remedy=f"give one of {', '.join(LOSSES)}")
    if lr <= 0:
        raise OptionError(f"got {float(lr):g}", where="lr", remedy="give a number above 0")
    if not examples:
        raise OptionError("no rows", where="input", remedy="give at least one")
    parameters = parameters_of(net)
    if len(examples) * max(len(parameters), 1) > LARGEST_WORK:
        raise ResourceError(
            f"{len(examples)} rows of {len(parameters)} parameters are too many to list",
            where="explain",
            remedy=f"take fewer rows: rows times parameters up to {LARGEST_WORK}",
        )

    def passes(numbers: Mapping[tuple[str, tuple[int, ...]], Number]) -> list[Graph]:
        return [forward(net, task, numbers, row.bits, row.targets, loss) for row in examples]

    try:
        graphs = passes(parameters)
        for graph in graphs:
            backward(graph.values)
        updates: list[Update] = []
        for key, now in parameters.items():
            gradient = mean([graph.parameters[key].gradient for graph in graphs])
            step = now if gradient is None else now - lr * gradient
            updates.append(Update(key, now, gradient, step))
        after = passes({update.key: update.next for update in updates})
    except OverflowError:
        raise ResourceError(
            "there are numbers beyond double, and tanh and cross entropy are computed in double",
            where="explain",
            remedy="take smaller weights, or `loss` mse",
        ) from None
    rows = tuple(
        RowBackprop(
            example_row.inputs, example_row.targets, tuple(task.output_bits), steps_of(graph)
        )
        for example_row, graph in zip(examples, graphs, strict=True)
    )
    inputs = [example_row.bits for example_row in examples]
    targets = [example_row.targets for example_row in examples]
    return Backprop(
        network=net,
        rows=rows,
        loss_kind=loss,
        lr=lr,
        updates=tuple(updates),
        loss=_mean_loss(graphs),
        loss_after=_mean_loss(after),
        agreement=compare(net, graphs, inputs, targets, loss, lr, updates),
        notes=(*notes, *_storage_notes(net)),
    )


def _mean_loss(graphs: Sequence[Graph]) -> Number:
    average = mean([graph.loss.number for graph in graphs])
    assert average is not None
    return average


def _storage_notes(net: Network) -> list[str]:
    """Return remarks on weights that are not stored as plain floats."""
    notes: list[str] = []
    scaled = [name for name, tensor in net.tensors() if isinstance(tensor, Scaled)]
    if scaled:
        notes.append(
            f"{', '.join(scaled)}: stored as scale * (q - zero); the gradient is that of the "
            "decoded weight"
        )
    if net.format not in ("fp64", "fp32", "fp16", "bf16") and not all(
        isinstance(tensor, Dense) for _, tensor in net.tensors()
    ):
        notes.append(
            f"the network is stored in {net.format}: the weights after the step "
            "need not be representable there"
        )
    return notes


__all__ = ["LARGEST_NETWORK", "LARGEST_WORK", "Example", "backprop_rows", "example"]
