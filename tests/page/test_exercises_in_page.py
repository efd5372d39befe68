"""Exercises on the page: the same marks as in Python, and an answer that ``grade`` takes."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import pytest
from axe_playwright_python.sync_playwright import Axe
from exercises.cases import CASES
from page.conftest import beginning
from page.test_engine import replayed
from playwright.sync_api import expect

from adderlab.exercises import answer_in, exercise_named, exercises, marks_of, read_answer
from adderlab.page_data import exercises as page_exercises
from adderlab.verbs.grade import grade


def test_the_page_marks_every_answer_as_python_does(tmp_path) -> None:
    """States, conditions and words; and what the page writes is the answer that was judged."""
    cases = []
    for name, value, _, _ in CASES:
        part = "network" if "layers" in value else "numbers"
        entry = page_exercises.to_page(exercise_named(name))
        cases.append({"exercise": entry, "answer": {part: value}})
    path = tmp_path / "cases.json"
    _ = path.write_text(json.dumps(cases))
    for (name, value, _, _), got in zip(CASES, replayed(path, "exercises"), strict=True):
        exercise = exercise_named(name)
        entry = answer_in(got["file"].encode(), "answer.json")
        answer = read_answer(entry, exercise, "answer.json")
        marks = marks_of(exercise, network=answer.network, numbers=answer.numbers)
        assert got["marks"] == [asdict(mark) for mark in marks], (name, value)


EXERCISES = [page_exercises.to_page(exercise) for exercise in exercises()]


@pytest.fixture
def exercise_page(opened):
    """Return a function that opens the page with its exercises."""

    def open_page(link="", **context):
        data = beginning(exercises=EXERCISES, version="0.1.0")
        return opened(data, link, accept_downloads=True, **context)

    return open_page


def conditions(page):
    """Return the list of conditions."""
    return page.locator(".conditions li")


@pytest.mark.browser
def test_an_exercise_from_opening_to_the_grade(exercise_page, tmp_path) -> None:
    """Chosen, missed, met, saved; and the saved file is graded as proved."""
    page = exercise_page()
    page.get_by_label("Exercise", exact=True).first.select_option("repair")
    expect(conditions(page)).to_have_text(
        [
            "✘not met: right on every row 1 + 1 gives c = 3, expected c = 2",
            "✔met: at most one weight or bias differs from the lecture's",
        ]
    )
    page.get_by_role("spinbutton", name=re.compile(r"^fc2\.bias\[1\],")).focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("spinbutton", name=re.compile(r"^fc2\.weight\[1,2\],")).focus()
    page.keyboard.type("-4")
    page.keyboard.press("Enter")
    expect(conditions(page).nth(1)).to_have_class("unmet")
    expect(conditions(page).nth(1)).to_contain_text("2 differ")
    page.get_by_role("button", name="start again").click()
    page.get_by_role("spinbutton", name=re.compile(r"^fc2\.weight\[1,2\],")).focus()
    page.keyboard.type("-4")
    page.keyboard.press("Enter")
    for number in (0, 1):
        expect(conditions(page).nth(number)).to_have_class("met")
    with page.expect_download() as download:
        page.get_by_role("button", name="save the answer").click()
    assert download.value.suggested_filename == "repair.json"
    download.value.save_as(tmp_path / "repair.json")
    page.locator("summary").click()
    shown = page.get_by_label("the answer as text").input_value()
    assert shown == (tmp_path / "repair.json").read_text()
    (entry,) = grade(tmp_path, exercise="repair").entries
    assert (entry.verdict, entry.name) == ("proved", "repair.json")


@pytest.mark.browser
def test_numbers_are_asked_for_and_a_wrong_one_gets_a_hint(exercise_page) -> None:
    """A link opens the exercise; what is no number in range is no answer."""
    page = exercise_page("#exercise=fc1-size")
    expect(conditions(page).first).to_have_class("open")
    parameters, size = (
        page.get_by_label("parameters", exact=True),
        page.get_by_label("bytes", exact=True),
    )
    parameters.fill("6")
    parameters.press("Tab")
    expect(conditions(page).first).to_contain_text(
        "each unit has a weight for each input, and a bias"
    )
    size.fill("36.5")
    size.press("Tab")
    expect(size).to_have_attribute("aria-invalid", "")
    expect(conditions(page).nth(1)).to_have_class("open")
    parameters.fill("9")
    size.fill("36")
    size.press("Tab")
    expect(conditions(page).nth(1)).to_have_class("met")
    answer = json.loads(page.get_by_label("the answer as text").input_value())
    assert answer == {
        "exercise": "fc1-size",
        "numbers": {"parameters": 9, "bytes": 36},
        "versions": {"adderlab": "0.1.0"},
    }


@pytest.mark.browser
def test_a_link_opens_an_exercise_and_may_hide_the_choice(exercise_page) -> None:
    """The exercise, and what was done in it, are in the address; one that is none is said."""
    page = exercise_page("#exercise=xor&hide=exercise")
    expect(page.locator(".assignment h2")).to_have_text("XOR with 2 hidden units")
    expect(page.locator('[data-control="exercise"]')).to_have_count(0)
    page.get_by_role("spinbutton", name=re.compile(r"^fc1\.weight\[0,0\],")).focus()
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    page.wait_for_function("location.hash.includes('relu:7,')")
    again = exercise_page(page.evaluate("location.hash"))
    expect(again.locator(".assignment h2")).to_have_text("XOR with 2 hidden units")
    edge = again.get_by_role("spinbutton", name=re.compile(r"^fc1\.weight\[0,0\],"))
    expect(edge).to_have_attribute("aria-valuenow", "7")
    other = exercise_page("#exercise=nothing")
    expect(other.locator(".said")).to_contain_text("the link's exercise could not be read")
    expect(other.locator(".assignment")).to_be_hidden()


@pytest.mark.browser
def test_outputs_are_hidden_until_they_are_asked_for(exercise_page) -> None:
    """Table, drawing, surfaces, verdict and the condition; a change hides them again."""
    page = exercise_page("#exercise=repair&predict=on")
    rows = page.locator(".panel.table tbody tr")
    expect(rows.nth(3)).to_have_text("112?show??")
    expect(page.locator(".surfaces")).to_be_hidden()
    expect(page.locator(".headline")).to_contain_text("predict first")
    expect(conditions(page).first).to_contain_text("show every row first")
    expect(page.locator(".unit:not(.input) .value")).to_have_text(["?"] * 5)
    for row in (4, 3, 2):
        page.get_by_role("button", name=f"show what row {row} gives").click()
    expect(rows.nth(3)).to_contain_text("✘ wrong")
    expect(page.locator(".headline")).to_contain_text("predict first")
    page.get_by_role("button", name="show what row 1 gives").press("Enter")
    expect(page.locator(".headline")).to_contain_text("1 + 1 gives c = 3")
    expect(page.locator(".surfaces")).to_be_visible()
    page.get_by_role("spinbutton", name=re.compile(r"^fc2\.weight\[1,2\],")).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".headline")).to_contain_text("predict first")
    expect(rows.nth(3)).not_to_contain_text("wrong")
    page.get_by_label("predict first").uncheck()
    expect(page.locator(".headline")).to_contain_text("refuted")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_an_exercise_is_accessible(exercise_page, width, scheme) -> None:
    """No serious fault by axe, nothing wider than the window."""
    page = exercise_page("#exercise=sgd-step&predict=on", width=width, color_scheme=scheme)
    page.locator("summary").click()
    violations = Axe().run(page).response["violations"]
    assert [each["id"] for each in violations if each["impact"] in ("serious", "critical")] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
