"""``adderlab export``: a network for use elsewhere, checked before it is called written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adderlab.cli.options import (
    HOLDS,
    REFUTED,
    AsJson,
    BitsOption,
    InputsOption,
    NetPath,
    OutputsOption,
    TargetChoice,
    TaskOption,
)
from adderlab.cli.weights import reads_weights

TARGETS = f"What to write: {', '.join(TargetChoice)}; docs/export.md says what each is."

EXAMPLES = """Examples:

adderlab export lecture.safetensors --to html -o lecture.html

adderlab export net.safetensors --certificate net.cert --to html -o net.html

adderlab export adder.safetensors --to onnx -o adder.onnx

adderlab export lecture.safetensors --to c --force -o lecture.h

adderlab export net.pt --task 'y = a xor b' --to html -o xor.html

Exit code: 0 written, 1 the file computes something else (nothing is left), 2 bad input, a network
that is refuted among it."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(export))


def export(
    net: NetPath,
    *,
    to: Annotated[TargetChoice, typer.Option("--to", metavar="TARGET", help=TARGETS)],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="FILE", help="Write the file here.")],
    task: TaskOption = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Write a network that is refuted too; the file says so."),
    ] = False,
    certificate: Annotated[
        Path | None,
        typer.Option(
            metavar="CERT",
            help="The network's certificate: the file names it, and it lists the file.",
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(metavar="S", help="Seconds that the verdict may take that the file carries."),
    ] = 60.0,
    bits: BitsOption = None,
    inputs: InputsOption = "",
    outputs: OutputsOption = "",
    as_json: AsJson = False,
) -> None:
    """Write a network for use elsewhere, run on every row before it is kept."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.export import export as export_network

    screen = Screen(as_json=as_json)
    exported = export_network(
        net,
        task,
        to=to.value,
        out=out,
        force=force,
        timeout_s=timeout,
        certificate=certificate,
        bits=bits and bits.value,
        inputs=inputs,
        outputs=outputs,
    )
    screen.show(exported.blocks())
    screen.json(exported.to_dict())
    raise typer.Exit(REFUTED if exported.equal is False else HOLDS)
