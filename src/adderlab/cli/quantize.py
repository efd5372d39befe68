"""``adderlab quantize``: a network in fewer bits, and the verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from adderlab.cli.options import (
    EXIT_OF_VERDICT,
    HOLDS,
    AsJson,
    GroupChoice,
    NetPath,
    OutNet,
    RoundingChoice,
    ScaleChoice,
    TaskOption,
)

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
    _ = app.command(epilog=EXAMPLES)(quantize)


def quantize(
    net: NetPath,
    *,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="F|smallest", help="The format, or the fewest bits that hold."
        ),
    ] = None,
    task: TaskOption = None,
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
        typer.Option(metavar="N", help="Branches after which a search is given up."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Seconds after which a proof is given up.")
    ] = 10.0,
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
            lambda on_try: quantization_table(net, task, timeout_s=timeout, on_try=on_try),
        )
        screen.show(formats_table.blocks())
        screen.json(formats_table.to_dict())
        raise typer.Exit(HOLDS)
    target_format = to
    quantized = _with_progress(
        screen,
        lambda on_try: quantize_network(
            net,
            target_format,
            task,
            method=method.value,
            scale=scale and scale.value,
            per=per and per.value,
            symmetric=not asymmetric,
            limit=limit,
            timeout_s=timeout,
            out=out,
            on_try=on_try,
        ),
    )
    screen.show(quantized.blocks(), unwritten="" if quantized.file else "NET")
    screen.json(quantized.to_dict())
    raise typer.Exit(EXIT_OF_VERDICT[quantized.verdict.verdict])


def _with_progress(screen: Screen, work: Callable[[Callable[[str], None]], T]) -> T:
    """Do the work while what is being tried is shown."""
    with screen.progress() as bar:
        job = bar.add_task("trying", total=None, rate="")
        return work(lambda what: bar.update(job, description=what))
