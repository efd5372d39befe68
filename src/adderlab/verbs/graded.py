"""The result of ``grade``: an entry for each file, in the order of their rank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from adderlab.blocks import (
    Block,
    Chapter,
    Line,
    Paragraph,
    Result,
    Table,
    note_lines,
    written_lines,
)
from adderlab.blocks.html import to_page
from adderlab.blocks.numbers import count_text, counted, duration_text, significant

Grade: TypeAlias = Literal["proved", "unknown", "refuted", "refused"]

GRADES: Final[tuple[Grade, ...]] = ("proved", "unknown", "refuted", "refused")
"""Verdicts in the order of their entries; ``refused`` is a file that is no network for the task."""

RULES: Final = ("raw", "nonzero", "unique")
"""How parameters are counted."""

RULE_TEXTS: Final = {
    "raw": "all parameters, zeros included",
    "nonzero": "parameters that are not 0",
    "unique": "different values among the parameters",
}

LONG_COUNT: Final = 10**12
"""Rows from which on a table rounds their number; the CSV has all of its digits."""

MOST_SHOWN: Final = 100
"""Entries that a person is shown where there is no page to scroll."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of a file.

    Attributes:
        rank: of a proved one, 1 for the fewest parameters by the rule; equal ones share a rank.
        name: of the file, relative to the folder; what can't be printed is escaped.
        verdict: ``proved``, ``refuted``, ``unknown``, or ``refused`` for no network of the task.
        parameters: by the rule; ``None`` where the file was not read.
        raw: all parameters, zeros included.
        nonzero: those that are not 0.
        unique: different values among them.
        rows_right: inputs that are right in exact arithmetic; ``None`` where that is not known.
        rows: inputs of the task.
        counterexample: of a refuted one, the first wrong row.
        same_as: the first entry, by name, that is the same network up to order and positive scale
            of hidden units, or the same bytes; empty for none.
        bytes: of the file.
        sha256: of its bytes.
        seconds: how long it took.
        reason: why it is refused or unknown; of one that is refuted in its own format alone, that.
        notes: what had to be assumed in reading it.
    """

    name: str
    verdict: Grade
    rank: int | None = None
    parameters: int | None = None
    raw: int | None = None
    nonzero: int | None = None
    unique: int | None = None
    rows_right: int | None = None
    rows: int | None = None
    counterexample: str = ""
    same_as: str = ""
    bytes: int | None = None
    sha256: str = ""
    seconds: float = 0.0
    reason: str = ""
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes; null for what is empty."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        shown = {name: None if value == "" else value for name, value in values.items()}
        return {**shown, "seconds": round(self.seconds, 6), "notes": list(self.notes)}

    @property
    def why(self) -> str:
        """The wrong row, or the reason."""
        return "; ".join(filter(None, (self.counterexample, self.reason)))

    @property
    def remark(self) -> str:
        """The same, and which entry it is the same as."""
        same = f"the same as {self.same_as}" if self.same_as else ""
        return "; ".join(filter(None, (self.why, same)))


@dataclass(frozen=True, slots=True, repr=False)
class Graded(Result):
    """The entries of a folder.

    Attributes:
        folder: that was graded.
        task: the task's name.
        rule: by which parameters are counted.
        entries: proved ones by their parameters, then unknown ones, refuted ones with the most
            right rows first, refused ones; ties by name.
        timeout_s: seconds that each file had.
        max_memory_bytes: memory that each had.
        hidden: names that begin with a dot, which were left out.
        remarks: what was assumed in reading the task.
        exercise: the id of the exercise whose answers these are; empty where the task is all.
        seconds: how long it took.
        file: where the table was written, if it was.
        page: where the page was written, if it was.
    """

    folder: Path
    task: str
    rule: str
    entries: tuple[Entry, ...]
    timeout_s: float
    max_memory_bytes: int
    hidden: int = 0
    remarks: tuple[str, ...] = ()
    exercise: str = ""
    seconds: float = 0.0
    file: Path | None = None
    page: Path | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many entries have each verdict."""
        counts = Counter(entry.verdict for entry in self.entries)
        return {grade: counts[grade] for grade in GRADES}

    def to_dict(self) -> dict[str, Any]:
        return {
            "folder": str(self.folder),
            "task": self.task,
            "exercise": self.exercise or None,
            "rule": self.rule,
            "entries": [entry.to_dict() for entry in self.entries],
            "counts": self.counts,
            "hidden": self.hidden,
            "timeout_s": self.timeout_s,
            "max_memory_bytes": self.max_memory_bytes,
            "remarks": list(self.remarks),
            "seconds": round(self.seconds, 6),
            "file": None if self.file is None else str(self.file),
            "page": None if self.page is None else str(self.page),
        }

    def __repr__(self) -> str:
        return f"Graded: {self.summary()}"

    def summary(self) -> str:
        """Return one line: how many files, and how many of each verdict."""
        counts = ", ".join(f"{count} {grade}" for grade, count in self.counts.items())
        return f"{counted(len(self.entries), 'file')} for {self._subject}: {counts}"

    @property
    def _subject(self) -> str:
        return f"the exercise {self.exercise}" if self.exercise else self.task

    def blocks(self) -> tuple[Block, ...]:
        """Return the first entries, why those are not proved, how many there are of each kind."""
        shown = self.entries[:MOST_SHOWN]
        left = len(self.entries) - len(shown)
        remarks = tuple((entry.name, text) for entry in shown if (text := entry.remark))
        return (
            *note_lines(self.remarks),
            _ranking(shown, self.rule),
            *([_words(("entry", "remark"), remarks)] if remarks else []),
            *([Line(f"{left} more entries are not shown", "quiet")] if left else []),
            Line(self.summary(), "strong"),
            *self._asides(),
            *written_lines(self.file, self.page),
        )

    def _asides(self) -> Iterator[Line]:
        copies = sum(bool(entry.same_as) for entry in self.entries)
        if copies:
            are = "is" if copies == 1 else "are"
            yield Line(f"{counted(copies, 'entry', 'entries')} {are} the same as an earlier one")
        noted = sum(bool(entry.notes) for entry in self.entries)
        if noted:
            where = "the table and the page say it"
            yield Line(f"something was assumed in reading {noted} of them: {where}", "quiet")
        if self.hidden:
            yield Line(f"left out: {counted(self.hidden, 'hidden name')}", "quiet")
        yield Line(
            f"{duration_text(self.seconds)}; each file had {self._limits()} of memory", "quiet"
        )

    def to_page(self) -> str:
        """Return a page of all entries for the class."""
        lede = f"{self.summary()}. Every verdict is about every input, not about samples."
        return to_page(f"Grades: {self._subject}", lede, tuple(self._chapters()))

    def _chapters(self) -> Iterator[Chapter]:
        yield Chapter("entries", "Entries", (_ranking(self.entries, self.rule),))
        for grade, slug, title in (
            ("refuted", "wrong", "Wrong on an input"),
            ("unknown", "undecided", "Not decided"),
            ("refused", "refused", "Refused: no network for this task"),
        ):
            rows = tuple((e.name, e.why) for e in self.entries if e.verdict == grade)
            if rows:
                yield Chapter(slug, title, (_words(("entry", "why"), rows),))
        groups = tuple((first, ", ".join(others)) for first, others in self._groups().items())
        if groups:
            text = (
                "Equal up to the order and a positive scale of hidden units, in exact arithmetic, "
                "or the same bytes. The first of each group, by name, stands on the left."
            )
            table = _words(("entry", "the same"), groups)
            yield Chapter("same", "The same more than once", (Paragraph(text), table))
        notes = tuple((entry.name, note) for entry in self.entries for note in entry.notes)
        if notes:
            table = _words(("entry", "note"), notes)
            yield Chapter("notes", "What was assumed in reading", (table,))
        yield Chapter("sizes", "Parameters and files", (self._sizes(),))
        yield Chapter("how", "How it was judged", tuple(self._how()))

    def _sizes(self) -> Table:
        columns = ("entry", *RULES, "bytes", "seconds")
        rows = tuple(
            (
                entry.name,
                *map(_text, (entry.raw, entry.nonzero, entry.unique, entry.bytes)),
                f"{entry.seconds:.2f}",
            )
            for entry in self.entries
        )
        caption = "; ".join(f"{rule}: {text}" for rule, text in RULE_TEXTS.items())
        return Table(columns, rows, caption=caption, left=("entry",))

    def _groups(self) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for entry in sorted(self.entries, key=lambda entry: entry.name):
            if entry.same_as:
                groups.setdefault(entry.same_as, []).append(entry.name)
        return groups

    def _how(self) -> Iterator[Block]:
        yield Paragraph(
            "Proved: right on every input, in exact arithmetic and in its file's number format. "
            "Refuted: wrong on the input that is named. Unknown: neither, within the limits. "
            "Refused: the file is no network that takes and gives the bits of the task."
        )
        if self.exercise:
            yield Paragraph(
                "Of an exercise, proved is an answer that meets all of its conditions, and refuted "
                "one that misses a condition; the reason says which."
            )
        yield Paragraph(
            f"Proved entries are ranked by {RULE_TEXTS[self.rule]}. Each file was judged in a "
            f"process of its own, for at most {self._limits()} of memory; nothing that was handed "
            "in was run."
        )
        yield from note_lines(self.remarks)

    def _limits(self) -> str:
        return f"{self.timeout_s:g} s and {self.max_memory_bytes / (1 << 20):.6g} MiB"


