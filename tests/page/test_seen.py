"""The page as it is seen: on a phone, on a projector, on paper, in forced colors."""

from __future__ import annotations

import itertools
import re

import pytest
from page import golden
from page.conftest import beginning
from page.test_by_hand import lesson
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

LEAST_PX = 10
"""Of text; numbers in circles are as small as they have to be."""
UNREADABLE = """(least) => {
  const texts = [...document.querySelectorAll(".drawing text, .surface text, .curve text")];
  return texts.filter((text) => text.checkVisibility() && text.textContent).flatMap((text) => {
    const frame = text.closest(".drawing, .surface, .curve").getBoundingClientRect();
    const { left, right } = text.getBoundingClientRect();
    const size = parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a;
    const turned = Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b);
    const is_cut = left < frame.left - 1 || right > frame.right + 1;
    const px = parseFloat(getComputedStyle(text).fontSize) * turned;
    const is_small = px < least && !text.matches(".value");
    return is_cut || is_small ? [[text.textContent, is_cut, px]] : [];
  });
}"""
COVERED = """() => {
  const boxes = (name) =>
    [...document.querySelectorAll(name)].map((e) => e.getBoundingClientRect());
  const meet = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 3 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3;
  const numbers = boxes(".label text:first-of-type");
  const circles = boxes(".unit circle");
  return numbers.flatMap((a, i) => [...numbers.slice(i + 1), ...circles].filter((b) => meet(a, b)));
}"""


@pytest.mark.parametrize(
    ("width", "task"), [(320, "full-adder"), (360, "half-adder"), (1280, "full-adder")]
)
def test_what_is_drawn_is_whole_and_readable(opened, width, task) -> None:
    """Names, numbers and marks of the drawing, the surfaces and the loss."""
    page = opened(width=width)
    page.get_by_label("Task", exact=True).select_option(task)
    page.get_by_role("button", name="one step").click()
    expect(page.locator(".curve .loss")).to_have_attribute("d", re.compile(r"^M54"))
    assert page.evaluate(UNREADABLE, LEAST_PX) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_long_names_stand_within_the_drawing(opened) -> None:
    """Of inputs and of outputs."""
    task = golden.page_task("half-adder")
    names = {
        "a": "first_operand",
        "b": "second_operand",
        "c1": "the_carry_out",
        "c0": "the_sum_bit",
    }
    for key in ("input_names", "output_names"):
        task[key] = [names[name] for name in task[key]]
    data = beginning()
    data["start"]["task"] = task
    for width in (360, 1280):
        assert opened(data, width=width).evaluate(UNREADABLE, LEAST_PX) == []


@pytest.mark.parametrize(("width", "link"), [(360, ""), (1280, ""), (1280, "#lesson=40")])
def test_numbers_cover_neither_each_other_nor_units(opened, width, link) -> None:
    """Of the lecture's network."""
    assert opened(link=link, width=width).evaluate(COVERED) == []


def test_a_layer_of_many_units_is_drawn(opened) -> None:
    """Where numbers can't be kept apart, they are not."""
    sizes = [2, 32, 32, 2]
    layers = [
        {"weight": [[1] * n] * m, "bias": [0] * m, "activation": "relu"}
        for n, m in itertools.pairwise(sizes)
    ]
    net = {"layers": layers, "readout": {"kind": "exact"}, "format": "fp32"}
    page = opened(beginning(net))
    expect(page.locator(".label")).to_have_count(
        sum(m * (n + 1) for n, m in itertools.pairwise(sizes))
    )


@pytest.mark.parametrize(("chapter", "part"), [(5, ".curve"), (6, ".formula")])
def test_a_chapter_is_seen_without_scrolling(opened, chapter, part) -> None:
    """On a projector of 1600 by 900, with what it speaks of."""
    page = opened(beginning(**lesson()), link=f"#present={chapter}", width=1600, height=900)
    page.locator(".slide").wait_for()
    if part == ".curve":
        page.get_by_role("button", name="one step").click()
    box = page.locator(part).bounding_box()
    assert box["y"] + box["height"] <= 900


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_forced_colors_show_every_edge(opened, scheme) -> None:
    """One of weight 0 in the color of text, a negative one by its dashes."""
    page = opened(forced_colors="active", color_scheme=scheme, link="#lesson=12")
    ink = page.evaluate("getComputedStyle(document.querySelector('.headline')).color")
    strokes = "e => e.map((line) => getComputedStyle(line).stroke)"
    assert set(page.locator(".edge line:first-child").evaluate_all(strokes)) == {ink}
    dashes = "e => getComputedStyle(e).strokeDasharray"
    assert page.locator(".edge.negative line").first.evaluate(dashes) != "none"
    callout = "e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor]"
    color, background = page.locator(".callout").evaluate(callout)
    assert color != background


def test_paper_has_what_is_shown_and_no_controls(opened) -> None:
    """Dark surfaces are painted light for it, and dark again."""
    page = opened(color_scheme="dark")
    painted = "document.querySelector('canvas').toDataURL()"
    dark = page.evaluate(painted)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate(painted) == opened(color_scheme="light").evaluate(painted) != dark
    for part in ("verdict", "network", "table", "surfaces"):
        expect(page.locator(f"section.{part}")).to_be_visible()
    for part in (".toolbar", ".training", ".backprop", ".hint"):
        expect(page.locator(part).first).to_be_hidden()
    assert page.get_by_role("button", name=re.compile("train|open|save")).count() == 0
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(painted) == dark


def test_a_presentation_is_printed_on_one_page(opened) -> None:
    """Its height on the screen is none on paper."""
    page = opened(beginning(**lesson()), link="#present=1")
    page.locator(".slide").wait_for()
    assert page.pdf(format="A4").count(b"/Type /Page\n") == 1
