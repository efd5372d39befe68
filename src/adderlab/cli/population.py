"""``adderlab train --seeds``: a population, its census in words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from adderlab.cli.output import Screen
    from adderlab.runs.populations import Census
    from adderlab.tasks import Task
    from adderlab.training.choice import Choice

MOST_TABLES: Final = 10
MOST_ROWS: Final = 8
CAUSES: Final = {
    "dead_at_start": "dead unit at start",
    "died": "unit died",
    "stuck": "loss stuck",
    "still_falling": "loss still falling",
    "diverged": "diverged",
}
SHORT: Final = {
    "dead_at_start": "dead unit",
    "died": "unit died",
    "stuck": "stuck",
    "still_falling": "steps",
    "diverged": "lr",
}
"""What a symptom is called where it was shown to be a cause."""


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
    print_census(screen, census)
    screen.json(census.to_dict())


def print_census(screen: Screen, census: Census) -> None:
    """Print how often it worked, what the failures look like, why, and what helps."""
    found = census.to_dict()
    low, high = found["interval"]
    for name in census.mended:
        screen.say(f"{name} was damaged and was made again", style="yellow")
    if census.was_done:
        screen.say("this run was finished before: nothing was trained now")
    screen.say(
        f"{found['successes']} of {found['networks']} networks are right on every row: "
        f"{found['success_rate']:.1%} (95 % Wilson interval {low:.1%} to {high:.1%})",
        style="bold",
    )
    rate = found["seconds"] / found["networks"] * 1e6
    screen.say(
        f"{found['seconds']:.1f} s by {found['path']} ({found['why']}), "
        f"{micro_text(rate)} a network"
    )
    _print_speed(screen, found)
    _print_failures(screen, found, census.task)
    _print_causes(screen, found)
    _print_helps(screen, found)
    _print_solutions(screen, found)
    best = found["best"]
    if best is not None:
        screen.say()
        screen.say(
            f"best: member {best['member']} of seed {best['seed']}, margin {best['margin']:.4f}, "
            f"{best['verdict']} in exact arithmetic; alone: adderlab train {found['task']} "
            f"--seed {best['seed']} --member {best['member']}"
        )
    screen.say(f"written to {census.folder}" if census.folder else "not written (add -o RUN)")


def _print_speed(screen: Screen, found: dict[str, Any]) -> None:
    """Say by which step half of the successes were right, and nine tenths."""
    if not found["successes"] or not found["settings"]["steps"]:
        return
    told: list[str] = []
    for share, name in ((0.5, "half"), (0.9, "nine tenths")):
        wanted = share * found["successes"]
        step = next((at for at, count in found["successes_by_step"] if count >= wanted), None)
        if step is not None:
            told.append(f"{name} by step {step}")
    screen.say(f"of those that are right, {', '.join(told)} and from then on")


def _print_failures(screen: Screen, found: dict[str, Any], task: Task) -> None:
    failures = found["failures"]
    if not failures:
        return
    header: list[str] = []
    if task.rows <= MOST_ROWS:
        header = [",".join(map(str, task.row(index).inputs.values())) for index in range(task.rows)]
    kinds = found["failure_tables"] + bool(found["diverged"])
    screen.heading(f"wrong truth tables, {kinds} in all, most frequent first")
    named = any(one["is_cause"] is not None for entry in failures for one in entry["causes"])
    screen.table(
        ("networks", "share", *(header or ["table"]), *(("caused by",) if named else ())),
        [
            (
                entry["count"],
                f"{entry['count'] / found['networks']:.1%}",
                *((entry["table"] or ["diverged"] * len(header)) if header else [entry["code"]]),
                *((_named(entry["causes"]),) if named else ()),
            )
            for entry in failures[:MOST_TABLES]
        ],
        left=("caused by",),
    )


def _named(causes: list[dict[str, Any]]) -> str:
    """Return the symptoms that were shown to be causes."""
    return ", ".join(SHORT[one["cause"]] for one in causes if one["is_cause"]) or "-"


def _print_causes(screen: Screen, found: dict[str, Any]) -> None:
    causes = found["causes"]
    if not causes:
        return
    tried = any(one["trial"] for one in causes)
    changed = ", and how many are right once that alone is changed" if tried else ""
    screen.heading(f"what is seen of the failures{changed}")
    rows: list[tuple[str, ...]] = []
    for one in causes:
        trial = one["trial"]
        rows.append(
            (
                CAUSES[one["cause"]],
                _percent(one["share"]),
                _percent(one["among_successes"]),
                _trial(trial["mended"]) if trial else "-",
                _trial(trial["control_mended"]) if trial else "-",
                {True: "yes", False: "no", None: "?"}[one["is_cause"]],
            )
        )
    columns = ("seen", "failures", "successes", "changed", "beside it", "cause")
    shown = len(columns) if tried else 3
    screen.table(columns[:shown], [row[:shown] for row in rows], left=(columns[0], "cause"))
    for one in causes:
        if one["trial"]:
            trial = one["trial"]
            screen.say(
                f"  {CAUSES[one['cause']]} ({one['text']}): {trial['change']} in "
                f"{trial['mended']['of']} failures; beside it, {trial['control']}"
            )


def _trial(rate: dict[str, Any]) -> str:
    if not rate["of"]:
        return "-"
    low, high = rate["interval"]
    return f"{rate['share']:.0%} ({100 * low:.0f}-{high:.0%})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _print_helps(screen: Screen, found: dict[str, Any]) -> None:
    helps = found["helps"]
    if not helps:
        return
    screen.heading(
        f"what helps, measured over members 0 to {helps[0]['networks'] - 1} each time "
        f"(unchanged, the same members: {helps[0]['unchanged']['share']:.1%})"
    )
    screen.table(
        ("change", "right", "95 % interval", "helps", "option"),
        [
            (
                one["change"],
                f"{one['rate']:.1%}",
                f"{one['interval'][0]:.1%} to {one['interval'][1]:.1%}",
                "yes" if one["is_better"] else "-",
                one["option"],
            )
            for one in sorted(helps, key=lambda one: -one["rate"])
        ],
        left=("change", "helps", "option"),
    )


def _print_solutions(screen: Screen, found: dict[str, Any]) -> None:
    solutions = found["solutions"]
    if not solutions["classes"]:
        return
    screen.heading(
        f"solutions found: {solutions['patterns']} on/off patterns, {solutions['classes']} "
        "classes up to permutation and scaling of units"
    )
    first = solutions["commonest"][0]
    if len(first["class"]) <= 60:
        screen.say(
            f"  the commonest, {first['share']:.1%} of the successes: {first['class']} (each "
            "unit's rows on and off, and the signs of its outgoing weights)"
        )


def micro_text(value: float) -> str:
    """Return microseconds in the unit that they are read best in.

    Examples:
        >>> micro_text(1.25), micro_text(228687.5), micro_text(3.2e6)
        ('1.2 µs', '229 ms', '3.2 s')
    """
    units = ((1e6, "s"), (1e3, "ms"), (1.0, "µs"))
    unit, name = next((one for one in units if value >= one[0]), units[-1])
    shown = value / unit
    return f"{shown:.1f} {name}" if shown < 100 else f"{shown:.0f} {name}"
