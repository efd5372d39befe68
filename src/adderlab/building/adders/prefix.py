"""The parallel-prefix adder: depth grows with the logarithm of the width, weights in -2..1."""

from __future__ import annotations

from adderlab.building.adders.stack import Form, Stack, plus, times
from adderlab.nets import Network
from adderlab.tasks import Task


def prefix_adder(task: Task, format: str) -> Network:
    """Return Sklansky's prefix adder as a network of ``ceil(log2 N) + 2`` hidden layers.

    A span of positions generates a carry (G) or passes one on (P), never both. For one position
    ``G = relu(a + b - 1)``, 1 where both bits are, and ``P = a + b - 2 G``, 1 where they differ. A
    high and a low span side by side generate a carry where the high one does, or where it passes
    on what the low one generates; "and" of two bits is ``relu(x + y - 1)``, and "or" is plain
    addition, as G and P of the high span are never both 1:

        ``G = G_high + relu(P_high + G_low - 1)``,  ``P = relu(P_high + P_low - 1)``,

    one layer a level. Sklansky's scheme joins, at level d, every position of the upper half of
    each block of 2**d to the whole lower half, so that after ``ceil(log2 N)`` levels each span
    reaches down to position 0 and its G is the carry. It is the least depth there is, and fan-out,
    which it is criticized for in silicon, costs a network nothing. Spans of one block end at one
    place, so their diagrams share their nodes: N log N in all, where Kogge-Stone's spans need N
    squared.

    A last hidden layer adds each carry to the position above: with ``s = P_i + G_(i-1)``, a number
    in 0..2, the sum bit is ``relu(s) - 2 relu(s - 1)``. Each weight and bias is -2, -1, 0 or 1.

    Args:
        task: ``adder:N``.
        format: a number format that holds -2, -1, 0 and 1.

    Returns:
        A network of ``ceil(log2 N) + 3`` layers, N + 1 outputs, most significant bit first.

    References:
        Sklansky, "Conditional-sum addition logic", IRE Trans. Electronic Computers EC-9 (1960);
        how two spans join: Brent, Kung, "A regular layout for parallel adders", IEEE Trans.
        Computers C-31(3) (1982), section 2.

    Examples:
        >>> from adderlab.tasks import task_named
        >>> prefix_adder(task_named("adder:64"), "int2").depth
        9
    """
    width = task.inputs[0].width
    stack = Stack(2 * width)
    inputs: list[Form] = [{width - 1 - k: 1, 2 * width - 1 - k: 1} for k in range(width)]
    pairs = [stack.unit(form) for form in inputs]
    generate: list[Form] = [stack.unit(form, -1) for form in inputs]
    stack.finish_layer()
    half_sums: list[Form] = [
        plus(pair, times(-2, generated)) for pair, generated in zip(pairs, generate, strict=True)
    ]
    propagate = list(half_sums)
    size = 1
    while size < width:
        next_half_sums = [stack.unit(form) for form in half_sums]
        copies = [stack.unit(form) for form in generate]
        next_generate: list[Form] = []
        next_propagate: list[Form] = []
        for position in range(width):
            low = position // size * size - 1  # the last position of the block below
            if position // size % 2 == 0:
                next_generate.append(copies[position])
                next_propagate.append(stack.unit(propagate[position]) if position >= size else {})
                continue
            both = stack.unit(plus(propagate[position], generate[low]), -1)
            next_generate.append(plus(copies[position], both))
            is_needed = position >= 2 * size  # a span that reaches position 0 passes nothing on
            next_propagate.append(
                stack.unit(plus(propagate[position], propagate[low]), -1) if is_needed else {}
            )
        stack.finish_layer()
        half_sums, generate, propagate = next_half_sums, next_generate, next_propagate
        size *= 2
    totals: list[Form] = []
    for position in range(width):
        carry = generate[position - 1] if position else {}
        total = stack.unit(plus(half_sums[position], carry))
        carry_out = stack.unit(plus(half_sums[position], carry), -1) if position else {}
        totals.append(plus(total, times(-2, carry_out)))
    top = stack.unit(generate[-1])
    stack.finish_layer()
    return stack.network([top, *reversed(totals)], task, format)
