"""A table's rows as lines below each other, for a terminal that is too narrow for the table.

Rule: no number and no name is cut; what does not fit beside something else goes below it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

APART: Final = "   "
"""Between two columns, in a table and in a line."""


def width_needed(
    columns: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[bool]
) -> int:
    """Return the columns of a terminal below which a table would cut something.

    Args:
        columns: the headings.
        rows: the cells.
        words: for each column whether it may be folded between words.
    """
    total = 0
    for at, (column, may_fold) in enumerate(zip(columns, words, strict=True)):
        cells = [column, *(row[at] for row in rows)]
        parts = [part for cell in cells for part in cell.split()] if may_fold else cells
        total += max(map(len, parts), default=0)
    return total + len(APART) * (len(columns) - 1)


def stacked_row(columns: Sequence[str], row: Sequence[str], width: int) -> Iterator[str]:
    """Yield one row as lines: its first cell, then the others with their headings.

    Cells that hold nothing are left out; so a row whose first cell is empty goes on with the
    row before it.
    """
    if row[0]:
        yield from _wrapped(f"{columns[0]} {row[0]}".strip(), width, "", "  ")
    line = ""
    for column, cell in zip(columns[1:], row[1:], strict=True):
        if not cell.strip():
            continue
        piece = f"{column}: {cell}" if column else cell
        if line and len(line) + len(APART) + len(piece) <= width:
            line += APART + piece
            continue
        if line:
            yield from _wrapped(line, width, "  ", "    ")
        line = f"  {piece}"
    if line:
        yield from _wrapped(line, width, "  ", "    ")


def _wrapped(text: str, width: int, first: str, others: str) -> list[str]:
    """Return a line, broken between words alone where it is too long."""
    if len(text) <= width:
        return [text]
    return textwrap.wrap(
        text.strip(),
        max(width, len(others) + 1),
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
