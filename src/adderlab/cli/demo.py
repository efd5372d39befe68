"""``adderlab demo``: the main job, told on the terminal."""

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
        Path, typer.Option("-o", "--out", metavar="DIR", help="Where everything is written.")
    ] = Path("adderlab-demo"),
    networks: Annotated[
        int, typer.Option(help="Over how many networks each success rate is measured.")
    ] = 100_000,
    as_json: AsJson = False,
) -> None:
    """Go through both lecture notebooks from start to end and say what is so."""
    from adderlab.blocks import Heading
    from adderlab.cli.output import Screen
    from adderlab.demo import demo as tell

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

        story = tell(out, networks=networks, on_chapter=on_chapter, on_progress=on_progress)
    screen.show(story.written())
    screen.json(story.to_dict())
