"""``adderlab count``: parameters, operations and bytes, of a network or of any model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adderlab.cli.options import AsJson

if TYPE_CHECKING:
    from adderlab.cli.output import Screen
    from adderlab.counting import Count, ModelCount, TrainingMemory

EXAMPLES = """Examples:

adderlab count lecture.safetensors

adderlab count --model llama-3-8b --training adam

adderlab count --parameters 500e9

adderlab count --config config.json

adderlab count --safetensors model.safetensors.index.json

Exit code: 0 counted, 2 bad input."""

BESIDE = ("gpt2", "gpt2-xl", "llama-3-8b", "llama-3-70b", "gpt3-175b", "llama-3.1-405b")
"""The real models that a round number is shown beside, by size."""

BESIDE_FORMATS = ("fp32", "fp16", "int4", "int2")


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(count)


def count(
    net: Annotated[
        Path | None, typer.Argument(metavar="NET", help="A network file (.safetensors).")
    ] = None,
    more: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="With --safetensors: further files.", hidden=True),
    ] = None,
    *,
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="NAME", help="A published model: gpt2, llama-3-8b."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE", help="A config.json as Hugging Face writes it."),
    ] = None,
    safetensors: Annotated[
        Path | None,
        typer.Option(
            "--safetensors",
            metavar="FILE...",
            help="Weight files or their index: headers alone are read.",
        ),
    ] = None,
    parameters: Annotated[
        str | None,
        typer.Option("--parameters", metavar="N", help="A round number: 500e9, 7B."),
    ] = None,
    training: Annotated[
        str | None,
        typer.Option(
            "--training",
            metavar="sgd|momentum|adam",
            help="Add gradients and optimizer state.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Count parameters, operations and bytes, with the arithmetic shown.

    Give exactly one of NET, --model, --config, --safetensors and --parameters.
    """
    from adderlab.cli.output import Screen
    from adderlab.counting import ModelCount, Unpublished
    from adderlab.errors import OptionError
    from adderlab.verbs.count import count as count_one

    screen = Screen(as_json=as_json)
    rest = [path for path in (net, *(more or ())) if path is not None]
    files = None
    if safetensors is not None:
        files, net = [safetensors, *rest], None
    elif more:
        raise OptionError(
            f"got {len(rest)} files", where="count", remedy="give one network, or --safetensors"
        )
    found = count_one(
        net,
        model=model,
        config=config,
        safetensors=files,
        parameters=parameters,
        training=training,
    )
    if isinstance(found, Unpublished):
        screen.say(str(found))
    elif isinstance(found, ModelCount):
        print_model(screen, found)
    else:
        print_network(screen, found)
    screen.json(found.to_dict())


def print_network(screen: Screen, found: Count) -> None:
    """Print a network's count: layers, totals, formats."""
    from adderlab.counting import RULE, bytes_by_format
    from adderlab.formats import FORMATS

    own = found.format if found.format != "wide" else "fp32"
    screen.table(
        ("layer", "weights + biases", "parameters", f"bytes in {own}"),
        [
            *(
                (
                    layer.name,
                    layer.arithmetic.partition(" = ")[0],
                    layer.parameters,
                    bytes_by_format(layer.parameters)[own],
                )
                for layer in found.layers
            ),
            ("all", "", found.raw, found.bytes[own]),
        ],
        left=("layer",),
    )
    screen.say()
    screen.say(
        f"{found.raw} parameters, {found.nonzero} of them nonzero, {found.unique} different values"
    )
    screen.say(f"{found.macs} MACs, {found.flops} FLOPs ({RULE})")
    screen.say(f"{found.stored_bytes} bytes of tensors as stored, {found.file_bytes} in the file")
    screen.say(
        f"entropy bound: {found.entropy_bits:.2f} bits = {found.entropy_bytes} bytes (a code of "
        "the values one by one, from how often each stands, takes no fewer)"
    )
    screen.say()
    screen.table(
        ("format", "bits", "bytes", "how"),
        [
            (
                name,
                FORMATS[name].bits,
                size,
                f"{found.raw} * {FORMATS[name].bits} / 8"
                + ("" if found.raw * FORMATS[name].bits % 8 == 0 else ", rounded up"),
            )
            for name, size in found.bytes.items()
        ],
        left=("format", "how"),
    )
    print_training(screen, found.training)


def print_model(screen: Screen, found: ModelCount) -> None:
    """Print a model's count: parts with their arithmetic, totals, formats, training."""
    from adderlab.counting import MAC_RULE, binary_size, decimal_size
    from adderlab.formats import FORMATS

    screen.say(found.name, style="bold")
    if found.is_round:
        _print_beside(screen, found)
    else:
        screen.table(
            ("part", "parameters", "MACs a token"),
            [
                (part.name, f"{part.parameters:,}", "?" if part.macs is None else f"{part.macs:,}")
                for part in found.parts
            ]
            + [("all", f"{found.raw:,}", "?" if found.macs is None else f"{found.macs:,}")],
            left=("part",),
        )
        screen.say()
        for part in found.parts:
            if part.arithmetic:
                screen.say(f"{part.name}: {part.arithmetic}")
        screen.say()
        if found.active is not None and found.active != found.raw:
            screen.say(f"one token passes through {found.active:,} of them")
        if found.macs is not None and found.flops is not None:
            screen.say(f"{found.macs:,} MACs, {found.flops:,} FLOPs ({MAC_RULE})")
        for dtype, size in found.stored_as.items():
            screen.say(f"stored as {dtype}: {size:,} bytes")
        if found.file_bytes is not None:
            screen.say(f"{found.file_bytes:,} bytes of files")
        if found.shipped is not None:
            screen.say(str(found.shipped))
        if found.source:
            screen.say(f"from: {found.source}")
        for note in found.notes:
            screen.say(f"note: {note}")
    screen.say()
    screen.table(
        ("format", "bits", "bytes", "in powers of 10", "in powers of 2"),
        [
            (name, FORMATS[name].bits, f"{size:,}", decimal_size(size), binary_size(size))
            for name, size in found.bytes.items()
        ],
        left=("format",),
    )
    print_training(screen, found.training)


def _print_beside(screen: Screen, found: ModelCount) -> None:
    """Print a round number among real models, by size."""
    from adderlab.counting import ModelCount, count_model, decimal_size

    models = [count_model(name) for name in BESIDE]
    rows = sorted(
        [found, *(model for model in models if isinstance(model, ModelCount))],
        key=lambda one: one.raw,
    )
    screen.table(
        ("", "parameters", *BESIDE_FORMATS),
        [
            (
                "as given" if row is found else row.name,
                f"{row.raw:,}",
                *(decimal_size(row.bytes[name]) for name in BESIDE_FORMATS),
            )
            for row in rows
        ],
        left=("",),
    )


def print_training(screen: Screen, training: TrainingMemory | None) -> None:
    """Print what training takes, if that was asked."""
    if training is None:
        return
    from adderlab.counting import LEFT_OUT, binary_size, bytes_by_format, decimal_size

    each = bytes_by_format(training.parameters)
    slots = training.slots
    screen.say()
    screen.say(
        f"training with {training.optimizer}: {len(slots)} numbers for each parameter: "
        + ", ".join(slots)
    )
    screen.table(
        ("format", "bytes of each", f"all {len(slots)}", "in powers of 10", "in powers of 2"),
        [
            (name, f"{each[name]:,}", f"{size:,}", decimal_size(size), binary_size(size))
            for name, size in training.bytes.items()
        ],
        left=("format",),
    )
    screen.say(f"note: {LEFT_OUT}")
