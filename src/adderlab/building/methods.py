"""The methods of ``build``: one table, from a name to its construction.

Rule: a number format and a largest weight are constraints. A method that violates one is refused
with the nearest constraint that it meets; a construction is never changed to meet one.
"""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from adderlab.building.adders import one_layer_adder, prefix_adder, ripple_adder
from adderlab.building.adders.widths import REQUIREMENTS, exact_width
from adderlab.building.full_adder import full_adder
from adderlab.building.lecture import lecture_network
from adderlab.building.truth_table import LARGEST_TABLE, is_small, table_network, too_many_rows
from adderlab.errors import OptionError, ResourceError, TaskError
from adderlab.formats import FORMATS, Format, format_named
from adderlab.nets import Network
from adderlab.tasks import Task, task_named

LEAST_WEIGHT: Final = 2
"""No construction has a smaller largest weight."""

LARGEST_BYTES: Final = 4 << 30
"""Estimated memory beyond which a network is not built."""


@dataclass(frozen=True, slots=True)
class Method:
    """A construction.

    Attributes:
        build: from a task and a number format to a network.
        tasks: the names of the tasks that it builds, without widths; none where it builds any.
        largest: the largest magnitude among a task's weights and biases.
        layers: a task's affine layers.
        entries: about how many weights it stores for a task.
        entry_bytes: peak memory per weight, writing included; measured on 2026-11-28
            by building and writing adder:512 to adder:2048, adder:32768 by prefix, plus a quarter.
        formats: the default number formats, of which the first that is exact is taken.
    """

    build: Callable[[Task, str], Network]
    tasks: tuple[str, ...]
    largest: Callable[[Task], float]
    layers: Callable[[Task], int]
    entries: Callable[[Task], int]
    entry_bytes: int
    formats: tuple[str, ...]

    def memory(self, task: Task) -> int:
        """Return an estimate of the memory in bytes that building takes for a task."""
        return self.entries(task) * self.entry_bytes


_ADDERS: Final = ("half-adder", "adder")
FULL_ADDER: Final = "full-adder"


def _one_layer(task: Task, format: str) -> Network:
    build = full_adder if task.name == FULL_ADDER else one_layer_adder
    return build(task, format)


def _width(task: Task) -> int:
    return task.inputs[0].width


def _levels(task: Task) -> int:
    return (_width(task) - 1).bit_length()


METHODS: Final[dict[str, Method]] = {
    "lecture": Method(
        build=lecture_network,
        tasks=("half-adder",),
        largest=lambda task: 2,
        layers=lambda task: 2,
        entries=lambda task: 12,
        entry_bytes=300,
        formats=("fp32",),
    ),
    "one-layer": Method(
        build=_one_layer,
        tasks=(*_ADDERS, FULL_ADDER),
        largest=lambda task: 1 << _width(task),
        layers=lambda task: 2,
        entries=lambda task: 2 * _width(task) * (_width(task) + 5),
        entry_bytes=45,
        formats=("fp32", "fp64", "wide"),
    ),
    "prefix": Method(
        build=prefix_adder,
        tasks=_ADDERS,
        largest=lambda task: 2,
        layers=lambda task: _levels(task) + 3,
        entries=lambda task: 8 * _width(task) * (_levels(task) + 3),
        entry_bytes=70,
        formats=("int2",),
    ),
    "ripple": Method(
        build=ripple_adder,
        tasks=_ADDERS,
        largest=lambda task: 2,
        layers=lambda task: _width(task) + 2 if _width(task) > 1 else 2,
        entries=lambda task: _width(task) * (_width(task) + 20),
        entry_bytes=110,
        formats=("int2",),
    ),
    "table": Method(
        build=table_network,
        tasks=(),
        largest=lambda task: max(task.n_in - 1, 1),
        layers=lambda task: 2,
        entries=lambda task: min(task.rows, LARGEST_TABLE) * (task.n_in + task.n_out),
        entry_bytes=300,
        formats=("int2", "int3", "int4", "int5", "int6", "int8"),
    ),
}
"""By name."""


