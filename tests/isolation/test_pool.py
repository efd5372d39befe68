"""Work in processes of its own: whatever it does is an outcome, and nothing is left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from adderlab.errors import ResourceError
from adderlab.isolation import Limits, Piece, check_supported, outcomes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

TESTS = Path(__file__).parents[1]
QUICK = Limits(timeout_s=1.0, max_memory_bytes=1 << 28)


@pytest.fixture(autouse=True)
def paths(monkeypatch):
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{TESTS}{os.pathsep}{before}")


@pytest.fixture(autouse=True)
def earlier():
    """Take note of processes of other tests: a browser may be open."""
    EARLIER.clear()
    EARLIER.update(child.pid for child in psutil.Process().children(recursive=True))


EARLIER: set[int] = set()


def results(work, items, *, context=None, limits=QUICK, jobs=2):
    pieces = [Piece(item) for item in items]
    done = dict(outcomes(f"isolation.works:{work}", context, pieces, limits, jobs=jobs))
    assert sorted(done) == list(range(len(items)))
    return [done[place] for place in range(len(items))]


def left_running():
    children = psutil.Process().children(recursive=True)
    return [child for child in children if child.pid not in EARLIER]


def test_each_piece_is_done_in_a_process_of_its_own_away_from_the_folder(tmp_path, monkeypatch):
    """A module that lies in the present folder is none that is imported."""
    monkeypatch.chdir(tmp_path)
    _ = (tmp_path / "psutil.py").write_text("raise SystemExit('it was run')")
    done = results("echo", [1, "\udcff", None, [2]], context={"a": 1})
    sent = [outcome.sent[0] for outcome in done]
    assert [entry["got"] for entry in sent] == [1, "\udcff", None, [2]]
    assert {outcome.ending for outcome in done} == {"done"}
    assert {str(entry["context"]) for entry in sent} == {"{'a': 1}"}
    assert len({entry["process"] for entry in sent}) == 4
    assert len({entry["parent"] for entry in sent}) == 2
    assert left_running() == []


def test_whatever_a_piece_does_is_its_outcome_and_stops_no_other():
    ways = ["well", "memory", "crash", "exit", "kill", "fail", "prints", "kill the server", "well"]
    done = results("various", ways)
    assert [outcome.ending for outcome in done] == [
        "done", "memory", "SIGSEGV", "exit code 7", "SIGKILL", "KeyError: 'xxxxxxxxxx'", "done",
        "its process ended", "done",
    ]  # fmt: skip
    for way, outcome in zip(ways, done, strict=True):
        if way != "kill the server":
            assert outcome.sent[0]["item"] == way
        assert ({"is_whole": True} in outcome.sent) is (outcome.ending == "done")
    assert left_running() == []


@pytest.mark.parametrize("way", ["sleep", "loop", "deaf", "stops"])
def test_what_takes_too_long_is_killed(way):
    limits = Limits(timeout_s=0.3, max_memory_bytes=1 << 28)
    late, well = results("various", [way, "well"], limits=limits, jobs=1)
    assert (late.ending, well.ending) == ("time", "done")
    assert not psutil.pid_exists(late.sent[0]["process"])


def test_its_own_children_are_killed_with_it(tmp_path):
    pid_file = tmp_path / "pid"
    (late,) = results("various", ["children"], context=str(pid_file))
    assert late.ending == "time"
    assert is_gone(int(pid_file.read_text()))


def is_gone(process):
    for _ in range(200):
        if not psutil.pid_exists(process) or psutil.Process(process).status() == "zombie":
            return True
        time.sleep(0.02)
    return False


def test_a_caller_that_takes_no_more_leaves_nothing_running():
    pieces = [Piece(item) for item in ("well", "sleep", "sleep")]
    limits = Limits(timeout_s=60, max_memory_bytes=1 << 28)
    running = outcomes("isolation.works:various", None, pieces, limits, jobs=2)
    place, outcome = next(running)
    assert (place, outcome.ending) == (0, "done")
    assert left_running() != []
    running.close()
    assert left_running() == []


PARENT = """\
import sys
from adderlab.isolation import Limits, Piece, outcomes
pieces = [Piece("well"), Piece("sleep"), Piece("sleep")]
for _, outcome in outcomes("isolation.works:various", None, pieces, Limits(60, 1 << 28), jobs=2):
    print("here", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=str)
def test_a_parent_that_is_ended_leaves_nothing_running(number):
    """By a signal that it never sees, too."""
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    with process:
        assert process.stdout.readline() == "here\n"
        time.sleep(0.1)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 4  # two servers, with a child each
        process.send_signal(number)
    assert all(is_gone(child.pid) for child in children)


@pytest.mark.parametrize("work", ["isolation.works:broken", "isolation.nothing:x"])
def test_work_that_can_not_begin_is_an_error(work):
    with pytest.raises(
        ResourceError, match=r"a process to work in can't be started \((Look|Module)"
    ):
        _ = list(outcomes(work, "nothing", [Piece(1)], QUICK, jobs=2))
    assert left_running() == []


def test_no_interpreter_is_an_error(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(ResourceError, match="can't be started"):
        _ = list(outcomes("isolation.works:echo", None, [Piece(1)], QUICK, jobs=1))


def test_a_system_without_fork_is_refused(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(ResourceError, match="this system can't fork processes"):
        check_supported()


def test_nothing_to_do_starts_nothing():
    assert list(outcomes("isolation.works:broken", None, [], QUICK, jobs=2)) == []
