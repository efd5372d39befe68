"""The page in odd hands: what is typed wrong, run too far, cut off, or changed while it moves."""

from __future__ import annotations

import json
import re

import pytest
from page.conftest import beginning
from page.test_by_hand import verdict, weight
from playwright.sync_api import expect

from adderlab.exercises import exercise_named
from adderlab.page_data import exercises as page_exercises

pytestmark = pytest.mark.browser

FRAMES = """new Promise((done) => {
  let left = 20;
  const next = () => (left-- ? requestAnimationFrame(next) : done());
  next();
})"""


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1,5", "1.5"), ("1e30", "1000000015047466200000000000000"), ("-0", "0")]
    + [(text, None) for text in ("½", "1e400", "1e39", "0x10", " ", "", f"{'9' * 400}/1")],
)
def test_a_typed_weight_is_a_number_that_the_format_holds(opened, typed, value) -> None:
    """Anything else is marked, and the weight is what it was."""
    page = opened(link="#format=fp32")
    edge = weight(page, "fc1.weight[0,0]")
    before = edge.get_attribute("aria-valuenow")
    edge.press("Enter")
    field = page.locator("input.typed")
    field.fill(typed)
    field.press("Enter")
    if value is None:
        expect(field).to_have_attribute("aria-invalid", "true")
        field.press("Escape")
    expect(field).to_have_count(0)
    expect(edge).to_have_attribute("aria-valuenow", value or before)


def test_a_threshold_keeps_its_value_where_only_the_comparison_changes(opened) -> None:
    """The field shows six decimals of it."""
    page = opened(link="#readout=gt0.3333333333333333")
    page.get_by_label("how an output becomes a bit").select_option(">=")
    page.wait_for_function("location.hash.includes('readout=ge0.3333333333333333')")


@pytest.mark.parametrize("rate", ["1e10", "1e38"])
def test_a_run_that_diverges_ends_with_its_reason(opened, rate) -> None:
    """And the page goes on: its loss is drawn, and the run can be gone back through."""
    page = opened(link=f"#lr={rate}&seed=4294967295")
    page.get_by_role("button", name="▶ train").click()
    expect(page.locator(".training [role=status]")).to_contain_text("beyond every number of fp32")
    expect(page.get_by_role("button", name="▶ train")).to_be_visible()


@pytest.mark.parametrize("change", ["undo", "task", "drag", "scrub"])
def test_a_change_by_hand_while_training_plays_pauses_it(opened, change) -> None:
    """What was changed is not trained away."""
    page = opened(link="#speed=1")
    page.get_by_role("button", name="▶ train").click()
    expect(page.locator(".step")).to_contain_text("loss")
    if change == "undo":
        page.get_by_role("button", name="undo").click()
        expect(verdict(page)).to_contain_text("1 + 1 gives c = 3")
    elif change == "task":
        page.get_by_label("Task", exact=True).select_option("full-adder")
    elif change == "drag":
        weight(page, "fc1.weight[0,0]").press("ArrowUp")
    else:
        page.get_by_role("slider").press("Home")
    expect(page.get_by_role("button", name="▶ train")).to_be_visible()


def test_a_verdict_is_spoken_once_it_stands(opened) -> None:
    """The line changes in every frame of a run, and no status does."""
    page = opened(link="#speed=1")
    page.evaluate(
        """() => {
          window.spoken = 0;
          const observer = new MutationObserver((all) => (window.spoken += all.length));
          for (const status of document.querySelectorAll("[role=status]")) {
            observer.observe(status, { childList: true, characterData: true, subtree: true });
          }
        }"""
    )
    edge = weight(page, "fc2.weight[1,2]")
    edge.focus()
    for _ in range(20):
        page.keyboard.press("Shift+ArrowDown")
    page.evaluate(FRAMES)
    assert page.evaluate("window.spoken") <= 2
    page.keyboard.press("Delete")
    spoken = page.locator(".verdict [role=status]")
    expect(spoken).to_have_text(verdict(page).inner_text().split(" ", 1)[1])


WATCH = """() => {
  window.spoken = [];
  const observer = new MutationObserver((all) => {
    spoken.push(...all.map(({ target }) => target.textContent));
  });
  for (const live of document.querySelectorAll("[role=status], [aria-live]")) {
    observer.observe(live, { childList: true, characterData: true, subtree: true });
  }
}"""


