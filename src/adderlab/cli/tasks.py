"""``adderlab tasks``: the bit functions with their words and sizes."""

from __future__ import annotations

import typer

from adderlab.cli.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog="Example: adderlab tasks --json")(tasks)


def tasks(*, as_json: AsJson = False) -> None:
    """List the tasks with their words and sizes."""
    from adderlab.cli.output import Screen
    from adderlab.tasks.listing import TaskList

    screen = Screen(as_json=as_json)
    listing = TaskList()
    screen.show(listing.blocks())
    screen.json(listing.to_dict())
