"""``adderlab repair``: one parameter changed so that a network becomes right."""

from __future__ import annotations

from typing import Annotated

import typer

from adderlab.cli.options import (
    HOLDS,
    REFUTED,
    AsJson,
    BitsOption,
    InputsOption,
    NetPath,
    OutNet,
    OutputsOption,
    TaskOption,
)
from adderlab.cli.weights import reads_weights

EXAMPLES = """Examples:

adderlab repair lecture.safetensors

adderlab repair lecture.safetensors -o repaired.safetensors

adderlab repair lecture.safetensors --parameter "fc2.weight[1,2]" --to -4

Exit code: 0 repaired, or right already, 1 no single parameter repairs it, 2 bad input."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(repair))


def repair(
    net: NetPath,
    *,
    task: TaskOption = None,
    bits: BitsOption = None,
    inputs: InputsOption = "",
    outputs: OutputsOption = "",
    parameter: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The only one to change: 'fc2.weight[1,2]'."),
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="V", help="Its new value: -4, 0.5 or 1/3.")
    ] = None,
    out: OutNet = None,
    as_json: AsJson = False,
) -> None:
    """Make a wrong network right by changing one parameter, and prove it."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.repair import repair as repair_network

    screen = Screen(as_json=as_json)
    repaired = repair_network(
        net,
        task,
        bits=bits and bits.value,
        inputs=inputs,
        outputs=outputs,
        parameter=parameter,
        to=to,
        out=out,
    )
    is_kept = repaired.file is not None or repaired.network is None
    screen.show(repaired.blocks(), unwritten="" if is_kept else "NET")
    screen.json(repaired.to_dict())
    raise typer.Exit(REFUTED if repaired.network is None else HOLDS)
