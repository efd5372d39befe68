"""The report: a story as one self-contained HTML page, without script and without a network."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

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

THEMES: Final = (("auto", "as the system"), ("light", "light"), ("dark", "dark"))

MACROS: Final[dict[type, str]] = {
    Paragraph: "paragraph",
    Code: "code",
    Table: "table",
    Equations: "equations",
    Ruling: "ruling",
    Remark: "remark",
    Try: "try",
    Figures: "figures",
}
"""The macro of ``blocks.html.j2`` that draws each kind of block."""


def story_page(title: str, lede: str, chapters: Sequence[Chapter]) -> str:
    """Return the page of a story.

    Args:
        title: its heading.
        lede: the sentence below it.
        chapters: in order; each opens with its heading and is linked from the contents.
    """
    assets = Environment(
        loader=PackageLoader("adderlab.report", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    blocks = assets.get_template("blocks.html.j2").module

    def render(block: Block) -> Markup:
        return getattr(blocks, MACROS[type(block)])(block)

    remarks = [
        (chapter, block)
        for chapter in chapters
        for block in chapter.blocks
        if isinstance(block, Remark)
    ]
    style = files("adderlab.report").joinpath("assets/page.css").read_text("utf-8")
    page = assets.get_template("page.html.j2").render(
        title=title,
        lede=lede,
        chapters=chapters,
        remarks=remarks,
        themes=THEMES,
        style=Markup(style),  # noqa: S704 -- our own style sheet
        version=version("adderlab"),
        render=render,
    )
    return re.sub(r"\n{2,}", "\n", page)
