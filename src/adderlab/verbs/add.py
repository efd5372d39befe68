"""``add``: whole numbers of any length, added by a proved cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks import Block, Line, Result, note_lines
from adderlab.blocks.numbers import counted
from adderlab.errors import TaskError
from adderlab.nets import Network
from adderlab.nets.sources import read_source
from adderlab.proving.composition import cell_of
from adderlab.proving.verdict import Verdict
from adderlab.tasks.wirings import WIRINGS, Wiring
from adderlab.verbs.prove import prove

if TYPE_CHECKING:
    from torch import nn

ADDERS: Final = ("adder:any", "decimal-adder:any")
"""The wirings that add, tried by the shape of the cell."""

SIGNS: Final = b"0123456789".ljust(256)
VALUES: Final = bytes(SIGNS.find(sign) & 255 for sign in range(256))
"""Digits of up to base 10 by their values, and values by digits, to translate bytes by."""

MOST_SHOWN: Final = 40
"""Digits of a sum that its ``repr`` shows."""


@dataclass(frozen=True, slots=True)
class Sum(Result):
    """A sum that a cell computed, digit by digit; true where the cell is proved.

    Attributes:
        sum: in decimal, of any length; ``None`` where the cell is refused.
        wiring: how the cell was repeated.
        cells: how many times: the digits of the longer number, in the wiring's base.
        verdict: on the cell at every width.
    """

    sum: str | None
    wiring: str
    cells: int
    verdict: Verdict

    def __bool__(self) -> bool:
        return self.sum is not None

    def to_dict(self) -> dict[str, Any]:
        return {
            "sum": self.sum,
            "wiring": self.wiring,
            "cells": self.cells,
            "proof": self.verdict.to_dict(),
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return the sum and what it rests on, or the verdict for which the cell is refused."""
        if self.sum is None:
            return (*self.verdict.blocks(), Line("The cell is refused: nothing was added."))
        return (Line(self.sum), *self.basis())

    def basis(self) -> tuple[Block, ...]:
        """Return what the sum rests on."""
        cells = counted(self.cells, "cell")
        text = f"{cells}, wired as {self.wiring}; {self.verdict.verdict} {self.verdict.sentence()}"
        return (*note_lines(self.verdict.notes), Line(text, "quiet"))

    def __repr__(self) -> str:
        shown = self.sum
        if shown is None:
            return f"Sum: refused, the cell is {self.verdict.summary()}"
        if len(shown) > MOST_SHOWN:
            shown = f"{shown[:18]}…{shown[-18:]} ({counted(len(shown), 'digit')})"
        return f"Sum: {shown}, {counted(self.cells, 'cell')}"


def add(
    x: int | str,
    y: int | str,
    net: Network | str | Path | nn.Module,
    *,
    task: Wiring | str | None = None,
) -> Sum:
    """Return the sum of two whole numbers of any length, computed by repeating a cell.

    The cell is proved first, at every width; then it is fed digit by digit, each time with the
    carry that it gave before. What it gives is read off the network on each of its rows.

    Args:
        x: a whole number, or its decimal digits.
        y: another.
        net: the cell: a network, the path of its file, or a PyTorch module.
        task: ``adder:any`` or ``decimal-adder:any``; by the cell's shape unless given.

    Raises:
        TaskError: a number is none, or the network is no cell of an adder.
        NetworkFileError: the file is not a network.
        ModelError: the module's ``forward`` can't be read.

    Examples:
        >>> import adderlab
        >>> cell = adderlab.build("full-adder")
        >>> adderlab.add("99999999999999999999", 1, cell).sum
        '100000000000000000000'
    """
    first, second = digits_of(x, "x"), digits_of(y, "y")
    source = read_source(net)
    network = source.network
    wiring = _wiring(network, task)
    verdict = prove(network, wiring)
    verdict = replace(
        verdict, sha256=source.sha256, notes=tuple(dict.fromkeys((*source.notes, *verdict.notes)))
    )
    if not verdict:
        return Sum(None, wiring.name, 0, verdict)
    cell = cell_of(network, wiring)
    numbers = [_in_base(number, wiring.base) for number in (first, second)]
    length = max(map(len, numbers))
    digits, carry = wiring.run(cell, [_lowest_first(number, length) for number in numbers])
    digits.append(carry)
    return Sum(_in_decimal(digits, wiring.base), wiring.name, length, verdict)


def _wiring(net: Network, task: Wiring | str | None) -> Wiring:
    """Return the wiring that is named, or the one whose cell has the network's shape.

    Raises:
        TaskError: none has.
    """
    if task is not None:
        if str(task) not in ADDERS:
            raise TaskError(
                f"{task} adds no numbers", where="task", remedy=f"one of {', '.join(ADDERS)}"
            )
        return WIRINGS[task] if isinstance(task, str) else task
    for name in ADDERS:
        wiring = WIRINGS[name]
        if (net.n_in, net.n_out) == (wiring.cell.n_in, wiring.cell.n_out):
            return wiring
    raise TaskError(
        f"a network of {counted(net.n_in, 'input')} and {counted(net.n_out, 'output')} is no cell "
        "of an adder",
        where="net",
        remedy="take one for full-adder, or for cell:decimal-adder",
    )


def digits_of(number: int | str, where: str) -> str:
    """Return a whole number's decimal digits.

    Raises:
        TaskError: it is none.
    """
    if isinstance(number, int) and not isinstance(number, bool):
        from flint import fmpz

        text = str(fmpz(number))
    else:
        text = number.strip() if isinstance(number, str) else ""
    if text.isascii() and text.isdigit():
        return text.lstrip("0") or "0"
    at = next((place for place, sign in enumerate(text) if sign not in "0123456789"), None)
    what = "got no digits" if at is None else f"{text[at]!r} at place {at + 1} is no decimal digit"
    raise TaskError(what, where=where, remedy="give a whole number, not below 0")


def _in_base(digits: str, base: int) -> bytes:
    """Return a number's digits in a base, the highest first, a byte each."""
    if base != 10:
        from flint import fmpz

        digits = fmpz(digits).str(base=base)
    return digits.encode().translate(VALUES)


def _lowest_first(digits: bytes, length: int) -> Iterator[int]:
    """Return so many digits, the lowest first."""
    return chain(reversed(digits), repeat(0, length - len(digits)))


def _in_decimal(digits: bytearray, base: int) -> str:
    """Return the number that has such digits, the lowest first, in decimal."""
    digits.reverse()
    text = digits.translate(SIGNS).decode().lstrip("0") or "0"
    if base == 10:
        return text
    from flint import fmpz

    return str(fmpz(int(text, base)))
