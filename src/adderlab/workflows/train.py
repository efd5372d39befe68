"""``train``: train one network, then say exactly what came out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adderlab import fragments
from adderlab.errors import OptionError
from adderlab.nets import save
from adderlab.nets.truth import truth_fragment
from adderlab.proving import Verdict, prove
from adderlab.tasks import Task, task_named
from adderlab.training import Settings
from adderlab.writing import check_place

if TYPE_CHECKING:
    from adderlab.nets import Network
    from adderlab.training.loop import TrainingRun


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
        ((100, 0.07...),)
    """
    from adderlab.training.loop import train_network

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


def _finite(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
