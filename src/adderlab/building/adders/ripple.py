"""The ripple adder: one layer a bit, weights and biases in -2..1 at every width."""

from __future__ import annotations

from adderlab.building.adders.stack import Form, Stack, plus, times
from adderlab.nets import Network
from adderlab.tasks import Task


def ripple_adder(task: Task, format: str) -> Network:
    """Return an adder that passes the carry on, one hidden layer for each bit.

    With ``t = a_i + b_i + carry_in``, a number in 0..3, the layer of bit i holds ``p = relu(t)``,
    ``q = relu(t - 1)`` and ``v = relu(t - 2)``; the carry out is ``q - v``, ready for the next
    layer. The sum bit ``t - 2 * carry_out`` would be ``p - 2q + 2v``; to stay within -2..1 the
    carry is first made a unit of its own, and the sum bit follows as ``p - 2 carry``, two layers
    later.
    Operand bits still to come pass as their sum, one unit a position.

    Args:
        task: ``adder:N``.
        format: a number format that holds -2, -1, 0 and 1.
    """
    width = task.inputs[0].width
    stack = Stack(2 * width)
    pairs: list[Form] = [{width - 1 - k: 1, 2 * width - 1 - k: 1} for k in range(width)]
    carry: Form = {}
    sums: list[Form] = []  # finished sum bits
    waiting: list[tuple[Form, Form]] = []  # (t, carry out) of the positions not yet finished
    for place in range(width):
        total = plus(pairs[place], carry)
        done = [stack.unit(one) for one in sums]
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
        done = [stack.unit(one) for one in sums]
        done += [stack.unit(plus(t, times(-2, out))) for t, out in waiting[:-1]]
        last = [(stack.unit(t), stack.unit(out)) for t, out in waiting[-1:]]
        stack.finish_layer()
        sums, waiting = done, last
    sums += [plus(t, times(-2, out)) for t, out in waiting]
    return stack.network([waiting[-1][1], *reversed(sums)], task, format)
