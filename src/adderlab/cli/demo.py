"""``adderlab demo``: the main job, told on the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adderlab.cli.options import AsJson

if TYPE_CHECKING:
    from adderlab.cli.output import Screen
    from adderlab.report import Block, Chapter

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
    from adderlab.cli.output import Screen
    from adderlab.workflows.demo import demo as tell

    screen = Screen(as_json=as_json)
    heading = ["adderlab: two bits, one network, and what it really computes"]
    with screen.progress() as bar:
        job = bar.add_task("starting", total=1.0, rate="")

        def on_chapter(chapter: Chapter) -> None:
            while heading:  # not before the first chapter: a demo that is refused prints nothing
                screen.say(heading.pop(), style="bold")
            print_chapter(screen, chapter)

        def on_progress(what: str, share: float) -> None:
            bar.update(job, completed=share, description=what)

        story = tell(out, networks=networks, on_chapter=on_chapter, on_progress=on_progress)
    screen.heading("What was written")
    screen.say(f"{len(story.files)} files in {story.folder}, in {story.seconds:.0f} s:")
    for name in story.files:
        screen.say(f"  {name}")
    screen.json(story.to_dict())


def print_chapter(screen: Screen, chapter: Chapter, *, stacks: bool = False) -> None:
    """Print a chapter: its heading, then its blocks; tables too wide for it may be stacked."""
    screen.say()
    screen.say(chapter.title, style="bold underline")
    for block in chapter.blocks:
        print_block(screen, block, stacks=stacks)


def print_block(screen: Screen, block: Block, *, stacks: bool = False) -> None:
    """Print one block of a chapter."""
    from rich.text import Text

    from adderlab.cli.output import mark
    from adderlab.cli.prove import STYLES
    from adderlab.report import Code, Equations, Figures, Paragraph, Remark, Ruling, Table, Try

    match block:
        case Paragraph():
            screen.say()
            screen.say(block.text)
        case Code():
            screen.say()
            if block.caption:
                screen.say(block.caption)
            for line in block.text.splitlines():
                screen.say(f"  {line}", style="cyan")
        case Table():
            screen.say()
            if block.caption:
                screen.say(block.caption)
            rows = [
                (*row, "" if is_right is None else mark(right=is_right))
                for row, is_right in zip(
                    block.rows, block.marks or (None,) * len(block.rows), strict=True
                )
            ]
            columns = (*block.columns, "")
            screen.table(columns, rows, left=(*block.left, ""), stacks=stacks)
        case Equations():
            screen.say()
            if block.caption:
                screen.say(block.caption)
            for formula in block.formulas:
                screen.say(f"  {formula}", style="cyan")
        case Ruling():
            screen.say()
            line = Text(block.verdict, style=STYLES[block.verdict])
            screen.say(line.append(f" {block.text}", style="not bold default"))
        case Remark():
            screen.say()
            line = Text("“", style="italic").append(block.quote)
            screen.say(line.append(f"” ({block.source})", style="not italic"))
            screen.say(f"  → {block.truth}")
        case Figures():
            names = ", ".join(f"figures/{picture.name}.svg" for picture in block.pictures)
            screen.say(f"  [{names}] {block.caption}", style="dim")
        case Try():
            screen.say(Text(f"  $ {block.command}", style="dim"))
