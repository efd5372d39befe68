"""The blocks of a population: trained one after the other, judged and written beside the next.

Rule: a block is entered in the ledger when its file is whole, in the order of the blocks; one that
stands there is read, never trained again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.errors import RunFileError
from adderlab.kernels.threads import cores
from adderlab.nets.layout import join
from adderlab.runs.populations.columns import about_block, block_bytes, read_block
from adderlab.runs.populations.ledger import RECORD, Ledger
from adderlab.runs.populations.plan import Plan
from adderlab.runs.times import Stopwatch
from adderlab.training.census.compiled import compile_findings, compiled_findings
from adderlab.training.census.findings import Findings, findings_of
from adderlab.training.members import train_members

if TYPE_CHECKING:
    from adderlab.training.members import Members

SUFFIX: Final = ".parquet"

MOST_WAITING: Final = 4
"""Blocks that are judged and written while the next is trained."""


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """A block that was trained and judged.

    Attributes:
        number: its number.
        findings: of its members.
        seconds: that its training took.
        data: its file; ``None`` where it is on the disk, or none is written.
    """

    number: int
    findings: Findings
    seconds: float
    data: bytes | None = None


class Blocks:
    """The blocks of a population, in their order: trained, judged and entered in the ledger."""

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger | None,
        threads: int | None,
        watch: Stopwatch,
        on_progress: Callable[[int], None],
        on_compile: Callable[[str], None],
    ) -> None:
        self.plan, self.ledger, self.threads, self.watch = plan, ledger, threads, watch
        self.on_progress, self.on_compile = on_progress, on_compile

    def compile(self) -> None:
        """Compile the kernels first, so that the seconds are those of training alone."""
        no_members = np.zeros(0, dtype=np.uint64)
        plan = self.plan
        _ = train_members(
            plan.task, plan.settings, no_members, path=plan.choice.path, on_compile=self.on_compile
        )
        if plan.judges_by_kernel:
            _ = compile_findings(self.on_compile)

    def __iter__(self) -> Generator[Block]:
        """Yield all blocks in their order; those that are missing are trained.

        While a block is trained, those before it are judged and made into files beside it.
        """
        plan, waiting = self.plan, deque[Future[Block]]()
        with ThreadPoolExecutor(
            self.threads or cores(), thread_name_prefix="adderlab-blocks"
        ) as pool:
            try:
                for number in range(plan.blocks):
                    if self.ledger is not None and number in self.ledger.blocks:
                        future = pool.submit(self._finished, number)
                    else:
                        with self.watch.part("training"):
                            start = time.perf_counter()
                            trained = self._members(plan.members(number))
                            seconds = time.perf_counter() - start
                        future = pool.submit(self._judged, number, trained, seconds)
                    waiting.append(future)
                    while waiting and (waiting[0].done() or len(waiting) > MOST_WAITING):
                        yield self._entered(waiting.popleft())
                while waiting:
                    yield self._entered(waiting.popleft())
            except KeyboardInterrupt:
                for future in waiting:  # what was trained is kept
                    _ = self._entered(future)
                raise
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _finished(self, number: int) -> Block:
        """Return a block that is on the disk."""
        plan, ledger = self.plan, self.ledger
        assert ledger is not None
        findings = finished_block(plan, ledger, number)
        self.on_progress(len(findings) * max(plan.settings.steps, 1))
        return Block(number, findings, float(ledger.blocks[number]["seconds"]))

    def _judged(self, number: int, trained: Members, seconds: float) -> Block:
        """Return a block that was trained, and its file."""
        plan, writes = self.plan, self.ledger is not None
        findings = self._findings_of(trained)
        data = None
        if writes:
            about = about_block(plan.task, plan.settings, plan.loss_steps)
            data = block_bytes(findings, plan.task, plan.settings, about)
        return Block(number, findings, seconds, data)

    def _findings_of(self, trained: Members) -> Findings:
        plan, writes = self.plan, self.ledger is not None
        judge = compiled_findings if plan.judges_by_kernel else findings_of
        findings = judge(
            trained, tables=writes and plan.keeps_tables, start=writes and plan.keeps_start
        )
        if plan.keeps_weights:
            findings = replace(findings, weights=join(trained.arrays))
        if trained.kept is not None and plan.keep_every is not None:
            kept = [part.reshape(*part.shape[:2], -1) for part in trained.kept]
            findings = replace(findings, snapshots=np.concatenate(kept, axis=2))
        return findings

    def _entered(self, future: Future[Block]) -> Block:
        """Return a block that is in the ledger."""
        with self.watch.part("judging"):
            block = future.result()
        if self.ledger is not None and block.data is not None:
            with self.watch.part("writing"):
                self.ledger.enter(
                    block.number,
                    block.data,
                    suffix=SUFFIX,
                    first=self.plan.members(block.number).start,
                    members=len(block.findings),
                    seconds=round(block.seconds, 6),
                )
        return block

    def _members(self, members: range) -> Members:
        plan = self.plan
        return train_members(
            plan.task,
            plan.settings,
            np.arange(members.start, members.stop, dtype=np.uint64),
            keep_every=plan.keep_every,
            threads=self.threads,
            path=plan.choice.path,
            on_progress=self.on_progress,
            on_compile=self.on_compile,
        )


def finished_block(plan: Plan, ledger: Ledger, number: int) -> Findings:
    """Return the findings of a block that is on the disk.

    Raises:
        RunFileError: its entry or its file is not that of these members.
    """
    entry, members = ledger.blocks[number], plan.members(number)
    own = {"first": members.start, "members": len(members)}
    if "seconds" not in entry or any(entry.get(name) != own[name] for name in own):
        raise RunFileError(
            f"the entry of block {number} is not that of {counted(len(members), 'member')} "
            f"from {members.start} on",
            where=str(ledger.folder / RECORD),
            remedy="name a new folder",
        )
    return read_block(ledger.block_path(number), members, len(plan.loss_steps))