def construct(
    task: Task, method: str, *, format: str | None = None, max_weight: float | None = None
) -> Network:
    """Return the network that a method builds for a task, after checking the constraints.

    Arguments and errors are those of :func:`chosen_method`; without ``format`` the weights are
    stored in the first of the method's formats that is exact at the task's width.
    """
    name = chosen_method(task, method, format=format, max_weight=max_weight)
    return METHODS[name].build(task, format_named(format).name if format else _format(name, task))


def chosen_method(
    task: Task, method: str, *, format: str | None = None, max_weight: float | None = None
) -> str:
    """Return the name of the method to use, after checking the constraints.

    Args:
        task: the task.
        method: a name of :data:`METHODS`, or ``auto``: of the methods that meet the constraints,
            the one of the fewest layers, then of the fewest weights.
        format: the number format of the weights; a default of the method unless given.
        max_weight: the largest magnitude that a weight or bias may have.

    Raises:
        OptionError: there is no such method, or it violates a constraint.
        TaskError: the method does not build the task.
        ResourceError: the network would not fit in memory.
    """
    if max_weight is not None and not max_weight > 0:
        raise OptionError(f"got {max_weight:g}", where="max_weight", remedy="give a number above 0")
    if method == "auto":
        method = _choose(task, format, max_weight)
    chosen = METHODS.get(method)
    if chosen is None:
        near = difflib.get_close_matches(method, (*METHODS, "auto"), n=1)
        remedy = f"did you mean {near[0]}?" if near else f"one of auto, {', '.join(METHODS)}"
        raise OptionError(f"unknown method {method!r}", where="method", remedy=remedy)
    error = _error(chosen, method, task, format, max_weight)
    if error is not None:
        raise error
    return method


def _format(method: str, task: Task) -> str:
    """Return the first of a method's formats in which it is exact at the task's width."""
    formats = METHODS[method].formats
    if method == "lecture":  # in whose format it is wrong, as it was
        return formats[0]
    return next(name for name in formats if not _inexactness(method, task, FORMATS[name]))


def _is_exact(method: str, format: str, width: int) -> bool:
    """Return whether a method is exact in a format; the lecture's network is taken to be."""
    limit = exact_width(method, format) if method in REQUIREMENTS else None
    return limit is None or width <= limit


def _choose(task: Task, format: str | None, max_weight: float | None) -> str:
    """Return the method of the fewest layers, then weights, that meets the constraints."""
    errors = {
        name: _error(method, name, task, format, max_weight)
        for name, method in METHODS.items()
        if name != "lecture"
    }
    kept = [name for name, error in errors.items() if error is None]
    if not kept:  # the error of the method with the weakest requirements
        named = [errors[name] for name in ("prefix", "one-layer", "table")]
        raise next(error for error in named if error and not isinstance(error, TaskError))
    return min(kept, key=lambda name: (METHODS[name].layers(task), METHODS[name].entries(task)))


def _unknown_task(method: str, task: Task) -> TaskError:
    if task.name == FULL_ADDER:
        return TaskError(
            f"{method} builds no {task.name}",
            where=f"method {method}",
            remedy="take `method` one-layer",
        )
    return TaskError(
        f"{method} builds no {task.name}",
        where=f"method {method}",
        remedy="take `method` table for a small task, write a `formula`, or train a network",
    )


