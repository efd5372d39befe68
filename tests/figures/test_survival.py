"""The figure of survivors: what it says in words, and that the same numbers give the same bytes."""

from __future__ import annotations

from xml.etree import ElementTree

from adderlab.figures import survival_picture

SHARES = {"nearest": {"fp16": 1.0, "int2": 0.25}, "fine-tune": {"int2": 0.5}}


def test_it_says_every_share_in_words():
    picture = survival_picture(SHARES, ["fp16", "int2"])
    assert picture.alt == "nearest: fp16 100%, int2 25%; fine-tune: int2 50%."
    assert ElementTree.fromstring(picture.svg).tag.endswith("svg")


def test_the_same_numbers_give_the_same_bytes():
    one, two = (survival_picture(SHARES, ["fp16", "int2"]) for _ in range(2))
    assert (one.svg, one.png) == (two.svg, two.png)
    other = survival_picture({"nearest": {"fp16": 0.5}}, ["fp16", "int2"])
    assert other.svg != one.svg


def test_every_color_is_the_pages_own():
    """In a page each line follows the theme."""
    assert "var(--fig-positive" in survival_picture(SHARES, ["fp16", "int2"]).themed_svg
