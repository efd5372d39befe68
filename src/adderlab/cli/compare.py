"""``adderlab compare``: two networks, equal on every input or where they differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adderlab.cli import completion
from adderlab.cli.options import (
    EXIT_OF_VERDICT,
    AsJson,
    BitsOption,
    InputsOption,
    OutputsOption,
    TaskOption,
)
from adderlab.cli.weights import reads_weights

EXAMPLES = """Examples:

adderlab compare lecture.safetensors repaired.safetensors

adderlab compare one-layer.safetensors ripple.safetensors --task adder:64

Exit code: 0 equal on every input, proved, 1 different, 2 bad input, 3 unknown."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(compare))


def compare(
    net1: Annotated[
        Path,
        typer.Argument(
            metavar="NET1",
            help="A network file (.safetensors).",
            autocompletion=completion.NETWORKS,
        ),
    ],
    net2: Annotated[
        Path,
        typer.Argument(
            metavar="NET2",
            help="Another one of its shape.",
            autocompletion=completion.NETWORKS,
        ),
    ],
    *,
    task: TaskOption = None,
    bits: BitsOption = None,
    inputs: InputsOption = "",
    outputs: OutputsOption = "",
    format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="exact",
            help="Compare in exact arithmetic alone.",
            autocompletion=completion.words("exact"),
        ),
    ] = "",
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Seconds after which it is unknown.")
    ] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Compare two networks: equal on every input, or where they differ; then size and margin."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.compare import compare as compare_networks

    screen = Screen(as_json=as_json)
    compared = compare_networks(
        net1,
        net2,
        task,
        bits=bits and bits.value,
        inputs=inputs,
        outputs=outputs,
        formats=format,
        timeout_s=timeout,
    )
    screen.show(compared.blocks())
    screen.json(compared.to_dict())
    raise typer.Exit(EXIT_OF_VERDICT[compared.comparison.verdict])
