"""``adderlab explain``: backprop step by step, the chain rule, the two slots, why a run failed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adderlab.cli.options import AsJson, TaskOption
from adderlab.errors import OptionError

if TYPE_CHECKING:
    pass

EXAMPLES = """Examples:

adderlab explain net.safetensors --input 1,1

adderlab explain net.safetensors --input 1,1 --target 3 --step

adderlab explain net.safetensors --rows all -o explained.html

adderlab explain --chain 3

adderlab explain --chain 3 --values w1=2,w2=3,w3=-1,x=0.5,y=1

adderlab explain net.safetensors --slots

adderlab explain net.safetensors --why

Exit code: 0 explained, 2 bad input."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(explain)


def explain(
    net: Annotated[
        Path | None,
        typer.Argument(metavar="NET", help="A network file (.safetensors); none for --chain."),
    ] = None,
    *,
    task: TaskOption = None,
    input: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="WORDS", help="A row: 1,1 (may be repeated)."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="What should come out: 2; the task's own if left out."),
    ] = None,
    rows: Annotated[
        str | None, typer.Option(metavar="all", help="Every row of the task, and their mean.")
    ] = None,
    chain: Annotated[
        int | None, typer.Option(metavar="N", help="The chain rule for N functions, in symbols.")
    ] = None,
    values: Annotated[
        str | None, typer.Option(metavar="w1=2,…", help="Numbers for the chain: w1 to wN, x, y.")
    ] = None,
    symbols: Annotated[
        bool, typer.Option("--symbols", help="The network's gradients in symbols, by active units.")
    ] = False,
    slots: Annotated[
        bool, typer.Option("--slots", help="w and dL/dw through zero_grad, backward and step.")
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Why it works or fails, replayed from its record.")
    ] = False,
    step: Annotated[bool, typer.Option("--step", help="One step a key press; q ends it.")] = False,
    loss: Annotated[
        str | None, typer.Option(metavar="mse|bce", help="The loss, if not the record's.")
    ] = None,
    lr: Annotated[
        str | None, typer.Option(metavar="LR", help="The learning rate, if not the record's.")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(metavar="K", help="Of --slots; 3 unless given.")
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--out",
            metavar="PATH",
            help="Write .md, .html, .json, a figure (.svg, .png), or a folder with all of them.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain how a network learns: backprop step by step, and what hangs on it."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.explaining import explain as explain_network

    if step and as_json:
        raise OptionError(
            "steps are for people, --json is for programs", where="--step", remedy="take one"
        )
    screen = Screen(as_json=as_json)
    with screen.progress() as bar:
        job = bar.add_task("explaining", total=1.0, rate="")
        found = explain_network(
            net,
            task,
            input=input or None,
            target=target,
            rows=rows,
            chain=chain,
            values=values,
            symbols=symbols,
            slots=slots,
            why=why,
            loss=loss,
            lr=lr,
            iterations=iterations,
            out=out or (),
            on_progress=lambda what, share: bar.update(job, completed=share, description=what),
        )
    if step:
        from adderlab.cli.stepping import step_through

        step_through(screen, found.screens)
    else:
        for chapter in found.chapters:
            screen.show_chapter(chapter)
    for file in found.files:
        screen.say(f"written to {file}")
    screen.json(found.to_dict())
