"""What a kernel of loops looks at: the task's rows four at a time, or a step's own draws.

Rule: a step of a batch that is small beside the table looks at what it drew, a row packed into one
number; any other looks at the whole table, with shares that count the draws.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.training.kernels.shape import Shape

if TYPE_CHECKING:
    from jaxtyping import Float32, Int32

TILE: Final = 4
"""Rows looked at together."""


def draws_slots(shape: Shape) -> bool:
    """Return whether a step looks at the samples that it drew, and not at the whole table."""
    return 0 < shape.batch < shape.rows / 2 and bits_needed(shape) <= 31


def bits_needed(shape: Shape) -> int:
    """Return the bits of a row packed into one number: inputs, labels, and which labels matter."""
    return shape.sizes[0] + 2 * shape.sizes[-1]


def padded_rows(shape: Shape) -> int:
    """Return the rows with those that fill the last four."""
    return -(-shape.rows // TILE) * TILE


def slot_tile(shape: Shape) -> int:
    """Return how many slots of a batch are looked at together."""
    return min(TILE, shape.batch)


def padded_slots(shape: Shape) -> int:
    """Return the slots of a batch with those that fill the last tile."""
    tile = slot_tile(shape)
    return -(-shape.batch // tile) * tile


def slot_numbers(shape: Shape, samples: int) -> int:
    """Return how many whole numbers say what each sample of 16 members is, with a step's slots."""
    if not shape.batch:
        return 16
    return (samples + padded_slots(shape)) * 16


def row_table(shape: Shape) -> Float32[np.ndarray, " numbers"]:
    """Return the rows' inputs, then their labels, then which labels matter; padded with 0."""
    rows = padded_rows(shape)
    n_in, n_out = shape.sizes[0], shape.sizes[-1]
    inputs = np.zeros((rows, n_in), dtype=np.float32)
    labels = np.zeros((2, rows, n_out), dtype=np.float32)
    inputs[: shape.rows] = shape.inputs
    labels[0, : shape.rows] = [[bit or 0 for bit in row] for row in shape.labels]
    labels[1, : shape.rows] = [[bit is not None for bit in row] for row in shape.labels]
    return np.concatenate([inputs.ravel(), labels.ravel()])


def packed_rows(shape: Shape) -> Int32[np.ndarray, " rows"]:
    """Return what a sample's number stands for: its row's bits packed, or the row's number."""
    if not draws_slots(shape):
        return np.arange(shape.rows, dtype=np.int32)
    packed: list[int] = []
    for inputs, labels in zip(shape.inputs, shape.labels, strict=True):
        bits = [*inputs, *(bit or 0 for bit in labels), *(bit is not None for bit in labels)]
        packed.append(sum(int(bit) << place for place, bit in enumerate(bits)))
    return np.array(packed, dtype=np.int32)
