"""``adderlab count``: parameters, operations and bytes, of a network or of any model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adderlab.cli import completion
from adderlab.cli.options import AsJson, OptimizerChoice, integer
from adderlab.cli.weights import reads_weights

EXAMPLES = """Examples:

adderlab count lecture.safetensors

adderlab count --model llama-3-8b --training adam

adderlab count --parameters 500e9

adderlab count --config config.json

adderlab count --config config.json --context 32768 --batch 8

adderlab count --safetensors model.safetensors.index.json

adderlab count --gguf model-q4_k_m.gguf

Exit code: 0 counted, 2 bad input."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(count))


def count(
    net: Annotated[
        Path | None,
        typer.Argument(
            metavar="NET",
            help="A network file (.safetensors).",
            autocompletion=completion.NETWORKS,
        ),
    ] = None,
    more: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE",
            help="With --safetensors or --gguf: further files.",
            hidden=True,
            autocompletion=completion.NETWORKS,
        ),
    ] = None,
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="A published model: gpt2, llama-3-8b.",
            autocompletion=completion.words(*completion.MODELS),
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config",
            metavar="FILE",
            help="A config.json as Hugging Face writes it.",
            autocompletion=completion.files(".json"),
        ),
    ] = None,
    safetensors: Annotated[
        Path | None,
        typer.Option(
            "--safetensors",
            metavar="FILE...",
            help="Weight files or their index: headers alone are read.",
            autocompletion=completion.files(".safetensors", ".json"),
        ),
    ] = None,
    gguf: Annotated[
        Path | None,
        typer.Option(
            "--gguf",
            metavar="FILE...",
            help="A GGUF file, or all its parts: headers alone are read.",
            autocompletion=completion.files(".gguf"),
        ),
    ] = None,
    parameters: Annotated[
        str | None,
        typer.Option("--parameters", metavar="N", help="A round number: 500e9, 7B."),
    ] = None,
    training: Annotated[
        OptimizerChoice | None,
        typer.Option("--training", help="Add gradients and optimizer state."),
    ] = None,
    context: Annotated[
        int | None,
        typer.Option(
            "--context",
            parser=integer,
            metavar="N",
            help="With --config and --model: add the KV cache of N tokens.",
        ),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option("--batch", parser=integer, metavar="N", help="Sequences in the KV cache (1)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count parameters, operations and bytes, with the arithmetic shown.

    Give exactly one of NET, --model, --config, --safetensors, --gguf and --parameters.
    """
    from adderlab.cli.output import Screen
    from adderlab.errors import OptionError
    from adderlab.verbs.count import count as count_one

    screen = Screen(as_json=as_json)
    rest = [path for path in (net, *(more or ())) if path is not None]
    files = parts = None
    if safetensors is not None and gguf is None:
        files, net = [safetensors, *rest], None
    elif gguf is not None and safetensors is None:
        parts, net = [gguf, *rest], None
    elif safetensors is not None and gguf is not None:
        files, parts = [safetensors], [gguf]
    elif more:
        raise OptionError(
            f"got {len(rest)} files", where="count", remedy="give one network, or --safetensors"
        )
    result = count_one(
        net,
        model=model,
        config=config,
        safetensors=files,
        gguf=parts,
        parameters=parameters,
        training=training and training.value,
        context=context,
        batch=batch,
    )
    screen.show(result.blocks())
    screen.json(result.to_dict())
