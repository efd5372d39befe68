"""The census of a population: the result that is printed, written, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab.blocks import Block, Result
from adderlab.proving import Verdict
from adderlab.runs.populations.census_blocks import census_blocks
from adderlab.runs.populations.failures import FailureKind, SymptomCount
from adderlab.runs.populations.losses import LossQuantiles
from adderlab.runs.populations.solutions import BestMember, Solutions
from adderlab.runs.times import Times
from adderlab.tasks import Task
from adderlab.training import Settings
from adderlab.training.census.rates import Rate
from adderlab.training.census.surveys import Survey
from adderlab.training.census.symptoms import SYMPTOM_NAMED

if TYPE_CHECKING:
    from adderlab.runs.populations.plan import Plan

BEST: Final = "best.safetensors"
CENSUS: Final = "census.parquet"


def fault_of_result(plan: Plan, result: Mapping[str, Any]) -> str:
    """Return why what a record holds is not a result of the plan; empty if it is one."""
    from adderlab.runs.populations.schema import RESULT, fault_of

    fault = fault_of(RESULT, result)
    if fault:
        return fault
    for name, value in (("task", plan.task.name), ("networks", plan.networks)):
        if result[name] != value:
            return f"{name}: not {value}"
    solutions = result["solutions"]
    if (
        len({bool(n) for n in (result["successes"], solutions["classes"], solutions["commonest"])})
        > 1
    ):
        return "solutions: they are not those of the successes"
    task, most = plan.task, plan.networks
    members = [entry["member"] for entry in result["failures"]]
    members += [entry["member"] for entry in result["solutions"]["commonest"]]
    members += [result["best"]["member"]] if result["best"] is not None else []
    if max((result["successes"], result["diverged"], *members)) > most:
        return f"a number is beyond the {most} networks"
    if any(
        entry["table"] and (len(entry["table"]) != task.rows or max(entry["table"]) >> task.n_out)
        for entry in result["failures"]
    ):
        return f"failures: a table is none of {task.name}"
    symptoms = [*result["causes"], *(c for kind in result["failures"] for c in kind["causes"])]
    if any(entry["cause"] not in SYMPTOM_NAMED for entry in symptoms):
        return "causes: there is no such cause"
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class Census(Result):
    """The census of a population: how many members are right, and how the others fail.

    Attributes:
        task: the task they were trained for.
        settings: of every member.
        networks: how many members there are.
        successes: how many of them are right on every row.
        seconds: how long training took.
        path: the engine that trained them.
        why: why this engine.
        failures: the commonest kinds of failure, the commonest first.
        wrong_tables: how many different wrong truth tables there are.
        diverged: how many members have non-finite weights.
        symptoms: the symptoms of all failures together.
        successes_by_step: pairs of a step and how many were right from there on.
        losses: the quantiles of the members' losses.
        solutions: how many different solutions there are.
        survey: success rates with one setting changed; empty if they were not measured.
        best: the right member of the largest margin; ``None`` if none is right.
        keep: which tensors are in ``blocks/``.
        best_proof: the verdict on the best member.
        folder: where it was written, if it was.
        was_done: whether it was finished before, so that nothing was trained now.
        repaired: the files in the folder that were damaged and written again.
        times: how long everything took, and its parts.
    """

    task: Task
    settings: Settings
    networks: int
    successes: int
    seconds: float
    path: str
    why: str
    failures: tuple[FailureKind, ...]
    wrong_tables: int
    diverged: int
    symptoms: tuple[SymptomCount, ...]
    successes_by_step: tuple[tuple[int, int], ...]
    losses: LossQuantiles
    solutions: Solutions
    survey: Survey
    best: BestMember | None
    keep: str
    best_proof: Verdict | None = None
    folder: Path | None = None
    was_done: bool = False
    repaired: tuple[str, ...] = ()
    times: Times = field(default_factory=Times)

    @property
    def rate(self) -> Rate:
        """The success rate with its interval."""
        return Rate(self.successes, self.networks)

    def record(self) -> dict[str, Any]:
        """Return what ``run.json`` keeps; file names are relative to its folder.

        What was run: ``task``, ``settings``, ``networks``, ``path``, ``why``, ``seconds``,
        ``keep``. How many are right: ``successes``, ``success_rate``, its ``interval``,
        ``successes_by_step``, ``solutions``, ``best``. The others: ``failures``,
        ``failure_tables``, ``diverged``, ``causes``. All: ``losses``. What would help: the keys
        of :meth:`Survey.to_dict`.
        """
        settings = asdict(self.settings)
        del settings["member"]
        if isinstance(self.settings.hidden, tuple):
            settings["hidden"] = list(self.settings.hidden)
        return {
            "task": self.task.name,
            "settings": settings,
            "networks": self.networks,
            "successes": self.successes,
            "success_rate": self.rate.share,
            "interval": list(self.rate.interval),
            "seconds": self.seconds,
            "path": self.path,
            "why": self.why,
            "failures": [kind.to_dict() for kind in self.failures],
            "failure_tables": self.wrong_tables,
            "diverged": self.diverged,
            "causes": [symptom.to_dict() for symptom in self.symptoms],
            "successes_by_step": [list(pair) for pair in self.successes_by_step],
            "losses": self.losses.to_dict(),
            "solutions": self.solutions.to_dict(),
            **self.survey.to_dict(),
            "best": self._best(BEST),
            "keep": self.keep,
        }

    @classmethod
    def from_record(cls, plan: Plan, record: Mapping[str, Any]) -> Census:
        """Return the census of a finished run.

        Args:
            plan: of the run.
            record: what :meth:`record` gave.
        """
        best = record["best"]
        return cls(
            task=plan.task,
            settings=plan.settings,
            networks=record["networks"],
            successes=record["successes"],
            seconds=record["seconds"],
            path=record["path"],
            why=record["why"],
            failures=tuple(map(FailureKind.from_dict, record["failures"])),
            wrong_tables=record["failure_tables"],
            diverged=record["diverged"],
            symptoms=tuple(map(SymptomCount.from_dict, record["causes"])),
            successes_by_step=tuple((step, count) for step, count in record["successes_by_step"]),
            losses=LossQuantiles.from_dict(record["losses"]),
            solutions=Solutions.from_dict(record["solutions"]),
            survey=Survey.from_dict(record),
            best=BestMember.from_dict(best) if best is not None else None,
            keep=record["keep"],
        )

    def _best(self, file: str | None) -> dict[str, Any] | None:
        if self.best is None:
            return None
        verdict = self.best_proof.verdict if self.best_proof is not None else None
        return {**self.best.to_dict(), "verdict": verdict, "file": file}

    def to_dict(self) -> dict[str, Any]:
        folder = str(self.folder) if self.folder is not None else None
        file = str(self.folder / BEST) if self.folder is not None else None
        return {
            **self.record(),
            "best": self._best(file),
            "folder": folder,
            "was_done": self.was_done,
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return how often it worked, what failures look like, their causes, what helps."""
        return tuple(census_blocks(self))

    def __repr__(self) -> str:
        low, high = self.rate.interval
        return (
            f"Census: {self.successes / self.networks:.1%} of {self.networks} networks right "
            f"({low:.1%} to {high:.1%})"
        )
