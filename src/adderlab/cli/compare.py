"""``adderlab compare``: two networks, equal on every input or where they differ."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from adderlab.cli.options import EXIT_OF_VERDICT, AsJson, TaskOption

if TYPE_CHECKING:
    from adderlab.cli.output import Screen
    from adderlab.workflows.compare import Compared

EXAMPLES = """Examples:

adderlab compare lecture.safetensors repaired.safetensors

adderlab compare one-layer.safetensors ripple.safetensors --task adder:64

Exit code: 0 equal on every input, proved, 1 different, 2 bad input, 3 unknown."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(compare)


def compare(
    net1: Annotated[Path, typer.Argument(metavar="NET1", help="A network file (.safetensors).")],
    net2: Annotated[Path, typer.Argument(metavar="NET2", help="Another one of its shape.")],
    *,
    task: TaskOption = None,
    timeout: Annotated[
        float, typer.Option(metavar="S", help="Seconds after which it is unknown.")
    ] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Compare two networks: equal on every input, or where they differ; then size and margin."""
    from adderlab.cli.output import Screen
    from adderlab.workflows.compare import compare as compare_networks

    screen = Screen(as_json=as_json)
    compared = compare_networks(net1, net2, task, timeout_s=timeout)
    print_compared(screen, compared)
    screen.json(compared.to_dict())
    raise typer.Exit(EXIT_OF_VERDICT[compared.comparison.verdict])


def print_compared(screen: Screen, compared: Compared) -> None:
    """Print the verdict, an input where they differ, then both networks side by side."""
    from rich.text import Text

    from adderlab.cli.prove import STYLES

    found = compared.comparison
    for note in found.notes:
        screen.say(f"note: {note}")
    screen.say(
        Text.assemble(
            (found.verdict, STYLES[found.verdict]), f" in exact arithmetic: {found.summary()}"
        )
    )
    example = found.counterexample
    if example is not None:
        screen.say(f"  counterexample: {example}")
        raw = f"{example.first.raw()} by the first; {example.second.raw()} by the second"
        screen.say(f"  raw outputs there: {raw}")
    screen.say(f"  {found.method}, {found.seconds:.3f} s")
    screen.say()
    screen.table(
        ("", "first", "second", "  "),
        [(*row, "" if row[1] == row[2] else "differs") for row in compared.rows()],
        left=("", "first", "second", "  "),
    )
