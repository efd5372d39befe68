"""The kernel of a network: the narrowest integers that are exact, else floats that seldom ask."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from adderlab.formats import FP64
from adderlab.nets import Network
from adderlab.nets.enclosure import Machine
from adderlab.proving.kernels.dense_kernel import DenseKernel, influence_order
from adderlab.proving.kernels.fits import has_kernel, is_written
from adderlab.proving.kernels.floats import FloatNet, float_net
from adderlab.proving.kernels.kernel import Kernel, WrittenKernel
from adderlab.proving.kernels.rows import Places
from adderlab.proving.kernels.scaled import WIDEST, scaled
from adderlab.tasks import Task

BLOCK_BITS: Final = 16
NARROW: Final = 32
"""Bits up to which whole numbers are faster than fp32."""

SAMPLE: Final = 1 << 11
"""Random rows by which it is guessed how many a kernel of floats leaves open."""

MOST_OPEN: Final = {"float32": 2e-3, "float64": 5e-2}
"""The share of rows that may be left open: in fp32 until double is faster."""


def kernel_of(net: Network, task: Task) -> Kernel | None:
    """Return the kernel that enumerates a network; ``None`` where there is none that pays."""
    if not has_kernel(net, task):
        return None
    whole = scaled(net) if is_written(net) else None
    for bits, dtype in ((NARROW, np.float32), (WIDEST, np.float64)):
        if whole is not None and whole.bits <= bits:
            places = Places(task, usual_order(task), BLOCK_BITS)
            return WrittenKernel(whole, net.readout, places)
        floats = float_net(net, dtype)
        if floats is None or open_share(net, task, floats) > MOST_OPEN[np.dtype(dtype).name]:
            continue
        if is_written(net):
            return WrittenKernel(floats, net.readout, Places(task, usual_order(task), BLOCK_BITS))
        return DenseKernel(floats, net.readout, Places(task, influence_order(floats), BLOCK_BITS))
    return None


def usual_order(task: Task) -> list[int]:
    """Return the network's inputs from the lowest bit of the last word on."""
    numbers = {name: number for number, name in enumerate(task.input_bits)}
    return [numbers[name] for word in reversed(task.inputs) for name in reversed(word.bits)]


def open_share(net: Network, task: Task, floats: FloatNet) -> float:
    """Return about which share of the rows a kernel of floats can't decide."""
    if not floats.bound:
        return 0.0
    distances, expected = _sampled(net, task)
    is_open = np.abs(distances) <= floats.bound
    for bit in (0, 1):
        own = np.where(expected == bit, distances, np.inf)
        is_open |= own <= own.min() + 2 * floats.bound
    return float(is_open.any(axis=1).mean())


def close_share(net: Network, task: Task, distance: float) -> float:
    """Return about which share of the rows has an output within a distance of the threshold."""
    distances, _ = _sampled(net, task)
    return float((np.abs(distances) <= distance).any(axis=1).mean())


def _sampled(net: Network, task: Task) -> tuple[Any, Any]:
    """Return how far outputs of random rows lie on their right side, and what they should be."""
    rng = np.random.default_rng(0)
    words = {word.name: rng.integers(0, word.size, SAMPLE, dtype=np.int64) for word in task.inputs}
    block = task.block_of(words)
    values = Machine(net, FP64).enclose(block.inputs).values - net.readout.threshold
    return np.where(block.expected == 1, values, -values), block.expected
