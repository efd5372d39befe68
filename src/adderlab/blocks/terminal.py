"""Blocks on a terminal, through Rich.

Rule: nothing is cut off. A table that is too wide for the terminal is stacked, each row as lines
of its own; text is folded between words on a terminal and left as it is in a file.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from rich.box import SIMPLE_HEAD, Box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from adderlab.blocks.kinds import (
    Block,
    Chapter,
    Code,
    Command,
    Equations,
    Figures,
    Heading,
    Line,
    Paragraph,
    Remark,
    Table,
    VerdictLine,
)
from adderlab.blocks.stacked import APART, least_widths, stacked_row

VERDICT_STYLES: Final = {
    "proved": "bold green",
    "refuted": "bold red",
    "unknown": "bold yellow",
}
TONES: Final = {
    "plain": "",
    "strong": "bold",
    "good": "bold green",
    "bad": "bold red",
    "quiet": "dim",
}
CLOSE: Final = (Line, Command, Figures)
"""Kinds that stand close to what is before them, but for headlines."""

RULED: Final = Box(str(SIMPLE_HEAD), ascii=True)
"""A rule under the headings; an output without that character writes a stand-in, as for others."""

WIDEST: Final = 1000
"""Columns of a file or a pipe, where nothing is folded or stacked."""

MARK: Final = "right?"
"""The heading of the column of marks, in a stacked row."""


class Terminal:
    """A writer of blocks on a Rich console.

    Args:
        console: where to print.
    """

    def __init__(self, console: Console) -> None:
        self.console = console
        if not console.is_terminal and "COLUMNS" not in os.environ:
            console.width = WIDEST  # Rich takes 80 columns for a file and would cut cells
        self._width = console.width
        self._is_begun = False

    def write(self, blocks: Iterable[Block]) -> None:
        """Print blocks in order."""
        for block in blocks:
            is_close = isinstance(block, CLOSE) and getattr(block, "tone", "") != "strong"
            if self._is_begun and not is_close:
                self._print()
            self._write_block(block)
            self._is_begun = True

    def write_chapter(self, chapter: Chapter) -> None:
        """Print a chapter: its title underlined, then its blocks."""
        if self._is_begun:
            self._print()
        self._print(Text(chapter.heading, style="bold underline"))
        self._is_begun = True
        self.write(chapter.blocks)

    def _print(self, text: str | Text = "", style: str = "") -> None:
        self.console.print(text, style=style, soft_wrap=not self.console.is_terminal)

    def _write_block(self, block: Block) -> None:
        match block:
            case Heading():
                self._print(block.text, "bold")
            case Paragraph():
                self._print(block.text)
            case Line():
                self._print(block.text, TONES[block.tone])
            case Code():
                self._caption(block.caption)
                for line in block.text.splitlines():
                    self._print(f"  {line}", "cyan")
            case Table():
                self._caption(block.caption)
                self._table(block)
            case Equations():
                self._caption(block.caption)
                for formula in block.formulas:
                    self._print(f"  {formula}", "cyan")
            case VerdictLine():
                word = Text(block.verdict, style=VERDICT_STYLES[block.verdict])
                self._print(word.append(f" {block.text}", style="not bold default"))
                for detail in block.details:
                    self._print(f"  {detail}")
            case Remark():
                quote = Text("“", style="italic").append(block.quote)
                self._print(quote.append(f"” ({block.source})", style="not italic"))
                self._print(f"  → {block.truth}")
            case Command():
                self._print(f"  $ {block.command}", "dim")
            case Figures():
                if block.files:
                    self._print(f"  [{', '.join(block.files)}] {block.caption}".rstrip(), "dim")

    def _caption(self, caption: str) -> None:
        if caption:
            self._print(caption)

    def _table(self, block: Table) -> None:
        rows = [[str(cell) for cell in row] for row in block.rows]
        marks = [_mark(is_right) for is_right in block.marks]
        columns = [*block.columns, *([""] if marks else [])]
        cells = [[*row, *([marks[at].plain] if marks else [])] for at, row in enumerate(rows)]
        is_left = [column in block.left for column in block.columns] + [True] * bool(marks)
        # a column of words may be folded, but only between words: none is cut short
        may_fold = [
            left and any(" " in row[at] for row in cells) for at, left in enumerate(is_left)
        ]
        widths = least_widths(columns, cells, may_fold)
        if sum(widths) + len(APART) * (len(widths) - 1) > self._width:
            headings = [*block.columns, *([MARK] if marks else [])]
            for row in cells:
                for line in stacked_row(headings, row, self._width):
                    self._print(line)
            return
        grid = Grid(
            box=RULED,
            padding=(0, 1, 0, 0),
            pad_edge=False,
            show_edge=False,
            header_style="bold",
        )
        for at, column in enumerate(columns):
            grid.add_column(
                column,
                justify="left" if is_left[at] else "right",
                no_wrap=not may_fold[at],
                min_width=widths[at] if may_fold[at] else None,
            )
        for at, row in enumerate(rows):
            line = [Text(cell) for cell in row]
            grid.add_row(*line, *([marks[at]] if marks else []))
        self.console.print(grid, width=self._width, crop=False, no_wrap=True)


def _mark(is_right: bool | None) -> Text:
    """Return the mark of a right or a wrong row: distinguished without color too."""
    if is_right is None:
        return Text("")
    return Text("✓", style="green") if is_right else Text("✗ wrong", style="bold red")
