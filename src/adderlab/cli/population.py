"""``adderlab train --seeds``: a population, its census in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adderlab.cli.output import Screen
    from adderlab.training.choice import Choice


def run_population(
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

        def on_choice(choice: Choice) -> None:
            bar.console.print(f"training {seeds} networks by {choice.path} ({choice.why})")

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
            on_choice=on_choice,
            on_stage=on_stage,
            on_compile=on_compile,
            **settings,
        )
    screen.show(census.blocks(), unwritten="" if census.folder else "RUN")
    screen.json(census.to_dict())
