"""A process of our own beside this one, which works while this one does.

Rule: it is a help, never a need. It can't be started everywhere and may end at any time, so whoever
asks does without it what it does not answer; the results are the same. However the block ends, it
has ended too; where this process is killed, it ends by itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from adderlab.isolation.environment import environment

WORKER: Final = Path(__file__).with_name("worker.py")


class Worker:
    """A process that does what it is told, one thing after the other, and answers at the end."""

    def __init__(self, process: subprocess.Popen[bytes] | None) -> None:
        self._process = process
        self._count = 0

    def tell(self, item: Any) -> None:
        """Hand it something to do, as JSON; it is done while this process goes on."""
        self._say([item])
        self._count += 1

    def answers(self) -> list[Any] | None:
        """Return what became of all that it was told, in order; waits until it is done.

        ``None`` where there is no such process, or it has failed.
        """
        if self._process is None:
            return None
        assert self._process.stdout is not None
        self._say([])
        text = self._process.stdout.read()
        self.end()
        try:
            answers: list[Any] = json.loads(text)
        except ValueError:  # it failed, or was killed while it wrote
            return None
        return answers if len(answers) == self._count else None

    def end(self) -> None:
        """End it at once, whatever it does."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        with suppress(OSError):
            _ = process.communicate()

    def _say(self, message: list[Any]) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError):  # it has ended: its answers are missing
                _ = self._process.stdin.write(json.dumps(message).encode() + b"\n")
                self._process.stdin.flush()


@contextmanager
def worker(work: str) -> Generator[Worker]:
    """Yield a process that imports what the work needs at once, and is gone at the end.

    Args:
        work: ``module:function``; called once in the process, it returns the function that gets
            each item and returns its answer, both as JSON has them.
    """
    process = Worker(_started(work))
    try:
        yield process
    finally:
        process.end()


def _started(work: str) -> subprocess.Popen[bytes] | None:
    if not sys.executable or getattr(sys, "frozen", False):  # that would be another program
        return None
    try:
        return subprocess.Popen(  # noqa: S603 -- our own file, by our own interpreter
            [sys.executable, "-P", str(WORKER), work],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,  # Ctrl-C reaches this process alone, which ends that one
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError:
        return None
