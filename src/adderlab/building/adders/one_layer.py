"""The adder with a single hidden layer, whose weights grow with its width."""

from __future__ import annotations

from adderlab.building.adders.stack import Form, Stack, plus, times
from adderlab.nets import Network
from adderlab.tasks import Task


def one_layer_adder(task: Task, format: str) -> Network:
    """Return an adder of two words with one hidden layer of ``3 * width - 1`` ReLU units.

    Let ``L`` be the sum of the operands' lowest i + 1 bits. The carry out of position i is 1
    where ``L >= 2**(i+1)``, which for whole numbers is the difference of two relus,
    ``relu(L - 2**(i+1) + 1) - relu(L - 2**(i+1))``. A third unit keeps ``a_i + b_i``, and the sum
    bit is ``a_i + b_i + carry_in - 2 * carry_out``. At position 0 the second relu is always 0 and
    is left out. Weights reach ``2**(width-1)`` and biases ``2**width``.

    Args:
        task: ``adder:N``.
        format: a number format that holds the weights.

    References:
        The threshold circuit for carries of Siu, Roychowdhury, Kailath, "Depth-size tradeoffs for
        neural computation", IEEE Trans. Computers 40(12) (1991), with each threshold of whole
        numbers as two relus.
    """
    width = task.inputs[0].width
    stack = Stack(2 * width)
    low: Form = {}
    pairs: list[Form] = []
    carries: list[Form] = []
    for place in range(width):
        a, b = width - 1 - place, 2 * width - 1 - place
        low = plus(low, {a: 1 << place, b: 1 << place})
        pairs.append(stack.unit({a: 1, b: 1}))
        carry = stack.unit(low, 1 - (2 << place))
        if place:
            carry = plus(carry, times(-1, stack.unit(low, -(2 << place))))
        carries.append(carry)
    stack.finish_layer()
    sums = [
        plus(pairs[place], carries[place - 1] if place else {}, times(-2, carries[place]))
        for place in range(width)
    ]
    return stack.network([carries[-1], *reversed(sums)], task, format)
