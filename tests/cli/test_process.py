"""The command line as a process of its own: imports, memory, a reader that leaves, a full disk."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ADDERLAB = ("-m", "adderlab")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


@pytest.fixture
def lecture(nets):
    return str(nets / "lecture.safetensors")


def process(*arguments, stdout=subprocess.PIPE, **variables):
    """Run Python to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        env={**ENVIRONMENT, **variables},
    )


def imported_by(*arguments: str, code: int) -> set[str]:
    """Run a command and return the packages that it imported."""
    done = process("-X", "importtime", *ADDERLAB, *arguments)
    assert done.returncode == code, done.stderr[-2000:]
    names = re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", done.stderr, re.MULTILINE)
    return {name.partition(".")[0] for name in names}


def test_help_imports_neither_numpy_nor_torch():
    packages = imported_by("--help", code=0)
    assert {"adderlab", "typer"} <= packages
    assert not {"numpy", "torch", "pyarrow", "mpmath", "safetensors", "matplotlib"} & packages


def test_proving_a_file_does_not_import_torch(lecture):
    packages = imported_by("prove", lecture, code=1)
    assert {"adderlab", "numpy"} <= packages
    assert not {"torch", "pyarrow", "matplotlib"} & packages


@pytest.mark.parametrize(
    ("line", "completions"),
    [
        ("prove net --engine ", ["auto", "enumeration", "diagram", "solver"]),
        ("train --optimizer m", ["momentum"]),
        ("map --init ", ["torch", "he", "xavier"]),
    ],
)
def test_the_shell_completes_choices(line, completions):
    done = process(
        *("-c", "import sys; from adderlab.cli.main import main; sys.exit(main())"),
        _ADDERLAB_COMPLETE="complete_bash",
        COMP_WORDS=f"adderlab {line}",
        COMP_CWORD=str(line.count(" ") + 1),
    )
    assert (done.stdout.split(), done.stderr) == (completions, "")


@pytest.mark.parametrize("command", ["--help", "count NET", "prove NET --json"])
def test_a_reader_that_leaves_hears_nothing(lecture, command):
    """As ``adderlab … | head -0`` does: nobody is left to read, and nothing is complained.

    The exit code is that of every program which SIGPIPE ends; 1 would say refuted.
    """
    reading, writing = os.pipe()
    os.close(reading)
    arguments = [lecture if word == "NET" else word for word in command.split()]
    try:
        done = process(*ADDERLAB, *arguments, stdout=writing)
    finally:
        os.close(writing)
    text = done.stderr
    if "--json" in arguments:  # the text for people, as ever
        assert text.startswith("refuted in exact arithmetic and in fp32")
        text = "".join(text.partition("sha256 ")[2:]).partition("\n")[2]
    assert text == ""
    assert done.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_the_output_is_one_line_and_no_verdict(lecture):
    """Exit code 1 would say refuted."""
    with Path("/dev/full").open("w") as full:
        done = process(*ADDERLAB, "prove", lecture, stdout=full)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("adderlab: the output can't be written (No space left")


def test_1024_bits_by_ripple_are_built_and_written_in_under_1_gb(tmp_path):
    """The whole command, in a process of its own: a billion parameters, of which a million are."""
    path = tmp_path / "net.safetensors"
    code = """if True:
        import resource, sys
        from adderlab.cli.main import main
        from adderlab.verbs import build
        prove = build.prove
        build.prove = lambda *given, timeout_s: prove(*given, timeout_s=0.5)
        code = main(sys.argv[1:])
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if sys.platform == "linux":  # what getrusage says begins with the parent's peak
            lines = open("/proc/self/status").read().splitlines()
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
        print(peak)
        sys.exit(code)
    """
    command = ("build", "adder:1024", "--method", "ripple", "--timeout", "60", "-o", str(path))
    done = process("-c", code, *command)
    assert done.returncode in (0, 3), done.stderr  # proved, or out of time
    kilobytes = int(done.stdout.splitlines()[-1]) // (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 1_000_000
    assert "1084239859 parameters, 1064950 nonzero, largest 2" in done.stdout
    assert 5_000_000 < path.stat().st_size < 6_000_000
