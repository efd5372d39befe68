"""What a person is shown, as data, and the writers that draw it: terminal, HTML, Markdown."""

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
    in_a_row,
    note_lines,
    written_lines,
)
from adderlab.blocks.picture import PALETTE, Picture
from adderlab.blocks.result import Result

__all__ = [
    "PALETTE",
    "Block",
    "Cell",
    "Chapter",
    "Code",
    "Command",
    "Equations",
    "Figures",
    "Heading",
    "Line",
    "Paragraph",
    "Picture",
    "Remark",
    "Result",
    "Table",
    "VerdictLine",
    "in_a_row",
    "note_lines",
    "written_lines",
]