def test_a_run_speaks_of_its_steps_no_more_than_of_its_verdicts(opened) -> None:
    """In backprop mode and in an exercise its numbers change in every frame."""
    exercise = page_exercises.to_page(exercise_named("half-adder"))
    data = beginning(exercises=[exercise], version="0.1.0")
    page = opened(data, link="#exercise=half-adder&lesson=12&speed=1")
    expect(page.locator(".verdict [role=status]")).not_to_be_empty()
    page.evaluate(WATCH)
    page.get_by_role("button", name="▶ train").click()
    page.evaluate(FRAMES)
    assert page.evaluate("spoken") == []
    page.get_by_role("button", name="pause").click()
    page.get_by_role("button", name="on ▶").click()
    formula = page.locator(".backprop [role=status]")
    expect(formula).to_have_text(re.compile(r"^first step, backward · 13 of \d+: dL/d"))


def test_a_step_of_backprop_leaves_the_page_where_it_is(opened) -> None:
    """The table of slots follows to the parameter, and the window does not."""
    page = opened(width=360, height=500)
    page.get_by_role("button", name="step through backprop").click()
    expect(page.get_by_role("button", name="on ▶")).to_be_focused()
    page.evaluate("scrollTo(0, 0)")
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    page.evaluate(FRAMES)
    assert page.evaluate("scrollY") == 0
    covered = """() => {
      const parts = [".slots tr.picked", ".slots thead"];
      const [line, head] = parts.map((name) => document.querySelector(name));
      return line.getBoundingClientRect().top < head.getBoundingClientRect().bottom - 1;
    }"""
    assert not page.evaluate(covered)


@pytest.mark.parametrize(
    ("end", "button", "before"),
    [("on ▶", "◀ back", None), ("undo", "redo", "one step"), ("reset", "one step", "one step")],
)
def test_a_button_that_can_do_no_more_keeps_the_focus(opened, end, button, before) -> None:
    """And the keys beside it work on."""
    page = opened(link="" if before else "#lesson=70")
    if before:
        page.get_by_role("button", name=before).click()
    last = page.get_by_role("button", name=end, exact=True)
    last.focus()
    for _ in range(4):
        page.keyboard.press("Enter")
    expect(last).to_be_disabled()
    expect(last).to_be_focused()
    expect(page.get_by_role("button", name=button, exact=True)).to_be_enabled()


def prover(sockets, silent=()):
    """Return what takes each socket of a page, and answers but for the silent ones, by number."""

    def serve(socket):
        sockets.append(socket)
        number = len(sockets)

        def answer(text):
            if number in silent:
                return
            facts = {"exact": "refuted", "method": "enumeration", "seconds": 0.001}
            reply = {"type": "verdict", "id": json.loads(text)["id"], "verdict": facts}
            socket.send(json.dumps(reply))

        socket.on_message(answer)

    return serve


def test_no_proof_is_claimed_that_a_lost_connection_did_not_bring(opened) -> None:
    """What was asked is asked once more; then the line says so, and the next change asks."""
    sockets = []
    page = opened(beginning(prover=True), socket=prover(sockets, silent=(2, 3)))
    detail = page.locator(".verdict .detail")
    expect(detail).to_contain_text("exact arithmetic refuted")
    sockets[0].close()
    edge = weight(page, "fc2.weight[1,2]")
    edge.press("ArrowUp")
    expect(detail).to_have_text("the prover is at work on these numbers")
    sockets[1].close()
    page.wait_for_timeout(100)
    expect(detail).to_have_text("the prover is at work on these numbers")
    sockets[2].close()
    expect(detail).to_have_text(
        "checked here on every row, in exact arithmetic; adderlab does not answer any more; look "
        "whether `adderlab open` still runs; this page goes on without it, and asks again at the "
        "next change"
    )
    edge.press("ArrowUp")
    expect(detail).to_contain_text("exact arithmetic refuted")


def test_a_socket_that_closed_in_a_sleep_is_opened_again(opened) -> None:
    """The question that finds it closed has its answer."""
    sockets = []
    page = opened(beginning(prover=True), socket=prover(sockets, silent=(2,)))
    detail = page.locator(".verdict .detail")
    expect(detail).to_contain_text("exact arithmetic refuted")
    sockets[0].close()
    weight(page, "fc2.weight[1,2]").press("ArrowUp")
    expect(detail).to_have_text("the prover is at work on these numbers")
    sockets[1].close()
    expect(detail).to_contain_text("exact arithmetic refuted")
    assert len(sockets) == 3


def test_a_lesson_that_a_link_takes_too_far_can_be_gone_back(opened) -> None:
    """It stands at its last operation."""
    page = opened(link="#lesson=99999")
    place = page.locator(".phase")
    last = place.inner_text()
    assert "99999" not in last
    page.get_by_role("button", name="◀ back").click()
    expect(place).not_to_have_text(last)
