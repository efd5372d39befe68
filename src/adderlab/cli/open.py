"""``adderlab open``: the lab in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adderlab.cli import completion
from adderlab.cli.options import AsJson, TaskOption, integer
from adderlab.cli.weights import reads_weights

if TYPE_CHECKING:
    from adderlab.lab.opening import Opened

EXAMPLES = """Examples:

adderlab open

adderlab open net.safetensors

adderlab open net.pt --task 'y = a xor b' --no-browser --port 9000

Ctrl-C ends it, with exit code 130; 2 is bad input."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(open))


def open(
    net: Annotated[
        Path | None,
        typer.Argument(
            metavar="NET",
            show_default=False,
            help="A network's file; the lecture's network if none is named.",
            autocompletion=completion.NETWORKS,
        ),
    ] = None,
    *,
    task: TaskOption = None,
    port: Annotated[
        int | None,
        typer.Option(
            parser=integer,
            metavar="N",
            help="Listen at this port, 0 for any; the first free one from 8250 on if left out.",
        ),
    ] = None,
    host: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="Listen at this address of this machine; by any but this one others reach it.",
        ),
    ] = "127.0.0.1",
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, and open no browser.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Open the lab in a browser: a network to change by hand, its truth table and its verdict."""
    from adderlab.cli.output import Screen
    from adderlab.lab.opening import open_lab

    screen = Screen(as_json=as_json)

    def show(opened: Opened) -> None:
        screen.lines([opened.address])
        screen.show(opened.blocks())
        screen.json(opened.to_dict())

    open_lab(net, task, host=host, port=port, has_browser=not no_browser, on_ready=show)
