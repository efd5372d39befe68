"""One block of each kind, every text of it marked by a word of its own."""

from __future__ import annotations

from fractions import Fraction

from adderlab.blocks import (
    Block,
    Chapter,
    Code,
    Command,
    Equations,
    Figures,
    Heading,
    Line,
    Paragraph,
    Picture,
    Remark,
    Table,
    VerdictLine,
)
from adderlab.notation import number, symbol

PICTURE = Picture(
    name="steps",
    title="Steps",
    alt="The loss falls from 4 to 1.",
    svg='<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 5">'
    '<path d="M0 0h9" style="stroke: #1b1d21"/></svg>',
    png=b"",
)

TABLE = Table(
    ("word", "n|"),
    (("a|b", number(Fraction(3, 7))), ("wrong sum", "0.125")),
    marks=(True, False),
    caption="A caption",
    left=("word",),
)

SAMPLES: tuple[Block, ...] = (
    Heading("A heading"),
    Paragraph("A paragraph costs $5 → a_b <b>"),
    Line("A plain line"),
    Line("A headline", "strong"),
    Code("x = `1`", caption="Some code"),
    TABLE,
    Equations((symbol("h1"),), caption="A formula:"),
    VerdictLine("proved", "on all 4 inputs", ("a detail",)),
    Remark("all correct!", "the notebook", "It is not."),
    Command("adderlab demo"),
    Figures((PICTURE,), "How it falls.", ("figures/steps.svg",)),
)

CHAPTER = Chapter("one", "One * two", SAMPLES)