def ranked(entries: Iterable[Entry], rule: str) -> tuple[Entry, ...]:
    """Return the entries in their order, with the parameters by a rule and with their ranks."""
    known = [replace(entry, parameters=getattr(entry, rule)) for entry in entries]
    known.sort(key=lambda entry: (*_order(entry), entry.name))
    result: list[Entry] = []
    for place, entry in enumerate(known, start=1):
        before = result[-1] if result else None
        if entry.verdict != "proved":
            rank = None
        elif before is not None and before.parameters == entry.parameters:
            rank = before.rank
        else:
            rank = place
        result.append(replace(entry, rank=rank))
    return tuple(result)


def _order(entry: Entry) -> tuple[int, int, int]:
    right = entry.rows_right or 0 if entry.verdict == "refuted" else 0
    return GRADES.index(entry.verdict), -right, entry.parameters or 0


def _ranking(entries: Sequence[Entry], rule: str) -> Table:
    rows = tuple(
        (entry.name, _text(entry.rank), entry.verdict, _rows_text(entry), _text(entry.parameters))
        for entry in entries
    )
    heading = "parameters" if rule == "raw" else rule
    columns = ("entry", "rank", "verdict", "right", heading)
    return Table(columns, rows, left=("entry", "verdict"))


def _rows_text(entry: Entry) -> str:
    if entry.rows is None:
        return ""
    right = "?" if entry.rows_right is None else _shown_count(entry.rows_right)
    return f"{right} of {_shown_count(entry.rows)}"


def _shown_count(rows: int) -> str:
    """Return a count of rows, rounded where it is long and no power of two."""
    is_power = rows & (rows - 1) == 0
    return count_text(rows) if is_power or rows < LONG_COUNT else significant(Fraction(rows))


def _words(columns: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> Table:
    return Table(columns, rows, left=columns)


def _text(value: int | None) -> str:
    return "" if value is None else str(value)
