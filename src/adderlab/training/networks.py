"""From trained arrays to a network with its record, and which of its units are dead.

Nothing here imports torch: populations in compiled kernels do not need it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.nets import Activation, Layer, Network, trace
from adderlab.nets.tensors import Dense

if TYPE_CHECKING:
    from adderlab.tasks import Task
    from adderlab.training.settings import Settings

LARGEST_TABLE: Final = 1 << 20


def network_of(arrays: list[Any], task: Task, settings: Settings, path: str) -> Network | None:
    """Return [fc1.weight, fc1.bias, fc2.weight, ...] as a network; ``None`` if not finite.

    Args:
        arrays: in fp32, weights and biases in turn.
        task: the task they were trained for.
        settings: of the training, for the record.
        path: the engine that trained them, for the record.
    """
    if not all(np.isfinite(array).all() for array in arrays):
        return None
    tensors = [Dense(array) for array in arrays]
    layers = [
        Layer(weight, bias, settings.network_activation)
        for weight, bias in zip(tensors[::2], tensors[1::2], strict=True)
    ]
    layers = (*layers[:-1], replace(layers[-1], activation=Activation()))
    return Network(layers, settings.readout, task, "fp32", settings.record(task, path))


def dead_units(network: Network, task: Task) -> tuple[int, ...]:
    """Return the hidden units, from 1, that are off on every row; relu networks alone have any.

    The units of a second hidden layer go on from the last of the first.
    """
    hidden = network.layers[:-1]
    if not hidden[0].activation.rule.can_die or task.rows > LARGEST_TABLE:
        return ()
    is_off = [np.ones(layer.n_out, dtype=bool) for layer in hidden]
    for block in task.blocks():
        for off, step in zip(is_off, trace(network, block.inputs), strict=False):  # not the outputs
            off &= (step.values.integers == 0).all(axis=0)
    return tuple(int(unit) + 1 for unit in np.flatnonzero(np.concatenate(is_off)))
