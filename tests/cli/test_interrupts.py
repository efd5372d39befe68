"""Ctrl-C, SIGTERM, SIGHUP at any moment: 128 + the signal, where it was, no file or half of one."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from importlib import import_module

import pytest
import torch

from adderlab.building import construct
from adderlab.nets import save
from adderlab.tasks import task_named

ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
NOTHING = "adderlab: interrupted; nothing was written"


@pytest.mark.parametrize("as_json", [False, True])
def test_an_interrupted_run_says_where_it_was_and_leaves_no_file(run, left, monkeypatch, as_json):
    steps = []
    zero_grad = torch.optim.Optimizer.zero_grad

    def interrupt(self, *_, **__):
        steps.append(1)
        if len(steps) == 150:
            raise KeyboardInterrupt
        zero_grad(self)

    monkeypatch.setattr(torch.optim.Optimizer, "zero_grad", interrupt)
    done = run(f"train half-adder -o net.safetensors{' --json' if as_json else ''}")
    assert done.code == 130
    *text, last = done.err.splitlines()
    assert last == "adderlab: interrupted at step 150 of 1000; nothing was written"
    text = text if as_json else done.out.splitlines()
    assert [line.split()[0] for line in text] == ["seed", "Epoch"]
    assert (done.out == "") is as_json
    assert left() == []


def interrupted(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("adderlab.training.judging._judge_chunk", "train half-adder --seeds 3 --steps 2 -o run"),
        ("adderlab.demo.hand_set.compile_formula", "demo -o out"),
        ("adderlab.verbs.build.prove", "build half-adder --method lecture -o net"),
        ("adderlab.proving.engines.enumerate_rows", "prove @lecture"),
    ],
)
@pytest.mark.usefixtures("quick_demo")
def test_an_interrupt_anywhere_exits_with_130_and_leaves_nothing(
    run, left, monkeypatch, where, line
):
    module, _, name = where.rpartition(".")
    monkeypatch.setattr(import_module(module), name, interrupted)
    done = run(line)
    assert done.code == 130
    assert done.err.splitlines()[-1] == NOTHING
    assert left() == []


def test_an_interrupt_between_blocks_says_what_is_kept(run, monkeypatch):
    plans = sys.modules["adderlab.runs.populations.plan"]
    blocks = sys.modules["adderlab.runs.populations.blocks"]
    monkeypatch.setattr(plans, "LARGEST_BLOCK", 16)
    trained = blocks.Blocks._members

    def interrupted_later(self, members):
        if members[0] == 32:
            raise KeyboardInterrupt
        return trained(self, members)

    line = "train half-adder --seeds 60 --lr 0.4 --steps 150 --data table --no-explain -o run"
    with monkeypatch.context() as patched:
        patched.setattr(blocks.Blocks, "_members", interrupted_later)
        done = run(line)
    assert done.code == 130
    assert done.err.splitlines()[-1] == (
        "adderlab: interrupted; 2 of 4 blocks are kept in run: give the same command to resume"
    )
    done = run(line)
    assert done.code == 0
    assert " of 60 networks are right" in done.out


# --- in a process of its own ----------------------------------------------------------------------

STOPPED_AT = """\
import importlib, sys, time
from adderlab.__main__ import main

def wait(*_, **__):
    print("here", flush=True)
    time.sleep(60)

module, *rest, name = sys.argv[1].split(":")
place = importlib.import_module(module)
setattr(getattr(place, *rest) if rest else place, name, wait)
del sys.argv[1]
sys.exit(main())
"""
"""The command line, which waits for Ctrl-C where it would call the function that is named."""

LATER = """\
import sys, threading
from adderlab.__main__ import main
threading.Timer(0.3, print, ["here"], {"flush": True}).start()
sys.exit(main())
"""
"""The command line, which says after a while that it is at work."""

EARLY = """\
import time
from importlib import import_module
from adderlab import endings
endings.watch()
print("here", flush=True)
time.sleep(60)
"""
"""The command line before it is imported."""

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]

PLACES = {
    "building": "adderlab.verbs.build:construct",
    "proving": "adderlab.verbs.build:prove",
    "writing": "adderlab.verbs.build:save",
    "moving the file into its place": "pathlib:Path:replace",
}


def stopped(folder, *arguments, until, numbers=(signal.SIGINT,)):
    """Run Python with signals as soon as it has printed the lines; return its complaint."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=ENVIRONMENT,
        # a shell that runs the tests in the background has these ignored, and children inherit it
        preexec_fn=lambda: [signal.signal(number, signal.SIG_DFL) for number in SIGNALS],
    )
    with process:
        try:
            for line in until:
                assert process.stdout.readline().startswith(line)
            time.sleep(0.1)
            for number in numbers:
                process.send_signal(number)
            text, complaint = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode in [128 + number for number in numbers], complaint
    assert "here" not in text
    return complaint


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("earlier", [None, b"kept"], ids=["a new file", "over an earlier file"])
def test_ctrl_c_in_a_build_leaves_no_file(place, earlier, tmp_path):
    """Nor half of one; and one that stood there still stands."""
    if earlier is not None:
        _ = (tmp_path / "net.safetensors").write_bytes(earlier)
    command = ("build", "adder:12", "--method", "ripple", "-o", "net.safetensors")
    complaint = stopped(tmp_path, "-c", STOPPED_AT, PLACES[place], *command, until=["here\n"])
    assert complaint == f"{NOTHING}\n"
    left = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert left == ({} if earlier is None else {"net.safetensors": earlier})


