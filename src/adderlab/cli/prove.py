"""``adderlab prove``: the verdict on every input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from adderlab.cli.options import EXIT_OF_VERDICT, AsJson, NetPath, TaskOption, size_in_bytes

if TYPE_CHECKING:
    from adderlab.cli.output import Screen
    from adderlab.proving import Verdict

EXAMPLES = """Examples:

adderlab prove lecture.safetensors

adderlab prove net.safetensors --task full-adder --format fp16 --format bf16

adderlab prove wide.safetensors --timeout 60 --max-memory 8GB --sample 100000

Exit code: 0 proved, 1 refuted, 2 bad input, 3 unknown."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(prove)


def prove(
    net: NetPath,
    *,
    task: TaskOption = None,
    format: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="F", help="Judge in this number format (may be repeated)."
        ),
    ] = None,
    engine: Annotated[
        str, typer.Option(metavar="auto|enumeration|diagram|solver", help="How to decide.")
    ] = "auto",
    timeout: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds after which it is unknown.")
    ] = None,
    max_memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Memory after which it is unknown.")
    ] = "4GiB",
    sample: Annotated[
        int,
        typer.Option(metavar="N", help="Where no engine decides, try N random inputs."),
    ] = 0,
    explain_choice: Annotated[
        bool, typer.Option("--explain-choice", help="Say which engine was taken, and why.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Prove or refute a network on every input of its task."""
    from adderlab.cli.output import Screen
    from adderlab.proving import prove as prove_network

    screen = Screen(as_json=as_json)
    verdict = prove_network(
        net,
        task,
        formats=format or (),
        engine=engine,
        timeout_s=timeout,
        max_memory_bytes=size_in_bytes(max_memory, where="--max-memory"),
        sample=sample,
    )
    if explain_choice:
        screen.say(verdict.choice)
    print_verdict(screen, verdict)
    screen.json(verdict.to_dict())
    raise typer.Exit(EXIT_OF_VERDICT[verdict.verdict])


STYLES = {"proved": "bold green", "refuted": "bold red", "unknown": "bold yellow"}


def print_verdict(screen: Screen, verdict: Verdict) -> None:
    """Print a verdict: the word first, then what it rests on."""
    from rich.text import Text

    from adderlab.proving.verdict import count_text

    for note in verdict.notes:
        screen.say(f"note: {note}")
    line = Text()
    _ = line.append(verdict.verdict, style=STYLES[verdict.verdict])
    _ = line.append(f" in {_arithmetic(verdict.semantics)}: {verdict.task}")
    if verdict.verdict == "proved":
        _ = line.append(f" is right on all {count_text(verdict.rows)} inputs")
    elif verdict.verdict == "unknown":
        _ = line.append(f", {verdict.reason}")
    elif verdict.rows_right is not None and verdict.rows is not None:
        _ = line.append(
            f" is wrong on {verdict.rows - verdict.rows_right} of {verdict.rows} inputs"
        )
    screen.say(line)
    found = verdict.counterexample
    if found is not None:
        from adderlab.proving.verdict import NO_BITS, decimal, named, sum_of

        screen.say(
            f"  counterexample: {sum_of(found.input)} gives {named(found.got, other=NO_BITS)}, "
            f"expected {named(found.expected)}"
        )
        raw = ", ".join(map(decimal, found.output))
        screen.say(f"  raw outputs there: {raw}" + (f" ({found.order})" if found.order else ""))
        once = [_arithmetic(name) for name, wrong in found.replays.items() if not wrong]
        if once:
            screen.say(f"  it is wrong in {_arithmetic(found.semantics)}, not in {', '.join(once)}")
    if verdict.margin is not None:
        whose = "" if verdict.semantics == "exact" else " in exact arithmetic"
        screen.say(f"  margin{whose}: {verdict.margin.sides()}")
    for name, one in verdict.formats.items():
        own = ", its own format" if name == verdict.own_format else ""
        style = "" if one.verdict == verdict.verdict else STYLES[one.verdict]
        reason = f" ({one.reason})" if one.reason and one.reason not in verdict.reason else ""
        screen.say(f"  in {name}{own}: {one.verdict}{reason}", style=style)
    screen.say(
        f"  {verdict.method or 'no engine'}, {verdict.seconds:.3f} s, sha256 {verdict.sha256[:16]}…"
    )


def _arithmetic(semantics: str) -> str:
    return "exact arithmetic" if semantics == "exact" else semantics
