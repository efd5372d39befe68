"""``train --seeds``: train a population block by block, count it, explain it, write it.

Rule: a finished block is never trained again, and the census is computed from the blocks alone,
so that a run that was killed and resumed ends as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.errors import RunFileError
from adderlab.figures.drawings import Drawer, drawer
from adderlab.nets import save
from adderlab.nets.sources import read_source
from adderlab.proving import decide
from adderlab.reading import opened
from adderlab.runs.populations.blocks import Blocks, finished_block
from adderlab.runs.populations.census import BEST, CENSUS, Census, fault_of_result
from adderlab.runs.populations.columns import (
    TENSORS,
    UNREAD,
    encodings_of,
    open_table,
)
from adderlab.runs.populations.ledger import FIGURES, RECORD, Ledger
from adderlab.runs.populations.pictures import (
    drawings_of_members,
    drawings_of_survey,
    pictures_of,
)
from adderlab.runs.populations.plan import Plan
from adderlab.runs.populations.recount import fault_of_counts
from adderlab.runs.populations.summary import Examples, census_of, shown_members
from adderlab.runs.times import Stopwatch
from adderlab.training.census.causes import Trials, try_changes
from adderlab.training.census.findings import Findings
from adderlab.training.census.rates import Rate
from adderlab.training.census.surveys import (
    Survey,
    is_long,
    prepare,
    survey,
    survey_steps,
    surveyed,
)
from adderlab.training.census.tally import Tally
from adderlab.writing import new_file, new_folder

if TYPE_CHECKING:
    from adderlab.figures import Picture
    from adderlab.nets import Network

MOST_TRIED: Final = 4096
"""Failures that are trained again with one thing changed."""


TRIED_RUNS: Final = 8
"""About how many runs of its own length trying causes takes for a failure."""


@contextmanager
def beside(work: Callable[[Callable[[], None]], None]) -> Generator[Future[None]]:
    """Do some work in a thread beside the block, which waits for it at its end.

    Args:
        work: is given a function to call now and then, which raises where the block has raised.
    """
    is_over = Event()

    def check() -> None:
        if is_over.is_set():
            raise CancelledError

    with ThreadPoolExecutor(1, thread_name_prefix="adderlab-beside") as pool:
        future = pool.submit(work, check)
        try:
            yield future
        except BaseException:
            is_over.set()
            raise


class Part:
    """A part of the progress, as large as it was announced, whatever work it turns out to be."""

    def __init__(self, announced: int, on_progress: Callable[[int], None]) -> None:
        self.left, self.on_progress = announced, on_progress

    def add(self, steps: int) -> None:
        """Report work that was done, at most what was announced."""
        steps = min(steps, self.left)
        self.left -= steps
        self.on_progress(steps)

    def __enter__(self) -> Part:
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None and self.left:
            self.add(self.left)


class PopulationRun:
    """A population that is being trained."""

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger | None,
        threads: int | None,
        draw: bool,
        on_progress: Callable[[int], None],
        on_total: Callable[[int], None],
        on_stage: Callable[[str], None],
        on_compile: Callable[[str], None],
    ) -> None:
        self.plan, self.ledger, self.threads, self.draw = plan, ledger, threads, draw
        self.on_stage, self.on_compile = on_stage, on_compile
        self.on_total, self.on_progress = on_total, on_progress
        self.watch, self.drawer = Stopwatch(), Drawer()
        self.blocks = Blocks(plan, ledger, threads, self.watch, on_progress, on_compile)
        self.tally = Tally(plan.loss_steps)
        self.failed: list[Any] = []
        self.seconds = 0.0
        self.surveyed = surveyed(plan.task, plan.settings, plan.networks)
        self.surveyed_right = 0

    def finish(self) -> Census:
        """Train the blocks that are missing, and return the census."""
        plan, draws = self.plan, self.draw and self.ledger is not None
        long = is_long(plan.task, plan.settings, plan.networks)
        with drawer(is_wanted=draws, is_long=long) as self.drawer:
            return self._finished()

    def _finished(self) -> Census:
        watch, steps = self.watch, max(self.plan.settings.steps, 1)
        training = self.plan.networks * steps
        trying = TRIED_RUNS * self._tried() * steps if self.plan.explain else 0
        helping = survey_steps(self.plan.settings, self.surveyed) if self.plan.helps else 0
        self.on_total(training + trying + helping)
        self.on_stage("training")
        if self.ledger is None or len(self.ledger.blocks) < self.plan.blocks:
            with watch.part("compiling"):
                self.blocks.compile()
        if self.plan.helps:
            prepare(self.plan.task, self.plan.settings, self.plan.networks, self.on_compile)
        with closing(iter(self.blocks)) as blocks:
            for block in blocks:
                self.seconds += block.seconds
                self._count(block.findings)
        with beside(self._write_table) as table:
            return self._census(trying, helping, table)

    def _census(self, trying: int, helping: int, table: Future[None]) -> Census:
        """Explain what was counted, and write it.

        Args:
            trying: steps that trying causes takes.
            helping: steps that measuring what helps takes.
            table: of all members, which is being written.
        """
        watch = self.watch
        with watch.part("causes"), Part(trying, self.on_progress) as part:
            trials = self._trials(part.add)
        with watch.part("examples"):
            examples = Examples(self.plan, shown_members(self.tally))
        census = census_of(self.plan, self.tally, examples, trials=trials, seconds=self.seconds)
        if self.draw and self.ledger is not None:
            self.drawer.begin(drawings_of_members(census, examples))
        with watch.part("what helps"), Part(helping, self.on_progress) as part:
            census = replace(census, survey=self._survey(part.add))
        if self.draw and self.ledger is not None:
            self.drawer.begin(drawings_of_survey(census))
        best = examples.network(self.tally.best) if self.tally.best >= 0 else None
        if best is not None:
            with watch.part("proving"):
                census = replace(census, best_proof=decide(best, self.plan.task))
        if self.ledger is None:
            return replace(census, times=watch.times())
        self._write(self.ledger, census, best, table)
        folder, damaged = self.ledger.folder, self.ledger.damaged
        return replace(census, folder=folder, repaired=damaged, times=watch.times())

    def _write_table(self, check: Callable[[], None]) -> None:
        """Write the table of all members, where there is a folder."""
        if self.ledger is not None:
            _write_table(self.ledger, self.ledger.folder / CENSUS, self.plan.blocks, check)

    def _count(self, findings: Findings) -> None:
        self.tally.add(findings)
        self.surveyed_right += int(findings.is_right[findings.members < self.surveyed].sum())
        missing = self._tried() - sum(map(len, self.failed))
        if missing > 0:
            self.failed.append(findings.members[~findings.is_right][:missing])

    def _tried(self) -> int:
        """Return how many failures are trained again: enough to decide, and little of the work."""
        return min(MOST_TRIED, max(100, self.plan.networks // 8))

    def _trials(self, on_progress: Callable[[int], None]) -> Trials | None:
        failed = np.concatenate(self.failed)
        if not self.plan.explain or not len(failed):
            return None
        self.on_stage("trying causes")
        plan = self.plan
        return try_changes(
            plan.task, plan.settings, failed, path=plan.choice.path, on_progress=on_progress
        )

    def _survey(self, on_progress: Callable[[int], None]) -> Survey:
        plan = self.plan
        if not plan.helps:
            return Survey()
        return survey(
            plan.task,
            plan.settings,
            Rate(self.surveyed_right, self.surveyed),
            networks=plan.networks,
            on_stage=lambda text: self.on_stage(f"trying {text}"),
            on_progress=on_progress,
            on_compile=self.on_compile,
        )

    def _write(
        self,
        ledger: Ledger,
        census: Census,
        best: Network | None,
        table: Future[None],
    ) -> None:
        """Write the best network, the figures, and when the table is there the record."""
        self.on_stage("writing")
        files = [ledger.folder / CENSUS]
        if best is not None:
            files.append(save(best, ledger.folder / BEST))
        else:
            (ledger.folder / BEST).unlink(missing_ok=True)
        figures: list[Path] = []
        if self.draw:
            with self.watch.part("figures"):
                figures = _drawn(ledger.folder, self.drawer.pictures())
        with self.watch.part("the table"):
            table.result()
        ledger.finish(census.record(), files, figures)


def _write_table(ledger: Ledger, path: Path, blocks: int, on_block: Callable[[], None]) -> None:
    """Write all rows of all blocks into one file, one block in memory at a time.

    Args:
        ledger: of the run.
        path: of the file.
        blocks: how many there are.
        on_block: called before each; raises to stop.
    """
    from pyarrow import parquet

    with new_file(path) as scratch:
        writer = None
        try:
            for number in range(blocks):
                on_block()
                with opened(ledger.block_path(number), UNREAD) as (file, _):
                    source = open_table(file)
                    names = [name for name in source.schema_arrow.names if name not in TENSORS]
                    table = source.read(columns=names)
                if writer is None:
                    writer = parquet.ParquetWriter(
                        scratch, table.schema, **encodings_of(table.schema)
                    )
                writer.write_table(table, row_group_size=len(table))
        finally:
            if writer is not None:
                writer.close()


def finished_census(plan: Plan, ledger: Ledger, draw: bool) -> Census:
    """Return a run that was finished before, its blocks counted and its best network proved again.

    Figures are drawn again if one of them is missing or damaged.

    Raises:
        RunFileError: what the record says is not the result of this run and its blocks.
    """
    assert ledger.result is not None
    fault = fault_of_result(plan, ledger.result) or _fault_of_blocks(plan, ledger, ledger.result)
    if fault:
        raise RunFileError(
            f"its result is not that of this run ({fault})",
            where=str(ledger.folder / RECORD),
            remedy="name a new folder",
        )
    census = Census.from_record(plan, ledger.result)
    if census.best is not None:
        source = read_source(ledger.folder / BEST)
        proof = replace(decide(source.network, plan.task), sha256=source.sha256)
        census = replace(census, best_proof=proof)
    census = replace(census, folder=ledger.folder, was_done=True)
    if draw and not (ledger.figures and all(map(ledger.is_whole, ledger.figures))):
        ledger.enter_figures(_drawn(ledger.folder, pictures_of(census)))
    return census


def _fault_of_blocks(plan: Plan, ledger: Ledger, result: Mapping[str, Any]) -> str:
    """Return why a result is not that of its blocks; empty if it is.

    Raises:
        RunFileError: a block or its entry is not what it should be.
    """
    numbers = range(plan.blocks)
    if sorted(ledger.blocks) != list(numbers):
        return f"blocks: not the {plan.blocks} of a finished run"
    tally = Tally(plan.loss_steps)
    for number in numbers:
        tally.add(finished_block(plan, ledger, number))
    return fault_of_counts(plan, tally, result)


def _drawn(folder: Path, pictures: Iterable[Picture]) -> list[Path]:
    """Write pictures into a run's folder, all of them or none, and return their paths."""
    with new_folder(folder / FIGURES) as place:
        names = [path.name for picture in pictures for path in picture.write(place)]
    return [folder / FIGURES / name for name in names]