@pytest.mark.parametrize("number", SIGNALS[1:], ids=str)
def test_other_signals_clean_up_as_ctrl_c_does(number, tmp_path):
    command = ("build", "adder:12", "--method", "ripple", "-o", "net.safetensors")
    place = PLACES["moving the file into its place"]
    arguments = ("-c", STOPPED_AT, place, *command)
    assert stopped(tmp_path, *arguments, until=["here\n"], numbers=[number]) == f"{NOTHING}\n"
    assert list(tmp_path.iterdir()) == []


def test_a_second_signal_does_not_disturb_the_cleaning_up(tmp_path):
    """A terminal that is closed sends two at once."""
    command = ("build", "adder:12", "--method", "ripple", "-o", "net.safetensors")
    arguments = ("-c", STOPPED_AT, PLACES["writing"], *command)
    complaint = stopped(tmp_path, *arguments, until=["here\n"], numbers=SIGNALS * 3)
    assert complaint == f"{NOTHING}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", SIGNALS, ids=str)
def test_a_signal_before_the_command_line_is_imported_ends_it_at_once(number, tmp_path):
    complaint = stopped(tmp_path, "-c", EARLY, until=["here\n"], numbers=[number])
    assert complaint == f"{NOTHING}\n"


def test_a_signal_after_the_work_says_nothing_of_it(tmp_path):
    """What was written is there; Python is on its way out."""
    code = EARLY.replace("print", "endings.work(); endings.leave(0); print", 1)
    assert stopped(tmp_path, "-c", code, until=["here\n"], numbers=[signal.SIGTERM]) == ""


def test_a_hangup_that_is_ignored_stays_so(tmp_path):
    code = (
        "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN); "
        "from adderlab import endings; endings.watch(); "
        "print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_an_interruption_that_a_callback_swallows_is_made_again(tmp_path):
    code = """\
import signal, time
from adderlab import endings

class Holder:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)

endings.watch()
endings.work()
try:
    holder = Holder()
    del holder
    time.sleep(60)
except KeyboardInterrupt:
    print(endings.exit_code(), flush=True)
    endings.leave(endings.exit_code())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (143, "143\n", "")


def test_ctrl_c_in_a_proof_changes_no_file(tmp_path):
    """In the real engine, on a network that takes it a while."""
    kept = tmp_path / "kept.safetensors"
    _ = save(construct(task_named("adder:4096"), "prefix"), kept)
    before = kept.read_bytes()
    complaint = stopped(tmp_path, "-c", LATER, "prove", kept.name, until=["here\n"])
    assert complaint == f"{NOTHING}\n"
    assert [path.name for path in tmp_path.iterdir()] == [kept.name]
    assert kept.read_bytes() == before


def test_ctrl_c_in_a_long_training_says_where_it_was_and_leaves_no_file(tmp_path):
    command = ("train", "half-adder", "--steps", "100000000", "-o", "net.safetensors")
    until = ["seed 0\n", "Epoch [100/100000000], Loss: 0."]
    complaint = stopped(tmp_path, "-m", "adderlab", *command, until=until)
    where = re.fullmatch(
        r"adderlab: interrupted at step (\d+) of 100000000; nothing was written\n", complaint
    )
    assert where, complaint
    assert int(where[1]) >= 100
    assert list(tmp_path.iterdir()) == []
