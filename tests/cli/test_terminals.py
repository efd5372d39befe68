"""Terminals: of few characters, of few columns, and those at which somebody presses keys."""

from __future__ import annotations

import io
import itertools
import os
import select
import sys
import time
from collections import Counter

import pytest
from cli.samples import typed
from rich.console import Console

from adderlab.blocks import Table
from adderlab.blocks.terminal import Terminal
from adderlab.cli.main import main
from adderlab.cli.output import PLAIN, Screen

# --- few characters -------------------------------------------------------------------------------


@pytest.fixture
def narrow(monkeypatch, place):
    """Return a function that runs a command on a terminal of one encoding."""

    def call(encoding, line):
        screens = {}
        for name in ("stdout", "stderr"):
            screens[name] = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
            monkeypatch.setattr(sys, name, screens[name])
        code = main(typed(line))
        texts = []
        for screen in screens.values():
            screen.flush()
            texts.append(screen.buffer.getvalue().decode(encoding))
        return code, *texts

    return call


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("train half-adder --steps 20 --samples 50", "Accuracy"),
        ("train half-adder --seeds 4 --steps 20", "networks are right"),
        ("build --method lecture", "counterexample"),
        ("prove @lecture", "refuted"),
        ("prove @lecture --json", '"refuted"'),
        ("count @lecture", "12 MACs"),
        ("tasks", "half-adder"),
        ("doctor", "numpy"),
        ("--help", "Usage"),
        ("train --help", "Example"),
    ],
)
@pytest.mark.usefixtures("quick_doctor")
def test_text_survives_every_terminal(narrow, encoding, line, text):
    code, out, err = narrow(encoding, line)
    assert code in (0, 1)
    assert text in out
    _, wide, wide_err = narrow("utf-8", line)
    # a character without a stand-in would come out as ?
    assert (out.count("?"), err.count("?")) == (wide.count("?"), wide_err.count("?"))
    assert "\N{REPLACEMENT CHARACTER}" not in out


@pytest.mark.usefixtures("quick_demo")
def test_the_story_survives_an_ascii_terminal(narrow):
    code, out, err = narrow("ascii", "demo --networks 2 -o story")
    assert (code, err) == (0, "")
    assert '"all correct!" (the hand-set notebook)' in out.splitlines()
    _, wide, _ = narrow("utf-8", "demo --networks 2 -o story")
    assert "…" in wide
    assert out.count("?") == wide.count("?")


def test_every_mark_on_the_terminal_has_a_stand_in_of_its_own(narrow):
    _, wide, _ = narrow("utf-8", "build --method lecture")
    _, plain, _ = narrow("ascii", "build --method lecture")
    assert "…" in wide
    expected = "".join(PLAIN.get(character, character) for character in wide)
    without_times = [
        [line for line in text.splitlines() if " s, sha256 " not in line]
        for text in (expected, plain)
    ]
    assert without_times[0] == without_times[1]
    assert len(without_times[0]) == len(wide.splitlines()) - 1


def test_a_complaint_survives_an_ascii_terminal(narrow):
    code, out, err = narrow("ascii", "prove naïve–net.safetensors")
    assert (code, out) == (2, "")
    assert err == "adderlab: na?ve-net.safetensors: no such file; check the path\n"


# --- few columns ----------------------------------------------------------------------------------

WIDE = ["--input 1,1", "--rows all", "--slots", "--input 1,1 --step"]


@pytest.mark.parametrize("line", [f"explain @lecture {options}" for options in WIDE[:3]])
def test_no_word_is_cut_short_in_eighty_columns(run, monkeypatch, line):
    monkeypatch.setenv("COLUMNS", "80")
    out = run(line).out
    assert "…" not in out
    tables = [line for line in out.splitlines() if line.startswith(("fc1", "fc2", "int", "fp"))]
    assert tables
    assert max(map(len, tables)) <= 80


