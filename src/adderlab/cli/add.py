"""``adderlab add``: whole numbers of any length, added by a proved cell."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from adderlab.cli import completion
from adderlab.cli.completion import NETWORKS
from adderlab.cli.options import HOLDS, REFUTED, AsJson
from adderlab.cli.weights import reads_weights
from adderlab.errors import OptionError, TaskError

EXAMPLES = """Examples:

adderlab add 19 23 --net cell.safetensors

adderlab add @x.txt @y.txt --net cell.safetensors

Standard output holds the digits of the sum alone.

Exit code: 0 added, 1 the cell is refused, 2 bad input."""

STDIN = "-"
LARGEST_FILE = 1 << 27
"""Bytes of a file with a number."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(add))


def add(
    x: Annotated[str, typer.Argument(metavar="X", help="A whole number, @FILE or - (stdin).")],
    y: Annotated[str, typer.Argument(metavar="Y", help="Another.")],
    *,
    net: Annotated[
        Path,
        typer.Option(
            "--net",
            metavar="CELL",
            help="A full adder, or a cell:decimal-adder.",
            autocompletion=NETWORKS,
        ),
    ],
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="adder:any or decimal-adder:any, if not by its shape.",
            autocompletion=completion.words("adder:any", "decimal-adder:any"),
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Add whole numbers of any length with a cell that is proved first."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.add import add as add_numbers

    if x == y == STDIN:
        raise OptionError("got - twice", where="X", remedy="name a file for the other number")
    total = add_numbers(_number(x, "X"), _number(y, "Y"), net, task=task)
    screen = Screen(as_json=as_json)
    if total.sum is None:
        screen.show(total.blocks())
    else:
        screen.lines([total.sum])
        Screen(as_json=True).show(total.basis())  # on standard error: the digits stand alone
    screen.json(total.to_dict())
    raise typer.Exit(HOLDS if total else REFUTED)


def _number(text: str, name: str) -> str:
    """Return the digits of an argument: its own, those of a file, or those of standard input.

    Raises:
        TaskError: it holds something else, with the place where it does.
    """
    from adderlab.reading import Refusals, read_file

    if text == STDIN:
        data = sys.stdin.buffer.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise TaskError("too long", where="standard input", remedy="give fewer digits")
        return _digits(data, "standard input")
    if text == "@":
        raise TaskError("got @ without a file", where=name, remedy="write @FILE")
    if text.startswith("@"):
        refusals = Refusals(TaskError, "name a file with a whole number", "give fewer digits")
        return _digits(read_file(text[1:], LARGEST_FILE, refusals), text[1:])
    return text


def _digits(data: bytes, where: str) -> str:
    """Return a file's number; what Windows' editors put before a text is no part of it."""
    from adderlab.verbs.add import digits_of

    return digits_of(data.decode("utf-8-sig", errors="replace"), where)
