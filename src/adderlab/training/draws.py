"""What a member of a population starts from and learns from, drawn by seed and member.

Rule: each number here is a function of the seed, the member and its place, and is the same to
the last bit in NumPy, in a compiled kernel, alone and among a million.

A data set has no order, so a member's samples are kept in the order of their rows: how often
each row was drawn determines them, and sample number k is the one that counting up to k reaches.

References:
    Lemire, "Fast random integer generation in an interval" (2019), https://doi.org/10.1145/3230636,
    for a number below n from a word w: the high half of n * w. Its bias, at most n / 2**32, is
    left in: no table here has more than 4096 rows.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.training.philox import HALF, words
from adderlab.training.settings import Settings

if TYPE_CHECKING:
    from jaxtyping import Float32, Int32, Int64, UInt64

    from adderlab.tasks import Task
    from adderlab.training.work import Work

START: Final = 0
DATA: Final = 1
BATCHES: Final = 2
"""The streams: a member's start, its samples, and which of them its steps look at."""

UNIT: Final = np.float32(2.0**-23)
CHUNK: Final = 1 << 22
"""Words held at once."""


def fill(work: Work) -> None:
    """Draw the start and the data of networks that are to be trained, into their own arrays."""
    task, settings, members = work.task, work.settings, work.members
    if not work.is_given:
        work.start[:] = start(task, settings, members, work.init_scale)
    work.counts[:] = row_counts(task, settings, members)


def start(
    task: Task,
    settings: Settings,
    members: UInt64[np.ndarray, " member"],
    init_scale: Float32[np.ndarray, " member"] | None = None,
) -> Float32[np.ndarray, "member parameter"]:
    """Return the untrained parameters: fc1.weight, fc1.bias, fc2.weight and so on, each flat.

    A word's upper 24 bits w give the number (w - 2**23) / 2**23 in [-1, 1), which is exact in
    fp32; it is multiplied by the initialization's bound, and then by the scale.

    Args:
        task: the task to learn.
        settings: of the population; ``init``, ``init_scale`` and the hidden widths are used.
        members: the members' numbers.
        init_scale: a value for each member, instead of the settings'.
    """
    bounds = start_bounds(task, settings)
    drawn = words(settings.seed, START, members, 0, len(bounds)) >> np.uint64(8)
    unit = (drawn.astype(np.int32) - np.int32(1 << 23)).astype(np.float32) * UNIT
    scale = np.full(len(members), settings.init_scale) if init_scale is None else init_scale
    return (unit * bounds) * scale.astype(np.float32)[:, None]


def start_bounds(task: Task, settings: Settings) -> Float32[np.ndarray, " parameter"]:
    """Return how far from 0 each parameter may start, before the scale."""
    sizes = settings.sizes(task)
    bounds: list[Float32[np.ndarray, " some"]] = []
    for n_in, n_out in pairwise(sizes):
        weight, bias = {
            "torch": (n_in**-0.5, n_in**-0.5),
            "he": ((6 / n_in) ** 0.5, 0.0),
            "xavier": ((6 / (n_in + n_out)) ** 0.5, 0.0),
        }[settings.init]
        bounds.append(np.full(n_in * n_out, weight, dtype=np.float32))
        bounds.append(np.full(n_out, bias, dtype=np.float32))
    return np.concatenate(bounds)


def row_counts(
    task: Task, settings: Settings, members: UInt64[np.ndarray, " member"]
) -> Int32[np.ndarray, "member rows"]:
    """Return how often each row is in each member's own data."""
    rows = task.rows
    if settings.data == "table":
        return np.ones((len(members), rows), dtype=np.int32)
    counts = np.zeros((len(members), rows), dtype=np.int32)
    at_once = max(1, CHUNK // settings.samples)
    for first in range(0, len(members), at_once):
        some = members[first : first + at_once]
        drawn = below(rows, words(settings.seed, DATA, some, 0, settings.samples))
        drawn += np.arange(len(some))[:, None] * rows
        flat = np.bincount(drawn.ravel(), minlength=len(some) * rows)
        counts[first : first + at_once] = flat.reshape(len(some), rows)
    return counts


def batch_rows(
    settings: Settings,
    members: UInt64[np.ndarray, " member"],
    counts: Int32[np.ndarray, "member rows"],
    first: int,
    steps: int,
) -> Int64[np.ndarray, "member steps batch"]:
    """Return the rows that steps ``first`` to ``first + steps - 1`` look at, from step 0 on."""
    chosen = batch_samples(settings, members, int(counts[0].sum()), first, steps)
    ends = counts.cumsum(axis=1)
    flat = chosen.reshape(len(members), -1)
    drawn_rows = [
        np.searchsorted(end, some, side="right") for end, some in zip(ends, flat, strict=True)
    ]
    return np.array(drawn_rows, dtype=np.int64).reshape(chosen.shape)


def batch_samples(
    settings: Settings,
    members: UInt64[np.ndarray, " member"],
    samples: int,
    first: int,
    steps: int,
) -> Int64[np.ndarray, "member steps batch"]:
    """Return the numbers of the samples that some steps look at; each is drawn from them all."""
    batch = settings.batch or 0
    drawn = words(settings.seed, BATCHES, members, first * batch, steps * batch)
    return below(samples, drawn).reshape(len(members), steps, batch)


def below(end: int, drawn: UInt64[np.ndarray, "member count"]) -> Int64[np.ndarray, "member count"]:
    """Return a number in 0..end-1 for each word."""
    return ((drawn * np.uint64(end)) >> HALF).astype(np.int64)
