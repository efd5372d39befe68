"""Pieces of work handed to processes that fork, and what each came to.

Rule: a piece never runs in this process. However the iteration ends (a fault, Ctrl-C, a caller that
takes no more), no process is left behind.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adderlab.errors import ResourceError
from adderlab.isolation.environment import environment

SERVER: Final = Path(__file__).with_name("server.py")
ENDING_S: Final = 5.0
"""Seconds that a server has to end when nothing more is asked of it."""

ENDED: Final = "its process ended"


@dataclass(frozen=True, slots=True)
class Limits:
    """What each piece may take.

    Attributes:
        timeout_s: seconds, after which its process is killed.
        max_memory_bytes: how much the address space of its process may grow.
    """

    timeout_s: float
    max_memory_bytes: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of work.

    Attributes:
        item: what the work is told, as JSON.
        imports: modules that are imported before its process begins, and stay for later ones.
    """

    item: Any
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a piece of work came to.

    Attributes:
        sent: what it sent, in order.
        ending: ``done``; ``time`` or ``memory`` where a limit was reached; else what ended it: a
            signal, ``SIGSEGV``, or an exception with its text.
        seconds: how long it took.
    """

    sent: tuple[dict[str, Any], ...]
    ending: str
    seconds: float


def check_supported() -> None:
    """Raise where no process can be forked.

    Raises:
        ResourceError: this system has no fork.
    """
    if not hasattr(os, "fork"):
        raise ResourceError(
            "this system can't fork processes, in which each file is judged",
            remedy="take Linux or macOS; on Windows, WSL",
        )


def outcomes(
    work: str, context: Any, pieces: Iterable[Piece], limits: Limits, *, jobs: int
) -> Generator[tuple[int, Outcome]]:
    """Yield each piece's place and outcome, as they are done.

    Args:
        work: ``module:function``; called once in each server with the context, it returns the
            function that a child calls with an item and a function that sends an object.
        context: what the work is told once, as JSON.
        pieces: what is to be done.
        limits: of each of them.
        jobs: how many run at a time.

    Raises:
        ResourceError: a process can't be started.
    """
    settings = {
        "work": work,
        "context": context,
        "timeout_s": limits.timeout_s,
        "max_memory_bytes": limits.max_memory_bytes,
    }
    left = deque(enumerate(pieces))
    with selectors.DefaultSelector() as busy, _servers() as servers:

        def start() -> None:
            server = _Server(settings)
            servers.append(server)
            _ = busy.register(server.answers, selectors.EVENT_READ, server)

        for _ in range(min(jobs, len(left))):
            start()
        while busy.get_map():
            for key, _ in busy.select():
                server: _Server = key.data
                place = server.place
                outcome = server.outcome()
                if place is not None:
                    yield place, outcome
                if outcome.ending == ENDED:
                    _ = busy.unregister(server.answers)
                    servers.remove(server)
                    server.end()
                    if left:
                        start()
                elif left:
                    server.take(*left.popleft())
                else:
                    _ = busy.unregister(server.answers)


@contextmanager
def _servers() -> Generator[list[_Server]]:
    """Yield a list of servers, all of which are ended at the end."""
    servers: list[_Server] = []
    try:
        yield servers
    finally:
        for server in servers:
            server.dismiss()
        for server in servers:
            server.end()


class _Server:
    """One process that forks.

    Attributes:
        place: of the piece that it works on; ``None`` while it starts.
        answers: the file descriptor of its answers.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.place: int | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603 -- our own file, by our own interpreter
                [sys.executable, "-P", str(SERVER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=os.path.abspath(os.sep),  # noqa: PTH100 -- no module of the folder is found
                env=environment(),
                start_new_session=True,  # Ctrl-C reaches this process alone, which ends that one
            )
        except OSError as error:
            raise _not_started(str(error)) from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._questions, self._answers = self._process.stdin, self._process.stdout
        self.answers = self._answers.fileno()
        self._say(settings)

    def take(self, place: int, piece: Piece) -> None:
        """Give it a piece of work."""
        self.place = place
        self._say({"item": piece.item, "imports": piece.imports})

    def outcome(self) -> Outcome:
        """Return what the piece came to, or that it has started; waits until it is there.

        It says one thing at a time, so that nothing more is ever read than what is taken.

        Raises:
            ResourceError: it could not start.
        """
        line = self._answers.readline()
        answer = json.loads(line) if line.endswith(b"\n") else None
        if self.place is None:
            if answer is None or answer["error"]:
                raise _not_started(answer["error"] if answer else ENDED)
            return Outcome((), "started", 0.0)
        if answer is None:
            return Outcome((), ENDED, 0.0)
        return Outcome(tuple(answer["sent"]), answer["ending"], answer["seconds"])

    def dismiss(self) -> None:
        """Let it end: nothing more is asked of it, and whatever runs is killed."""
        with suppress(OSError):
            self._questions.close()

    def end(self) -> None:
        """Wait until it has ended, and not for long."""
        self.dismiss()
        try:
            _ = self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _ = self._process.wait()
        self._answers.close()

    def _say(self, message: dict[str, Any]) -> None:
        with suppress(BrokenPipeError):  # it has ended: its answer says so
            _ = self._questions.write(json.dumps(message).encode() + b"\n")
            self._questions.flush()


def _not_started(reason: str) -> ResourceError:
    return ResourceError(
        f"a process to work in can't be started ({reason})",
        remedy="check what is installed, and the memory that is free",
    )
