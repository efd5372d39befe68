"""HTML fragments for notebooks: tables and lines that need no script and no style sheet.

Rule: nothing sets a color of its own. Text inherits, lines are ``currentColor``, and right and
wrong are told apart by mark and word, so a fragment reads the same in light and dark themes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

_CELL: Final = "padding:.15em .7em;text-align:{};border:0;background:none;white-space:nowrap"
_HEAD: Final = f"{_CELL};border-bottom:1px solid currentColor;font-weight:600"


def line(text: str, *, strong: str = "") -> str:
    """Return a line of text, its beginning set off."""
    start = f"<strong>{escape(strong)}</strong> " if strong else ""
    return f'<div style="margin:.2em 0">{start}{escape(text)}</div>'


def code(text: str) -> str:
    """Return text to be read letter by letter."""
    return f'<pre style="margin:.3em 0;background:none;color:inherit">{escape(text)}</pre>'


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    marks: Sequence[bool | None] = (),
    left: Sequence[str] = (),
    caption: str = "",
) -> str:
    """Return a table; numbers to the right, words (``left``) to the left, rows marked."""
    sides = ["left" if column in left else "right" for column in columns]
    head = "".join(
        f'<th scope="col" style="{_HEAD.format(side)}">{escape(column)}</th>'
        for column, side in zip(columns, sides, strict=True)
    )
    if marks:
        head += f'<th scope="col" style="{_HEAD.format("left")}">right?</th>'
    body: list[str] = []
    for number, row in enumerate(rows):
        cells = "".join(
            f'<td style="{_CELL.format(side)}">{_cell(cell)}</td>'
            for cell, side in zip(row, sides, strict=True)
        )
        if marks:
            cells += f'<td style="{_CELL.format("left")}">{mark(marks[number])}</td>'
        body.append(f'<tr style="background:none">{cells}</tr>')
    title = f'<caption style="text-align:left">{escape(caption)}</caption>' if caption else ""
    return (
        '<table style="border-collapse:collapse;margin:.4em 0;color:inherit;'
        'font-variant-numeric:tabular-nums">'
        f"{title}<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _cell(value: Any) -> str:
    """Return a cell's text escaped; a formula writes itself."""
    written = getattr(value, "__html__", None)
    return escape(str(value)) if written is None else str(written())


def mark(is_right: bool | None) -> str:
    """Return the mark of a right or wrong row, in words too."""
    if is_right is None:
        return ""
    return "✓ right" if is_right else "<strong>✗ wrong</strong>"


def block(*parts: str, title: str = "") -> str:
    """Return fragments as one block, ready for ``_repr_html_``."""
    heading = f'<div style="font-weight:600">{escape(title)}</div>' if title else ""
    return f'<div style="color:inherit;font-family:inherit">{heading}{"".join(parts)}</div>'
