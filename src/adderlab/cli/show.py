"""``adderlab show``: a network, its truth table, one input's way through it, figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adderlab.cli.options import AsJson, NetPath, TaskOption

if TYPE_CHECKING:
    from adderlab.cli.output import Screen
    from adderlab.workflows.show import Shown

EXAMPLES = """Examples:

adderlab show lecture.safetensors

adderlab show lecture.safetensors --input 1,1

adderlab show lecture.safetensors -o figures

Exit code: 0 shown, whatever the verdict, 2 bad input."""


MOST_COLUMNS = 5
"""Outputs up to which each has a column of its own."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(show)


def show(
    net: NetPath,
    *,
    task: TaskOption = None,
    input: Annotated[
        str | None,
        typer.Option("--input", metavar="WORDS", help="One input's way through it: 1,1."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="DIR", help="Write figures here, SVG and PNG."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a network and its truth table, or one input's way through it."""
    from adderlab.cli.output import Screen
    from adderlab.workflows.show import show as show_network

    screen = Screen(as_json=as_json)
    shown = show_network(net, task, input=input, out=out)
    print_shown(screen, shown)
    screen.json(shown.to_dict())


def print_shown(screen: Screen, shown: Shown) -> None:
    """Print the network, the verdict and the truth table; then one input's way, if asked for."""
    from adderlab.cli.parameters import print_parameters
    from adderlab.cli.prove import print_verdict

    screen.say(repr(shown.network))
    print_parameters(screen, shown.network)
    if shown.verdict is not None:
        print_verdict(screen, shown.verdict)
    else:
        for note in shown.notes:
            screen.say(f"note: {note}")
        screen.say("no task is known, so nothing is expected; name one with --task")
    screen.say()
    _print_rows(screen, shown)
    if shown.walk is not None:
        from adderlab.cli.walk import print_walk

        print_walk(screen, shown.walk)
    if shown.files:
        screen.say()
    for file in shown.files:
        screen.say(f"written to {file}")


def _print_rows(screen: Screen, shown: Shown) -> None:
    """Print the truth table: raw outputs, and the smallest distance to the threshold."""
    from adderlab.cli.output import mark
    from adderlab.report.figures.numbers import decimal, fixed
    from adderlab.report.figures.rows import bits_text

    judged = shown.task is not None
    task = shown.target
    apart = task.n_out <= MOST_COLUMNS
    distances = [[one for one in row.distances if one is not None] for row in shown.rows]
    outputs = f"{task.output_bits[0]} to {task.output_bits[-1]}"
    columns = [word.name for word in task.inputs]
    columns += ["expected", "got"] if judged else ["got"]
    columns += task.output_bits if apart else [outputs]
    columns += ["distance"] if any(distances) else []
    columns += [""] if judged else []
    cells: list[list[Any]] = []
    for row, distance in zip(shown.rows, distances, strict=True):
        line: list[Any] = [*row.inputs.values()]
        line += [bits_text(task, row.expected, "*")] if judged else []
        raw = [fixed(value) for value in row.raw]
        line += [bits_text(task, row.got, "?"), *(raw if apart else ["  ".join(raw)])]
        if any(distances):
            line.append(decimal(min(distance)) if distance else "")
        line += [mark(right=row.is_right)] if judged else []
        cells.append(line)
    screen.table(columns, cells, left=("", outputs))
    if shown.rows_note and len(shown.rows) < task.rows:
        screen.say(shown.rows_note)
