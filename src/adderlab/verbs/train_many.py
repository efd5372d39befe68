"""``train_many``: train a population, say how often it works and why it fails where it does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from adderlab.checking import checked
from adderlab.errors import OptionError, OutputError
from adderlab.packages import check_installed
from adderlab.runs.populations.census import Census
from adderlab.runs.populations.ledger import Ledger
from adderlab.runs.populations.plan import Plan, check_threads, this_machine
from adderlab.runs.populations.run import PopulationRun, finished_census
from adderlab.tasks import TaskLike, as_task
from adderlab.training import TrainingOptions, keywords_of, make_settings

if TYPE_CHECKING:
    from adderlab.training.choice import Choice


@checked
def train_many(
    task: TaskLike = "half-adder",
    *,
    seeds: int,
    out: str | Path | None = None,
    keep: str = "start",
    explain: bool = True,
    helps: bool | None = None,
    draw: bool = True,
    threads: int | None = None,
    on_progress: Callable[[int], None] = lambda done: None,
    on_total: Callable[[int], None] = lambda steps: None,
    on_choice: Callable[[Choice], None] = lambda choice: None,
    on_stage: Callable[[str], None] = lambda text: None,
    on_compile: Callable[[str], None] = lambda text: None,
    **settings: Unpack[TrainingOptions],
) -> Census:
    """Train many networks at once and say how often it works, and why it fails where it does.

    Member ``i`` is a function of ``seed`` and ``i`` alone: ``train(task, seed=S, member=i)``
    trains it by itself.

    Args:
        task: a task, its name or a table.
        seeds: how many networks.
        out: a folder for ``run.json``, ``blocks/``, ``census.parquet``, ``best.safetensors`` and
            figures. If it holds the same run, unfinished, that is resumed.
        keep: which tensors are kept in ``blocks/``: ``none``, ``start``, ``weights`` or
            ``every:K``; the start is in the census too.
        explain: whether causes are tried, by training failures again with one thing changed.
        helps: whether it is measured what helps, by training some networks with one setting
            changed; as ``explain`` unless given.
        draw: whether figures are drawn into the folder.
        threads: how many are used; all cores unless given. The result does not depend on it.
        on_progress: called with the network-steps done since the last call, those of trying causes
            and of what helps among them.
        on_total: called with how many there are to be, before anything is trained.
        on_choice: called with the engine and why, before anything is trained.
        on_stage: called with what is being done, when that changes.
        on_compile: called with one line before a kernel is compiled.
        **settings: as of :func:`adderlab.train`.

    Raises:
        OptionError: a setting is out of its range.
        OutputError: ``out`` can't be written, or holds something else.
        RunFileError: a file in ``out`` does not hold what the run's record says of it.
        ResourceError: the population would not fit in memory or on the disk.

    Examples:
        >>> import adderlab
        >>> adderlab.train_many("half-adder", seeds=20, steps=300, explain=False).networks
        20
    """
    target = as_task(task)
    check_threads(threads)
    chosen = make_settings("train_many", keywords_of(train_many), **settings)
    plan = Plan(target, chosen, seeds, keep, explain, explain if helps is None else helps)
    folder = Path(out) if out is not None else None
    ledger = None
    if folder is not None:
        check_installed("pyarrow", *(["matplotlib"] if draw else []))
        ledger = Ledger.open(folder, plan.identity(), this_machine())
        if ledger.result is not None:
            return finished_census(plan, ledger, draw)
        if not ledger.blocks:
            plan.check_disk(folder)
    elif keep not in ("none", "start"):
        raise OptionError(
            f"got {keep!r} without a folder", where="keep", remedy="name a folder with `out`"
        )
    on_choice(plan.choice)
    run = PopulationRun(plan, ledger, threads, draw, on_progress, on_total, on_stage, on_compile)
    try:
        return run.finish()
    except KeyboardInterrupt:
        if ledger is not None and ledger.blocks:
            raise ledger.interrupted(plan.blocks, "block") from None
        raise
    except OutputError as error:
        if ledger is not None and ledger.blocks:
            raise ledger.kept(error) from None
        raise
