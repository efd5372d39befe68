"""The populations of a page are those of ``train --seeds``, and end where they take too much."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack

import pytest
from lab.conftest import served

import adderlab
from adderlab.building import lecture_network
from adderlab.kernels import compiled, native
from adderlab.lab import messages, populations, server, sessions
from adderlab.limits import Budget
from adderlab.page_data import networks, tasks
from adderlab.page_data.beginning import beginning
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table

HALF_ADDER = task_named("half-adder")
LECTURE = lecture_network(HALF_ADDER)
FREE = parse_table("in x:1,in y:1,out z:1\n0,0,0\n0,1,1\n1,0,1\n1,1,*\n", where="t.csv")

TRAIN = {
    "type": "train",
    "task": "half-adder",
    "hidden": [3],
    "activation": "relu",
    "lr": 0.1,
    "steps": 300,
    "batch": None,
    "seed": 7,
    "networks": 200,
}


def answer(known=None, **fields):
    """Return the answer to a message."""
    try:
        request = messages.parse(json.dumps({"id": 7, **fields}))
    except messages.Refused as refused:
        return refused.answer
    return json.loads(json.dumps(request.answer(known or {}), allow_nan=False))


def member_of(fields, member):
    kept = {name: value for name, value in fields.items() if name != "networks"}
    return kept | {"type": "member", "member": member}


@pytest.fixture(scope="module")
def trained():
    """Return the answer of the population that most tests ask for."""
    return answer(**TRAIN)


def test_the_rate_and_the_failures_are_those_of_train_seeds(trained):
    options = {name: TRAIN[name] for name in ("lr", "steps", "batch", "seed")}
    census = adderlab.train_many(
        "half-adder", seeds=200, hidden=3, data="table", helps=False, **options
    )
    assert (trained["type"], trained["id"]) == ("population", 7)
    assert 0 < trained["successes"] == census.successes < 200
    assert trained["success_rate"] == census.rate.share
    assert trained["interval"] == list(census.rate.interval)
    assert trained["path"] == census.path
    assert trained["failure_kinds"] == len(census.failures)
    for failure, kind in zip(trained["failures"], census.failures, strict=True):
        own = [failure[name] for name in ("table", "count", "member")]
        assert own == [list(kind.table), kind.count, kind.member]
        assert [cause["cause"] for cause in failure["causes"]] == [
            each.name for each in kind.causes
        ]
    assert trained["command"] == (
        "adderlab train half-adder --seeds 200 --seed 7 --steps 300 --data table"
    )


def test_a_failure_that_is_opened_computes_what_was_said(trained):
    for failure in trained["failures"][:3]:
        got = answer(**member_of(TRAIN, failure["member"]))
        net = networks.from_page(got["network"]).for_task(HALF_ADDER)
        rows = [adderlab.run(net, f"{a},{b}").rows[0] for a in (0, 1) for b in (0, 1)]
        sums = [(row.input["a"], row.input["b"], row.got["c"]) for row in rows]
        assert [c for _, _, c in sums] == failure["table"]
        wrong = [f"{a} + {b} gives c = {c}" for a, b, c in sums if c != a + b]
        assert (failure["wrong"], failure["wrong_rows"]) == (wrong, len(wrong))
        assert wrong


def test_a_right_member_is_proved(trained):
    failed = {failure["member"] for failure in trained["failures"]}
    verdicts = set()
    for number in range(12):
        if number in failed:
            continue
        net = networks.from_page(answer(**member_of(TRAIN, number))["network"])
        verdicts.add(adderlab.prove(net.for_task(HALF_ADDER)).verdict)
    assert "proved" in verdicts


def test_a_table_is_trained_and_its_free_rows_are_never_wrong():
    got = answer(**TRAIN | {"task": tasks.to_page(FREE), "hidden": [1], "networks": 40})
    assert got["type"] == "population"
    assert got["command"] is None
    wrong = [row for failure in got["failures"] for row in failure["wrong"]]
    assert wrong
    assert not any(row.startswith("x = 1, y = 1 ") for row in wrong)


def test_a_failure_that_diverged_has_no_table_and_no_network():
    fields = TRAIN | {"lr": 1e30, "networks": 20}
    (failure,) = answer(**fields)["failures"]
    assert (failure["table"], failure["wrong"], failure["count"]) == ([], [], 20)
    refused = answer(**member_of(fields, failure["member"]))
    assert (refused["type"], refused["where"]) == ("refused", f"member {failure['member']}")
    assert "diverged" in refused["what"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"networks": 10_001}, "networks: "),
        ({"networks": 0}, "networks: "),
        ({"networks": True}, "networks: "),
        ({"hidden": []}, "hidden: "),
        ({"hidden": [33]}, "hidden.0: "),
        ({"hidden": [3, 3, 3]}, "hidden: "),
        ({"hidden": 3}, "hidden: "),
        ({"activation": "sigmoid"}, "activation: "),
        ({"activation": "leaky:" + "9" * 40}, "activation: "),
        ({"activation": "leaky:--"}, "is no number"),
        ({"lr": -0.5}, "got -0.5"),
        ({"lr": 1e300}, "got 1e+300"),
        ({"steps": 100_001}, "steps: "),
        ({"seed": 1 << 32}, "seed: "),
        ({"batch": 65}, "batch: "),
        ({"out": "/tmp/run"}, "out: "),
        ({"task": "adder:9999"}, "unknown task"),
        ({"task": "/etc/passwd"}, "unknown task"),
        (
            {"steps": 100_000, "networks": 10_000, "hidden": [32]},
            "products of a weight and a value",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_beyond_the_page_is_refused_before_anything_is_trained(change, what, monkeypatch):
    monkeypatch.setattr(populations, "train_many", pytest.fail)
    refused = answer(**TRAIN | change)
    assert (refused["type"], refused["id"]) == ("refused", 7)
    assert what in refused["what"]
    assert refused["remedy"]
    assert all(refused[key].isprintable() for key in ("what", "where", "remedy"))


@pytest.mark.parametrize("kind", ["train", "member"])
def test_a_budget_that_is_ended_ends_the_work(kind):
    fields = TRAIN if kind == "train" else member_of(TRAIN, 3)
    request = messages.parse(json.dumps({"id": 7, **fields}))
    refused = request.answer({}, Budget(deadline=0.0))
    assert refused["type"] == "refused"
    assert refused["what"].startswith("the time was up before all")


@pytest.fixture
def slow_training(monkeypatch):
    """Let populations wait for an event; return it with the budgets of those that began."""
    may_end, budgets = threading.Event(), []
    kind = messages.KINDS["train"]

    def limits():
        budgets.append(Budget())
        return budgets[-1]

    def slow(message, known):
        assert may_end.wait(30)
        return {"type": "population"}

    own = messages.Kind(kind.schema, slow, limits=limits)
    monkeypatch.setitem(messages.KINDS, "train", own)
    yield may_end, budgets
    may_end.set()


def test_a_page_has_one_population_at_work_and_its_other_messages_are_answered(
    lab, page, lecture, slow_training
):
    may_end, _ = slow_training
    first = page.send(**TRAIN)
    refused = page.ask(**TRAIN)
    assert (refused["type"], refused["what"]) == (
        "refused",
        "this page's networks are still being trained",
    )
    with lab.page() as other:
        for each in (page, other):
            assert each.ask(type="prove", network=lecture, task="half-adder")["type"] == "verdict"
            assert each.ask(type="task", task="half-adder")["type"] == "task"
    may_end.set()
    assert page.answer() == {"id": first, "type": "population"}
    assert page.ask(**TRAIN)["type"] == "population"


def test_of_all_pages_some_have_populations_and_the_next_is_told_to_wait(
    lab, page, slow_training, monkeypatch
):
    may_end, _ = slow_training
    monkeypatch.setattr(sessions, "MOST_TRAININGS", 1)
    first = page.send(**TRAIN)
    assert page.ask(type="task", task="half-adder")["type"] == "task"
    with lab.page() as other:
        refused = other.ask(**TRAIN)
        assert "pages have networks trained already" in refused["what"]
        may_end.set()
        assert page.answer()["id"] == first
        assert other.ask(**TRAIN)["type"] == "population"


def test_a_page_that_leaves_ends_its_population(lab, slow_training):
    _, budgets = slow_training
    with lab.page() as page:
        _ = page.send(**TRAIN)
        assert page.ask(type="task", task="half-adder")["type"] == "task"
    limit = time.monotonic() + 30
    while budgets[0].deadline and time.monotonic() < limit:
        time.sleep(0.01)
    assert budgets[0].reached == "the time was up"


def test_a_page_that_cancels_is_answered_at_once_and_may_train_again(page, slow_training):
    may_end, budgets = slow_training
    first = page.send(**TRAIN)
    cancel = page.send(type="cancel")
    refused, cancelled = page.answer(), page.answer()
    assert (refused["type"], refused["id"], refused["what"]) == (
        "refused",
        first,
        "it was cancelled",
    )
    assert cancelled == {"id": cancel, "type": "cancelled"}
    assert budgets[0].reached == "the time was up"
    may_end.set()
    assert page.ask(**TRAIN)["type"] == "population"
    assert page.ask(type="cancel")["what"] == "no networks are being trained for this page"


def test_pages_that_leave_at_once_take_nobodys_place(lab):
    for _ in range(sessions.MOST_TRAININGS):
        with lab.page() as page:
            _ = page.send(**TRAIN)
            _ = page.send(type="cancel")
    with lab.page() as page:
        assert page.ask(**TRAIN)["type"] == "population"


def test_what_waits_for_a_thread_is_cancelled_too(lab, slow_training):
    may_end, budgets = slow_training
    with ExitStack() as stack:
        pages = [stack.enter_context(lab.page()) for _ in range(sessions.TRAINING_THREADS + 1)]
        numbers = [page.send(**TRAIN) for page in pages]
        while len(budgets) < len(pages):
            time.sleep(0.005)
        _ = pages[-1].send(type="cancel")
        assert pages[-1].answer()["id"] == numbers[-1]
        may_end.set()
        assert [page.answer()["type"] for page in pages[:-1]] == ["population"] * (len(pages) - 1)


def test_a_kernel_that_is_compiled_holds_nobody(page, monkeypatch):
    """And a page that leaves or cancels leaves its thread to others."""
    may_end = threading.Event()
    machine_code = native.machine_code

    def slow(function, signature):
        assert may_end.wait(30)
        return machine_code(function, signature)

    monkeypatch.setattr(native, "machine_code", slow)
    monkeypatch.setattr(compiled, "_KNOWN", {})
    monkeypatch.setattr(compiled.cache, "usable_folder", lambda: (None, "of a test"))
    for _ in range(sessions.TRAINING_THREADS + 2):
        _ = page.send(**TRAIN)
        while not compiled._AT_WORK:
            time.sleep(0.005)
        _ = page.send(type="cancel")
        assert [page.answer()["type"], page.answer()["type"]] == ["refused", "cancelled"]
    assert len(compiled._AT_WORK) == 1
    may_end.set()
    trained = page.ask(**TRAIN)
    assert trained["type"] == "population", trained


@pytest.fixture
def opened(browser):
    """Return a function that opens the lab in a browser; its faults are the test's."""
    faults, pages = [], []
    with served(server.content(beginning(LECTURE, HALF_ADDER))) as lab:

        def open_page(link=""):
            page = browser.new_page()
            page.on("console", lambda message: faults.append(message.text))
            page.on("pageerror", lambda error: faults.append(str(error)))
            pages.append(page)
            _ = page.goto(lab.address + link)
            return page

        yield open_page
        for page in pages:
            page.close()
    assert faults == []


