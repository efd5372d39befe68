"""The command line as a process of its own: what it imports, Ctrl-C, a reader that leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adderlab.building import lecture_network
from adderlab.nets import save
from adderlab.tasks import task_named

ADDERLAB = ("-m", "adderlab")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@pytest.fixture(scope="module")
def lecture(tmp_path_factory):
    """Return the file of the lecture's network."""
    folder = tmp_path_factory.mktemp("process")
    return save(lecture_network(task_named("half-adder")), folder / "lecture.safetensors")


def imported_by(*arguments: str, code: int) -> set[str]:
    """Run a command and return the packages that it imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *ADDERLAB, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT,
    )
    assert done.returncode == code, done.stderr[-2000:]
    names = re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", done.stderr, re.MULTILINE)
    return {name.partition(".")[0] for name in names}


def test_help_imports_neither_numpy_nor_torch():
    found = imported_by("--help", code=0)
    assert {"adderlab", "typer"} <= found
    assert not {"numpy", "torch", "pyarrow", "mpmath", "safetensors", "matplotlib"} & found


def test_proving_a_file_does_not_import_torch(lecture):
    found = imported_by("prove", str(lecture), code=1)
    assert {"adderlab", "numpy"} <= found
    assert not {"torch", "pyarrow", "matplotlib"} & found


def test_ctrl_c_in_a_long_run_says_where_it_was_and_leaves_no_file(tmp_path):
    process = subprocess.Popen(
        [
            sys.executable,
            *ADDERLAB,
            *("train", "half-adder", "--steps", "100000000", "-o", "net.safetensors"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=ENVIRONMENT,
        # a shell that runs the tests in the background has Ctrl-C ignored, and children inherit it
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        try:
            assert process.stdout.readline() == "seed 0\n"
            assert process.stdout.readline().startswith("Epoch [100/100000000], Loss: 0.")
            process.send_signal(signal.SIGINT)
            _, complaint = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    found = re.fullmatch(
        r"adderlab: interrupted at step (\d+) of 100000000; nothing was written\n", complaint
    )
    assert found, complaint
    assert int(found[1]) >= 100
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["--help", "count NET", "prove NET --json"])
def test_a_reader_that_leaves_hears_nothing(lecture, command):
    """As ``adderlab … | head -0`` does: nobody is left to read, and nothing is complained."""
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [str(lecture) if word == "NET" else word for word in command.split()]
    try:
        done = subprocess.run(
            [sys.executable, *ADDERLAB, *arguments],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=ENVIRONMENT,
        )
    finally:
        os.close(writing)
    text = done.stderr
    if "--json" in arguments:  # the text for people, as ever
        assert text.startswith("refuted in exact arithmetic: ")
        text = "".join(text.partition("sha256 ")[2:]).partition("\n")[2]
    assert text == ""
    assert done.returncode == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_the_output_is_one_line_and_no_verdict(lecture):
    """Exit code 1 would say refuted."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, *ADDERLAB, "prove", str(lecture)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=ENVIRONMENT,
        )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("adderlab: the output can't be written (No space left")
