"""The parallel-prefix adder: depth grows with the logarithm of the width, weights in -2..1."""

from __future__ import annotations

from adderlab.building.adders.stack import Form, Stack, plus, times
from adderlab.nets import Network
from adderlab.tasks import Task


def prefix_adder(task: Task, format: str) -> Network:
    """Return Sklansky's prefix adder as a network of ``ceil(log2 N) + 2`` hidden layers.

    A span of positions generates a carry (G) or passes one on (P). For one position
    ``G = relu(a + b - 1)`` and, as the two never meet, ``P = a + b - 2 G``. Of a high and a low
    span side by side

        ``G = G_high + relu(P_high + G_low - 1)``,  ``P = relu(P_high + P_low - 1)``,

    one layer a level. Sklansky's scheme joins, at level d, every position of the upper half of
    each block of 2**d to the whole lower half: the least depth there is, and fan-out, which it is
    criticized for in silicon, costs a network nothing. Spans of one block end at one place, so
    their diagrams share their nodes: N log N in all, where Kogge-Stone's spans need N squared.

    Args:
        task: ``adder:N``.
        format: a number format that holds -2, -1, 0 and 1.

    References:
        Sklansky, "Conditional-sum addition logic", IRE Trans. Electronic Computers EC-9 (1960).
    """
    width = task.inputs[0].width
    stack = Stack(2 * width)
    inputs: list[Form] = [{width - 1 - k: 1, 2 * width - 1 - k: 1} for k in range(width)]
    pairs = [stack.unit(form) for form in inputs]
    generate: list[Form] = [stack.unit(form, -1) for form in inputs]
    stack.finish_layer()
    differs: list[Form] = [
        plus(pair, times(-2, one)) for pair, one in zip(pairs, generate, strict=True)
    ]
    passes = list(differs)
    size = 1
    while size < width:
        kept = [stack.unit(form) for form in differs]
        own = [stack.unit(form) for form in generate]
        joined: list[Form] = []
        handed: list[Form] = []
        for place in range(width):
            low = place // size * size - 1  # the last position of the block below
            if place // size % 2 == 0:
                joined.append(own[place])
                handed.append(stack.unit(passes[place]) if place >= size else {})
                continue
            both = stack.unit(plus(passes[place], generate[low]), -1)
            joined.append(plus(own[place], both))
            is_needed = place >= 2 * size  # a span that reaches position 0 passes nothing on
            handed.append(stack.unit(plus(passes[place], passes[low]), -1) if is_needed else {})
        stack.finish_layer()
        differs, generate, passes = kept, joined, handed
        size *= 2
    totals: list[Form] = []
    for place in range(width):
        carry = generate[place - 1] if place else {}
        total = stack.unit(plus(differs[place], carry))
        over = stack.unit(plus(differs[place], carry), -1) if place else {}
        totals.append(plus(total, times(-2, over)))
    top = stack.unit(generate[-1])
    stack.finish_layer()
    return stack.network([top, *reversed(totals)], task, format)
