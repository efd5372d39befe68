"""Blocks as Markdown with LaTeX formulas: for notebooks, READMEs and lecture notes.

Rule: nothing is fetched and no HTML is written; what Markdown gives a meaning to is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from adderlab.blocks.kinds import (
    Block,
    Cell,
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
from adderlab.notation import Formula

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#$|~])")


def to_markdown(blocks: Iterable[Block], *, figures: str | None = None) -> str:
    """Return blocks as Markdown.

    Args:
        blocks: in order.
        figures: the folder that pictures lie in, from where the text will lie; without it
            they are described in words.
    """
    parts = (_block(block, figures) for block in blocks)
    return "\n\n".join(part for part in parts if part) + "\n"


def to_document(
    title: str, lede: str, chapters: Sequence[Chapter], *, figures: str | None = None
) -> str:
    """Return chapters as one Markdown document.

    Args:
        title: its heading.
        lede: the sentence below it.
        chapters: in order.
        figures: as of :func:`to_markdown`.
    """
    parts = [f"# {escaped(title)}\n\n{escaped(lede)}\n"]
    parts += [
        f"## {escaped(chapter.title)}\n\n{to_markdown(chapter.blocks, figures=figures)}"
        for chapter in chapters
    ]
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Return text whose every character means itself."""
    return _SPECIAL.sub(r"\\\1", text)


def _block(block: Block, figures: str | None) -> str:
    match block:
        case Heading():
            return f"### {escaped(block.text)}"
        case Paragraph():
            return escaped(block.text)
        case Line():
            text = escaped(block.text)
            return f"**{text}**" if block.tone in ("strong", "good", "bad") else text
        case Code():
            fence = "~~~" if "```" in block.text else "```"
            return f"{_caption(block.caption)}{fence}text\n{block.text}\n{fence}"
        case Table():
            return _table(block)
        case Equations():
            lines = "\n\n".join(f"$$\n{formula.latex}\n$$" for formula in block.formulas)
            return f"{_caption(block.caption)}{lines}"
        case VerdictLine():
            details = "".join(f"\n- {escaped(detail)}" for detail in block.details)
            sentence = f"**{block.verdict}** {escaped(block.text)}"
            return f"{sentence}\n{details}" if details else sentence
        case Remark():
            return f"> {escaped(block.quote)} ({escaped(block.source)})\n\n{escaped(block.truth)}"
        case Command():
            return f"```text\n$ {block.command}\n```"
        case Figures():
            return _figures(block, figures)


def _caption(text: str) -> str:
    return f"{escaped(text)}\n\n" if text else ""


def _table(block: Table) -> str:
    sides = [":--" if column in block.left else "--:" for column in block.columns]
    head = [*map(escaped, block.columns), *(["right?"] if block.marks else [])]
    sides += [":--"] if block.marks else []
    lines = [_line(head), _line(sides)]
    for row, is_right in zip(block.rows, block.marks or (None,) * len(block.rows), strict=True):
        cells = [_cell(cell) for cell in row]
        if block.marks:
            cells.append({True: "right", False: "**wrong**", None: ""}[is_right])
        lines.append(_line(cells))
    return _caption(block.caption) + "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    if isinstance(cell, Formula):
        return f"${cell.latex.replace('|', chr(92) + 'vert ')}$"
    return escaped(cell)


def _figures(block: Figures, figures: str | None) -> str:
    shown = [
        f"![{escaped(picture.alt)}]({figures}/{picture.name}.svg)"
        if figures is not None
        else escaped(f"{picture.title}: {picture.alt}")
        for picture in block.drawn()
    ]
    return "\n\n".join([*shown, escaped(block.caption)])
