"""A process beside this one: it answers or it does not, and it is gone at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from adderlab.isolation import worker

TESTS = Path(__file__).parents[1]
PLACE = "isolation.works"


@pytest.fixture(autouse=True)
def paths(monkeypatch):
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{TESTS}{os.pathsep}{before}")


def answers_of(work, items):
    with worker(f"{PLACE}:{work}") as process:
        for item in items:
            process.tell(item)
        return process.answers()


def test_it_answers_in_order_and_nothing_that_is_printed_is_an_answer(tmp_path, monkeypatch):
    """A module that lies in the present folder is none that is imported."""
    monkeypatch.chdir(tmp_path)
    _ = (tmp_path / "json.py").write_text("raise SystemExit('it was run')")
    items = [1, None, "\udcff", {"a": [2.5, float("inf")]}, "x" * (1 << 18)]
    answers = answers_of("noted", items)
    assert [answer["item"] for answer in answers] == items
    assert {answer["process"] for answer in answers} != {os.getpid()}
    assert {answer["threads"] for answer in answers} == {"1"}
    assert not psutil.pid_exists(answers[0]["process"])
    assert answers_of("noted", []) == []


@pytest.mark.parametrize(
    ("work", "items"), [("unready", [1]), ("failing", [1, 0, 1]), ("killed", [1]), ("no_work", [])]
)
def test_one_that_fails_or_dies_answers_nothing(work, items):
    assert answers_of(work, items) is None


@pytest.mark.parametrize("executable", ["", "/no/such/python"])
def test_where_none_can_be_started_nothing_is_answered(monkeypatch, executable):
    monkeypatch.setattr(sys, "executable", executable)
    assert answers_of("noted", [1]) is None


def test_a_frozen_program_is_not_started_again(monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert answers_of("noted", [1]) is None


def test_a_block_that_raises_leaves_no_process(tmp_path):
    note = tmp_path / "note"
    with pytest.raises(KeyboardInterrupt), worker(f"{PLACE}:sleeping") as process:
        for _ in range(100):
            process.tell(str(note))
        while not note.exists() or not note.read_text():
            time.sleep(0.01)
        raise KeyboardInterrupt
    assert not psutil.pid_exists(int(note.read_text().split()[0]))


ORPHANED = """
import sys, time
from adderlab.isolation import worker
with worker("isolation.works:sleeping") as process:
    process.tell(sys.argv[1])
    time.sleep(600)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_it_ends_by_itself_where_whoever_started_it_was_killed(tmp_path):
    note = tmp_path / "note"
    with subprocess.Popen([sys.executable, "-c", ORPHANED, str(note)]) as parent:
        while not note.exists() or not note.read_text():
            time.sleep(0.01)
            assert parent.poll() is None
        parent.kill()
    pid = int(note.read_text())
    end = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.05)
