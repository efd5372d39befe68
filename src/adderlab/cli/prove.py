"""``adderlab prove``: the verdict on every input."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adderlab.cli import completion
from adderlab.cli.options import (
    EXIT_OF_VERDICT,
    AsJson,
    BitsOption,
    EngineChoice,
    InputsOption,
    NetPath,
    OutputsOption,
    TaskOption,
    integer,
    size_in_bytes,
)
from adderlab.cli.weights import number_or_text, reads_weights

EXAMPLES = """Examples:

adderlab prove lecture.safetensors

adderlab prove net.safetensors --task full-adder --format fp16 --format bf16

adderlab prove net.safetensors --format exact

adderlab prove net.safetensors -o net.cert

adderlab prove wide.safetensors --timeout 60 --max-memory 8GB --sample 100000

Exit code: 0 proved, 1 refuted, 2 bad input, 3 unknown."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(prove))


def prove(
    net: NetPath,
    *,
    task: TaskOption = None,
    bits: BitsOption = None,
    inputs: InputsOption = "",
    outputs: OutputsOption = "",
    format: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            metavar="F",
            help="Judge in this number format, or in exact arithmetic (may be repeated).",
            autocompletion=completion.words(*completion.FORMATS, "exact"),
        ),
    ] = None,
    readout: Annotated[
        str | None,
        typer.Option(
            metavar="R",
            help="How outputs become bits: 0.5, '>= 0', exact or argmax.",
            autocompletion=completion.words("exact", "argmax", "0", "0.5"),
        ),
    ] = None,
    engine: Annotated[EngineChoice, typer.Option(help="How to decide.")] = EngineChoice.AUTO,
    timeout: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds after which it is unknown.")
    ] = None,
    max_memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Memory after which it is unknown.")
    ] = "4GiB",
    sample: Annotated[
        int,
        typer.Option(
            parser=integer, metavar="N", help="Where no engine decides, try N random inputs."
        ),
    ] = 0,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="CERT", help="Write a certificate of the verdict."),
    ] = None,
    explain_choice: Annotated[
        bool, typer.Option("--explain-choice", help="Say which engine was taken, and why.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Prove or refute a network on every input of its task."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.prove import prove as prove_network

    screen = Screen(as_json=as_json)
    with screen.progress() as bar:
        job = bar.add_task("proving", total=None, rate="")

        def on_progress(what: str, share: float) -> None:
            bar.update(job, description=what, completed=share, total=1.0 if share else None)

        verdict = prove_network(
            net,
            task,
            formats=format or (),
            bits=bits and bits.value,
            inputs=inputs,
            outputs=outputs,
            readout=number_or_text(readout),
            engine=engine.value,
            timeout_s=timeout,
            max_memory_bytes=size_in_bytes(max_memory, where="--max-memory"),
            sample=sample,
            out=out,
            on_progress=on_progress,
        )
    if explain_choice:
        screen.line(verdict.choice)
    screen.show(verdict.blocks())
    screen.json(verdict.to_dict())
    raise typer.Exit(EXIT_OF_VERDICT[verdict.verdict])
