"""Odd environments: a command gives the right answer, or one line, and its documented exit code.

Each runs as a process of its own, because Python reads most of these before any of our code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest
from attacks.cases import command, faults_of
from attacks.forked import in_child
from attacks.rights import drop_rights

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs preexec_fn")

HEADLINE = "refuted in exact arithmetic and in fp32, its own format: half-adder is wrong on 1 of 4"
TRAIN = ("train", "half-adder", "--seeds", "2", "--steps", "3", "--hidden", "7")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    """Return a file of a network that is wrong on one row."""
    path = tmp_path_factory.mktemp("environments") / "net.safetensors"
    code, _, err = command(["build", "half-adder", "--method", "lecture", "-o", str(path)])
    assert code == 1, err
    return str(path)


def process(*arguments, folder, prepare=None, without=(), **variables):
    """Run a command in a folder; return its exit code and what it printed."""
    inherited = {name: os.environ[name] for name in ("PATH", "ADDERLAB_CACHE_DIR")}
    environment = {
        **inherited, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "HOME": str(folder),
        "OMP_NUM_THREADS": "1", **variables,
    }  # fmt: skip
    for name in without:
        del environment[name]
    done = subprocess.run(
        [sys.executable, "-m", "adderlab", *arguments],
        capture_output=True,
        check=False,
        cwd=folder,
        env=environment,
        preexec_fn=prepare,
    )
    encoding = variables.get("PYTHONIOENCODING", "utf-8")
    out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert "Traceback" not in out + err, err[-2000:]
    return done.returncode, out, err


@pytest.mark.parametrize(
    "variables",
    [
        {"LANG": "C", "LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"TERM": "dumb"},
        {"NO_COLOR": "1"},
        {"PYTHONOPTIMIZE": "2"},
        {"PYTHONWARNINGS": "error"},
        {"HOME": "/dev/null"},
        {"TMPDIR": "/dev/null/missing"},
        {"COLUMNS": "0"},
        {"COLUMNS": "1"},
        {"COLUMNS": "100000"},
    ],
    ids=str,
)
def test_a_verdict_is_the_same(net, tmp_path, variables):
    code, out, err = process("prove", net, folder=tmp_path, **variables)
    assert (code, err) == (1, "")
    assert HEADLINE in out
    assert "counterexample: 1 + 1 gives c = 3, expected c = 2" in out


@pytest.mark.parametrize("size", ["0", "-5", "1", "10", "100000", "9" * 5000, "²", "x"])
@pytest.mark.parametrize("name", ["COLUMNS", "LINES"])
def test_help_is_printed_in_every_size(name, size, monkeypatch):
    monkeypatch.setenv(name, size)
    code, out, err = command(["--help"])
    assert (code, err) == (0, "")
    assert {"prove", "quantize", "doctor"} <= set(out.split())
    assert len(out) < 1_000_000


@pytest.mark.parametrize(
    "variables", [{"PYTHONOPTIMIZE": "2"}, {"PYTHONWARNINGS": "error"}, {"COLUMNS": "²"}], ids=str
)
def test_help_lists_every_command(tmp_path, variables):
    code, out, err = process("--help", folder=tmp_path, **variables)
    assert (code, err) == (0, "")
    assert {"prove", "quantize", "doctor"} <= set(out.split())


@pytest.mark.parametrize("descriptors", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_a_closed_stream_changes_no_exit_code(net, tmp_path, descriptors):
    def close():
        for descriptor in descriptors:
            os.close(descriptor)

    run = partial(process, folder=tmp_path, prepare=close)
    code, out, _ = run("prove", net, "--json")
    assert code == 1
    if 1 in descriptors:
        assert out == ""
    else:
        assert json.loads(out)["verdict"] == "refuted"
    code, out, err = run("prove", "missing")
    line = "adderlab: missing: no such file; check the path\n"
    assert (code, out, err) == (2, "", "" if 2 in descriptors else line)


def test_what_is_written_with_closed_streams_is_the_network_alone(net, tmp_path):
    """A file opened as descriptor 1 or 2 would get what is printed."""
    out = tmp_path / "out.safetensors"
    words = ("build", "half-adder", "--method", "lecture", "-o", str(out))
    code, *printed = process(*words, folder=tmp_path, prepare=partial(os.closerange, 0, 3))
    assert (code, *printed) == (1, "", "")
    assert out.read_bytes() == Path(net).read_bytes()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("prove", "NET"), 1),
        (("build", "half-adder"), 0),
        (("build", "half-adder", "-o", "out.safetensors"), 2),
        (("prove", "net.safetensors"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_current_folder_that_was_deleted(net, tmp_path, words, code):
    def remove():
        gone = Path(tempfile.mkdtemp(dir=tmp_path))
        os.chdir(gone)
        gone.rmdir()

    words = [net if word == "NET" else word for word in words]
    ending, out, err = process(*words, folder=tmp_path, prepare=remove)
    assert ending == code
    assert not faults_of(ending, out, err)
    assert not list(tmp_path.iterdir())


def test_a_umask_that_lets_nobody_else_read(tmp_path):
    words = ("build", "half-adder", "-o", "out.safetensors")
    code, _, err = process(*words, folder=tmp_path, prepare=partial(os.umask, 0o077))
    assert (code, err) == (0, "")
    assert (tmp_path / "out.safetensors").stat().st_mode & 0o777 == 0o600


def test_without_the_compiler_of_kernels_a_population_is_refused(tmp_path):
    code, out, err = process(*TRAIN, folder=tmp_path, NUMBA_DISABLE_JIT="1")
    assert (code, out) == (2, "")
    assert err.splitlines()[-1].startswith("adderlab: NUMBA_DISABLE_JIT: ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("without", [("HOME",), ("HOME", "ADDERLAB_CACHE_DIR")], ids=str)
def test_without_a_home_a_network_is_built(tmp_path, without):
    words = ("build", "half-adder", "-o", "out.safetensors")
    code, _, err = process(*words, folder=tmp_path, without=without)
    assert (code, err) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["out.safetensors"]


def test_where_no_kernel_can_be_kept_it_is_compiled_for_one_run():
    """The folders of the cache and the home are there and can't be written."""
    with tempfile.TemporaryDirectory(prefix="attacks-", dir="/tmp") as name:
        folder, locked = Path(name), Path(name) / "locked"
        locked.mkdir(mode=0o555)

        def child():
            drop_rights(folder)
            os.environ.update(ADDERLAB_CACHE_DIR=str(locked), HOME=str(locked))
            os.chdir(folder)
            code, out, err = command(TRAIN)
            assert code == 0, err
            assert "for this run alone" in " ".join(err.split())
            assert "2 networks are right on every row" in out
            return [path.name for path in locked.iterdir()]

        assert in_child(child) == (0, [])
