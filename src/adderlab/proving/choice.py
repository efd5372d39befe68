"""Which engine decides: a pure function of shapes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adderlab.errors import OptionError

ENGINES: Final = ("auto", "enumeration", "diagram")
ENUMERABLE_ROWS: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine and why it was taken.

    Attributes:
        engine: ``enumeration``, ``diagram`` or ``none``.
        why: one sentence.
    """

    engine: str
    why: str

    def __str__(self) -> str:
        return f"{self.engine}: {self.why}"


def choose_engine(rows: int, *, has_tanh: bool, wish: str = "auto") -> Choice:
    """Return the engine for a network on a task.

    Args:
        rows: inputs of the task's domain.
        has_tanh: whether the network has tanh, whose values are no fractions.
        wish: ``auto``, or an engine that is asked for.

    Raises:
        OptionError: there is no such engine.
    """
    if wish not in ENGINES:
        raise OptionError(
            f"unknown engine {wish!r}", where="--engine", remedy=f"one of {', '.join(ENGINES)}"
        )
    count = _power(rows)
    if wish == "enumeration" and rows > ENUMERABLE_ROWS:
        return Choice("none", f"{count} inputs are beyond enumeration, which stops at 2^20")
    if wish == "diagram" and has_tanh:
        return Choice("none", "diagrams hold whole numbers, and tanh has none")
    if wish != "auto":
        return Choice(wish, "it was asked for")
    if rows <= ENUMERABLE_ROWS:
        return Choice("enumeration", f"{count} inputs are few enough to try each")
    if has_tanh:
        return Choice(
            "none", f"{count} inputs are beyond enumeration, and diagrams do not hold tanh"
        )
    return Choice("diagram", f"{count} inputs are too many to try each")


def _power(rows: int) -> str:
    bits = rows.bit_length() - 1
    if rows < 10_000:
        return str(rows)
    return f"2^{bits}" if rows == 1 << bits else f"over 2^{bits}"
