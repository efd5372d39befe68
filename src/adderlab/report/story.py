"""A story in chapters: what is shown, without a word on how it is drawn.

Rule: a chapter is data. Whoever computes it knows no terminal and no page; whoever draws it
(the command line, the report) knows no network. A new kind of block is added here and to each
of the drawers, nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from adderlab.notation import Formula

if TYPE_CHECKING:
    from adderlab.report.figures import Picture


Cell: TypeAlias = str | Formula
"""What stands in a cell of a table: text, or a formula that each drawer writes its own way."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be read letter by letter: a formula, the lines a run printed."""

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


@dataclass(frozen=True, slots=True)
class Equations:
    """Formulas, one a line."""

    formulas: tuple[Formula, ...]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict: the word, and what it says."""

    verdict: Literal["proved", "refuted", "unknown"]
    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """A remark of a notebook that is not so, beside what is."""

    quote: str
    source: str
    truth: str


@dataclass(frozen=True, slots=True)
class Try:
    """A command that does the same by hand."""

    command: str


@dataclass(frozen=True, slots=True)
class Figures:
    """Pictures side by side, with a caption."""

    pictures: tuple[Picture, ...]
    caption: str


Block: TypeAlias = Paragraph | Code | Table | Equations | Ruling | Remark | Try | Figures


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter.

    Attributes:
        slug: its name in ``results.json`` and in links.
        title: its heading.
        blocks: what it shows, in order.
        results: what it found, for ``results.json``.
    """

    slug: str
    title: str
    blocks: tuple[Block, ...]
    results: dict[str, Any] = field(default_factory=dict[str, Any])
