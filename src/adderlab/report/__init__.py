"""What people are shown: a story told in chapters, made of a few kinds of blocks."""

from adderlab.report.story import (
    Block,
    Chapter,
    Code,
    Equations,
    Figures,
    Paragraph,
    Remark,
    Ruling,
    Table,
    Try,
)

__all__ = [
    "Block",
    "Chapter",
    "Code",
    "Equations",
    "Figures",
    "Paragraph",
    "Remark",
    "Ruling",
    "Table",
    "Try",
]
