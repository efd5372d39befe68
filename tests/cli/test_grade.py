"""``adderlab grade``: a folder in, a table out; one line for bad input, nothing left by Ctrl-C."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from adderlab.verbs import grade as grade_module
from adderlab.verbs.graded import Graded

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def handins(place, nets):
    """Return a folder of a few hand-ins."""
    folder = place / "handins"
    folder.mkdir()
    for name in ("lecture", "repaired", "three", "garbage", "pickled"):
        data = (nets / f"{name}.safetensors").read_bytes()
        _ = (folder / f"{name}.safetensors").write_bytes(data)
    return folder


@pytest.mark.usefixtures("handins")
def test_a_folder_is_graded_with_exit_code_0_whatever_the_verdicts(run, place):
    done = run("grade handins --task half-adder -o grades.csv --html grades.html")
    assert (done.code, done.err) == (0, "")
    assert "5 files for half-adder: 1 proved, 0 unknown, 1 refuted, 3 refused" in done.out
    assert "1 + 1 gives c = 3, expected c = 2" in done.out
    assert done.out.endswith("written to grades.csv\nwritten to grades.html\n")
    assert sorted(path.name for path in place.iterdir()) == [
        "grades.csv", "grades.html", "handins",
    ]  # fmt: skip


@pytest.mark.usefixtures("handins")
def test_json_has_the_entries_and_what_is_not_written_is_said(run_json, run):
    code, result = run_json("grade handins --task half-adder --rule nonzero")
    assert code == 0
    assert [entry["verdict"] for entry in result["entries"]] == [
        "proved", "refuted", "refused", "refused", "refused",
    ]  # fmt: skip
    assert result["entries"][0]["parameters"] == result["entries"][0]["nonzero"]
    done = run("grade handins --task half-adder --rule nonzero")
    assert done.out.split()[:5] == ["entry", "rank", "verdict", "right", "nonzero"]
    assert "not written (add -o FILE to keep it)" in done.out


@pytest.mark.parametrize("option", ["-o", "--html"])
def test_what_is_written_is_not_said_to_be_lost(run, place, monkeypatch, option):
    written = {"-o": "file", "--html": "page"}[option]
    graded = Graded(place, "half-adder", "raw", (), 1.0, 1, **{written: place / "g"})
    monkeypatch.setattr(grade_module, "grade", lambda *_arguments, **_options: graded)
    assert "not written" not in run(f"grade . --task half-adder {option} g").out


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("grade missing --task half-adder", "missing: no such folder; check the path"),
        ("grade @lecture --task half-adder", "a file, not a folder; name the folder"),
        ("grade . --task half-adder", "no file in it; name the folder"),
        ("grade .", "--task"),
        ("grade . --task half-addder", "--task: unknown task 'half-addder'"),
        (
            "grade handins --task half-adder --rule least",
            "--rule: got 'least'; give one of raw, nonzero, ",
        ),
        ("grade handins --task half-adder --jobs 0", "--jobs: got 0; give 1 to 256"),
        ("grade handins --task half-adder --timeout 0", "--timeout: got 0; give seconds above 0"),
        ("grade handins --task half-adder --max-memory x", "--max-memory: got 'x'; give a size"),
        ("grade handins --task half-adder -o handins/g.csv", "handins/g.csv: it would lie in the"),
        ("grade handins --task half-adder --html .", ".: a folder stands there; name a file"),
        ("grade handins --task half-adder --layers 2", "--layers: got '2'; give the sizes"),
    ],
)
def test_bad_input_is_one_line(run, left, place, line, message):
    if "handins" in line:
        (place / "handins").mkdir()
        _ = (place / "handins" / "a.safetensors").write_bytes(b"x")
    before = left()
    done = run(line)
    assert (done.code, done.out) == (2, "")
    assert message in done.err
    assert done.err.count("\n") == 1
    assert left() == before


@pytest.mark.usefixtures("handins")
def test_ctrl_c_says_how_far_it_was_and_leaves_no_file_and_no_process(run, left, monkeypatch):
    before = left()
    outcomes = grade_module.outcomes

    def interrupted(*arguments, **options):
        for number, outcome in enumerate(outcomes(*arguments, **options)):
            if number == 2:
                signal.raise_signal(signal.SIGINT)
            yield outcome

    monkeypatch.setattr(grade_module, "outcomes", interrupted)
    # a shell that runs the tests in the background has Ctrl-C ignored
    before_it = signal.signal(signal.SIGINT, signal.default_int_handler)
    done = run("grade handins --task half-adder -o grades.csv")
    signal.signal(signal.SIGINT, before_it)
    assert done.code == 130
    assert done.err.splitlines()[-1] == (
        "adderlab: interrupted at file 2 of 5; nothing was written"
    )
    assert left() == before
    assert not any("server.py" in " ".join(child.cmdline()) for child in own_children())


def own_children():
    return [child for child in psutil.Process().children() if child.status() != "zombie"]
