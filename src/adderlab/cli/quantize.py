"""``adderlab quantize``: a network in fewer bits, and the verdict."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from adderlab.cli import completion
from adderlab.cli.options import (
    EXIT_OF_VERDICT,
    HOLDS,
    AsJson,
    BitsOption,
    GroupChoice,
    InputsOption,
    NetPath,
    OutNet,
    OutputsOption,
    RoundingChoice,
    ScaleChoice,
    TaskOption,
    integer,
)
from adderlab.cli.weights import reads_weights

if TYPE_CHECKING:
    from adderlab.cli.output import Screen

EXAMPLES = """Examples:

adderlab quantize net.safetensors --to int4 -o net4.safetensors

adderlab quantize net.safetensors --to int3 --method exact --scale power-of-two --per channel

adderlab quantize net.safetensors --to smallest -o small.safetensors

adderlab quantize net.safetensors --table

Exit code: 0 proved, 1 refuted, 2 bad input, 3 unknown (the file is kept)."""

T = TypeVar("T")


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(quantize))


def quantize(
    net: NetPath,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="F|smallest",
            help="The format, or the fewest bits that hold.",
            autocompletion=completion.words(*completion.FORMATS, "smallest"),
        ),
    ] = None,
    task: TaskOption = None,
    bits: BitsOption = None,
    inputs: InputsOption = "",
    outputs: OutputsOption = "",
    method: Annotated[
        RoundingChoice, typer.Option(help="How; auto takes the first that is proved.")
    ] = RoundingChoice.AUTO,
    scale: Annotated[ScaleChoice | None, typer.Option(help="Which scales there may be.")] = None,
    per: Annotated[
        GroupChoice | None, typer.Option(help="One scale for a tensor, or an output unit.")
    ] = None,
    asymmetric: Annotated[
        bool, typer.Option("--asymmetric", help="Add a zero point to each scale.")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            parser=integer, metavar="N", help="Branches after which a search is given up."
        ),
    ] = None,
    timeout: Annotated[
        float,
        typer.Option(metavar="S", help="Seconds for all of it; then the best so far is kept."),
    ] = 60.0,
    table: Annotated[
        bool, typer.Option("--table", help="Every format by every method, nothing written.")
    ] = False,
    out: OutNet = None,
    as_json: AsJson = False,
) -> None:
    """Put a network into fewer bits, and prove or refute what comes out."""
    from adderlab.cli.output import Screen
    from adderlab.errors import OptionError
    from adderlab.verbs.quantize import quantization_table
    from adderlab.verbs.quantize import quantize as quantize_network

    screen = Screen(as_json=as_json)
    if (to is None) == (not table):
        raise OptionError(
            "exactly one of --to and --table is needed",
            where="quantize",
            remedy="add --to int4, --to smallest or --table",
        )
    if to is None:
        unused = {"-o": out, "--scale": scale, "--per": per, "--limit": limit}
        extra = [name for name, value in unused.items() if value is not None]
        extra += ["--asymmetric"] if asymmetric else []
        extra += ["--method"] if method is not RoundingChoice.AUTO else []
        if extra:
            raise OptionError(
                f"a table takes no {' and no '.join(extra)}",
                where="--table",
                remedy="leave it out, or name a format with --to",
            )
        formats_table = _with_progress(
            screen,
            timeout,
            lambda on_progress: quantization_table(
                net,
                task,
                bits=bits and bits.value,
                inputs=inputs,
                outputs=outputs,
                timeout_s=timeout,
                on_progress=on_progress,
            ),
        )
        screen.show(formats_table.blocks())
        screen.json(formats_table.to_dict())
        raise typer.Exit(HOLDS)
    target_format = to
    quantized = _with_progress(
        screen,
        timeout,
        lambda on_progress: quantize_network(
            net,
            target_format,
            task,
            bits=bits and bits.value,
            inputs=inputs,
            outputs=outputs,
            method=method.value,
            scale=scale and scale.value,
            per=per and per.value,
            symmetric=not asymmetric,
            limit=limit,
            timeout_s=timeout,
            out=out,
            on_progress=on_progress,
        ),
    )
    screen.show(quantized.blocks(), unwritten="" if quantized.file else "NET")
    screen.json(quantized.to_dict())
    raise typer.Exit(EXIT_OF_VERDICT[quantized.verdict.verdict])


def _with_progress(
    screen: Screen, timeout: float, work: Callable[[Callable[[str, float], None]], T]
) -> T:
    """Do the work while what is being tried is shown, how far it is, and when it ends at last."""
    end = time.perf_counter() + timeout
    with screen.progress() as bar:
        job = bar.add_task("trying", total=1.0, rate="")

        def on_progress(what: str, share: float) -> None:
            rest = f"ends within {max(end - time.perf_counter(), 0):.0f} s"
            bar.update(job, description=what, completed=share, rate=rest)

        return work(on_progress)
