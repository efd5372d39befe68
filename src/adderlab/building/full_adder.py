"""The full adder, three bits added, with a single hidden layer."""

from __future__ import annotations

from adderlab.nets import EXACT, Network, network
from adderlab.tasks import Task


def full_adder(task: Task, format: str) -> Network:
    """Return a full adder with one hidden layer of three ReLU units and 20 parameters.

    With ``s = a + b + cin``, a number in 0..3, the units are ``relu(s)``, ``relu(s - 1)`` and
    ``relu(s - 2)``. The carry, 1 where ``s >= 2``, is the difference of the last two; the sum bit
    0, 1, 0, 1 rises, falls and rises by 1 from each s to the next:

        ``carry = relu(s - 1) - relu(s - 2)``,
        ``sum = relu(s) - 2 relu(s - 1) + 2 relu(s - 2)``.

    Args:
        task: ``full-adder``.
        format: a number format that holds -2, -1, 0, 1 and 2.

    Returns:
        A network of two layers, two outputs that are exactly 0 or 1, most significant bit first.

    Examples:
        >>> from adderlab.tasks import task_named
        >>> full_adder(task_named("full-adder"), "int3").parameters
        20
    """
    return network(
        [[[1, 1, 1]] * 3, [[0, 1, -1], [1, -2, 2]]],
        [[0, -1, -2], [0, 0]],
        readout=EXACT,
        task=task,
        format=format,
    )
