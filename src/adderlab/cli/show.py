"""``adderlab show``: a network, its truth table, one input's way through it, figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adderlab.cli.arguments import remarks_with_options
from adderlab.cli.options import (
    AsJson,
    BitsOption,
    InputsOption,
    NetPath,
    OutputsOption,
    TaskOption,
)
from adderlab.cli.weights import reads_weights

EXAMPLES = """Examples:

adderlab show lecture.safetensors

adderlab show lecture.safetensors --input 1,1

adderlab show lecture.safetensors -o figures

Exit code: 0 shown, whatever the verdict, 2 bad input."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(show))


def show(
    net: NetPath,
    *,
    task: TaskOption = None,
    bits: BitsOption = None,
    inputs: InputsOption = "",
    outputs: OutputsOption = "",
    input: Annotated[
        str | None,
        typer.Option("--input", metavar="WORDS", help="One input's way through it: 1,1."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Write figures here, SVG and PNG."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a network and its truth table, or one input's way through it."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.show import show as show_network

    screen = Screen(as_json=as_json)
    shown = show_network(
        net, task, bits=bits and bits.value, inputs=inputs, outputs=outputs, input=input, out=out
    )
    screen.show(remarks_with_options(shown.blocks(), {"task": "--task TASK"}))
    screen.json(shown.to_dict())
