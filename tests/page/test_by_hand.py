"""The page as people use it: by mouse, by keyboard, at three widths, in both themes."""

from __future__ import annotations

import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from page import golden
from page.conftest import beginning
from playwright.sync_api import expect

from adderlab.building import lecture_network
from adderlab.page_data.beginning import beginning as every_page
from adderlab.page_data.chapters import CHAPTERS
from adderlab.tasks import task_named

pytestmark = pytest.mark.browser


def lesson():
    """Return the presets, tasks and chapters of every page."""
    task = task_named("half-adder")
    data = every_page(lecture_network(task), task)
    return {key: data[key] for key in ("presets", "tasks", "chapters")}


def verdict(page):
    """Return the verdict's line."""
    return page.locator(".headline")


def weight(page, name):
    """Return a parameter of the drawing by PyTorch's name."""
    return page.get_by_role("spinbutton", name=re.compile(rf"^{re.escape(name)},"))


def test_a_lesson_from_the_lectures_network_to_the_repaired_one(opened) -> None:
    """By keyboard alone: the wrong row, one weight, the threshold; undone and done again."""
    page = opened()
    expect(verdict(page)).to_have_text("✘ refuted: 1 + 1 gives c = 3, expected c = 2")
    weight(page, "fc1.weight[0,0]").focus()
    for _ in range(100):
        if page.evaluate("document.activeElement.getAttribute('aria-label')").startswith(
            "fc2.weight[1,2],"
        ):
            break
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.type("-4")
    page.keyboard.press("Enter")
    expect(verdict(page)).to_have_text("✔ proved: right on all 4 rows, margin 0")
    page.get_by_label("threshold").fill("1/4")
    page.keyboard.press("Tab")
    expect(verdict(page)).to_have_text("✔ proved: right on all 4 rows, margin 1/4")
    weight(page, "fc1.weight[0,0]").focus()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    expect(verdict(page)).to_contain_text("refuted")
    page.keyboard.press("Control+Shift+z")
    page.keyboard.press("Control+y")
    expect(verdict(page)).to_contain_text("margin 1/4")


def test_a_weight_is_dragged_stepped_typed_and_emptied(opened) -> None:
    """Every way to change a number; the table follows, and a drag is one step of undo."""
    page = opened()
    edge = weight(page, "fc2.weight[1,2]")
    box = edge.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 65):
        page.mouse.move(x, y + step)
    page.mouse.up()
    expect(edge).to_have_attribute("aria-valuenow", "-4")
    expect(verdict(page)).to_contain_text("proved")
    page.get_by_role("button", name="undo").click()
    expect(edge).to_have_attribute("aria-valuenow", "-2")
    edge.focus()
    for key, value in (
        ("ArrowUp", "-1.75"),
        ("ArrowDown", "-2"),
        ("PageUp", "-1"),
        ("PageDown", "-2"),
        ("Shift+ArrowUp", "-1.984375"),
        ("Delete", "0"),
    ):
        page.keyboard.press(key)
        expect(edge).to_have_attribute("aria-valuenow", value)
    page.keyboard.press("-")
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    field = page.locator("input.typed")
    expect(field).to_have_attribute("aria-invalid", "true")
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    expect(edge).to_have_attribute("aria-valuenow", "0")


def test_rows_are_chosen_in_the_table_in_the_drawing_and_in_a_surface(opened) -> None:
    """Each shows the same row, by mouse and by keyboard."""
    page = opened()
    picked = page.locator("tr.picked td.input")
    expect(picked).to_have_text(["1", "1"])
    page.get_by_role("switch", name="input a").click()
    expect(picked).to_have_text(["0", "1"])
    page.get_by_role("switch", name="input b").press("Enter")
    expect(picked).to_have_text(["0", "0"])
    page.get_by_role("button", name="show row 1").focus()
    page.keyboard.press("ArrowDown")
    expect(picked).to_have_text(["0", "1"])
    page.locator(".surface").first.locator(".corner").last.click()
    expect(picked).to_have_text(["1", "1"])