def _error(
    method: Method, name: str, task: Task, format: str | None, max_weight: float | None
) -> OptionError | TaskError | ResourceError | None:
    """Return the error of a method that can't build the task under the constraints, if any."""
    if name == "lecture" and task.name not in ("half-adder", "adder:1"):
        return TaskError(
            f"the lecture sets weights for half-adder alone, got {task.name}",
            where="method lecture",
            remedy="build half-adder",
        )
    if method.tasks and task.name.partition(":")[0] not in method.tasks:
        return _unknown_task(name, task)
    if name == "table" and not is_small(task):
        return too_many_rows(task)
    largest = method.largest(task)
    if method.tasks and max_weight is not None and max_weight < LEAST_WEIGHT:
        return OptionError(
            f"every adder needs weights up to {LEAST_WEIGHT}, more than {max_weight:g}",
            where="max_weight",
            remedy=f"give {LEAST_WEIGHT}",
        )
    prefix = METHODS["prefix"]
    prefix_fits = name != "prefix" and _error(prefix, "prefix", task, format, max_weight) is None
    memory = method.memory(task)
    if memory > LARGEST_BYTES:
        widths = range(1, _width(task))
        most = bisect_right(
            widths, LARGEST_BYTES, key=lambda width: method.memory(task_named(f"adder:{width}"))
        )
        remedy = f"the widest possible is adder:{most}"
        remedy += ", or `method` prefix" if prefix_fits else ""
        return ResourceError(
            f"{task.name} by {name} would take about {memory / 1e9:.3g} GB of memory, "
            f"over {LARGEST_BYTES >> 30} GB",
            where="build",
            remedy=remedy,
        )
    if max_weight is not None and largest > max_weight:
        return OptionError(
            f"{task.name} by {name} needs weights up to {weight_text(largest)}, "
            f"more than {max_weight:g}",
            where="max_weight",
            remedy="take `method` prefix, whose weights reach 2"
            if prefix_fits
            else f"give {weight_text(largest)}",
        )
    if format is None:
        return None
    return _format_error(name, task, format_named(format), prefix_fits=prefix_fits)


def _format_error(
    method: str, task: Task, form: Format, *, prefix_fits: bool
) -> OptionError | None:
    """Return the error of a method that is not exact in a format, if any."""
    reasons = {entry.name: _inexactness(method, task, entry) for entry in _ranked()}
    reason = reasons[form.name]
    if not reason:
        return None
    nearest = next(name for name, why in reasons.items() if not why)
    remedy = f"take `format` {nearest}"
    remedy += ", or `method` prefix" if prefix_fits else ""
    return OptionError(f"{task.name} by {method} {reason}", where="format", remedy=remedy)


def _inexactness(method: str, task: Task, form: Format) -> str:
    """Return the reason why a method is not exact in a format; empty where it is."""
    missing = [value for value in _stored(method, task) if not form.holds(Fraction(value))]
    if missing:
        return f"stores {weight_text(missing[0])}, which {form.name} does not hold"
    if not _is_exact(method, form.name, _width(task)):
        limit = exact_width(method, form.name)
        what = (
            "a sum can overflow int32" if form.kind == "integer" else f"{form.name} can round a sum"
        )
        return f"is exact in {form.name} up to adder:{limit}, beyond which {what}"
    return ""


def _stored(method: str, task: Task) -> tuple[float, ...]:
    """Return the numbers that a method stores for a task and that are the hardest to hold."""
    largest = METHODS[method].largest(task)
    if method == "lecture":
        return (-1.5, -2)
    if method == "table":
        return (-largest, -1, 1, 0)
    return (2, -2) if task.name == FULL_ADDER else (-largest, 1 - largest, -2, 1)


def _ranked() -> list[Format]:
    """Return the formats from the fewest bits to the most, ``wide`` last."""
    return sorted(FORMATS.values(), key=lambda f: (f.kind == "wide", f.bits, f.kind == "float"))


def weight_text(number: float) -> str:
    """Return a construction's weight for people: a large one by its power of two.

    Examples:
        >>> weight_text(-2), weight_text(1 << 64), weight_text(1 - (1 << 64))
        ('-2', '2^64', '-(2^64 - 1)')
    """
    size, sign = abs(number), "-" if number < 0 else ""
    if size < 1 << 16:
        return f"{number:g}"
    whole = int(size)
    return (
        f"{sign}2^{whole.bit_length() - 1}"
        if whole.bit_count() == 1
        else f"{sign}(2^{whole.bit_length()} - 1)"
    )
