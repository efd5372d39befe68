"""One attack: files, then a command line or a call; what came of it, and whether that is allowed.

Rules: a command ends with 0, 1, 2, 3 or 130; where it refuses (2), standard error carries one line
and, with ``--json``, standard output one object; a call returns or raises an AdderlabError. Files
that were there keep their bytes, and no temporary file stays.
"""

from __future__ import annotations

import io
import json
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from attacks.guard import Guard

from adderlab.cli.main import main
from adderlab.errors import AdderlabError

LONGEST_S: Final = 30
"""Seconds after which an attack counts as a hang; those here are to take far less."""

CODES: Final = (0, 1, 2, 3, 130)


class Hang(BaseException):
    """An attack that did not end."""


@dataclass(frozen=True, slots=True)
class Case:
    """One attack.

    Attributes:
        attack: a command's arguments, or a call.
        files: what is written first, by path below the sandbox.
        outputs: what may be there afterwards, or be changed.
    """

    attack: Sequence[str] | Callable[[], Any]
    files: dict[str, bytes] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attack came to: an exit code or ``refused``, and what is unexpected of it."""

    ending: str
    faults: tuple[str, ...]


def run_case(case: Case, folder: Path, guard: Guard) -> Outcome:
    """Run an attack in a folder, the current one, and judge it; its files are removed."""
    for name, data in case.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        _ = (folder / name).write_bytes(data)
    before = snapshot(folder)
    _ = signal.signal(signal.SIGALRM, _hang)
    _ = signal.alarm(LONGEST_S)
    guard.begin()
    try:
        ending, faults = _call(case.attack) if callable(case.attack) else _command(case.attack)
    except Hang:
        ending, faults = "hang", [f"no end in {LONGEST_S} s"]
    except BaseException:  # noqa: BLE001 -- any is unexpected, SystemExit too
        ending, faults = "exception", [traceback.format_exc(limit=-4)]
    finally:
        _ = signal.alarm(0)
        faults_seen = guard.end()
    faults += faults_seen
    after = snapshot(folder)
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            if not name.startswith(case.outputs or ("\0",)):
                faults.append(f"{name} was changed, made or removed")
            if name not in before:
                (folder / name).unlink(missing_ok=True)
    for name in case.files:
        (folder / name).unlink(missing_ok=True)
    return Outcome(ending, tuple(faults))


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder with their bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def command(arguments: Sequence[str]) -> tuple[int, str, str]:
    """Run a command line in this process; return its exit code and what it printed."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "strict", newline="") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err), warnings.catch_warnings():
        code = main(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return code, texts[0], texts[1]


def _command(arguments: Sequence[str]) -> tuple[str, list[str]]:
    code, out, err = command(arguments)
    return str(code), faults_of(code, out, err, is_json="--json" in arguments)


def faults_of(code: int, out: str, err: str, *, is_json: bool = False) -> list[str]:
    """Return what is wrong with a command's end."""
    faults = []
    if code not in CODES:
        faults.append(f"exit code {code}")
    if "Traceback" in out + err:
        faults.append(f"a traceback: {err[-2000:]}")
    if code == 2:
        lines = err.splitlines()
        if is_json and out:
            if set(json.loads(out)) != {"error"}:
                faults.append(f"no error object: {out[:300]}")
        elif len(lines) != 1 or not lines[0].strip():
            faults.append(f"{len(lines)} lines on standard error: {err[:600]!r}")
        if len(err.encode()) > 20_000:
            faults.append(f"a message of {len(err)} characters")
    return faults


def _call(attack: Callable[[], Any]) -> tuple[str, list[str]]:
    try:
        _ = attack()
    except AdderlabError as error:
        return "refused", [] if str(error).isprintable() else [f"message {str(error)[:300]!r}"]
    return "returned", []


def _hang(*_: object) -> None:
    raise Hang
