"""``adderlab demo``: both notebooks from start to end, each chapter shown as it is done."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adderlab.cli.options import AsJson

if TYPE_CHECKING:
    from adderlab.blocks import Chapter

EXAMPLE = "Example: adderlab demo -o demo"


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLE)(demo)


def demo(
    *,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="DIR", help="The folder to write to.")
    ] = Path("adderlab-demo"),
    networks: Annotated[
        int, typer.Option(help="Number of networks for each success rate.")
    ] = 100_000,
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

        def on_chapter(chapter: Chapter) -> None:
            while heading:  # not before the first chapter: a demo that is refused prints nothing
                screen.show((Heading(heading.pop()),))
            screen.show_chapter(chapter)

        def on_progress(what: str, share: float) -> None:
            bar.update(job, completed=share, description=what)

        story = run(out, networks=networks, on_chapter=on_chapter, on_progress=on_progress)
    screen.show(story.written())
    screen.json(story.to_dict())
