"""``adderlab check``: a certificate, re-checked."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adderlab.cli import completion
from adderlab.cli.completion import NETWORKS
from adderlab.cli.options import HOLDS, REFUTED, UNKNOWN, AsJson
from adderlab.errors import OptionError

EXAMPLES = """Examples:

adderlab check net.safetensors net.cert

adderlab check net.safetensors net.cert --task adder:8

adderlab check net.safetensors net.cert --timeout 60

adderlab check net.safetensors net.cert --artifact net.html

adderlab check --write-checker checker.py

python checker.py net.safetensors net.cert

Exit code: 0 valid, 1 not valid, 2 bad input, 3 the evidence can't be re-checked."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(check)


def check(
    net: Annotated[
        Path | None,
        typer.Argument(metavar="NET", help="The network file.", autocompletion=NETWORKS),
    ] = None,
    certificate: Annotated[
        Path | None, typer.Argument(metavar="CERT", help="Its certificate.")
    ] = None,
    *,
    task: Annotated[
        str | None,
        typer.Option(
            "--task", metavar="TASK", help="What it must be about.", autocompletion=completion.task
        ),
    ] = None,
    artifact: Annotated[
        list[Path] | None,
        typer.Option(
            "--artifact",
            metavar="FILE",
            help="A file that was exported with it (export --certificate); may be repeated.",
            autocompletion=completion.EXPORTED,
        ),
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds after which it is not re-checked.")
    ] = None,
    write_checker: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the checker itself, one file of Python."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Re-check a certificate with one file that shares no code with the provers."""
    from adderlab.blocks import Line
    from adderlab.cli.output import Screen
    from adderlab.verbs import check as verb

    screen = Screen(as_json=as_json)
    if write_checker is not None:
        if net is not None or task is not None or artifact:
            what = "a network" if net is not None else "a task" if task else "an artifact"
            raise OptionError(f"got {what} too", where="write_checker", remedy="give it alone")
        path = verb.write_checker(write_checker)
        screen.show([Line(f"written: {path}")])
        screen.json({"file": str(path)})
        raise typer.Exit(HOLDS)
    if net is None or certificate is None:
        what = "NET and CERT are missing" if net is None else "CERT is missing"
        raise OptionError(what, where="check", remedy="name both files")
    answer = verb.check(net, certificate, task, artifacts=artifact or (), timeout_s=timeout)
    screen.show(answer.blocks())
    screen.json(answer.to_dict())
    raise typer.Exit({True: HOLDS, False: REFUTED, None: UNKNOWN}[answer.valid])