def test_training_goes_to_a_solution_and_back(opened) -> None:
    """From a seed to a proof, back to the start, and again: the same numbers."""
    page = opened()
    page.get_by_label("seed of the weights").fill("0")
    page.keyboard.press("Enter")
    page.get_by_label("Steps a frame").select_option("100")
    start = weight(page, "fc1.weight[0,0]").get_attribute("aria-valuenow")
    page.get_by_role("button", name="train", exact=False).first.click()
    expect(verdict(page)).to_contain_text("proved", timeout=20_000)
    page.get_by_role("button", name="pause").click()
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    scrubber = page.get_by_role("slider")
    last = int(scrubber.get_attribute("max"))
    assert last >= 100
    expect(page.locator(".training code")).to_have_text(
        f"adderlab train half-adder --data table --seed 0 --steps {last} --hidden 3"
    )
    scrubber.focus()
    page.keyboard.press("Home")
    expect(weight(page, "fc1.weight[0,0]")).to_have_attribute("aria-valuenow", start)
    page.keyboard.press("End")
    expect(verdict(page)).to_contain_text("proved")
    page.get_by_role("button", name="reset").click()
    expect(weight(page, "fc1.weight[0,0]")).to_have_attribute("aria-valuenow", start)
    page.get_by_role("button", name="new seed").click()
    expect(page.get_by_label("seed of the weights")).to_have_value("1")
    page.get_by_role("button", name="one step").click()
    expect(page.locator(".step")).to_contain_text("step 1 of 1, loss")


def test_backprop_by_one_key_on_and_one_key_back(opened) -> None:
    """A gradient is not there before it was computed, nor after one has gone back."""
    page = opened()
    page.get_by_role("button", name="step through backprop").press("Enter")
    slots = page.locator(".slots tbody tr")
    expect(slots).to_have_count(17)
    expect(page.locator(".slots .absent")).to_have_count(17)
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    expect(page.locator(".symbols")).to_have_text("dL/dfc2.weight[0,0] = dL/dc1 · h1 =")
    expect(page.locator(".callout")).to_have_text("(−0.5)·0.5 = −0.25")
    expect(page.locator(".slots .absent")).to_have_count(16)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".slots .absent")).to_have_count(17)
    page.get_by_label("zero_grad()").uncheck()
    page.get_by_role("button", name="on ▶").focus()
    for _ in range(100):
        page.keyboard.press("PageDown")
    expect(page.get_by_role("button", name="on ▶")).to_be_disabled()
    expect(page.locator(".phase")).to_contain_text("second step, optimizer.step()")
    page.get_by_role("button", name="end", exact=True).click()
    expect(page.locator(".slots")).to_be_hidden()


def test_shape_task_activation_readout_and_format(opened) -> None:
    """Every choice of the toolbar changes what it says, and the verdict follows."""
    page = opened()
    for name, units in (("one hidden unit more", "4"), ("one hidden unit fewer", "3")):
        page.get_by_role("button", name=name).click()
        expect(page.locator("[data-control=units] output")).to_have_text(units)
    expect(verdict(page)).to_contain_text("1 + 1 gives c = 3")
    page.get_by_label("Task", exact=True).select_option("full-adder")
    expect(page.locator(".table tbody tr")).to_have_count(8)
    for activation in ("leaky", "step", "identity", "tanh"):
        page.get_by_label("Activation", exact=True).select_option(activation)
    expect(verdict(page)).to_contain_text("unknown")
    page.get_by_label("Begin with", exact=True).select_option("the lecture's")
    page.get_by_label("how an output becomes a bit").select_option("exact")
    expect(verdict(page)).to_contain_text("no bits")
    page.get_by_label("how an output becomes a bit").select_option(">=")
    expect(verdict(page)).to_contain_text("refuted")
    page.get_by_label("Format", exact=True).select_option("int2")
    size = "17 parameters: 5 bytes in int2, and 1 for 1 scale"
    expect(page.locator(".bytes")).to_have_text(size)
    page.wait_for_function("location.hash.includes('format=int2')")
    again = opened(link=page.evaluate("location.hash"))
    expect(again.locator(".bytes")).to_have_text(size)
    weight(again, "fc2.weight[1,2]").focus()
    again.keyboard.press("ArrowUp")
    expect(again.locator(".bytes")).to_have_text("17 parameters: 68 bytes in fp32")
    page.get_by_label("Begin with", exact=True).select_option("a run that fails")
    expect(verdict(page)).to_contain_text("refuted")


