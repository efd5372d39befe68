"""Pages beside each other: each has its answers, and none can hold up another."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from websockets.exceptions import ConnectionClosed

import adderlab
from adderlab.building import lecture_network
from adderlab.lab import messages, sessions
from adderlab.page_data.beginning import presets
from adderlab.tasks import task_named

PAGES = 200


def test_a_verdict_through_the_socket_is_the_one_of_prove(page, lecture, half_adder):
    expected = adderlab.prove(lecture_network(task_named("half-adder"))).to_dict()
    for task in ("half-adder", half_adder):
        got = page.ask(type="prove", network=lecture, task=task)["verdict"]
        assert {**got, "seconds": 0} == {**json.loads(json.dumps(expected)), "seconds": 0}


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\xff\xfe",
        b"",
        "",
        "\x00",
        "null",
        "{" * 50_000,
        "[" * 50_000 + "]" * 50_000,
        '{"type": "prove", "id": 1e999}',
        '{"type": "prove", "id": NaN}',
        '{"type": "<script>alert(1)</script>", "id": 1}',
        '{"type": "open", "id": 1, "name": "../../etc/passwd", "data": "AAAA"}',
        '{"type": "task", "id": 1, "task": "table:/etc/passwd"}',
        '{"type": "task", "id": 1, "task": "\\u202e\\u0000<b>\\ud800"}',
        "x" * (messages.MOST_CHARACTERS + 1),
        '{"type": "task", "id": 1, "task": "' + "\\u0000" * 200_000 + '"}',
    ],
    ids=range(15),
)
def test_garbage_is_refused_with_its_reason_and_the_socket_kept(page, garbage):
    page.socket.send(garbage)
    refused = page.answer()
    assert refused["type"] == "refused"
    assert refused["what"].isprintable()
    assert page.ask(type="task", task="half-adder")["task"]["name"] == "half-adder"


def test_bytes_that_are_no_text_end_their_own_socket_alone(lab, page, capfd):
    from websockets.frames import Frame, Opcode

    with lab.page() as other:
        frame = Frame(Opcode.TEXT, b"\xff\xfe").serialize(mask=True)
        other.socket.socket.sendall(frame)
        with pytest.raises(ConnectionClosed):
            _ = other.answer()
    assert page.ask(type="task", task="half-adder")["type"] == "task"
    assert capfd.readouterr().err == ""


def test_a_message_beyond_all_bounds_ends_its_own_socket_alone(lab, page):
    with lab.page() as other, pytest.raises(ConnectionClosed):
        other.socket.send("x" * (8 << 20))
        _ = other.answer()
    assert page.ask(type="task", task="half-adder")["type"] == "task"


@pytest.fixture
def slow_proofs(monkeypatch):
    """Let proofs wait for an event, which is returned with what was proved meanwhile."""
    may_end, proved = threading.Event(), []
    kind = messages.KINDS["prove"]

    def answer(message, known):
        proved.append(message.id)
        assert may_end.wait(30)
        return {"type": "verdict", "verdict": {}}

    monkeypatch.setitem(messages.KINDS, "prove", messages.Kind(kind.schema, answer, is_latest=True))
    yield may_end, proved
    may_end.set()


def test_of_the_proofs_that_wait_the_latest_alone_is_done(page, lecture, slow_proofs):
    may_end, proved = slow_proofs
    first = page.send(type="prove", network=lecture, task="half-adder")
    while not proved:
        time.sleep(0.005)
    others = [page.send(type="prove", network=lecture, task="half-adder") for _ in range(5)]
    superseded = [page.answer() for _ in others[:-1]]
    assert [answer["id"] for answer in superseded] == others[:-1]
    assert {answer["type"] for answer in superseded} == {"refused"}
    assert "a later proof" in superseded[0]["what"]
    assert page.ask(type="task", task="half-adder")["type"] == "task"  # beside the proof
    may_end.set()
    assert [page.answer()["id"] for _ in range(2)] == [first, others[-1]] == proved


def test_a_number_that_is_at_work_is_refused_and_then_free_again(page, lecture, slow_proofs):
    may_end, proved = slow_proofs
    message = json.dumps({"type": "prove", "id": 5, "network": lecture, "task": "half-adder"})
    page.socket.send(message)
    page.socket.send(message)
    refused = page.answer()
    assert (refused["type"], refused["id"]) == ("refused", 5)
    assert "still at work" in refused["what"]
    may_end.set()
    assert page.answer()["type"] == "verdict"
    page.socket.send(message)
    assert page.answer()["type"] == "verdict"
    assert proved == [5, 5]


def test_what_a_page_that_left_was_waiting_for_is_dropped(lab, page, lecture, slow_proofs):
    may_end, proved = slow_proofs
    with ExitStack() as stack:
        for _ in range(20):
            other = stack.enter_context(lab.page())
            _ = other.send(type="prove", network=lecture, task="half-adder")
    may_end.set()
    assert page.ask(type="prove", network=lecture, task="half-adder")["type"] == "verdict"
    assert len(proved) < 20


def test_pages_whose_work_is_slow_hold_no_thread_of_the_others(
    lab, lecture, slow_proofs, monkeypatch
):
    may_end, proved = slow_proofs
    count = sessions.QUICK_THREADS + sessions.SLOW_THREADS + 2
    with ExitStack() as stack:
        pages = [stack.enter_context(lab.page()) for _ in range(count)]
        with monkeypatch.context() as patched:
            patched.setattr(sessions, "SLOW_S", -1.0)
            for page in pages:
                _ = page.ask(type="task", task="half-adder")
        for page in pages:
            _ = page.send(type="prove", network=lecture, task="half-adder")
        while len(proved) < sessions.SLOW_THREADS:
            time.sleep(0.005)
        other = stack.enter_context(lab.page())
        assert other.ask(type="task", task="half-adder")["type"] == "task"
        assert len(proved) == sessions.SLOW_THREADS
        may_end.set()
        assert {page.answer()["type"] for page in pages} == {"verdict"}


def test_messages_that_come_too_fast_are_refused_with_the_socket_kept(page, monkeypatch):
    waits = iter([0.0] * 5 + [0.001] * 3)
    monkeypatch.setattr(sessions.Allowance, "take", lambda _, length: next(waits, 0.0))
    for number in range(10):
        page.socket.send(f'{{"type": "task", "id": {number}, "task": "parity:2"}}')
    answers = [page.answer() for _ in range(10)]
    types = [answer["type"] for answer in answers]
    assert types == ["task"] * 5 + ["refused"] * 3 + ["task"] * 2
    assert [answer["id"] for answer in answers[-2:]] == [8, 9]  # those between were not read
    assert "faster than 100 a second" in answers[5]["what"]


def test_an_allowance_fills_at_its_rate_and_long_messages_count_as_several(monkeypatch):
    now = 100.0
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now)
    allowance = sessions.Allowance(at=now)
    assert [allowance.take(0) for _ in range(int(sessions.BURST))] == [0.0] * int(sessions.BURST)
    assert allowance.take(0) == pytest.approx(1 / sessions.RATE)
    now += 2.5 / sessions.RATE
    assert [allowance.take(0) > 0 for _ in range(3)] == [False, False, True]
    now += 1000
    assert allowance.take(0) == 0.0
    assert allowance.left == pytest.approx(sessions.BURST - 1)  # no more than a burst is kept
    taken = 0
    while not allowance.take(messages.MOST_CHARACTERS):
        taken += 1
    assert taken == int((sessions.BURST - 1) / (1 + messages.MOST_CHARACTERS / (1 << 14)))


def test_200_pages_are_answered_while_one_reads_nothing_and_one_sends_without_end(lab):
    (net,) = (preset["network"] for preset in presets() if preset["name"] == "three-bytes")
    message = json.dumps({"type": "prove", "id": 1, "network": net, "task": "half-adder"})
    stop = threading.Event()

    def flood(page):
        while not stop.is_set():
            page.socket.send("[" * 5000)

    def proved(page):
        page.socket.send(message)
        return page.answer()["verdict"]["verdict"]

    with ExitStack() as stack, ThreadPoolExecutor(PAGES + 1) as threads:
        pages = list(threads.map(lambda _: stack.enter_context(lab.page()), range(PAGES)))
        deaf, hostile, *others = pages
        for number in range(2, 250):
            deaf.socket.send(f'{{"type": "task", "id": {number}, "task": "adder:3"}}')
        flooding = threads.submit(flood, hostile)
        try:
            assert list(threads.map(proved, others)) == ["proved"] * len(others)
        finally:
            stop.set()
        assert flooding.exception(30) is None
