"""``train``: train one network or a population, then say exactly what came out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab import fragments
from adderlab.errors import OptionError, OutputError
from adderlab.nets import save
from adderlab.nets.truth import truth_fragment
from adderlab.proving import Verdict, prove
from adderlab.tasks import Task, task_named
from adderlab.training import Settings
from adderlab.training.loop import TrainingRun, train_network
from adderlab.training.population import Population, train_population, wilson_interval
from adderlab.writing import check_folder, check_place, new_folder

if TYPE_CHECKING:
    from adderlab.nets import Network

LARGEST_POPULATION: Final = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
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
        """Return it for JSON."""
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

    def to_html(self) -> str:
        """Return it for a notebook: losses, rows, parameters, verdict."""
        run = self.run
        title = f"Trained with {whose(run.settings)}: accuracy {run.accuracy:.4f}"
        losses = fragments.table(
            ("step", "loss"), ((step, f"{loss:.4f}") for step, loss in run.losses)
        )
        if self.proof is None or run.network is None:
            return fragments.block(losses, fragments.line("the weights left the finite numbers"))
        parts = [losses, truth_fragment(run.network, run.task)]
        parts += [fragments.line(f"hidden unit {n} is off on every row") for n in run.dead_units]
        parts += [
            run.network.to_html(),
            self.proof.to_html(),
        ]
        return fragments.block(*parts, title=title)

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        end = repr(self.proof) if self.proof is not None else "diverged: weights left the numbers"
        return f"Trained with {whose(self.run.settings)}, loss {self.run.loss:.4f}\n{end}"


def whose(settings: Settings) -> str:
    """Return whose draws a run has: ``seed 0``, or ``seed 0, member 17``."""
    member = "" if settings.member is None else f", member {settings.member}"
    return f"seed {settings.seed}{member}"


@dataclass(frozen=True, slots=True)
class Help:
    """A measured success rate: what was changed, and how often that worked."""

    change: str
    option: str
    successes: int
    networks: int

    @property
    def rate(self) -> float:
        """The share of networks that came out right."""
        return self.successes / self.networks


def success_rates() -> dict[str, Any]:
    """Return the success rates that ``benchmarks/success_rates.py`` measured, with their date."""
    text = resources.files("adderlab.training").joinpath("success_rates.json").read_text("utf-8")
    return json.loads(text)


def what_helps(task: Task, settings: Settings) -> tuple[Help, ...]:
    """Return measured rates for the lecture's settings, one change each; else nothing."""
    if not (task.n_in == 2 and task.name in ("half-adder", "adder:1") and settings.is_lecture):
        return ()
    return tuple(Help(**entry) for entry in success_rates()["rates"])


def train(
    task: Task | str = "half-adder",
    *,
    out: str | Path | None = None,
    on_loss: Callable[[int, float], None] = lambda step, loss: None,
    **settings: Any,
) -> Trained:
    """Train one network with the notebook's settings, or others, and prove or refute it.

    Args:
        task: a task or its name.
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
        ((100, 0.13...),)
    """
    target = task_named(task) if isinstance(task, str) else task
    told = make_settings(**settings)
    if out is not None:
        check_place(out)
    run = train_network(target, told, on_loss=on_loss)
    if run.network is None:
        return Trained(run, None)
    proof = prove(run.network, target)
    file = save(run.network, out) if out is not None else None
    helps = () if proof else what_helps(target, told)
    return Trained(run, proof, helps, file)


def make_settings(**settings: Any) -> Settings:
    """Return settings from keywords, refusing unknown ones by name."""
    known = Settings.__dataclass_fields__
    unknown = [name for name in settings if name not in known]
    if unknown:
        raise OptionError(
            f"unknown setting {unknown[0]!r}", where="train", remedy=f"one of {', '.join(known)}"
        )
    return Settings(**settings)


