"""``adderlab explain`` as it is typed, and stepped through in a terminal."""

from __future__ import annotations

import json
import os
import select
import sys
import time

import pytest

from adderlab.building import lecture_network
from adderlab.cli.main import main
from adderlab.nets import save
from adderlab.tasks import task_named

HALF_ADDER = task_named("half-adder")

FORWARD = """\
value  exact  decimal          gradient  made of
────────────────────────────────────────────────────────────────────────────────
a          1        1  not computed yet  an input
b          1        1  not computed yet  an input
z1       1/2      0.5  not computed yet  fc1.weight[0,0]*a + fc1.weight[0,1]*b +
                                         fc1.bias[0]
"""

STEP = """\
With lr = 1/10 = 0.1:
  w_next = w_now - lr*dL/dw

w                dL/dw  w_now - lr * dL/dw  w_next, exact  w_next
─────────────────────────────────────────────────────────────────
fc1.weight[0,0]   -1/2     1 - 1/10*(-1/2)          21/20    1.05
"""

STACKED = """\
dL/d fc2.weight[1,2]
  through: c0  arrives: 1/2
  local derivative: h3 = 1/2  gives: 1/4
  decimal: 0.25
"""

CHAIN = """\
The same with what is known from the line above marked: dl/df1, dl/df2, …
  dl/dw1 = [2*(f1 - y)]*f2
  dl/dw2 = [2*(f1 - y)*w1]*f3
  dl/dw3 = [2*(f1 - y)*w1*w2]*x
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return an empty folder to work in that holds the lecture's network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    _ = save(lecture_network(HALF_ADDER), tmp_path / "lecture.safetensors")
    return tmp_path


def run(capsys, *arguments):
    code = main(["explain", *arguments])
    out, err = capsys.readouterr()
    lines = "".join(f"{line.rstrip()}\n" for line in out.splitlines())
    return code, lines, err


def test_a_row_is_printed_forward_backward_and_with_its_step(place, capsys):
    code, out, err = run(capsys, "lecture.safetensors", "--input", "1,1")
    assert (code, err) == (0, "")
    assert FORWARD in out
    assert STEP in out
    assert "fc2.weight[1,2]  c0           1/2  h3 = 1/2                1/4     0.25\n" in out
    assert "Compared with PyTorch's autograd in float64: 76 figures, the largest" in out
    assert "The loss on this row goes from 0.25 to 0.108906.\n" in out


def test_no_word_is_cut_short_in_eighty_columns(place, capsys):
    for options in (["--input", "1,1"], ["--rows", "all"], ["--slots"]):
        _, out, _ = run(capsys, "lecture.safetensors", *options)
        assert "…" not in out, options
        tables = [line for line in out.splitlines() if line.startswith(("fc1", "fc2"))]
        assert tables
        assert max(map(len, tables)) <= 80


@pytest.mark.parametrize("columns", [40, 60, 70])
@pytest.mark.parametrize(
    "options", [["--input", "1,1"], ["--rows", "all"], ["--slots"], ["--input", "1,1", "--step"]]
)
def test_a_narrow_terminal_loses_no_name_and_no_figure(
    place, capsys, monkeypatch, columns, options
):
    """Everything that a terminal of any width shows in its tables is there, whole."""
    monkeypatch.setenv("COLUMNS", "400")
    _, wide, _ = run(capsys, "lecture.safetensors", *options)
    monkeypatch.setenv("COLUMNS", str(columns))
    code, narrow, _ = run(capsys, "lecture.safetensors", *options)
    assert code == 0
    assert "…" not in narrow
    shown = set(narrow.replace(":", " ").split())
    assert {f"fc2.weight[{i},{j}]" for i in range(2) for j in range(3)} <= shown
    assert set(wide.replace(":", " ").replace("─", " ").split()) <= shown


def test_a_row_too_wide_for_the_terminal_is_stacked(place, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    _, out, _ = run(capsys, "lecture.safetensors", "--input", "1,1")
    assert STACKED in out


def test_the_chain_is_printed_as_the_notebook_wrote_it(place, capsys):
    code, out, err = run(capsys, "--chain", "3")
    assert (code, err) == (0, "")
    assert CHAIN in out


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (["lecture.safetensors", "--input", "1,1"], {"steps", "gradients", "autograd_difference"}),
        (["--chain", "3"], {"derivatives"}),
        (["lecture.safetensors", "--slots"], {"with_zero_grad", "without_zero_grad", "losses"}),
        (["lecture.safetensors", "--symbols"], {"patterns"}),
    ],
)
def test_json_is_one_object_with_the_promised_keys(place, capsys, options, keys):
    code, out, _ = run(capsys, *options, "--json")
    assert code == 0
    assert keys <= set(json.loads(out))
    assert out.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (
            ["lecture.safetensors"],
            "explain: nothing to explain; add --input 1,1, --rows all, --symbols, --slots or --why",
        ),
        (
            [],
            (
                "explain: no network, and nothing to explain; give NET with --input 1,1, "
                "--rows all, --symbols, --slots or --why, or --chain 3"
            ),
        ),
        (["--why"], "explain: no network; name its file"),
        (
            ["lecture.safetensors", "--chain", "3"],
            (
                "--chain: the chain is explained without a network; leave NET out, or ask for "
                "--symbols, the same of a network"
            ),
        ),
        (
            ["lecture.safetensors", "--slots", "--why"],
            "explain: --slots and --why are two things; ask for one at a time",
        ),
        (
            ["lecture.safetensors", "--input", "1,1", "--iterations", "2"],
            "--iterations: does not go with --input; leave one of them out",
        ),
        (
            ["lecture.safetensors", "--input", "1,1", "--rows", "all"],
            "--rows: does not go with --input; leave one of them out",
        ),
        (["--chain", "2", "--lr", "1"], "--lr: does not go with --chain; leave one of them out"),
        (["--chain", "0"], "--chain: got 0; give a whole number in 1..64"),
        (["--chain", "65"], "--chain: got 65; give a whole number in 1..64"),
        (
            ["lecture.safetensors", "--input", "2,0"],
            "--input 2,0: a = 2 is outside 0..1; a:1 takes the values 0..1",
        ),
        (
            ["lecture.safetensors", "--input", "1,1", "--target", "4"],
            "--target 4: c = 4 is outside 0..3; c:2 takes the values 0..3",
        ),
        (
            ["lecture.safetensors", "--why"],
            (
                "lecture.safetensors: it has no training record; "
                "take a network that was trained: adderlab train TASK -o NET"
            ),
        ),
        (
            ["lecture.safetensors", "--input", "1,1", "--step", "--json"],
            "--step: steps are for people, --json is for programs; take one",
        ),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(place, capsys, options, line):
    code, out, err = run(capsys, *options)
    assert (code, err) == (2, f"adderlab: {line}\n")
    assert "--json" in options or out == ""
    assert [path.name for path in place.iterdir()] == ["lecture.safetensors"]


def test_files_are_written_and_named(place, capsys):
    code, out, _ = run(capsys, "--chain", "2", "-o", "chain.html", "-o", "folder")
    assert code == 0
    assert "written to chain.html\nwritten to folder/explain.md\n" in out
    assert (place / "chain.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_where_nobody_can_press_a_key_all_steps_come_at_once(place, capsys):
    code, out, _ = run(capsys, "lecture.safetensors", "--input", "1,1", "--step")
    assert code == 0
    assert out.startswith("--step waits for keys, and this is no terminal: here are all the steps")
    assert "1 + 1: forward 9 of 9, L\n" in out
    assert "dL/dz1: not computed yet.\n" in out
    assert "  dL/dh1 = dL/dc1*fc2.weight[0,0] + dL/dc0*fc2.weight[1,0]\n" in out


def in_terminal(place, keys, *arguments, limit_s=60.0):
    """Run the command in a terminal, press the keys one by one, return its text and exit code."""
    pty = pytest.importorskip("pty")
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(place)
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-m", "adderlab", "explain", *arguments])
    text, pressed, start, sent = b"", 0, time.monotonic(), 0.0
    while time.monotonic() - start < limit_s:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                part = os.read(terminal, 1 << 16)
            except OSError:  # the other end has been closed
                break
            text += part
            if not part:
                break
        # a key that comes before the terminal waits for one may be lost: press again
        prompts = text.count(b"q to end")
        if prompts > pressed:
            pressed, sent = prompts, 0.0
        if 0 < pressed <= len(keys) and time.monotonic() - sent > 1.0:
            _ = os.write(terminal, keys[pressed - 1])
            sent = time.monotonic()
    else:
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return text.decode(), os.waitstatus_to_exitcode(status)


def test_a_key_shows_one_step_and_q_ends_it(place):
    """An arrow is one key, though it is three bytes."""
    text, code = in_terminal(place, [b" ", b"\x1b[B", b"q"], "--chain", "3", "--step")
    assert code == 0
    assert text.count("any key for the next") == 3
    assert "dl/dw2: 2 of 3" in text
    assert "dl/dw3: 3 of 3" not in text


def test_ctrl_c_while_stepping_is_an_interrupt(place):
    text, code = in_terminal(place, [b" ", b"\x03"], "--chain", "2", "--step")
    assert code == 130
    assert "interrupted" in text
