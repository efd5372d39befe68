"""What results show in a notebook: no script, no color of their own, nothing unescaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

import adderlab
from adderlab.blocks import fragments

NASTY = '<script>alert("x")</script>'


@pytest.fixture(scope="module")
def results():
    """Return one of each result that a notebook may end a cell with."""
    lecture = adderlab.build("half-adder", method="lecture")
    run = adderlab.train("half-adder", steps=100, samples=40)
    return {
        "build": lecture,
        "network": lecture.network,
        "verdict": lecture.verdict,
        "train": run,
        "count": adderlab.count(lecture),
        "show": adderlab.show(lecture, input="1,1"),
        "repair": adderlab.repair(lecture),
        "compare": adderlab.compare(lecture, run),
        "population": adderlab.train_many("half-adder", seeds=8, steps=20, samples=20),
    }


class _Tags(HTMLParser):
    """Checks that every tag that opens closes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        assert tag not in ("script", "style", "link", "img", "iframe")
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href")]
        self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(
    "name",
    ["build", "network", "verdict", "train", "count", "show", "repair", "compare", "population"],
)
def test_a_result_shows_itself_in_light_and_dark(results, name):
    """Colors are the theme's: inherited, or none."""
    text = results[name]._repr_html_()
    assert _Tags(text).open == []
    colors = set(re.findall(r"(?<![-\w])(?:color|background|background-color):([^;\"]+)", text))
    assert colors <= {"inherit", "none"}
    assert not re.search(r"#[0-9a-fA-F]{3,8}\b", text)


def test_a_wrong_row_is_told_by_mark_and_word(results):
    assert "✗ wrong" in results["show"]._repr_html_()
    assert "refuted" in results["verdict"]._repr_html_()


def test_text_is_never_taken_for_markup():
    parts = [
        fragments.line(NASTY, strong=NASTY),
        fragments.code(NASTY),
        fragments.table([NASTY], [[NASTY]], marks=[True], caption=NASTY),
    ]
    text = fragments.block(*parts, title=NASTY)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") == 7
