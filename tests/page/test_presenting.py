"""A presentation in a lecture hall: a remote control, a link to a chapter, the end."""

from __future__ import annotations

import pytest
from page.conftest import beginning
from page.test_by_hand import lesson, verdict, weight
from playwright.sync_api import expect

from adderlab.page_data.chapters import CHAPTERS

pytestmark = pytest.mark.browser


def test_page_keys_turn_the_page_wherever_the_focus_is(opened) -> None:
    """Remote controls send them, after a weight was dragged or a rate typed, too."""
    page = opened(beginning(**lesson()), link="#present=8")
    title = page.locator(".slide h2")
    expect(title).to_have_text(CHAPTERS[7].title)
    number = weight(page, "fc1.weight[0,0]")
    before = number.get_attribute("aria-valuenow")
    number.press("PageDown")
    expect(title).to_have_text(CHAPTERS[8].title)
    number.press("PageUp")
    expect(title).to_have_text(CHAPTERS[7].title)
    expect(number).to_have_attribute("aria-valuenow", before)
    page.get_by_label("Learning rate").press("PageDown")
    expect(title).to_have_text(CHAPTERS[8].title)


def test_a_link_to_a_chapter_shows_its_network(opened) -> None:
    """And what was changed in it, after a reload."""
    page = opened(beginning(**lesson()), link="#present=3")
    expect(verdict(page)).to_contain_text("proved")
    number = weight(page, "fc2.weight[1,2]")
    for _ in range(8):
        number.press("ArrowUp")
    expect(number).to_have_attribute("aria-valuenow", "-2")  # as the page's own start has it
    page.wait_for_function("location.hash.includes(',-2!')")
    page.reload()
    expect(page.locator(".slide h2")).to_have_text(CHAPTERS[2].title)
    expect(number).to_have_attribute("aria-valuenow", "-2")


def test_the_network_from_before_comes_back_by_one_undo(opened) -> None:
    """That of the chapter stays at the end, and a line says so."""
    page = opened(beginning(**lesson()))
    number = weight(page, "fc1.weight[0,0]")
    number.press("ArrowUp")
    page.get_by_role("button", name="present").click()
    for chapter in CHAPTERS[:3]:
        expect(page.locator(".slide h2")).to_have_text(chapter.title)
        page.keyboard.press("PageDown")
    page.keyboard.press("Escape")
    expect(page.locator(".said")).to_have_text(
        "this network stays; undo goes back to the one before"
    )
    expect(verdict(page)).to_contain_text("proved")
    page.get_by_role("button", name="undo").click()
    expect(number).to_have_attribute("aria-valuenow", "1.25")
