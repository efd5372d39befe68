"""Blocks as HTML: a fragment for notebooks, and a whole page that needs no network and no script.

Rule: text is escaped by the templates. A fragment sets no color of its own but those of figures:
text inherits, lines are ``currentColor``, and right and wrong are distinguished by mark and word,
so that it reads the same in light and dark themes, and where a notebook drops its style sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

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

THEMES: Final = (("auto", "as the system"), ("light", "light"), ("dark", "dark"))

MACROS: Final[dict[type, str]] = {
    Heading: "heading",
    Paragraph: "paragraph",
    Line: "line",
    Code: "code",
    Table: "table",
    Equations: "equations",
    VerdictLine: "verdict",
    Remark: "remark",
    Command: "command",
    Figures: "figures",
}
"""The macro of ``blocks.html.j2`` that draws each kind of block."""


def to_fragment(blocks: Iterable[Block]) -> str:
    """Return blocks as one HTML element, ready for a notebook's ``_repr_html_``."""
    template = _templates().get_template("fragment.html.j2")
    text = template.render(blocks=tuple(blocks), style=_asset("fragment.css"), render=_render)
    return re.sub(r"\n{2,}", "\n", text)


def to_page(title: str, lede: str, chapters: Sequence[Chapter]) -> str:
    """Return a whole page, self-contained.

    Args:
        title: its heading.
        lede: the sentence below it.
        chapters: in order; each opens with its heading and is linked from the contents.
    """
    remarks = [
        (chapter, block)
        for chapter in chapters
        for block in chapter.blocks
        if isinstance(block, Remark)
    ]
    text = (
        _templates()
        .get_template("page.html.j2")
        .render(
            title=title,
            lede=lede,
            chapters=chapters,
            remarks=remarks,
            themes=THEMES,
            style=_asset("page.css"),
            version=version("adderlab"),
            render=_render,
        )
    )
    return re.sub(r"\n{2,}", "\n", text)


def _render(block: Block) -> Any:
    macros: Any = _templates().get_template("blocks.html.j2").module
    return getattr(macros, MACROS[type(block)])(block)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("adderlab.blocks", "assets"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _asset(name: str) -> str:
    return files("adderlab.blocks").joinpath("assets", name).read_text("utf-8")
