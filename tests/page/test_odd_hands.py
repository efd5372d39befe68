"""The page in odd hands: what is typed wrong, run too far, cut off, or changed while it moves."""

from __future__ import annotations

import json

import pytest
from page.conftest import beginning
from page.test_by_hand import verdict, weight
from playwright.sync_api import expect

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


def test_no_proof_is_claimed_that_a_lost_connection_did_not_bring(opened) -> None:
    """The line says that there is none, and the next change asks again."""
    sockets = []

    def proof(socket):
        sockets.append(socket)

        def answer(text):
            if len(sockets) == 2:
                return
            facts = {"exact": "refuted", "method": "enumeration", "seconds": 0.001}
            reply = {"type": "verdict", "id": json.loads(text)["id"], "verdict": facts}
            socket.send(json.dumps(reply))

        socket.on_message(answer)

    page = opened(beginning(prover=True), socket=proof)
    detail = page.locator(".verdict .detail")
    expect(detail).to_contain_text("exact arithmetic refuted")
    sockets[0].close()
    edge = weight(page, "fc2.weight[1,2]")
    edge.press("ArrowUp")
    expect(detail).to_have_text("the prover is at work on these numbers")
    sockets[1].close()
    expect(detail).to_contain_text("there is no connection to adderlab")
    edge.press("ArrowUp")
    expect(detail).to_contain_text("exact arithmetic refuted")


def test_a_lesson_that_a_link_takes_too_far_can_be_gone_back(opened) -> None:
    """It stands at its last operation."""
    page = opened(link="#lesson=99999")
    place = page.locator(".phase")
    last = place.inner_text()
    assert "99999" not in last
    page.get_by_role("button", name="◀ back").click()
    expect(place).not_to_have_text(last)
