"""The adder with a single hidden layer, whose weights grow with its width."""

from __future__ import annotations

from adderlab.building.adders.stack import Form, Stack, plus, times
from adderlab.nets import Network
from adderlab.tasks import Task


def one_layer_adder(task: Task, format: str) -> Network:
    """Return an adder of two words with one hidden layer of ``3 * width - 1`` ReLU units.

    Let ``L`` be the sum of the operands' lowest i + 1 bits, each bit k times ``2**k``: a weighted
    sum of inputs. The carry out of position i is 1 where ``L >= 2**(i+1)``. For whole numbers a
    threshold is the difference of two relus one apart,

        ``carry_i = relu(L - 2**(i+1) + 1) - relu(L - 2**(i+1))``,

    which is 0 - 0 below it, 1 - 0 on it, and n + 1 - n above. A third unit keeps ``a_i + b_i``
    (a relu changes nothing that is not negative), and as ``a_i + b_i + carry_in`` is
    ``sum_i + 2 * carry_out``, the output

        ``sum_i = a_i + b_i + carry_(i-1) - 2 * carry_i``

    is a weighted sum of hidden units, exactly 0 or 1. At position 0 the second relu is always 0,
    for ``L <= 2``, and is left out: ``3 * width - 1`` units. Weights reach ``2**(width-1)`` and
    biases ``2**width``; up to which width a number format computes this exactly is derived in
    :mod:`adderlab.building.adders.widths`.

    Args:
        task: ``adder:N``.
        format: a number format that holds the weights.

    Returns:
        A network of two layers, N + 1 outputs, most significant bit first.

    References:
        The threshold circuit for carries of Siu, Roychowdhury, Kailath, "Depth-size tradeoffs for
        neural computation", IEEE Trans. Computers 40(12) (1991), with each threshold of whole
        numbers as two relus.

    Examples:
        >>> from adderlab.tasks import task_named
        >>> one_layer_adder(task_named("adder:4"), "fp32").widths
        [11]
    """
    width = task.inputs[0].width
    stack = Stack(2 * width)
    low: Form = {}
    pairs: list[Form] = []
    carries: list[Form] = []
    for position in range(width):
        a, b = width - 1 - position, 2 * width - 1 - position
        low = plus(low, {a: 1 << position, b: 1 << position})
        pairs.append(stack.unit({a: 1, b: 1}))
        carry = stack.unit(low, 1 - (2 << position))
        if position:
            carry = plus(carry, times(-1, stack.unit(low, -(2 << position))))
        carries.append(carry)
    stack.finish_layer()
    sums = [
        plus(
            pairs[position], carries[position - 1] if position else {}, times(-2, carries[position])
        )
        for position in range(width)
    ]
    return stack.network([carries[-1], *reversed(sums)], task, format)
