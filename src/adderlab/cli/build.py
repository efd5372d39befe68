"""``adderlab build``: weights from argument."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adderlab.cli import completion
from adderlab.cli.options import EXIT_OF_VERDICT, AsJson, ConstructionChoice, OutNet

EXAMPLES = """Examples:

adderlab build half-adder --method lecture -o lecture.safetensors

adderlab build full-adder -o full-adder.safetensors

adderlab build adder:64 --max-weight 2 -o adder64.safetensors

adderlab build half-adder --formula adder.txt -o adder.safetensors

where adder.txt holds a line for each output bit:

c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))

Exit code: 0 built and proved, 1 refuted, 2 bad input, 3 unknown (the file is kept)."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(build)


def build(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="For example half-adder, which is also the default.",
            autocompletion=completion.task,
        ),
    ] = "half-adder",
    *,
    method: Annotated[
        ConstructionChoice | None,
        typer.Option("--method", help="A construction; auto unless given."),
    ] = None,
    formula: Annotated[
        Path | None,
        typer.Option(
            "--formula",
            metavar="FILE",
            help="A file in the notebook's notation.",
            autocompletion=completion.files(".txt"),
        ),
    ] = None,
    share: Annotated[
        bool, typer.Option("--share", help="Of a formula: compute equal terms once.")
    ] = False,
    format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="F",
            help="The number format; a construction must be exact in it.",
            autocompletion=completion.words(*completion.FORMATS),
        ),
    ] = None,
    max_weight: Annotated[
        float | None,
        typer.Option(
            "--max-weight",
            metavar="W",
            help="The largest weight that a construction may have.",
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Seconds after which a proof is given up as unknown.")
    ] = 10.0,
    out: OutNet = None,
    as_json: AsJson = False,
) -> None:
    """Build a network from a construction or a formula, and prove or refute it."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.build import build as build_network

    screen = Screen(as_json=as_json)
    built = build_network(
        task,
        method=method and method.value,
        formula=formula,
        share=share,
        format=format,
        max_weight=max_weight,
        timeout_s=timeout,
        out=out,
    )
    screen.show(built.blocks(), unwritten="" if built.file else "NET")
    screen.json(built.to_dict())
    raise typer.Exit(EXIT_OF_VERDICT[built.verdict.verdict])
