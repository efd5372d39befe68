"""``adderlab train``: one network, or a population."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adderlab.cli import completion
from adderlab.cli.options import EXIT_OF_VERDICT, HOLDS, REFUTED, AsJson, integer
from adderlab.cli.settings import with_settings
from adderlab.errors import OptionError

if TYPE_CHECKING:
    from adderlab.cli.output import Screen
    from adderlab.training.choice import Choice

EXAMPLES = """Examples:

adderlab train half-adder -o net.safetensors

adderlab train half-adder --seed 1 --hidden 8 --activation tanh

adderlab train half-adder --batch 1 --optimizer adam --lr 0.01

adderlab train half-adder --seeds 1000 -o run

adderlab train half-adder --seed 0 --member 17 --init he --init-scale 0.5

adderlab train --replay net.safetensors

Exit code: 0 the network adds (or --seeds did its work), 1 it does not (the file is kept),
2 bad input, 3 unknown, 130 interrupted."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    _ = app.command(epilog=EXAMPLES)(with_settings(train))


def train(
    task: Annotated[
        str | None,
        typer.Argument(
            metavar="TASK",
            help="For example half-adder; see 'adderlab tasks'.",
            autocompletion=completion.task,
        ),
    ] = None,
    *,
    seed: Annotated[int, typer.Option(parser=integer, help="As given to torch.manual_seed.")] = 0,
    member: Annotated[
        int | None,
        typer.Option(
            parser=integer, metavar="I", help="Train member I of this seed's population, alone."
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            parser=integer, metavar="N", help="Train members 0 to N-1 of the seed at once."
        ),
    ] = None,
    settings: dict[str, Any],
    stop_margin: Annotated[
        float | None,
        typer.Option(metavar="M", help="Stop when every row is right by more than this."),
    ] = None,
    replay: Annotated[
        Path | None,
        typer.Option(
            "--replay",
            metavar="NET",
            help="Train this network again and compare the bytes.",
            autocompletion=completion.NETWORKS,
        ),
    ] = None,
    keep: Annotated[
        str,
        typer.Option(
            metavar="none|start|weights|every:K",
            help="With --seeds, the tensors kept in RUN.",
            autocompletion=completion.words(*completion.KEEPS),
        ),
    ] = "start",
    explain: Annotated[
        bool, typer.Option(help="With --seeds, measure causes and what helps too.")
    ] = True,
    threads: Annotated[
        int | None,
        typer.Option(parser=integer, metavar="N", help="With --seeds, the threads used; else all."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="NET|RUN", help="A file; with --seeds a folder."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train a network as the notebook does, then prove or refute it."""
    from adderlab.cli.output import Screen

    screen = Screen(as_json=as_json)
    settings |= {"seed": seed, "member": member, "stop_margin": stop_margin}
    if replay is not None:
        _replay(screen, replay, settings, others=(task, seeds, out))
    if task is None:
        raise OptionError("no task is named", where="TASK", remedy="name one, like half-adder")
    if seeds is not None:
        _train_population(
            screen, task, seeds, settings, out=out, keep=keep, explain=explain, threads=threads
        )
        return
    for option, is_given in (
        ("--keep", keep != "start"),
        ("--threads", threads is not None),
        ("--no-explain", not explain),
    ):
        if is_given:
            raise OptionError("it is for populations", where=option, remedy="add --seeds N")
    _train_one(screen, task, settings, out)


def _replay(screen: Screen, path: Path, settings: dict[str, Any], others: tuple[Any, ...]) -> None:
    """Train a network again from its record and say whether the bytes agree."""
    from adderlab.training import Settings
    from adderlab.verbs.replay import replay as train_again

    if settings != asdict(Settings()) or any(other is not None for other in others):
        raise OptionError(
            "the file says all there is to know",
            where="--replay",
            remedy="give no task, settings or -o beside it",
        )

    def on_loss(step: int, loss: float) -> None:
        screen.line(f"step {step}, loss {loss:.4f}")

    replay = train_again(path, on_loss=on_loss)
    screen.show(replay.blocks())
    screen.json(replay.to_dict())
    raise typer.Exit(HOLDS if replay else REFUTED)


def _train_one(screen: Screen, task: str, settings: dict[str, Any], out: Path | None) -> None:
    from adderlab.tasks import task_named
    from adderlab.training import make_settings
    from adderlab.verbs.train import heading
    from adderlab.verbs.train import train as train_network

    chosen = make_settings(**settings)
    lines = [heading(task_named(task), chosen)]

    def begin() -> None:  # not before the first result: a run that is refused prints nothing
        while lines:
            screen.line(lines.pop())

    def on_loss(step: int, loss: float) -> None:
        begin()
        screen.line(f"Epoch [{step}/{chosen.steps}], Loss: {loss:.4f}")

    trained = train_network(task, out=out, on_loss=on_loss, **settings)
    begin()
    is_kept = trained.file is not None or trained.network is None
    screen.show(trained.blocks(), unwritten="" if is_kept else "NET")
    screen.json(trained.to_dict())
    raise typer.Exit(
        EXIT_OF_VERDICT[trained.proof.verdict] if trained.proof is not None else REFUTED
    )


def _train_population(
    screen: Screen,
    task: str,
    seeds: int,
    settings: dict[str, Any],
    *,
    out: Path | None,
    keep: str,
    explain: bool,
    threads: int | None,
) -> None:
    """Train a population with progress, print what came out."""
    from adderlab.blocks.numbers import counted
    from adderlab.verbs.train_many import train_many

    each = max(settings["steps"], 1)
    with screen.progress() as bar:
        job = bar.add_task("training", total=seeds * each, rate="")

        def on_progress(done: int) -> None:
            bar.update(job, advance=done)
            speed = bar.tasks[0].speed
            if speed:
                bar.update(job, rate=f"{speed / each:.0f} networks/s")

        def on_stage(text: str) -> None:
            bar.update(job, description=text)

        def on_total(steps: int) -> None:
            bar.update(job, total=steps)

        def on_choice(choice: Choice) -> None:
            networks = counted(seeds, "network")
            bar.console.print(f"training {networks} by {choice.path} ({choice.why})")

        def on_compile(text: str) -> None:
            bar.console.print(text)

        census = train_many(
            task,
            seeds=seeds,
            out=out,
            keep=keep,
            explain=explain,
            threads=threads,
            on_progress=on_progress,
            on_total=on_total,
            on_choice=on_choice,
            on_stage=on_stage,
            on_compile=on_compile,
            **settings,
        )
    screen.show(census.blocks(), unwritten="" if census.folder else "RUN")
    screen.json(census.to_dict())
