"""Whether a network that is wrong would be right if its bits came in another order.

Rule: an order is named only where the network is proved under it, by the same engines and in the
same arithmetics as any verdict; the verdict itself stays what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from adderlab.formats import FP64
from adderlab.limits import Budget, CapReached, within
from adderlab.nets import Network
from adderlab.nets.enclosure import Machine
from adderlab.proving import diagrams
from adderlab.proving.decide import decide
from adderlab.proving.enumeration import Enumeration, block_rows, judge, rows_at
from adderlab.tasks import Task
from adderlab.tasks.order import Order, in_order, natural_orders

MOST_S: Final = 1.0
"""Seconds that all orders may take together."""

MOST_ROWS: Final = 1 << 12
"""Rows up to which they are enumerated; of more, diagrams decide."""

TRIAL_ROWS: Final = 64
"""Rows that an order has to get right before it is proved."""


def right_order(
    net: Network, task: Task, *, formats: str | Sequence[str] = (), budget: Budget | None = None
) -> Order | None:
    """Return the simplest order of bits under which the network is proved, if there is one.

    Args:
        net: a network that is wrong.
        task: what it should compute.
        formats: the arithmetics in which it must be right.
        budget: the time and memory there is; at most :data:`MOST_S` seconds of it are taken.
    """
    engine = "enumeration" if task.rows <= MOST_ROWS else "diagram"
    if engine == "diagram" and not diagrams.is_specified(task):
        return None
    budget = budget or Budget.of()
    seconds = min(MOST_S, budget.seconds_left)
    if not seconds:
        return None
    budget = Budget.of(seconds, budget.max_memory_bytes)
    try:
        with within(budget):
            machine = Machine(net, FP64) if Machine.can_run(net) else None
            for order in natural_orders(task):
                budget.check()
                ordered = in_order(task, order)
                if not _passes(net, machine, ordered):
                    continue
                if decide(net, ordered, formats=formats, engine=engine, budget=budget):
                    return order
    except CapReached:
        return None
    return None


def _passes(net: Network, machine: Machine | None, task: Task) -> bool:
    """Return whether some rows, the first and the last among them, are right."""
    count = min(TRIAL_ROWS, task.rows, block_rows(net))
    indices = sorted({(task.rows - 1) * at // max(count - 1, 1) for at in range(count)})
    block = rows_at(np.array(indices, dtype=object), task)
    is_right, is_known, _ = judge(net, machine, block, Enumeration())
    return bool((is_right | ~is_known).all())
