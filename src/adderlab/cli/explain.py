"""``adderlab explain``: backprop step by step, the chain rule, the two slots, why a run failed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from adderlab.cli import completion
from adderlab.cli.arguments import ORDER
from adderlab.cli.options import (
    AsJson,
    BitsOption,
    InputsOption,
    LossChoice,
    OutputsOption,
    TaskOption,
    integer,
)
from adderlab.cli.weights import reads_weights
from adderlab.errors import OptionError

if TYPE_CHECKING:
    from adderlab.verbs.explanation import Explanation

EXAMPLES = """Examples:

adderlab explain net.safetensors --input 1,1

adderlab explain net.safetensors --input 1,1 --target 3 --step

adderlab explain net.safetensors --rows all -o explained.html

adderlab explain --chain 3

adderlab explain --chain 3 --values w1=2,w2=3,w3=-1,x=0.5,y=1

adderlab explain net.safetensors --slots

adderlab explain net.safetensors --why

Exit code: 0 explained, 2 bad input."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(reads_weights(explain))


def explain(
    net: Annotated[
        Path | None,
        typer.Argument(
            metavar="NET",
            help="A network file (.safetensors); none for --chain.",
            autocompletion=completion.NETWORKS,
        ),
    ] = None,
    *,
    task: TaskOption = None,
    bits: BitsOption = None,
    inputs: InputsOption = "",
    outputs: OutputsOption = "",
    input: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="WORDS", help="A row: 1,1 (may be repeated)."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="WORDS", help="What should come out: 2; the task's own if left out."),
    ] = None,
    rows: Annotated[
        str | None,
        typer.Option(
            metavar="all",
            help="Every row of the task, and their mean.",
            autocompletion=completion.words("all"),
        ),
    ] = None,
    chain: Annotated[
        int | None,
        typer.Option(
            parser=integer, metavar="N", help="The chain rule for N functions, in symbols."
        ),
    ] = None,
    values: Annotated[
        str | None, typer.Option(metavar="w1=2,…", help="Numbers for the chain: w1 to wN, x, y.")
    ] = None,
    symbols: Annotated[
        bool, typer.Option("--symbols", help="The network's gradients in symbols, by active units.")
    ] = False,
    slots: Annotated[
        bool, typer.Option("--slots", help="w and dL/dw through zero_grad, backward and step.")
    ] = False,
    why: Annotated[
        bool, typer.Option("--why", help="Why it works or fails; a training run is replayed.")
    ] = False,
    step: Annotated[bool, typer.Option("--step", help="One step a key press; q ends it.")] = False,
    loss: Annotated[LossChoice | None, typer.Option(help="The loss, if not the record's.")] = None,
    lr: Annotated[
        str | None, typer.Option(metavar="LR", help="The learning rate, if not the record's.")
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(parser=integer, metavar="K", help="Of --slots; 3 unless given.")
    ] = None,
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "-o",
            "--out",
            metavar="PATH",
            help="Write .md, .html, .json, a figure (.svg, .png), or a folder with all of them.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Explain how a network learns: backprop step by step, and what hangs on it."""
    from adderlab.cli.output import Screen

    if step and as_json:
        raise OptionError(
            "steps are for people, --json is for programs", where="--step", remedy="take one"
        )
    options: dict[str, Any] = {
        "task": task,
        "bits": bits and bits.value,
        "inputs": inputs or None,
        "outputs": outputs or None,
        "input": input or None,
        "target": target,
        "rows": rows,
        "values": values,
        "loss": loss and loss.value,
        "lr": lr,
        "iterations": iterations,
    }
    kinds = {"chain": chain is not None, "symbols": symbols, "slots": slots, "why": why}
    kind = _kind([name for name, is_given in kinds.items() if is_given], net, options)
    arguments = {name: value for name, value in options.items() if value is not None}
    screen = Screen(as_json=as_json)
    with screen.progress() as bar:
        job = bar.add_task("explaining", total=1.0, rate="")
        if kind == "why":
            arguments["on_progress"] = lambda what, share: bar.update(
                job, completed=share, description=what
            )
        explanation = _verb(kind)(chain if kind == "chain" else net, **arguments, out=out or ())
    if step:
        from adderlab.blocks import written_lines
        from adderlab.cli.stepping import step_through

        step_through(screen, explanation.steps)
        screen.show(written_lines(*explanation.files))
    else:
        screen.show(explanation.blocks())
    screen.json(explanation.to_dict())


ACCEPTED: Final = {
    "chain": ("values",),
    "symbols": ("input", "rows", "target", "loss", "task", *ORDER),
    "slots": ("input", "rows", "target", "loss", "lr", "iterations", "task", *ORDER),
    "why": ("task",),
    "input": ("input", "rows", "target", "loss", "lr", "task", *ORDER),
}
"""The options that go with each kind of explanation; ``input`` is backprop on rows."""

ASKS: Final = "--input 1,1, --rows all, --symbols, --slots or --why"


def _kind(kinds: list[str], net: Path | None, options: dict[str, Any]) -> str:
    """Return the kind of explanation; refuse options that do not go together."""
    if len(kinds) > 1:
        raise OptionError(
            f"{' and '.join(f'--{kind}' for kind in kinds)} are two things",
            where="explain",
            remedy="ask for one at a time",
        )
    kind = kinds[0] if kinds else "input"
    if kind == "chain" and net is not None:
        raise OptionError(
            "the chain is explained without a network",
            where="--chain",
            remedy="leave NET out, or ask for --symbols, the same of a network",
        )
    if not kinds and options["input"] is None and options["rows"] is None:
        what = "nothing to explain" if net is not None else "no network, and nothing to explain"
        remedy = f"add {ASKS}" if net is not None else f"give NET with {ASKS}, or --chain 3"
        raise OptionError(what, where="explain", remedy=remedy)
    if kind != "chain" and net is None:
        raise OptionError("no network", where="explain", remedy="name its file")
    for name, value in options.items():
        if value is not None and name not in ACCEPTED[kind]:
            raise OptionError(
                f"does not go with --{kind}", where=f"--{name}", remedy="leave one of them out"
            )
    return kind


def _verb(kind: str) -> Callable[..., Explanation]:
    """Return the function that explains a kind; the others are not imported."""
    name = "explain" if kind == "input" else f"explain_{kind}"
    return getattr(import_module(f"adderlab.verbs.{name}"), name)
