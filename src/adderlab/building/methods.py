"""The methods that ``build`` knows: one table, from a name to its construction."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Final

from adderlab.building.lecture import lecture_network
from adderlab.errors import OptionError
from adderlab.nets import Network
from adderlab.tasks import Task

METHODS: Final[dict[str, Callable[[Task], Network]]] = {
    "lecture": lecture_network,
}
"""By name, from a task to its network."""


def construct(task: Task, method: str) -> Network:
    """Return the network that a method gives for a task.

    Raises:
        OptionError: there is no such method.
        TaskError: the method does not know the task.
    """
    found = METHODS.get(method)
    if found is None:
        near = difflib.get_close_matches(method, METHODS, n=1)
        remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(METHODS)}"
        raise OptionError(f"unknown method {method!r}", where="--method", remedy=remedy)
    return found(task)
