"""The audit hook sees what it is to see, and the judge of attacks finds planted faults."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from attacks import cases
from attacks.cases import Case, faults_of, run_case
from attacks.forked import in_child
from attacks.guard import MARK, Guard

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def _start():
    _ = subprocess.run([sys.executable, "-V"], check=False)


def _connect():
    _ = socket.socket()


def _unpickle():
    _ = pickle.loads(pickle.dumps(Path))


def _write_outside():
    _ = Path("../outside").write_text("x")


def _read_outside():
    _ = Path("../secret").read_text()


def _move_out():
    _ = Path("inside").rename("../outside")


def _remove_outside():
    Path("../secret").unlink()


def _evaluate():
    eval(f"'{MARK}'")


def _execute_file():
    exec(compile("1", str(Path("code.py").resolve()), "exec"))


PLANTED = {
    _start: "subprocess.Popen", _connect: "socket.__new__", _unpickle: "pickle.find_class",
    _write_outside: "to write", _read_outside: "to read", _move_out: "os.rename",
    _remove_outside: "os.remove", _evaluate: "compile", _execute_file: "compile",
}  # fmt: skip


@pytest.fixture
def sandbox(tmp_path, monkeypatch):
    folder = tmp_path / "sandbox"
    folder.mkdir()
    _ = (tmp_path / "secret").write_text("s")
    _ = (folder / "inside").write_text("i")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.parametrize("planted", PLANTED, ids=lambda function: function.__name__)
def test_the_hook_refuses_and_counts(planted, sandbox):
    def guarded():
        guard = Guard(sandbox)
        guard.begin()
        try:
            planted()
        except PermissionError:
            return guard.end()
        return []

    code, violations = in_child(guarded)
    assert code == 0
    assert len(violations) == 1
    assert PLANTED[planted] in violations[0]
    assert (sandbox.parent / "secret").read_text() == "s"
    assert not (sandbox.parent / "outside").exists()


def test_the_hook_lets_work_in_the_sandbox_be(sandbox):
    def guarded():
        guard = Guard(sandbox)
        guard.begin()
        _ = Path("new").write_text(Path("inside").read_text())
        _ = Path("new").rename("newer")
        return guard.end()

    assert in_child(guarded) == (0, [])


@pytest.mark.parametrize(
    ("attack", "fault"),
    [
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: Path("inside").write_text("changed"), "inside was changed"),
        (lambda: Path(".net.adderlab-0-0-x").write_text(""), ".net.adderlab-0-0-x was changed"),
        (lambda: sys.exit(0), "SystemExit"),
        (lambda: exec("while True: pass"), "no end"),
    ],
)
def test_the_judge_finds_what_is_unexpected(attack, fault, sandbox, monkeypatch):
    monkeypatch.setattr(cases, "LONGEST_S", 1)
    code, faults = in_child(lambda: run_case(Case(attack), sandbox, Guard(sandbox)).faults)
    assert code == 0
    assert len(faults) == 1
    assert fault in faults[0]


def test_the_judge_of_commands():
    assert faults_of(2, "", "adderlab: one line\n") == []
    assert faults_of(2, "", "") != []
    assert faults_of(2, "", "two\nlines\n") != []
    assert faults_of(1, "", "Traceback (most recent call last)") != []
    assert faults_of(70, "", "") != []
    assert faults_of(2, '{"error": {}}\n', "", is_json=True) == []
    assert faults_of(2, '{"verdict": {}}\n', "", is_json=True) != []
