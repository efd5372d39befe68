"""Other programs that compile or run what was written: a compiler, a simulator, Node.js.

Rule: what runs is a program of the system and a file of ours, in a folder of its own that is gone
afterwards, with nothing on standard input and a limit on its time.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PATIENCE_S: Final = 60.0
"""Seconds that a program may take, unless it is given others."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A program that came to an end.

    Attributes:
        code: its exit code.
        out: what it printed.
        error: the last line that it complained with.
        complaint: the first one that names an error, as compilers and sanitizers write them.
    """

    code: int
    out: str
    error: str
    complaint: str = ""


def run_program(
    words: Sequence[str | Path],
    *,
    folder: Path | None = None,
    patience_s: float = PATIENCE_S,
    environment: Mapping[str, str] | None = None,
    data: bytes | None = None,
) -> Ran | None:
    """Return what a program came to; ``None`` where it is not there, or did not end in time.

    Args:
        words: the program and its arguments.
        folder: where it runs; a temporary one unless given.
        patience_s: seconds that it may take.
        environment: variables; those of this process unless given.
        data: what it reads from standard input; nothing unless given.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="adderlab-") as own:
            return run_program(
                words,
                folder=Path(own),
                patience_s=patience_s,
                environment=environment,
                data=data,
            )
    try:
        done = subprocess.run(  # noqa: S603 -- a program of the system, and a file of ours
            [str(word) for word in words],
            cwd=folder,
            env=dict(os.environ if environment is None else environment),
            input=b"" if data is None else data,
            capture_output=True,
            timeout=patience_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    complaint = next((line for line in lines if "error:" in line.lower()), "")
    out = done.stdout.decode("utf-8", "replace")
    return Ran(done.returncode, out, lines[-1] if lines else "", complaint)
