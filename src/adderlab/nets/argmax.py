"""The readout ``argmax``: the number of the first largest output, as layers that compare pairs.

Rule: a comparison is the sign of a difference. In exact arithmetic that is plain, and in a floating
format with subnormal numbers no rounding changes it, so the layers decide what PyTorch's
``argmax`` does; of equal outputs the first is taken, as there.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Final

import numpy as np

from adderlab.errors import NetworkError
from adderlab.nets.activations import Activation
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import Readout, ReadoutLike, readout_of
from adderlab.nets.tensors import stored_in
from adderlab.tasks import Task

ARGMAX: Final = "argmax"

READOUTS: Final = 'give a number, "> 0", ">= 0.5", "exact" or "argmax"'
"""What a readout may be where this one may."""

MOST_COMPARED: Final = 64
"""Outputs up to which every pair is compared."""


def is_argmax(readout: ReadoutLike | None) -> bool:
    """Return whether this readout is meant."""
    return isinstance(readout, str) and readout.strip() == ARGMAX


def with_readout(net: Network, readout: ReadoutLike, task: Task | None = None) -> Network:
    """Return the network with another readout, ``argmax`` too.

    Args:
        net: the network.
        readout: a readout, or what stands for one.
        task: what it is held against; its own unless given.

    Raises:
        NetworkError: it is no readout, or the network has no outputs to compare.
        TaskError: what the network then gives does not fit the task.
    """
    if not is_argmax(readout):
        return replace(net, readout=readout_of(readout, choices=READOUTS))
    known = task or net.task
    lowered = by_argmax(net, known)
    return lowered if known is None else lowered.for_task(known)


def by_argmax(net: Network, task: Task | None = None) -> Network:
    """Return the network whose outputs tell which output of ``net`` is the first largest.

    Two outputs are one comparison: the network gives their difference, with the readout ``> 0``, so
    its margin is the distance between the largest and the other.

    Args:
        net: a network of 2 to 64 outputs; its readout and its task are left aside.
        task: with as many output bits as there are outputs, the largest is the one that is 1;
            otherwise the outputs are the bits of the number, most significant first.

    Raises:
        NetworkError: a single output, or too many.
        FormatError: the network's format does not hold the weights of a comparison.
    """
    count = net.n_out
    if not 2 <= count <= MOST_COMPARED:
        raise NetworkError(
            f"argmax is of 2 to {MOST_COMPARED} outputs, and the network has {count}",
            where="readout",
            remedy="give a threshold",
        )
    width = (count - 1).bit_length()
    is_one_hot = task is not None and task.n_out == count != width
    pairs = list(combinations(range(count), 2))
    differences = np.zeros((len(pairs), count))
    for row, (first, second) in enumerate(pairs):
        differences[row, first], differences[row, second] = -1, 1
    inputs = None if net.outputs is None else net.output_layers

    compared = Layer(stored_in(differences, net.format), None, Activation(), inputs)
    if count == 2 and not is_one_hot:
        return Network((*net.layers, compared), Readout("threshold", 0.0), None, net.format)
    beats = np.array([[(b == n) - (a == n) for a, b in pairs] for n in range(count)])
    first = replace(compared, activation=Activation("step"))
    largest = Layer(
        stored_in(beats, net.format),
        stored_in(-np.arange(count), net.format),
        Activation("step", convention=">="),
    )
    bits = [[n >> place & 1 for n in range(count)] for place in reversed(range(width))]
    chosen = np.eye(count) if is_one_hot else np.array(bits)
    last = Layer(stored_in(chosen, net.format))
    return Network((*net.layers, first, largest, last), Readout(), None, net.format)