def test_a_link_shows_the_same_and_hides_what_it_says(opened) -> None:
    """The address holds the state; a stripped page has no control that is hidden."""
    page = opened()
    weight(page, "fc2.weight[1,2]").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("location.hash.includes('net=')")
    link = page.evaluate("location.hash")
    again = opened(link=f"{link}&hide=files,presets,training,surfaces")
    expect(weight(again, "fc2.weight[1,2]")).to_have_attribute("aria-valuenow", "-1.75")
    for part in (".training", ".surfaces", "[data-control=files]", "[data-control=presets]"):
        expect(again.locator(part)).to_have_count(0)
    bad = opened(link="#net=relu:x&row=99")
    expect(bad.locator(".said")).to_have_text(
        "the link's net, row could not be read and was left out"
    )


def test_a_lecture_is_presented_by_keyboard_alone(opened) -> None:
    """Chapters forward and back, a panel by its digit, backprop within its chapter, the end."""
    page = opened(beginning(**lesson()))
    page.get_by_role("button", name="present").press("Enter")
    title = page.locator(".slide h2")
    titles = [chapter.title for chapter in CHAPTERS]
    expect(title).to_have_text(titles[0])
    expect(title).to_be_focused()
    for panel, key in (("table", "2"), ("surfaces", "3"), ("network", "1")):
        page.keyboard.press(key)
        for name in ("network", "table", "surfaces"):
            expect(page.locator(f"section.{name}")).to_be_visible(visible=name == panel)
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowLeft")
    expect(title).to_have_text(titles[0])
    seen = []
    for _ in range(200):
        heading = title.inner_text()
        seen += [] if seen[-1:] == [heading] else [heading]
        page.keyboard.press("PageDown")
        page.evaluate(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )
        if heading == titles[-1]:
            break
    assert seen == titles
    page.keyboard.press("Escape")
    expect(page.locator(".slide")).to_be_hidden()
    expect(page.get_by_role("button", name="present")).to_be_focused()


def test_text_to_copy_is_shown_where_the_page_may_not_copy(opened) -> None:
    """Without the clipboard's permission a dialog holds the code, and Escape closes it."""
    page = opened()
    assert page.evaluate("navigator.clipboard === undefined")  # an address without encryption
    page.get_by_role("button", name="code").click()
    text = page.get_by_role("dialog").get_by_role("textbox")
    expect(text).to_have_value(re.compile(r"class AdderNN\(nn\.Module\):"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_hostile_names_are_text(opened) -> None:
    """Of words, of tasks and of presets."""
    name = "<img src=x onerror=alert(1)>'\"&\u2028</script>"
    task = golden.page_task("half-adder")
    text = (
        json.dumps(task).replace('"a"', json.dumps(name)).replace('"half-adder"', json.dumps(name))
    )
    task = json.loads(text)
    data = beginning()
    data["start"]["task"] = task
    data["presets"][0]["title"] = name
    page = opened(data)
    expect(page.locator("img")).to_have_count(0)
    expect(page.get_by_role("columnheader", name=name)).to_be_visible()
    expect(page.get_by_role("switch", name=f"input {name}")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280, 1920])
def test_nothing_is_cut_and_axe_finds_nothing(opened, width, scheme) -> None:
    """At three widths and in both themes, in backprop mode too."""
    page = opened(width=width, color_scheme=scheme, reduced_motion="reduce")
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        violations = Axe().run(page).response["violations"]
        assert [
            (each["id"], [node["html"] for node in each["nodes"]][:2]) for each in violations
        ] == []
        start = page.get_by_role("button", name="step through backprop")
        if start.is_visible():
            start.click()
