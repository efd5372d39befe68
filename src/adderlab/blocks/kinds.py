"""The kinds of blocks: what a person is shown, without a word on how it is drawn.

Rule: a block is data. A result that makes blocks knows no terminal and no page; a writer that
draws them (terminal, HTML, Markdown) knows no result. A new kind of block is one class here and
one case in each writer, nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from adderlab.blocks.picture import Picture
from adderlab.notation import Formula

Cell: TypeAlias = str | Formula
"""The content of a table's cell: text, or a formula that each writer draws its own way."""

Tone: TypeAlias = Literal["plain", "strong", "good", "bad", "quiet"]
"""How a line is set: as running text, as a headline, as right or wrong, or in the background."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a result."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text, separated from the block before it."""

    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """One fact on a line of its own, close to the lines around it."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be read letter by letter: a formula, a file's lines, sums in columns."""

    text: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; rows may be marked right or wrong.

    Attributes:
        columns: the headings.
        rows: cells as text or formulas, as many as headings.
        marks: for each row true (right), false (wrong) or ``None``; empty for no marks at all.
        caption: one line above it.
        left: the columns that hold words rather than numbers.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    marks: tuple[bool | None, ...] = ()
    caption: str = ""
    left: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), self.columns
        assert len(self.marks) in (0, len(self.rows)), self.columns
        assert set(self.left) <= set(self.columns), self.left


@dataclass(frozen=True, slots=True)
class Equations:
    """Formulas, one a line."""

    formulas: tuple[Formula, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class VerdictLine:
    """A verdict: the word, what it is about, and how it was reached.

    Attributes:
        verdict: the word.
        text: the rest of the sentence that the word begins.
        details: further facts, a line each.
    """

    verdict: Literal["proved", "refuted", "unknown"]
    text: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Remark:
    """A claim of a notebook that is false, with what is true."""

    quote: str
    source: str
    truth: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command line that does the same by hand."""

    command: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Pictures side by side, with a caption.

    Attributes:
        pictures: what is shown, or a function that draws it: only a writer that shows pictures
            calls it, so that a terminal waits for no drawing.
        caption: one line below them.
        files: where they were written, if they were; a terminal names these.
    """

    pictures: tuple[Picture, ...] | Callable[[], tuple[Picture, ...]]
    caption: str
    files: tuple[str, ...] = ()

    def drawn(self) -> tuple[Picture, ...]:
        """Return the pictures, drawn now if they were not yet."""
        return self.pictures() if callable(self.pictures) else self.pictures


Block: TypeAlias = (
    Heading | Paragraph | Line | Code | Table | Equations | VerdictLine | Remark | Command | Figures
)


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of a longer text that has a title and can be linked to.

    Attributes:
        slug: its name in links and in ``results.json``.
        title: its heading.
        blocks: what it shows, in order.
        results: its numbers, for programs.
        number: by which it can be asked for; ``None`` where it cannot.
    """

    slug: str
    title: str
    blocks: tuple[Block, ...]
    results: dict[str, Any] = field(default_factory=dict[str, Any])
    number: int | None = None

    @property
    def heading(self) -> str:
        """The title after its number: ``5. loss.backward(), step by step``."""
        return self.title if self.number is None else f"{self.number}. {self.title}"


def note_lines(notes: Iterable[str]) -> tuple[Line, ...]:
    """Return what had to be assumed, a quiet line a note."""
    return tuple(Line(f"note: {note}", "quiet") for note in notes)


def written_lines(*files: object | None) -> tuple[Line, ...]:
    """Return where a result was written, a line a file; ``None`` is left out."""
    return tuple(Line(f"written to {file}") for file in files if file is not None)


def in_other_words(blocks: Iterable[Block], reworded: Callable[[str], str]) -> Iterator[Block]:
    """Yield the blocks with the texts of their lines reworded, those below a verdict too."""
    for block in blocks:
        if isinstance(block, Line):
            yield replace(block, text=reworded(block.text))
        elif isinstance(block, VerdictLine):
            yield replace(block, details=tuple(map(reworded, block.details)))
        else:
            yield block


def in_a_row(chapters: Iterable[Chapter]) -> tuple[Block, ...]:
    """Return the blocks of all chapters, each chapter's title before its own."""
    return tuple(
        block for chapter in chapters for block in (Heading(chapter.heading), *chapter.blocks)
    )
