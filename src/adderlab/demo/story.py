"""The demo: runs the chapters in order and writes their files into one folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from adderlab.blocks import Block, Chapter, Code, Heading, Line, Result, in_a_row
from adderlab.blocks.html import to_page
from adderlab.blocks.numbers import counted
from adderlab.checking import checked
from adderlab.demo.backward import backward
from adderlab.demo.data_set import data_set
from adderlab.demo.fewer_bits import fewer_bits
from adderlab.demo.hand_set import hand_set
from adderlab.demo.model_size import model_size
from adderlab.demo.printed_weights import printed
from adderlab.demo.repaired import repaired
from adderlab.demo.success_rate import success_rates
from adderlab.demo.trainability import trainability
from adderlab.demo.trained_cell import trained_cell
from adderlab.demo.training import batch_modes, that_fails, that_works
from adderlab.demo.wide_adders import wide_adders
from adderlab.demo.workshop import Workshop
from adderlab.demo.written import summary_of
from adderlab.errors import OptionError, OutputError
from adderlab.packages import check_installed
from adderlab.runs.populations.plan import LARGEST_POPULATION
from adderlab.runs.times import Stopwatch, Times
from adderlab.writing import check_folder, new_folder

CHAPTERS: Final[tuple[tuple[str, Callable[[Workshop], Chapter]], ...]] = (
    ("the network set by hand", hand_set),
    ("its repair", repaired),
    ("the data set", data_set),
    ("a training run that works", that_works),
    ("backpropagation", backward),
    ("a training run that fails", that_fails),
    ("three batch modes", batch_modes),
    ("the printed weights", printed),
    ("the success rate", success_rates),
    ("a map of trainability", trainability),
    ("parameters and bytes", model_size),
    ("fewer bits", fewer_bits),
    ("64 bits", wide_adders),
    ("a trained cell", trained_cell),
)
"""Each chapter's name in the progress bar and the function that returns it, in order. None reads
what another wrote, so that any can be run alone."""

LONGEST: Final = 3
"""Chapters whose time is told at the end."""

TITLE: Final = "Two bits, one network, and what it really computes"
LEDE: Final = (
    "Two lecture notebooks build a network that adds two bits: one sets its weights by hand, the "
    "other trains it. Here both are run from start to end, and every claim is checked on every "
    "input."
)


@dataclass(frozen=True, slots=True, repr=False)
class Story(Result):
    """The result of a demo.

    Attributes:
        chapters: in order.
        folder: the folder of its networks, tables, figures and ``results.json``.
        files: their paths, relative to the folder.
        seconds: the run time.
        times: the run time and that of each chapter.
    """

    chapters: tuple[Chapter, ...]
    folder: Path
    files: tuple[str, ...]
    seconds: float
    times: Times = field(default_factory=Times)

    def blocks(self) -> tuple[Block, ...]:
        """Return the blocks of every chapter, then what was written."""
        return (*in_a_row(self.chapters), *self.written())

    def written(self) -> tuple[Block, ...]:
        """Return how many files of each kind were written, and the folder they are in."""
        seconds = f"in {self.seconds:.0f} s"
        longest = sorted(self.times.parts, key=lambda part: -part[1])[:LONGEST]
        return (
            Heading("What was written"),
            Line(f"the longest chapters: {Times(self.seconds, tuple(longest)).named()}", "quiet"),
            Code(
                "\n".join(summary_of(self.files)),
                f"{len(self.files)} files in {self.folder}, {seconds}:",
            ),
        )

    def __repr__(self) -> str:
        chapters = counted(len(self.chapters), "chapter")
        return f"Story: {chapters}, {len(self.files)} files in {self.folder}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "adderlab": version("adderlab"),
            "chapters": [
                {"slug": chapter.slug, "title": chapter.title, "results": chapter.results}
                for chapter in self.chapters
            ],
            "folder": str(self.folder),
            "files": list(self.files),
            "seconds": round(self.seconds, 3),
        }


@checked
def demo(
    out: str | Path | None = None,
    *,
    networks: int = 100_000,
    chapter: int | None = None,
    on_chapter: Callable[[Chapter], None] = lambda chapter: None,
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> Story:
    """Run both notebooks from start to end and check each of their claims.

    Args:
        out: the folder to write to; the files of an earlier demo there are replaced. Unless given
            it is ``adderlab-demo``, or ``adderlab-demo-5`` of chapter 5.
        networks: the number of networks over which each success rate is measured.
        chapter: the number of the only chapter to run; all of them unless given.
        on_chapter: called with each chapter when it is complete.
        on_progress: called with the current step and the share done, 0 to 1.

    Raises:
        OptionError: ``networks`` is below 1 or above 100 million, or there is no such chapter.
        OutputError: the folder holds other files, or can't be written.
    """
    if networks < 1:
        raise OptionError(
            f"got {networks}", where="networks", remedy="give a whole number of at least 1"
        )
    if networks > LARGEST_POPULATION:
        raise OptionError(
            f"got {networks}", where="networks", remedy=f"give at most {LARGEST_POPULATION}"
        )
    if chapter is not None and chapter not in range(1, len(CHAPTERS) + 1):
        raise OptionError(
            f"got {chapter!r}",
            where="chapter",
            remedy=f"give the number of a chapter, 1 to {len(CHAPTERS)}",
        )
    target = Path(out or ("adderlab-demo" if chapter is None else f"adderlab-demo-{chapter}"))
    check_folder(target)
    if target.is_dir() and any(target.iterdir()) and not (target / "results.json").is_file():
        raise OutputError(
            "the folder holds other files", where=str(target), remedy="name a new folder"
        )
    if chapter is None:
        check_installed("torch", "numba", "matplotlib", "pyarrow")
    watch = Stopwatch()
    chapters: list[Chapter] = []
    numbers = range(1, len(CHAPTERS) + 1) if chapter is None else (chapter,)
    with new_folder(target) as folder:
        shop = Workshop(folder, networks)
        for done, number in enumerate(numbers):
            name, tell = CHAPTERS[number - 1]

            def within(what: str, share: float, done: int = done) -> None:
                on_progress(what, (done + share) / len(numbers))

            within(name, 0.0)
            with watch.part(name):
                shown = tell(replace(shop, on_progress=within))
            chapters.append(replace(shown, number=number))
            on_chapter(chapters[-1])
        names = sorted(
            str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
        )
        files = (*names, "report.html", "results.json")
        times = watch.times()
        story = Story(tuple(chapters), target, files, times.seconds, times)
        report = to_page(TITLE, LEDE, chapters)
        _ = (folder / "report.html").write_text(report, encoding="utf-8")
        text = json.dumps(story.to_dict(), indent=2, allow_nan=False)
        _ = (folder / "results.json").write_text(text + "\n", encoding="utf-8")
    return story
