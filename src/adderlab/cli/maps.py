"""``adderlab map``: which settings train, network by network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from adderlab.cli import completion
from adderlab.cli.options import AsJson, ColorChoice, integer
from adderlab.cli.settings import sides_of, with_settings

EXAMPLES = """Examples:

adderlab map half-adder -o map.png

adderlab map half-adder --x lr=0.5:2.5 --y init=0.1:3 --size 1024 -o zoom.png

adderlab map half-adder --x hidden=1:16 --y lr=0.01:10:log --show success -o widths.png

adderlab map half-adder --optimizer momentum --x lr=0.001:1:log --y momentum=0:0.99 -o beta.png

Exit code: 0 the map was made, 2 bad input, 130 interrupted (finished bands are kept, and the
same command resumes)."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(with_settings(map, steps="Updates, at least 1."))


def map(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK",
            help="For example half-adder; see 'adderlab tasks'.",
            autocompletion=completion.task,
        ),
    ] = "half-adder",
    *,
    x: Annotated[
        str,
        typer.Option(
            metavar="NAME=LOW:HIGH[:log]",
            help="The axis to the right: lr, init, hidden, steps, momentum or batch.",
            autocompletion=completion.words(*completion.AXES),
        ),
    ] = "lr=0.01:10:log",
    y: Annotated[
        str,
        typer.Option(
            metavar="NAME=LOW:HIGH[:log]",
            help="The axis upwards.",
            autocompletion=completion.words(*completion.AXES),
        ),
    ] = "init=0.1:10:log",
    size: Annotated[
        str, typer.Option(metavar="N|NxM", help="Networks on a side, at most 4096.")
    ] = "256",
    show: Annotated[
        ColorChoice, typer.Option(help="What the colors show.")
    ] = ColorChoice.CONVERGENCE,
    seed: Annotated[
        int, typer.Option(parser=integer, help="Whose population the member is of.")
    ] = 0,
    member: Annotated[
        int, typer.Option(parser=integer, metavar="I", help="Whose start and data every pixel has.")
    ] = 1,
    settings: dict[str, Any],
    threads: Annotated[
        int | None,
        typer.Option(parser=integer, metavar="N", help="Threads used; all cores unless given."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="MAP.png", help="The image; MAP.npz is beside it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train one start under a grid of settings: where it converges, where it is right."""
    from adderlab.cli.output import Screen
    from adderlab.runs.maps.axes import parse_size
    from adderlab.verbs.map import map as make_map

    screen = Screen(as_json=as_json)
    size = sides_of(size)
    columns, rows = parse_size(size)
    with screen.progress() as bar:
        job = bar.add_task("mapping", total=columns * rows, rate="")

        def on_progress(done: int) -> None:
            bar.update(job, advance=done)
            speed = bar.tasks[0].speed
            if speed:
                bar.update(job, rate=f"{speed:.0f} networks/s")

        result = make_map(
            task,
            x=x,
            y=y,
            size=size,
            member=member,
            show=show.value,
            out=out,
            threads=threads,
            on_progress=on_progress,
            on_stage=lambda text: bar.update(job, description=text, rate=""),
            on_compile=lambda text: bar.console.print(text),
            seed=seed,
            **settings,
        )
    screen.show(result.blocks(), unwritten="" if result.file else "MAP.png")
    screen.json(result.to_dict())