@pytest.mark.browser
def test_ten_thousand_are_trained_and_a_failure_is_opened_and_undone(opened):
    page = opened()
    page.get_by_label("steps of each network").fill("300")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the button, by keyboard
    page.wait_for_selector(".population .rate", timeout=60_000)
    expected = answer(**TRAIN | {"seed": 0, "networks": 10_000})
    assert f"{expected['successes']:,} of 10,000" in page.inner_text(".rate")
    assert f"{100 * expected['interval'][0]:.1f} %" in page.inner_text(".population")
    assert expected["command"] in page.inner_text(".population")
    rows = page.locator(".failures tbody tr")
    assert rows.count() == len(expected["failures"])
    failure = expected["failures"][1]
    for line in failure["wrong"]:
        assert line in rows.nth(1).inner_text()
    rows.nth(1).get_by_role("button").click()
    page.wait_for_selector(".failures tr.open")
    page.wait_for_selector(f".verdict >> text={failure['wrong'][0]}")
    undo = page.get_by_role("button", name="undo")
    undo.click()
    page.wait_for_selector(".verdict >> text=1 + 1 gives c = 3")  # the lecture's, in one step
    assert undo.is_disabled()
    page.locator("select").nth(1).select_option("parity:2")
    page.wait_for_selector(".failures", state="detached")


@pytest.mark.browser
def test_training_is_cancelled_in_the_page(opened, slow_training):
    page = opened()
    train = page.locator(".population button").first
    train.click()
    assert train.inner_text() == "cancel"
    train.click()
    page.wait_for_selector(".population >> text=it was cancelled; train again")
    assert train.inner_text() == "train 10,000"
    assert train.is_enabled()


@pytest.mark.browser
def test_what_can_not_be_trained_is_said_and_the_block_can_be_hidden(opened):
    page = opened("#net=step(gt):1,1!-1.5;1,1!-0.5~identity:1,0!0;0,1!0")
    assert page.get_by_role("button", name="train 10,000").is_disabled()
    assert "hidden units that are all relu" in page.inner_text(".population")
    hidden = opened("#hide=population")
    assert hidden.locator(".training").count() == 1
    assert hidden.locator(".population").count() == 0
