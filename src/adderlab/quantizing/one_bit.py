"""Every network of a shape whose parameters are -1 or 1, tried: how many of them are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from adderlab.errors import ResourceError
from adderlab.nets import Activation, Readout
from adderlab.quantizing.rows import Arrays, Shape, rows_of, wrong_rows
from adderlab.tasks import Task

LARGEST_BITS: Final = 24
AT_ONCE: Final = 1 << 14


@dataclass(frozen=True, slots=True)
class OneBitCensus:
    """How many networks of one bit a parameter are right.

    Attributes:
        shape: ``2-3-2``.
        right: how many are right on every row.
        networks: how many there are.
    """

    shape: str
    right: int
    networks: int


def one_bit_census(task: Task, hidden: int, *, readout: Readout | None = None) -> OneBitCensus:
    """Return how many relu networks of one hidden layer are right with parameters -1 and 1.

    All numbers on the way are whole and small, so double computes them exactly.

    Args:
        task: what to compute.
        hidden: hidden units.
        readout: how outputs become bits; ``> 0.5`` unless given.

    Raises:
        ResourceError: there are too many networks to try, or too many rows.
    """
    rows = rows_of(task)
    n_in, n_out = task.n_in, task.n_out
    sizes = (hidden * n_in, hidden, n_out * hidden, n_out)
    bits = sum(sizes)
    if bits > LARGEST_BITS:
        raise ResourceError(
            f"{bits} parameters make 2^{bits} networks",
            where="hidden",
            remedy=f"take at most {LARGEST_BITS} parameters",
        )
    shape = Shape((Activation("relu"), Activation()), readout or Readout(), (True, True))
    cuts = np.cumsum(sizes)[:-1]
    right = 0
    for start in range(0, 1 << bits, AT_ONCE):
        numbers = np.arange(start, min(start + AT_ONCE, 1 << bits))
        signs = ((numbers[:, None] >> np.arange(bits)) & 1) * 2.0 - 1
        first, bias, second, last = np.split(signs, cuts, axis=1)
        arrays = Arrays(
            (first.reshape(-1, hidden, n_in), second.reshape(-1, n_out, hidden)), (bias, last)
        )
        wrong, _ = wrong_rows(arrays, shape, rows)
        right += int((wrong == 0).sum())
    return OneBitCensus(f"{n_in}-{hidden}-{n_out}", right, 1 << bits)
