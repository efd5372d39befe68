"""``train``: train one network, then prove or refute it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from adderlab.blocks import Block, Line, Result, written_lines
from adderlab.blocks.numbers import counted
from adderlab.checking import checked
from adderlab.nets import save
from adderlab.nets.files import check_network_place
from adderlab.nets.sources import paths_of
from adderlab.nets.truth import LARGEST_TABLE, rows_to_show, truth_table
from adderlab.proving import Verdict
from adderlab.tasks import Task, TaskLike, as_task
from adderlab.training import Settings, TrainingOptions, keywords_of, make_settings
from adderlab.training.census.rates import Rate
from adderlab.training.census.surveys import Help
from adderlab.training.settings import LARGEST_ROWS, options_text
from adderlab.verbs.prove import prove

if TYPE_CHECKING:
    from adderlab.nets import Network
    from adderlab.training.loop import TrainingRun


@dataclass(frozen=True, slots=True, eq=False)
class Trained(Result):
    """One trained network with its proof.

    Attributes:
        run: how the training went.
        proof: whether the network computes the task; ``None`` if training diverged.
        helps: measured success rates of other settings, where they are known.
        file: where it was written, if it was.
    """

    run: TrainingRun
    proof: Verdict | None
    helps: tuple[Help, ...] = ()
    file: Path | None = None

    @property
    def network(self) -> Network | None:
        """The trained network; ``None`` if training diverged."""
        return self.run.network

    def __bool__(self) -> bool:
        return bool(self.proof)

    def to_dict(self) -> dict[str, Any]:
        run = self.run
        return {
            "task": run.task.name,
            "seed": run.settings.seed,
            "member": run.settings.member,
            "stopped_at": run.stopped_at,
            "settings": asdict(run.settings),
            "loss": _finite(run.loss),
            "data_loss": _finite(run.data_loss),
            "losses": [[step, _finite(loss)] for step, loss in run.losses],
            "accuracy": run.accuracy if run.network is not None else None,
            "rows_right": self.proof.rows_right if self.proof is not None else 0,
            "dead_units": list(run.dead_units),
            "missing_rows": list(run.missing_rows) if run.missing_rows is not None else None,
            "diverged": run.network is None,
            "proof": self.proof.to_dict() if self.proof is not None else None,
            "seconds": round(run.seconds, 6),
            "file": str(self.file) if self.file is not None else None,
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return accuracy, rows, parameters, the verdict, and what would help."""
        run = self.run
        if run.network is None or self.proof is None:
            text = "diverged: the weights became non-finite, nothing was written; take a smaller lr"
            return (Line(text, "bad"),)
        data = run.settings.data
        over = (
            "every row once"
            if data == "table"
            else f"the {counted(run.settings.samples, 'sample')}"
        )
        shown: list[Block] = []
        if run.stopped_at < run.settings.steps:
            margin = f"every row is right by more than {run.settings.stop_margin:g}"
            shown.append(Line(f"stopped at step {run.stopped_at}: {margin}"))
        shown.append(Line(f"Accuracy: {run.accuracy:.4f}  (over {over})"))
        if self.proof.rows_right is not None:
            shown.append(Line(f"Rows right: {self.proof.rows_right} of {self.proof.rows}"))
        if run.task.rows <= LARGEST_TABLE:
            shown.append(truth_table(run.task, rows_to_show(run.network, run.task)))
        shown += run.network.blocks()
        shown += self.proof.blocks()
        shown += [Line(f"hidden unit {unit} is off on every row") for unit in run.dead_units]
        if run.missing_rows:
            inputs = [run.task.row(index).inputs.values() for index in run.missing_rows[:8]]
            missing = ", ".join(",".join(map(str, words)) for words in inputs)
            more = len(run.missing_rows) - len(inputs)
            rows = counted(len(run.missing_rows), "row")
            shown.append(
                Line(f"the samples lack {rows}: {missing}" + (f" and {more} more" if more else ""))
            )
        if self.proof.verdict == "refuted":
            shown.append(Line(self.helps_text()))
        shown += written_lines(self.file)
        return tuple(shown)

    def helps_text(self) -> str:
        """Return one line with the measured rates of what helps, and of what does not."""
        if not self.helps:
            return _untried_text(self.run.task, self.run.settings)
        ranked = sorted(self.helps, key=lambda change: -(change.rate.share or 0.0))
        base = ranked[0].base
        least = (base.share or 0.0) + 0.01
        better = [change for change in ranked if (change.rate.share or 0.0) > least]
        rest = [change for change in ranked if change not in better]
        helping = ", ".join(map(_rate_text, better))
        useless = "".join(
            f"; {change.change} does not: {change.rate.share:.0%} ({change.option})"
            for change in rest
        )
        return (
            f"what helps, measured over {base.of} runs each: {helping}, "
            f"another seed and nothing else {base.share:.0%}{useless}"
        )

    def __repr__(self) -> str:
        end = self.proof.summary() if self.proof is not None else "diverged: non-finite weights"
        return f"Trained with {seed_text(self.run.settings)}, loss {self.run.loss:.4f}: {end}"


