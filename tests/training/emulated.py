"""Kernels without a compiler: their source, run by Python on arrays of 16 numbers.

What a source says is told apart here from what Numba and LLVM make of it: every kind of step can
be tried without compiling it.
"""

from __future__ import annotations

import numpy as np

from adderlab.training import draws
from adderlab.training.kernels.engine import _Run
from adderlab.training.kernels.lanes import lanes_source
from adderlab.training.kernels.shape import shape_of
from adderlab.training.kernels.wide import wide_source
from adderlab.training.schedule import schedule
from adderlab.training.work import Work

SINGLE = np.float32
L = 16


def fma(a, b, c):
    """Return a * b + c: the product of two numbers of fp32 is exact in double."""
    return (a.astype(float) * b + c).astype(SINGLE)


def in_single(function):
    """Return a function of fp32, computed in double and rounded once."""
    return lambda *args: function(*(arg.astype(float) for arg in args)).astype(SINGLE)


OPERATIONS = {
    "np": np,
    "align_stack": lambda: None,
    "load": lambda array, place: array[place : place + L].copy(),
    "splat": lambda value: np.full(L, value, dtype=SINGLE),
    "fma": fma,
    "root": np.sqrt,
    "above": lambda a, b: a > b,
    "where": np.where,
    "invert": np.logical_not,
    "any_of": np.any,
    "numbers_at": lambda array, place: array[place : place + L].astype(SINGLE),
    "bit_at": lambda array, place, bit: (array[place : place + L] >> bit & 1).astype(SINGLE),
    "tanh": in_single(np.tanh),
    "sigmoid": in_single(lambda y: np.exp(-np.logaddexp(0, -y))),
    "cross_entropy": in_single(lambda y, t: np.logaddexp(0, y) - y * t),
}


def store(array, place, values):
    array[place : place + L] = values


class _Python:
    """What a run calls instead of compiled kernels."""

    def __init__(self, settings, source):
        space = {**OPERATIONS, "store": store, "draw_samples": self._samples}
        exec(compile(source, "<emulated>", "exec"), space)
        self.train = space["train"]
        self.settings = settings

    def _samples(self, seed, members, base, samples, first, count, drawn):
        batch = self.settings.batch
        some = draws.batch_samples(
            self.settings, members[base : base + L], samples, first // batch, count // batch
        )
        drawn[3 * L : (3 + count) * L] = some.reshape(L, count).T.ravel()
        return 3 * L  # any place will do, as long as it is told

    def starts(self, seed, members, scale, bounds, start):
        start[:] = draws.start(self.task, self.settings, members, scale)

    def data(self, seed, members, samples, counts):
        counts[:] = draws.row_counts(self.task, self.settings, members)


def train_emulated(task, settings, count, path, *, keep_every=None):
    """Return what a kernel's source gives for the first members."""
    shape = shape_of(task, settings)
    source = lanes_source(shape) if path == "numba-lanes" else wide_source(shape)
    kernels = _Python(settings, source)
    kernels.task = task
    members = np.arange(count, dtype=np.uint64)
    work = Work(
        task=task,
        settings=settings,
        table=next(task.blocks(task.rows)),
        schedule=schedule(settings.steps, keep_every),
        members=members,
        start=np.empty((count, settings.parameters(task)), dtype=SINGLE),
        counts=np.empty((count, task.rows), dtype=np.int32),
        init_scale=np.full(count, settings.init_scale, dtype=SINGLE),
        lr=np.full(count, settings.lr, dtype=SINGLE),
        momentum=np.full(count, settings.momentum, dtype=SINGLE),
    )
    outcome = work.empty_outcome()
    with np.errstate(all="ignore"):
        _ = _Run(work, shape, path, kernels, outcome).part(0, count)
    return outcome
