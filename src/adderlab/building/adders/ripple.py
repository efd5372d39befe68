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
    waiting: list[tuple[Form, Form]] = []  # (t, carry out) of the positions not yet finished
    for place in range(width):
        total = plus(pairs[place], carry)
        done = [stack.unit(bit) for bit in sums]
        done += [stack.unit(plus(t, times(-2, out))) for t, out in waiting[:-1]]
        held = [(stack.unit(t), stack.unit(out)) for t, out in waiting[-1:]]
        kept = stack.unit(total)
        once = stack.unit(total, -1)
        twice = stack.unit(total, -2) if place else {}
        carry = plus(once, times(-1, twice))
        pairs = [*pairs[: place + 1], *(stack.unit(pair) for pair in pairs[place + 1 :])]
        stack.finish_layer()
        sums, waiting = done, [*held, (kept, carry)]
    if width > 1:
        done = [stack.unit(bit) for bit in sums]
        done += [stack.unit(plus(t, times(-2, out))) for t, out in waiting[:-1]]
        last = [(stack.unit(t), stack.unit(out)) for t, out in waiting[-1:]]
        stack.finish_layer()
        sums, waiting = done, last
    sums += [plus(t, times(-2, out)) for t, out in waiting]
    return stack.network([waiting[-1][1], *reversed(sums)], task, format)
