"""``adderlab doctor``: what is installed, what is fast here, what is missing."""

from __future__ import annotations

import typer

from adderlab.cli.options import AsJson


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog="Example: adderlab doctor")(doctor)


def doctor(*, as_json: AsJson = False) -> None:
    """Say what is installed, how fast it is here, and what is missing with its remedy."""
    from adderlab.cli.output import Screen, mark
    from adderlab.workflows.doctor import examine

    screen = Screen(as_json=as_json)
    report = examine()
    screen.table(
        ("", "what", "found", "if it is missing or slow"),
        [
            (
                mark(right=True)
                if check.is_good
                else ("-" if not check.needed else mark(right=False)),
                check.what,
                check.found,
                "" if check.is_good else check.remedy,
            )
            for check in report.checks
        ],
        left=("", "what", "found", "if it is missing or slow"),
    )
    screen.json(report.to_dict())
    raise typer.Exit(0 if report.is_good else 1)
