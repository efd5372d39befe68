"""Composition: what a cell's rows say of every width.

Rule: the cell is proved on all its rows, and between cells go bits, as its readout gives them, so
no error is carried on. What then holds at every width follows by the wiring's induction, whose
conditions are checked on each row (:mod:`adderlab.tasks.wirings`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from adderlab.blocks.numbers import counted
from adderlab.errors import TaskError
from adderlab.nets import Network
from adderlab.nets.logits import without_last_sigmoid
from adderlab.nets.readout import NO_BIT
from adderlab.nets.running import words_to_bits
from adderlab.proving.enumeration import read_closely
from adderlab.proving.verdict import Verdict
from adderlab.tasks.wording import named

if TYPE_CHECKING:
    from adderlab.tasks.wirings import Cell, Wiring


def compose(net: Network, wiring: Wiring, verdict: Verdict) -> Verdict:
    """Return the verdict on every width.

    Args:
        net: the cell.
        wiring: how it is repeated.
        verdict: of the cell on what the wiring asks of it.

    Raises:
        TaskError: the wiring's own induction does not go through.
    """
    fault = next(wiring.faults(), None)
    if fault is not None:
        raise TaskError(fault, where=wiring.name, remedy="mend the wiring")
    rows = wiring.cell.rows
    composition: tuple[str, ...] = ()
    if verdict.verdict == "proved":
        induction = wiring.induction
        composition = (
            f"claim for n digits: {induction.claim}",
            f"start: {induction.start}",
            f"step: on each of the cell's {rows} rows, {induction.step}",
            f"so {induction.why}",
        )
    elif verdict.exact == "refuted" and (numbers := wrong_numbers(wiring, cell_of(net, wiring))):
        operands, length = numbers
        composition = (f"so numbers of {counted(length, 'digit')} go wrong: {named(operands)}",)
    return replace(
        verdict,
        method="composed",
        task=wiring.name,
        rows=None,
        cell_rows=rows,
        composition=composition,
    )


def cell_of(net: Network, wiring: Wiring) -> Cell:
    """Return what a cell gives on each of its rows, in exact arithmetic; -1 for what is no bit.

    Args:
        net: the cell.
        wiring: how it is repeated.
    """
    task = wiring.cell
    rows = [task.row(index).inputs for index in range(task.rows)]
    states = read_closely(without_last_sigmoid(net), words_to_bits(task, rows))
    return {
        tuple(row.values()): wiring.read(task.words_of(bits)) if (bits < NO_BIT).all() else (-1, -1)
        for row, bits in zip(rows, states, strict=True)
    }


def wrong_numbers(wiring: Wiring, cell: Cell) -> tuple[dict[str, int], int] | None:
    """Return the shortest numbers on which a wired cell goes wrong, and how many digits they have.

    Before the first wrong row every row is right, so nothing can make up for it.

    Args:
        wiring: how the cell is repeated.
        cell: what the network gives on each row.

    Returns:
        The numbers by the cell's words that take their digits; ``None`` where every row is right.
    """
    right, got = wiring.by_operands(wiring.table()), wiring.by_operands(cell)
    wrong = [row for row, answer in right.items() if got[row] != answer]
    ways = wiring.ways(
        {row: answer for row, answer in wiring.table().items() if cell[row] == answer}
    )
    digits = min(
        ([*ways[carried], tuple(own)] for *own, carried in wrong if carried in ways),
        key=len,
        default=None,
    )
    if digits is None:
        return None
    numbers = {
        name: sum(row[place] * wiring.base**at for at, row in enumerate(digits))
        for place, name in enumerate(wiring.operands)
    }
    return numbers, len(digits)
