"""The page under a finger, on a phone."""

from __future__ import annotations

import pytest
from page.test_by_hand import weight
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740, "has_touch": True, "is_mobile": True}


def drag(page, x, y, by):
    """Draw a finger over the page from a place, up or down, in steps of a few pixels."""
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        places = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    touch("touchStart", (x, y))
    for step in range(1, 17):
        touch("touchMove", (x, y + by * step / 16))
    touch("touchEnd")
    session.detach()


@pytest.mark.parametrize("part", ["number", "edge"])
def test_a_finger_changes_a_weight_and_the_page_stays(opened, part) -> None:
    """Two whole units up or down for 64 pixels, whichever part of the edge is held."""
    page = opened(**PHONE)
    number = weight(page, "fc1.weight[0,0]")
    number.scroll_into_view_if_needed()
    top = page.evaluate("scrollY")
    box = (number if part == "number" else page.locator(".edge .grip").first).bounding_box()
    share = 0.5 if part == "number" else 0.8
    drag(page, box["x"] + share * box["width"], box["y"] + (1 - share) * box["height"], -64)
    expect(number).to_have_attribute("aria-valuenow", "3")
    assert page.evaluate("scrollY") == top


def test_a_finger_beside_the_edges_scrolls_the_page(opened) -> None:
    """From within the drawing, too."""
    page = opened(**PHONE)
    drawing = page.locator(".drawing")
    drawing.scroll_into_view_if_needed()
    top = page.evaluate("scrollY")
    box = drawing.bounding_box()
    drag(page, box["x"] + 5, box["y"] + 5, -200)
    page.wait_for_function(f"scrollY > {top}")


def test_a_number_is_typed_after_two_taps(opened) -> None:
    """As after a double click."""
    page = opened(**PHONE)
    number = weight(page, "fc2.weight[1,2]")
    number.tap()
    number.tap()
    page.locator("input.typed").fill("-4")
    page.keyboard.press("Enter")
    expect(number).to_have_attribute("aria-valuenow", "-4")
