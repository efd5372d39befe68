"""The methods that ``build`` knows: one table, from a name to its construction.

Rule: a number format and a largest weight are promises. They are kept, or refused with what can be
had instead; a construction is never quietly built otherwise than it was asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from adderlab.building.adders import one_layer_adder, prefix_adder, ripple_adder
from adderlab.building.lecture import lecture_network
from adderlab.errors import OptionError, ResourceError, TaskError
from adderlab.formats import FORMATS, format_named
from adderlab.nets import Network
from adderlab.tasks import Task

LARGEST_ENTRIES: Final = 40_000_000
"""Stored weights beyond which a network is refused before memory is taken (about 4 GB)."""


@dataclass(frozen=True, slots=True)
class Method:
    """A construction.

    Attributes:
        build: from a task and a number format to a network.
        tasks: the names of the tasks it knows, without widths.
        largest: the largest magnitude among its weights and biases at a width.
        layers: its affine layers at a width.
        entries: about how many weights it stores at a width.
        formats: formats to take when none is asked for, with the widths up to which each is
            exact; measured by ``benchmarks/safe_widths.py`` on 2026-11-21.
    """

    build: Callable[[Task, str], Network]
    tasks: tuple[str, ...]
    largest: Callable[[int], float]
    layers: Callable[[int], int]
    entries: Callable[[int], int]
    formats: tuple[tuple[str, int | None], ...]


_ADDERS: Final = ("half-adder", "adder")


def _levels(width: int) -> int:
    return (width - 1).bit_length()


METHODS: Final[dict[str, Method]] = {
    "lecture": Method(
        build=lecture_network,
        tasks=("half-adder",),
        largest=lambda width: 2,
        layers=lambda width: 2,
        entries=lambda width: 12,
        formats=(("fp32", None),),
    ),
    "one-layer": Method(
        build=one_layer_adder,
        tasks=_ADDERS,
        largest=lambda width: 1 << width,
        layers=lambda width: 2,
        entries=lambda width: 2 * width * (width + 5),
        formats=(("fp32", 22), ("fp64", 51), ("wide", None)),
    ),
    "prefix": Method(
        build=prefix_adder,
        tasks=_ADDERS,
        largest=lambda width: 2,
        layers=lambda width: _levels(width) + 3,
        entries=lambda width: 8 * width * (_levels(width) + 3),
        formats=(("int2", None),),
    ),
    "ripple": Method(
        build=ripple_adder,
        tasks=_ADDERS,
        largest=lambda width: 2,
        layers=lambda width: width + 2 if width > 1 else 2,
        entries=lambda width: width * (width + 20),
        formats=(("int2", None),),
    ),
}
"""By name; of two with equally many layers ``auto`` takes the one that stores fewer weights."""


def construct(
    task: Task, method: str, *, format: str | None = None, max_weight: float | None = None
) -> Network:
    """Return the network that a method gives for a task, its promises checked.

    Args:
        task: the task.
        method: a name of :data:`METHODS`, or ``auto``: the fewest layers, then the fewest
            weights, that keep the promises.
        format: the number format of the weights; the method's own choice unless given.
        max_weight: the largest magnitude that a weight or bias may have.

    Raises:
        OptionError: there is no such method, or a promise can't be kept; what can be had is named.
        TaskError: the method does not know the task.
        ResourceError: the network would not fit in memory.
    """
    if max_weight is not None and not max_weight > 0:
        raise OptionError(
            f"got {max_weight:g}", where="--max-weight", remedy="give a number above 0"
        )
    if method == "auto":
        method = _choose(task, format, max_weight)
    found = METHODS.get(method)
    if found is None:
        near = difflib.get_close_matches(method, (*METHODS, "auto"), n=1)
        remedy = f"did you mean {near[0]}?" if near else f"one of auto, {', '.join(METHODS)}"
        raise OptionError(f"unknown method {method!r}", where="--method", remedy=remedy)
    fault = _fault(found, method, task, format, max_weight)
    if fault is not None:
        raise fault
    return found.build(task, format_named(format).name if format else default_format(method, task))


def default_format(method: str, task: Task) -> str:
    """Return the first of the method's formats that is exact at the task's width."""
    width = task.inputs[0].width
    formats = METHODS[method].formats
    return next(name for name, limit in formats if limit is None or width <= limit)


def _choose(task: Task, format: str | None, max_weight: float | None) -> str:
    """Return the method of the fewest layers, then weights, that keeps the promises."""
    width = task.inputs[0].width
    kept = [
        name
        for name, method in METHODS.items()
        if name != "lecture" and _fault(method, name, task, format, max_weight) is None
    ]
    if not kept:
        faults = [
            _fault(method, name, task, format, max_weight) for name, method in METHODS.items()
        ]
        known = [one for one in faults if one is not None and not isinstance(one, TaskError)]
        raise known[0] if known else _unknown_task("auto", task)
    return min(kept, key=lambda name: (METHODS[name].layers(width), METHODS[name].entries(width)))


def _unknown_task(method: str, task: Task) -> TaskError:
    return TaskError(
        f"no construction is known for {task.name}",
        where=f"--method {method}",
        remedy="build an adder:N, or write a --formula",
    )


def _fault(
    method: Method, name: str, task: Task, format: str | None, max_weight: float | None
) -> OptionError | TaskError | ResourceError | None:
    """Return why a method can't be had for a task under the promises; ``None`` if it can."""
    if name == "lecture" and task.name not in ("half-adder", "adder:1"):
        return TaskError(
            f"the lecture sets weights for half-adder alone, got {task.name}",
            where="--method lecture",
            remedy="build half-adder",
        )
    if task.name.partition(":")[0] not in (*method.tasks, "adder"):
        return _unknown_task(name, task)
    width = task.inputs[0].width
    entries = method.entries(width)
    if entries > LARGEST_ENTRIES:
        return ResourceError(
            f"{task.name} by {name} would store about {entries:.3g} weights, "
            f"over {LARGEST_ENTRIES:.3g}",
            where="build",
            remedy="take a smaller width, or --method prefix",
        )
    largest = method.largest(width)
    if max_weight is not None and largest > max_weight:
        return OptionError(
            f"{task.name} by {name} needs weights to {largest:g}, over {max_weight:g}",
            where="--max-weight",
            remedy="take --method prefix, whose weights reach 2" if largest > 2 else "give 2",
        )
    if format is None:
        return None
    form = format_named(format)
    values = (-1.5, -2) if name == "lecture" else (-largest, 1 - largest, -2, 1)
    if not all(form.holds(Fraction(value)) for value in values):
        nearest = _nearest(values)
        return OptionError(
            f"{task.name} by {name} has weights to {largest:g}, which {form.name} does not hold",
            where="--format",
            remedy=f"the nearest that can be had is --format {nearest}"
            + (", or --method prefix" if largest > 2 else ""),
        )
    return None


def _nearest(values: tuple[float, ...]) -> str:
    """Return the format of the fewest bits that holds the values."""
    ranked = sorted(FORMATS.values(), key=lambda f: (f.kind == "wide", f.bits, f.kind == "float"))
    return next(f.name for f in ranked if all(f.holds(Fraction(value)) for value in values))
