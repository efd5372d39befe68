"""``adderlab doctor``: what is installed, what is fast here, what is missing."""

from __future__ import annotations

import typer

from adderlab.cli.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog="Example: adderlab doctor")(doctor)


def doctor(*, as_json: AsJson = False) -> None:
    """Say what is installed, how fast it is here, and what is missing with its remedy."""
    from adderlab.cli.output import Screen
    from adderlab.verbs.doctor import examine

    screen = Screen(as_json=as_json)
    report = examine()
    screen.show(report.blocks())
    screen.json(report.to_dict())
    raise typer.Exit(0 if report.is_good else 1)
