"""The ripple adder: one layer a bit, weights and biases in -2..1 at every width."""

from __future__ import annotations

from adderlab.building.adders.stack import Form, Stack, plus, times
from adderlab.nets import Network
from adderlab.tasks import Task


def ripple_adder(task: Task, format: str) -> Network:
    """Return an adder that passes the carry on, one hidden layer for each bit.

    With ``t = a_i + b_i + carry_in``, a number in 0..3, the layer of bit i holds three units:

        ========================  =====  =====  =====  =====
        t                           0      1      2      3
        ========================  =====  =====  =====  =====
        ``p = relu(t)``             0      1      2      3
        ``q = relu(t - 1)``         0      0      1      2
        ``v = relu(t - 2)``         0      0      0      1
        carry out ``q - v``         0      0      1      1
        sum bit ``t - 2 (q - v)``   0      1      0      1
        ========================  =====  =====  =====  =====

    The carry, a weighted sum of units, goes straight into the next layer's t. The sum bit as
    ``p - 2q + 2v`` would need a weight 2; to stay within -2..1, what two bits hold, the next layer
    makes the carry a unit of its own beside p, and the one after it the sum bit ``p - 2 carry``.
    So N bits take N layers, one more to finish the last sum bit, and the outputs; one bit takes
    two. Operand bits still to come pass as their sum, one unit a position, finished sum bits as
    one unit each: about N**2 units in all, most of which only pass a number on.

    Args:
        task: ``adder:N``.
        format: a number format that holds -2, -1, 0 and 1.

    Returns:
        A network of N + 2 layers (2 for one bit), N + 1 outputs, most significant bit first.

    References:
        Addition by hand, as in Knuth, "The Art of Computer Programming" 2 (1997), section 4.3.1,
        Algorithm A; the carry's threshold ``t >= 2`` as two relus, as in
        :func:`adderlab.building.adders.one_layer.one_layer_adder`.

    Examples:
        >>> from adderlab.tasks import task_named
        >>> ripple_adder(task_named("adder:4"), "int2").depth
        6
    """
    width = task.inputs[0].width
    stack = Stack(2 * width)
    pairs: list[Form] = [{width - 1 - k: 1, 2 * width - 1 - k: 1} for k in range(width)]
    carry: Form = {}
    sums: list[Form] = []  # finished sum bits
    pending: list[tuple[Form, Form]] = []  # (t, carry out) of the positions not yet finished
    for position in range(width):
        total = plus(pairs[position], carry)
        finished = [stack.unit(bit) for bit in sums]
        finished += [stack.unit(plus(t, times(-2, out))) for t, out in pending[:-1]]
        copied = [(stack.unit(t), stack.unit(out)) for t, out in pending[-1:]]
        p = stack.unit(total)
        q = stack.unit(total, -1)
        v = stack.unit(total, -2) if position else {}
        carry = plus(q, times(-1, v))
        pairs = [*pairs[: position + 1], *(stack.unit(pair) for pair in pairs[position + 1 :])]
        stack.finish_layer()
        sums, pending = finished, [*copied, (p, carry)]
    if width > 1:
        finished = [stack.unit(bit) for bit in sums]
        finished += [stack.unit(plus(t, times(-2, out))) for t, out in pending[:-1]]
        copied = [(stack.unit(t), stack.unit(out)) for t, out in pending[-1:]]
        stack.finish_layer()
        sums, pending = finished, copied
    sums += [plus(t, times(-2, out)) for t, out in pending]
    return stack.network([pending[-1][1], *reversed(sums)], task, format)
