"""Blocks in a notebook: well-formed, no script, no color of their own, nothing unescaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from blocks.samples import PICTURE, SAMPLES

from adderlab.blocks import Chapter, Code, Command, Line, Paragraph, Remark, Table, VerdictLine
from adderlab.blocks.html import MACROS, to_fragment, to_page
from adderlab.blocks.kinds import Block

NASTY = '<script>alert("x")</script>'
FIGURE_COLORS = re.compile(r"var\(--fig-\w+, #[0-9a-f]{6}\)")


class Tags(HTMLParser):
    """Checks that every tag that opens closes, in order, and that nothing is fetched or run."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs) -> None:
        assert tag not in ("script", "link", "img", "iframe")
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href")]
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs) -> None:
        """A tag that closes itself, as SVG has them, leaves nothing open."""

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("block", SAMPLES, ids=lambda block: type(block).__name__)
def test_a_fragment_is_well_formed_and_takes_the_notebooks_colors(block: Block) -> None:
    text = to_fragment((block,))
    _ = Tags(text)
    assert text.startswith('<div class="adderlab">')
    without_figures = FIGURE_COLORS.sub("", text)
    assert not re.search(r"(?<!&)#[0-9a-fA-F]{3,8}\b|rgba?\(", without_figures)
    colors = re.findall(r"(?<![-\w])(?:color|background(?:-color)?): *([^;\"}]+)", without_figures)
    assert set(colors) <= {"inherit", "none"}


def test_a_figures_colors_are_variables() -> None:
    assert "var(--fig-ink, #1b1d21)" in to_fragment(SAMPLES)
    assert "var(" not in PICTURE.svg


def page(blocks: tuple[Block, ...]) -> str:
    return to_page("title", "lede", [Chapter("slug", "chapter", blocks)])


WRITERS = pytest.mark.parametrize("write", [to_fragment, page], ids=["notebook", "page"])


@WRITERS
def test_a_wrong_row_is_marked_by_sign_and_word(write) -> None:
    text = write((Table(("n",), (("1",), ("2",)), marks=(True, False)),))
    assert '&#10003;</span> <span class="word">right</span>' in text
    assert '&#10007;</span> <span class="word">wrong</span>' in text


@WRITERS
def test_text_is_never_taken_for_markup(write) -> None:
    """Every field of every kind of block is escaped."""
    blocks = (
        Paragraph(NASTY),
        Line(NASTY),
        Code(NASTY, NASTY),
        Table((NASTY, "n"), ((NASTY, "1"),), (False,), NASTY, (NASTY,)),
        VerdictLine("refuted", NASTY, (NASTY,)),
        Remark(NASTY, NASTY, NASTY),
        Command(NASTY),
    )
    text = write(blocks)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 13
    assert "<script" not in to_page(NASTY, NASTY, [Chapter("slug", NASTY, ())])


def test_there_is_a_sample_and_a_macro_of_every_kind() -> None:
    """A new kind of block that no writer is tested with is found here."""
    assert {type(block) for block in SAMPLES} == set(MACROS) == set(Block.__args__)
