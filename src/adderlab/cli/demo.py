"""``adderlab demo``: both notebooks from start to end, each chapter shown as it is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adderlab.cli.options import AsJson, integer

if TYPE_CHECKING:
    from adderlab.blocks import Chapter

EXAMPLES = """\
Examples:

adderlab demo -o demo

adderlab demo --chapter 5

The chapters: 1 a network set by hand, 2 its repair, 3 the data set, 4 a training run that works,
5 loss.backward(), 6 a run that fails, 7 three batch sizes, 8 the printed weights, 9 success rates,
10 a map of trainability, 11 parameters and bytes, 12 fewer bits, 13 64-bit adders,
14 a trained cell.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(demo)


def demo(
    *,
    out: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--out",
            metavar="DIR",
            help="The folder to write to; adderlab-demo unless given, or adderlab-demo-5 of "
            "chapter 5.",
        ),
    ] = None,
    networks: Annotated[
        int, typer.Option(parser=integer, help="Number of networks for each success rate.")
    ] = 100_000,
    chapter: Annotated[
        int | None,
        typer.Option(
            parser=integer,
            metavar="N",
            help="Run and show this chapter alone; the numbers are below.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run both lecture notebooks from start to end and check each of their claims."""
    from adderlab.blocks import Heading
    from adderlab.cli.output import Screen
    from adderlab.demo import demo as run

    screen = Screen(as_json=as_json)
    heading = ["adderlab: two bits, one network, and what it really computes"]
    with screen.progress() as bar:
        job = bar.add_task("starting", total=1.0, rate="")

        def on_chapter(shown: Chapter) -> None:
            while heading:  # not before the first chapter: a demo that is refused prints nothing
                screen.show((Heading(heading.pop()),))
            screen.show_chapter(shown)

        def on_progress(what: str, share: float) -> None:
            bar.update(job, completed=share, description=what)

        story = run(
            out,
            networks=networks,
            chapter=chapter,
            on_chapter=on_chapter,
            on_progress=on_progress,
        )
    screen.show(story.written())
    screen.json(story.to_dict())
