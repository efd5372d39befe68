"""A table's rows as lines below each other, for a terminal that is too narrow for the table.

Rule: no number and no name is cut; a cell that does not fit in its line goes below it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final

APART: Final = "  "
"""Between two columns, in a table and in a line."""


LONGEST_FOLDED: Final = 16
"""Letters for which a column of words has room before its cells are folded."""


def least_widths(
    columns: Sequence[str], rows: Sequence[Sequence[str]], may_fold: Sequence[bool]
) -> list[int]:
    """Return for each column the width below which a table would cut or crumple it.

    Args:
        columns: the headings.
        rows: the cells.
        may_fold: for each column whether its cells may be folded between words.
    """
    widths: list[int] = []
    for at, column in enumerate(columns):
        cells = [column, *(row[at] for row in rows)]
        longest = max(map(len, cells))
        if may_fold[at]:
            word = max((len(word) for cell in cells for word in cell.split()), default=0)
            longest = max(word, min(longest, LONGEST_FOLDED))
        widths.append(longest)
    return widths


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