def test_the_way_through_a_large_network_is_folded(run, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    way = run("show @large --input 3,200").out.partition("layer by layer")[2]
    assert way
    assert max(map(len, way.splitlines())) <= 80


@pytest.mark.parametrize("columns", [40, 60, 70])
@pytest.mark.parametrize("options", WIDE)
def test_a_narrow_terminal_loses_no_name_and_no_figure(run, monkeypatch, columns, options):
    """Everything that a terminal of any width shows in its tables is there, whole."""
    monkeypatch.setenv("COLUMNS", "400")
    wide = run(f"explain @lecture {options}").out
    monkeypatch.setenv("COLUMNS", str(columns))
    code, narrow, _ = run(f"explain @lecture {options}")
    assert code == 0
    assert "…" not in narrow
    shown = set(narrow.replace(":", " ").split())
    assert {f"fc2.weight[{i},{j}]" for i in range(2) for j in range(3)} <= shown
    assert set(wide.replace(":", " ").replace("─", " ").split()) <= shown


COMMANDS = [
    "tasks",
    "build full-adder",
    "build --formula @right.txt",
    "show @lecture",
    "show @lecture --input 1,1",
    "repair @lecture",
    "count @lecture --training adam",
    "count --model llama-3-8b",
    "quantize @printed --to int3",
    "quantize @printed --table",
    "explain @lecture --input 1,1",
    "explain --chain 3",
    "train half-adder --seed 1 --steps 20",
    pytest.param("train half-adder --seeds 20 --steps 40", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("line", COMMANDS)
def test_no_command_cuts_a_heading_or_a_cell_short(run, monkeypatch, line):
    """Each word of every table that a command prints stands whole at 80, 60 and 40 columns."""
    parts = []
    monkeypatch.setattr(Screen, "show", lambda self, blocks, **_: parts.extend(blocks))
    assert run(line).code in (0, 1, 3)
    tables = [block for block in parts if isinstance(block, Table)]
    assert tables
    for table, columns in itertools.product(tables, (80, 60, 40)):
        stream = io.StringIO()
        Terminal(Console(file=stream, width=columns, force_terminal=True, color_system=None)).write(
            [table]
        )
        lines = stream.getvalue().splitlines()
        assert max(map(len, lines)) <= columns
        shown = Counter(" ".join(lines).replace(":", " ").split())
        cells = [str(cell) for row in table.rows for cell in row]
        filled = [
            heading
            for at, heading in enumerate(table.columns)
            if any(str(row[at]).strip() for row in table.rows)
        ]
        whole = Counter(" ".join(cells).replace(":", " ").split())
        assert whole <= shown
        assert set(" ".join(filled).replace(":", " ").split()) <= set(shown)


# --- keys -----------------------------------------------------------------------------------------


def in_terminal(keys, *arguments, limit_s=60.0):
    """Run the command in a terminal, press the keys one by one, return its text and exit code."""
    pty = pytest.importorskip("pty")
    child, terminal = pty.fork()
    if child == 0:
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
        if 0 < pressed <= len(keys) and time.monotonic() - sent > 5.0:
            _ = os.write(terminal, keys[pressed - 1])
            sent = time.monotonic()
    else:
        os.kill(child, 9)
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    return text.decode(), os.waitstatus_to_exitcode(status)


def test_a_key_shows_one_step_and_q_ends_it():
    """An arrow is one key, though it is three bytes."""
    text, code = in_terminal([b" ", b"\x1b[B", b"q"], "--chain", "3", "--step")
    assert code == 0
    assert text.count("any key for the next") == 3
    assert "dl/dw2: 2 of 3" in text
    assert "dl/dw3: 3 of 3" not in text


def test_ctrl_c_while_stepping_is_an_interrupt():
    text, code = in_terminal([b" ", b"\x03"], "--chain", "2", "--step")
    assert code == 130
    assert "interrupted" in text