@dataclass(frozen=True, slots=True, eq=False)
class Census:
    """What a population did.

    Attributes:
        population: its members.
        best_proof: the verdict on the best member; ``None`` if none is right.
        folder: where it was written, if it was.
    """

    population: Population
    best_proof: Verdict | None
    folder: Path | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        run = self.population
        total = len(run.members)
        best = run.best
        return {
            "task": run.task.name,
            "settings": asdict(run.settings),
            "networks": total,
            "successes": run.successes,
            "success_rate": run.successes / total,
            "interval": list(wilson_interval(run.successes, total)),
            "seconds": round(run.seconds, 3),
            "path": run.path,
            "failures": [{"table": list(table), "count": count} for table, count in run.failures()],
            "best": None
            if best is None
            else {
                "member": best.member,
                "seed": best.seed,
                "margin": best.margin,
                "verdict": self.best_proof.verdict if self.best_proof is not None else None,
                "file": str(self.folder / "best.safetensors") if self.folder else None,
            },
            "folder": str(self.folder) if self.folder is not None else None,
        }

    def to_html(self) -> str:
        """Return it for a notebook: the rate, and the commonest wrong truth tables."""
        population = self.population
        rows = [
            (
                count,
                f"{count / len(population.members):.1%}",
                " ".join(map(str, table)) or "diverged",
            )
            for table, count in population.failures()[:8]
        ]
        columns = ("networks", "share", "wrong truth table")
        return fragments.block(fragments.table(columns, rows, left=columns[2:]), title=repr(self))

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        total = len(self.population.members)
        low, high = wilson_interval(self.population.successes, total)
        rate = self.population.successes / total
        return f"Census: {rate:.1%} of {total} networks right ({low:.1%} to {high:.1%})"


def train_many(
    task: Task | str = "half-adder",
    *,
    seeds: int,
    out: str | Path | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
    **settings: Any,
) -> Census:
    """Train networks from as many consecutive seeds at once and say how often it works.

    Args:
        task: a task or its name.
        seeds: how many networks; the first seed is ``seed``.
        out: a folder for ``run.json``, ``census.parquet`` and ``best.safetensors``.
        on_progress: called with the network-steps done since the last call.
        **settings: as of :func:`train`.

    Raises:
        OptionError: a setting is out of its range.
        OutputError: ``out`` can't be written, or holds something else.
        ResourceError: the population would not fit in memory.
    """
    target = task_named(task) if isinstance(task, str) else task
    told = make_settings(**settings)
    if not 1 <= seeds <= LARGEST_POPULATION:
        raise OptionError(
            f"got {seeds}", where="--seeds", remedy=f"give a number in 1..{LARGEST_POPULATION}"
        )
    if told.seed + seeds > 1 << 32:
        raise OptionError(
            f"seeds {told.seed} to {told.seed + seeds - 1} leave 32 bits",
            where="--seed",
            remedy="take a smaller one",
        )
    if out is not None:
        _check_run_folder(Path(out))
    population = train_population(target, told, seeds, on_progress=on_progress)
    best = population.best
    proof = prove(population.network(best), target) if best is not None else None
    census = Census(population, proof, Path(out) if out is not None else None)
    if out is not None:
        _write_run(census, Path(out))
    return census


def _check_run_folder(folder: Path) -> None:
    check_folder(folder)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "run.json").is_file():
        raise OutputError(
            "the folder holds other files", where=str(folder), remedy="name a new folder"
        )


def _write_run(census: Census, folder: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    members = census.population.members
    columns: dict[str, Any] = {
        "member": pa.array([m.member for m in members], pa.int64()),
        "seed": pa.array([m.seed for m in members], pa.int64()),
        "loss": pa.array([m.loss for m in members], pa.float64()),
        "is_right": pa.array([m.is_right for m in members], pa.bool_()),
        "rows_right": pa.array([m.rows_right for m in members], pa.int32()),
        "table": pa.array([list(m.table) for m in members], pa.list_(pa.int64())),
        "margin": pa.array([m.margin for m in members], pa.float64()),
        "dead_units": pa.array([m.dead_units for m in members], pa.int32()),
    }
    with new_folder(folder) as scratch:
        parquet.write_table(pa.table(columns), scratch / "census.parquet")
        best = census.population.best
        if best is not None:
            _ = save(census.population.network(best), scratch / "best.safetensors")
        text = json.dumps(census.to_dict(), indent=2, allow_nan=False)
        _ = (scratch / "run.json").write_text(text + "\n", encoding="utf-8")
    if census.population.best is None:
        (folder / "best.safetensors").unlink(missing_ok=True)


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
