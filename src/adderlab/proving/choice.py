"""Which engines decide, and in which order: a pure function of shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adderlab.errors import OptionError

ENGINES: Final = ("enumeration", "diagram", "solver")
ENUMERABLE_ROWS: Final = 1 << 20
"""Rows that are enumerated before anything else is tried: a second for a small network."""

LAST_ROWS: Final = 1 << 26
"""Rows that are enumerated where nothing else decides: a minute for a small network."""

LAST_KERNEL_ROWS: Final = 1 << 36
"""The same in a compiled kernel: minutes for a small network (``benchmarks/enumeration.py``)."""

ENUMERABLE_WORK: Final = 1 << 34
"""Rows times parameters beyond which diagrams are tried first."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the choice depends on.

    Attributes:
        rows: inputs of the task's domain.
        parameters: weights and biases that are stored.
        curve: an activation of the network whose values are no fractions, if it has one.
        has_diagram: whether the task has a specification as diagrams.
        has_script: whether the task has a specification in SMT-LIB.
        has_solver: whether a solver is installed.
        has_kernel: whether a compiled kernel enumerates the network.
    """

    rows: int
    parameters: int
    curve: str = ""
    has_diagram: bool = True
    has_script: bool = True
    has_solver: bool = False
    has_kernel: bool = False

    @property
    def last_rows(self) -> int:
        """Rows up to which the network is enumerated where nothing else decides."""
        return LAST_KERNEL_ROWS if self.has_kernel else LAST_ROWS


@dataclass(frozen=True, slots=True)
class Choice:
    """Engines in the order in which they are tried, and why.

    Attributes:
        engines: names of :data:`ENGINES`; none where no engine reaches.
        why: one sentence.
    """

    engines: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        return f"{', then '.join(self.engines) or 'none'}: {self.why}"


def choose_engines(shape: Shape, *, engine: str = "auto") -> Choice:
    """Return the engines for a network on a task.

    Args:
        shape: of both.
        engine: ``auto``, or the only engine to try.

    Raises:
        OptionError: there is no such engine.
    """
    if engine not in ("auto", *ENGINES):
        raise OptionError(
            f"unknown engine {engine!r}",
            where="engine",
            remedy=f"one of auto, {', '.join(ENGINES)}",
        )
    unable = {name: why for name, why in _unable(shape).items() if why}
    if engine in unable:
        return Choice((), unable[engine])
    if engine != "auto":
        return Choice((engine,), "it was asked for")
    count = about(shape.rows)
    is_light = shape.rows * shape.parameters <= ENUMERABLE_WORK
    if shape.rows <= ENUMERABLE_ROWS and (is_light or "diagram" in unable):
        return Choice(("enumeration",), f"{count} inputs are few enough to try each")
    able = tuple(name for name in ("diagram", "enumeration", "solver") if name not in unable)
    if not able:
        return Choice((), "; ".join(unable.values()))
    return Choice(able, f"{count} inputs are too many to try each first")


def _unable(shape: Shape) -> dict[str, str]:
    """Return why each engine can't decide, or nothing."""
    last = about(shape.last_rows)
    faults = {
        "enumeration": (
            (
                shape.rows > shape.last_rows,
                f"{about(shape.rows)} inputs are beyond enumeration, which stops at {last}",
            ),
        ),
        "diagram": (
            (shape.curve, f"diagrams hold whole numbers, and {shape.curve} has none"),
            (not shape.has_diagram, "no diagram is known for what the task asks for"),
        ),
        "solver": (
            (shape.curve, f"a solver knows whole numbers, and {shape.curve} has none"),
            (not shape.has_script, "a solver can't be told what the task asks for"),
            (not shape.has_solver, "no solver is installed (pip install 'adderlab[smt]')"),
        ),
    }
    return {
        name: next((why for is_so, why in causes if is_so), "") for name, causes in faults.items()
    }


def about(rows: int) -> str:
    """Return about how many inputs there are, for a reason: from 10,000 on as a power of two."""
    bits = rows.bit_length() - 1
    if rows < 10_000:
        return str(rows)
    return f"2^{bits}" if rows == 1 << bits else f"over 2^{bits}"
