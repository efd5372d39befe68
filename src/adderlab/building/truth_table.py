"""Any small task, from its truth table: one hidden layer, a unit for each box of equal rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.errors import ResourceError
from adderlab.nets import EXACT, Network, network
from adderlab.tasks import RowBlock, Task

if TYPE_CHECKING:
    from jaxtyping import Int64

LARGEST_TABLE: Final = 4096
"""Rows up to which a task is built so."""


@dataclass(frozen=True, slots=True)
class Box:
    """Rows that agree on some input bits and need the same outputs.

    Attributes:
        bits: the input bits that are fixed, by place, with their values.
        ones: the places of the outputs that are 1 on all of them.
    """

    bits: tuple[tuple[int, int], ...]
    ones: tuple[int, ...]


def table_network(task: Task, format: str) -> Network:
    """Return a network of one hidden layer that looks the task's rows up.

    The rows are split bit by bit until those of each box need the same outputs. A unit

        ``relu(sum of its box's bits that are 1 - sum of those that are 0 - (number of ones - 1))``

    is 1 on its box and 0 on every other row. Boxes do not meet, so an output is the sum of the
    units of its boxes.

    Args:
        task: of up to :data:`LARGEST_TABLE` rows.
        format: a number format that holds whole numbers from ``1 - n_in`` to 1.

    Raises:
        ResourceError: it has more rows.

    Examples:
        >>> from adderlab.tasks import task_named
        >>> table_network(task_named("parity:2"), "int2").hidden
        2
    """
    if not is_small(task):
        raise too_many_rows(task)
    block = next(task.blocks(task.rows))
    boxes = [box for box in _boxes(block, np.arange(task.rows), ()) if box.ones]
    width = max(len(boxes), 1)
    first = np.zeros((width, task.n_in), dtype=np.int64)
    shift = np.zeros(width, dtype=np.int64)
    last = np.zeros((task.n_out, width), dtype=np.int64)
    for unit, box in enumerate(boxes):
        for place, bit in box.bits:
            first[unit, place] = 1 if bit else -1
        shift[unit] = 1 - sum(bit for _, bit in box.bits)
        last[list(box.ones), unit] = 1
    return network(
        [first.tolist(), last.tolist()],
        [shift.tolist(), [0] * task.n_out],
        readout=EXACT,
        task=task,
        format=format,
    )


def is_small(task: Task) -> bool:
    """Return whether a task has few enough rows, without computing how many a huge one has."""
    return all(word.size <= LARGEST_TABLE for word in task.inputs) and task.rows <= LARGEST_TABLE


def too_many_rows(task: Task) -> ResourceError:
    """Return the error of a task that has too many rows to be looked up."""
    return ResourceError(
        f"{task.name} has more than {LARGEST_TABLE} rows, which a table is built for",
        where="method table",
        remedy="take a smaller task, write a `formula`, or train a network",
    )


def _boxes(
    block: RowBlock, rows: Int64[np.ndarray, " rows"], bits: tuple[tuple[int, int], ...]
) -> Iterator[Box]:
    """Yield boxes that hold all the rows, split by the bits that leave the fewest kinds of rows."""
    if not len(rows):
        return
    expected = block.expected[rows].astype(np.int8)
    cares = np.ones(expected.shape, bool) if block.cares is None else block.cares[rows]
    is_1, is_0 = (cares & (expected == bit) for bit in (1, 0))
    if not (is_1.any(axis=0) & is_0.any(axis=0)).any():
        yield Box(bits, tuple(np.flatnonzero(is_1.any(axis=0)).tolist()))
        return
    inputs = block.inputs[rows]
    varying = np.flatnonzero(inputs.min(axis=0) != inputs.max(axis=0))
    kinds = np.unique(np.where(cares, expected, -1), axis=0, return_inverse=True)[1].reshape(-1)

    def left(place: int) -> int:
        return sum(len(np.unique(kinds[inputs[:, place] == bit])) for bit in (0, 1))

    place = min(varying.tolist(), key=left)
    for bit in (0, 1):
        yield from _boxes(block, rows[inputs[:, place] == bit], (*bits, (place, bit)))
