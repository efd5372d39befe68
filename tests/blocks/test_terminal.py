"""Blocks on a terminal: wide, narrow, ASCII alone, and in a file."""

from __future__ import annotations

import io
import re

import pytest
from blocks.samples import CHAPTER, SAMPLES, TABLE
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from strategies import MANY

from adderlab.blocks import Block, Figures, Table
from adderlab.blocks.terminal import Terminal
from adderlab.cli.output import prepare_streams

WORDS = {
    "Heading": ["A heading"],
    "Paragraph": ["costs $5 → a_b <b>"],
    "Line": ["line"],
    "Code": ["Some code", "  x = `1`"],
    "Table": ["A caption", "a|b", "3/7", "wrong sum", "0.125", "✓", "✗ wrong"],
    "Equations": ["A formula:", "  h1"],
    "VerdictLine": ["proved on all 4 inputs", "  a detail"],
    "Remark": ["“all correct!” (the notebook)", "  → It is not."],
    "Command": ["  $ adderlab demo"],
    "Figures": ["[figures/steps.svg] How it falls."],
}


def printed(blocks: tuple[Block, ...], width: int) -> str:
    """Return what a terminal of so many columns shows."""
    text = io.StringIO()
    console = Console(
        file=text, width=width, force_terminal=True, color_system=None, highlight=False,
        markup=False, emoji=False,
    )  # fmt: skip
    Terminal(console).write(blocks)
    return text.getvalue()


@pytest.mark.parametrize("width", [100, 40])
@pytest.mark.parametrize("block", SAMPLES, ids=lambda block: type(block).__name__)
def test_every_kind_is_printed_within_the_width(block: Block, width: int) -> None:
    text = printed((block,), width)
    assert all(len(line) <= width for line in text.splitlines())
    if type(block).__name__ == "Line":
        assert block.text in text
    for words in WORDS[type(block).__name__]:
        assert words in text


def test_a_terminal_draws_no_picture() -> None:
    """A figure that has no file takes no line, and its function is not called."""

    def draw() -> None:
        raise AssertionError("drawn")

    assert printed((Figures(draw, "A caption"),), 100) == ""  # type: ignore[arg-type] -- must not run


def test_a_chapter_opens_with_its_title() -> None:
    text = io.StringIO()
    Terminal(Console(file=text, width=100, force_terminal=True, color_system=None)).write_chapter(
        CHAPTER
    )
    assert re.sub(r"\x1b\[[0-9;]*m", "", text.getvalue()).startswith("One * two\n\nA heading\n")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_an_encoding_lacks_is_replaced(encoding: str, monkeypatch) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    monkeypatch.setattr("sys.stdout", stream)
    prepare_streams()
    Terminal(Console(file=stream, width=100)).write(SAMPLES)
    stream.flush()
    text = raw.getvalue().decode(encoding)
    assert "-> It is not." in text
    assert "x wrong" in text
    assert "?" not in text


def test_a_file_is_neither_folded_nor_stacked(monkeypatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    text = io.StringIO()
    wide = Table(tuple(f"column {at}" for at in range(30)), (("1.5",) * 30,))
    Terminal(Console(file=text)).write((wide,))
    (row,) = [line.split() for line in text.getvalue().splitlines() if "1.5" in line]
    assert row == ["1.5"] * 30


CELLS = st.text("abcdefghij0123456789.-", min_size=1, max_size=12)


@st.composite
def drawn_tables(draw: st.DrawFn) -> Table:
    """A table of words and numbers, marked or not; no heading occurs twice."""
    columns = draw(st.lists(CELLS, min_size=1, max_size=7, unique=True))
    row = st.lists(CELLS, min_size=len(columns), max_size=len(columns)).map(tuple)
    rows = draw(st.lists(row, min_size=1, max_size=4))
    mark = st.sampled_from([True, False, None])
    marks = draw(st.just([]) | st.lists(mark, min_size=len(rows), max_size=len(rows)))
    left = draw(st.lists(st.sampled_from(columns), unique=True))
    return Table(tuple(columns), tuple(rows), tuple(marks), left=tuple(left))


@MANY
@given(table=drawn_tables(), width=st.integers(30, 120))
def test_no_terminal_cuts_a_cell(table: Table, width: int) -> None:
    """Each cell stands whole in one line, in the order of the rows, and no line is too long."""
    text = printed((table,), width)
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text
    pieces = iter(re.findall(r"[a-j0-9.\-]+", text.split("\n", 1)[1] if "─" in text else text))
    for row in table.rows:
        for cell in row:
            assert any(piece == cell for piece in pieces), (cell, text)


def test_a_table_that_fits_is_a_grid_and_one_that_does_not_is_stacked() -> None:
    assert "─" in printed((TABLE,), 100)
    stacked = printed((TABLE,), 15)
    assert "─" not in stacked
    assert "n|: 3/7" in stacked
