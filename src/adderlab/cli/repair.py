"""``adderlab repair``: one parameter changed so that a network becomes right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from adderlab.cli.options import HOLDS, REFUTED, AsJson, NetPath, OutNet, TaskOption

if TYPE_CHECKING:
    from adderlab.building.repair import Repairs
    from adderlab.cli.output import Screen
    from adderlab.workflows.repair import Repaired

EXAMPLES = """Examples:

adderlab repair lecture.safetensors

adderlab repair lecture.safetensors -o repaired.safetensors

Exit code: 0 repaired, or right already, 1 no single parameter repairs it, 2 bad input."""

LARGEST_PRINTED = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(repair)


def repair(
    net: NetPath,
    *,
    task: TaskOption = None,
    out: OutNet = None,
    as_json: AsJson = False,
) -> None:
    """Make a wrong network right by changing one parameter, and prove it."""
    from adderlab.cli.output import Screen
    from adderlab.workflows.repair import repair as repair_network

    screen = Screen(as_json=as_json)
    repaired = repair_network(net, task, out=out)
    print_repaired(screen, repaired)
    screen.json(repaired.to_dict())
    raise typer.Exit(REFUTED if repaired.network is None else HOLDS)


def print_repaired(screen: Screen, repaired: Repaired) -> None:
    """Print what can be repaired and by how much, what was taken, then the verdict."""
    from adderlab.building.repair import short
    from adderlab.cli.prove import print_verdict

    found = repaired.repairs
    if repaired.already_right:
        screen.say("right already: nothing to repair")
    else:
        screen.say(
            f"wrong on {len(found.wrong_rows)} of {found.rows} inputs; "
            f"parameters that repair it alone: {len(found.repairs) or 'none'}"
        )
    if found.repairs:
        print_repairs(screen, found)
    for one in found.unstorable:
        screen.say(
            f"note: {one.name} would work in {one.works.describe(short)}, where its tensor "
            "can store no number"
        )
    taken = repaired.taken
    if taken is not None:
        screen.say(f"taken: {taken.name} from {short(taken.before)} to {short(taken.after)}")
    print_verdict(screen, repaired.verdict)
    if repaired.network is None:
        screen.say("not written: no change of one parameter repairs it")
    else:
        written = f"written to {repaired.file}" if repaired.file else "not written"
        screen.say(written + ("" if repaired.file else " (add -o NET to keep it)"))


def print_repairs(screen: Screen, found: Repairs) -> None:
    """Print the repairs, the one taken first."""
    from adderlab.building.repair import COLUMNS, WORDS
    from adderlab.cli.output import mark

    screen.table(
        (*COLUMNS, ""),
        [(*one.cells(), mark(right=True)) for one in found.repairs[:LARGEST_PRINTED]],
        left=(*WORDS, ""),
    )
    if len(found.repairs) > LARGEST_PRINTED:
        more = len(found.repairs) - LARGEST_PRINTED
        screen.say(f"and {more} more; --json lists them all")