def _rate_text(change: Help) -> str:
    return f"{change.change} {change.rate.share:.0%} ({change.option})"


def seed_text(settings: Settings) -> str:
    """Return the seed of a run's draws: ``seed 0``, or ``seed 0, member 17``."""
    member = "" if settings.member is None else f", member {settings.member}"
    return f"seed {settings.seed}{member}"


def _untried_text(task: Task, settings: Settings) -> str:
    """Return what may help where nothing was measured, and the command that measures it."""
    changes = ["more hidden units", "another seed"]
    changes += ["tanh"] if settings.activation != "tanh" else []
    text = f"what may help: {', '.join(changes)}"
    if task.rows > LARGEST_ROWS:  # too many for a population
        return text
    command = f"adderlab train {shlex.quote(task.name)} --seeds 1000{options_text(settings)}"
    return f"{text}; measure how often with {command}"


def is_measured(task: Task, settings: Settings) -> bool:
    """Return whether :func:`success_rates` speaks of these settings: the lecture's, of any seed."""
    return task.n_in == 2 and task.name in ("half-adder", "adder:1") and settings.is_lecture


def heading(task: Task, settings: Settings) -> str:
    """Return the line above a run: its seed and, of the lecture's run, why it is the default."""
    if settings.seed == 0 and is_measured(task, settings):
        why = "the default was chosen because it works; about half the seeds do not"
        return f"{seed_text(settings)} ({why})"
    return seed_text(settings)


def success_rates() -> dict[str, Any]:
    """Return the success rates that ``benchmarks/success_rates.py`` measured, with their date."""
    text = resources.files("adderlab.training").joinpath("success_rates.json").read_text("utf-8")
    return json.loads(text)


def what_helps(task: Task, settings: Settings) -> tuple[Help, ...]:
    """Return measured rates for the lecture's settings, one change each; else nothing."""
    if not is_measured(task, settings):
        return ()
    first, *others = success_rates()["rates"]
    base = Rate(first["successes"], first["networks"])
    return tuple(
        Help(entry["change"], entry["option"], Rate(entry["successes"], entry["networks"]), base)
        for entry in others
    )


@checked
def train(
    task: TaskLike = "half-adder",
    *,
    out: str | Path | None = None,
    on_loss: Callable[[int, float], None] = lambda step, loss: None,
    **settings: Unpack[TrainingOptions],
) -> Trained:
    """Train one network with the notebook's settings, or others, and prove or refute it.

    Args:
        task: a task, its name or a table.
        out: where to write the network; it is written whatever the verdict, with the record
            that trains it again.
        on_loss: called with step and loss every 100 steps.
        **settings: fields of :class:`adderlab.training.Settings`: ``hidden``, ``seed``, ``lr``,
            ``steps``, ``batch``, ``samples``, ``optimizer``, ``loss``, ``activation``, ``member``
            and so on.

    Raises:
        OptionError: a setting is out of its range, or there is none of that name.
        OutputError: ``out`` can't be written.

    Examples:
        >>> import adderlab
        >>> adderlab.train("half-adder", seed=0, steps=100).run.losses
        ((100, 0.07...),)
    """
    from adderlab.training.loop import train_network

    target = as_task(task)
    chosen = make_settings("train", keywords_of(train), **settings)
    if out is not None:
        check_network_place(out, read=paths_of(None, task))
    run = train_network(target, chosen, on_loss=on_loss)
    if run.network is None:
        return Trained(run, None)
    proof = prove(run.network, target)
    file = save(run.network, out) if out is not None else None
    helps = () if proof else what_helps(target, chosen)
    return Trained(run, proof, helps, file)


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
