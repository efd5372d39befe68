"""The hand-set network of the first notebook, with its exact weights."""

from __future__ import annotations

from adderlab.errors import TaskError
from adderlab.nets import Network, Readout, network
from adderlab.tasks import Task, task_named


def lecture_network(task: Task, format: str = "fp32") -> Network:
    """Return the 2-3-2 network that the notebook sets by hand, as it stands there.

    Its hidden units are relu(a + b - 1.5), relu(a + b - 0.5) and relu(a + b - 1.5); the carry
    is the first, the sum the second minus twice the third, both read out by ``> 0``. On 1 + 1
    the sum is 1.5 - 2 * 0.5 = 0.5, which is above 0: the network says 1 + 1 = 3. The notebook
    calls it "all correct!"; ``prove`` refutes it.

    Args:
        task: the half adder; the notebook has no other.
        format: a number format that holds its weights.

    Raises:
        TaskError: another task.
    """
    if (task.n_in, task.n_out) != (2, 2) or task.name not in ("half-adder", "adder:1"):
        raise TaskError(
            f"the lecture sets weights for half-adder alone, got {task.name}",
            where="method lecture",
            remedy="build half-adder",
        )
    return network(
        [[[1, 1], [1, 1], [1, 1]], [[1, 0, 0], [0, 1, -2]]],
        [[-1.5, -0.5, -1.5], [0, 0]],
        readout=Readout("threshold", 0.0, ">"),
        task=task,
        format=format,
    )


def printed_network() -> Network:
    """Return the 17 weights that the training notebook printed, to the digits it printed.

    They are right on all four rows, and their third hidden unit is off on every row.
    """
    import numpy as np

    weights = (
        [[1.3319, -1.1752], [1.1975, -0.4550], [0.1733, -0.6872]],
        [[-1.1151, 1.0085, 0.1972], [1.2988, -0.9030, -0.2400]],
    )
    biases = ([-0.0006, 0.4568, -0.1736], [-0.1657, 0.7661])
    return network(
        [np.array(weight, dtype=np.float32) for weight in weights],
        [np.array(bias, dtype=np.float32) for bias in biases],
        task=task_named("half-adder"),
    )
