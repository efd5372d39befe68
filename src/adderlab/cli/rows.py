"""A truth table on the terminal: expected and got, raw outputs, right or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adderlab.cli.output import mark
from adderlab.nets import Network
from adderlab.nets.truth import truth_rows
from adderlab.tasks import Task

if TYPE_CHECKING:
    from adderlab.cli.output import Screen

LARGEST_PRINTED = 16


def print_rows(screen: Screen, net: Network, task: Task) -> None:
    """Print every row of a small task; of a larger one, only what is wrong is worth printing."""
    if task.rows > LARGEST_PRINTED:
        return
    names = [word.name for word in task.inputs]
    screen.table(
        (*names, "expected", "got", *task.output_bits, ""),
        [
            (
                *row.inputs.values(),
                _bits(row.expected, "*"),
                _bits(row.got, "?"),
                *(f"{round(value, 4) + 0.0:.4f}" for value in row.raw),
                mark(right=row.is_right),
            )
            for row in truth_rows(net, task)
        ],
        left=("",),
    )


def _bits(bits: tuple[int | None, ...], other: str) -> str:
    return "".join(other if bit is None else str(bit) for bit in bits)
