"""The process that forks: imports what the work needs once, then runs each piece in a child.

Rules: nothing of a piece is looked at here, only in its child. A child has a memory limit and dies
at its deadline, its own children too; when standard input ends, because whoever asked has ended for
whatever reason, the child that runs is killed and this process ends. Even where this process is
killed, a timer ends the child. It runs as a script, in which nothing of adderlab is imported
but the work itself.
"""

import contextlib
import gc
import importlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

GRACE_S = 1.0
"""Seconds after the deadline at which a child's own timer ends it."""

MOST_BYTES = 1 << 24
"""Bytes that a child may send."""

Send = Callable[[dict[str, Any]], None]
Work = Callable[[Any, Send], None]


class Lines:
    """The lines that arrive at a file descriptor, one object in JSON each."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._rest = b""

    def next(self) -> Any:
        """Return the next object; ``None`` at the end."""
        while b"\n" not in self._rest:
            data = os.read(self._number, 1 << 20)
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)


def say(answer: dict[str, Any]) -> None:
    """Write one line on standard output."""
    _ = sys.stdout.write(json.dumps(answer) + "\n")
    _ = sys.stdout.flush()


def main() -> None:
    """Make the work ready, then run it on each piece that is asked for."""
    lines = Lines(0)
    settings = lines.next()
    if settings is None:
        return
    try:
        module, _, name = settings["work"].partition(":")
        work: Work = getattr(importlib.import_module(module), name)(settings["context"])
    except Exception as error:  # noqa: BLE001 -- whatever it is, whoever asked says it
        say({"error": f"{type(error).__name__}: {error}"})
        return
    _ = gc.collect()
    gc.freeze()  # what is here already is not copied when a child collects garbage
    say({"error": ""})
    while (piece := lines.next()) is not None:
        for needed in piece["imports"]:
            with contextlib.suppress(Exception):  # the child meets it again and says so
                _ = importlib.import_module(needed)
        say(run(work, piece["item"], settings["timeout_s"], settings["max_memory_bytes"]))


def run(work: Work, item: Any, timeout_s: float, max_memory_bytes: int) -> dict[str, Any]:
    """Return what a child sent on an item, how it ended, and how long that took."""
    start = time.monotonic()
    read_end, write_end = os.pipe()
    child = os.fork()
    if not child:
        os.close(read_end)
        _run_here(work, item, write_end, timeout_s, max_memory_bytes)
    os.close(write_end)
    with contextlib.suppress(OSError):  # it has done so itself, or has ended
        os.setpgid(child, child)
    data, is_late = _received(read_end, child, start + timeout_s)
    os.close(read_end)
    *whole, _ = data.split(b"\n")
    sent: list[Any] = [json.loads(line) for line in whole]
    ending = sent.pop()["ended"] if sent and "ended" in sent[-1] else ""
    if not ending and not is_late:
        is_late = not _has_ended(child, start + timeout_s)
    _kill(child)
    status = os.waitpid(child, 0)[1]
    if is_late and not ending:
        ending = "time"
    elif not ending and os.WIFSIGNALED(status):
        ending = signal.Signals(os.WTERMSIG(status)).name
    elif not ending:
        ending = f"exit code {os.waitstatus_to_exitcode(status)}"
    return {"sent": sent, "ending": ending, "seconds": time.monotonic() - start}


def _received(read_end: int, child: int, deadline: float) -> tuple[bytes, bool]:
    """Return what a child sends until it ends, and whether it was too late."""
    data = b""
    while True:
        left = deadline - time.monotonic()
        ready, _, _ = select.select([read_end, 0], [], [], max(left, 0.0))
        if 0 in ready:  # nobody waits for an answer any more
            _kill(child)
            os._exit(1)
        piece = os.read(read_end, 1 << 16) if ready else b""
        data += piece
        if not ready or len(data) > MOST_BYTES:
            return data, True
        if not piece:
            return data, False


def _has_ended(child: int, deadline: float) -> bool:
    """Wait until a child has ended, but not for its status; return whether it has."""
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def _kill(child: int) -> None:
    """Kill a child and its group; it was not waited for, so its number is no other process's."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(OSError):
            kill(child, signal.SIGKILL)


def _run_here(
    work: Work, item: Any, write_end: int, timeout_s: float, max_memory_bytes: int
) -> NoReturn:
    """Run the work in this process and end it."""
    ending = "failed"
    try:
        os.setpgid(0, 0)
        _ = signal.setitimer(signal.ITIMER_REAL, timeout_s + GRACE_S)
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            _ = os.dup2(nothing, number)
        limit_memory(max_memory_bytes)

        def send(message: dict[str, Any]) -> None:
            _write(write_end, message)

        try:
            work(item, send)
            ending = "done"
        except MemoryError:
            ending = "memory"
        except Exception as error:  # noqa: BLE001 -- a fault in one piece stops no other
            ending = f"{type(error).__name__}: {error}"
        _write(write_end, {"ended": ending})
    finally:
        os._exit(0)


def _write(number: int, message: dict[str, Any]) -> None:
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(number, data) :]


def limit_memory(more_bytes: int) -> None:
    """Let this process take so much memory more than it has, and leave no core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    limit = address_space() + more_bytes
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    with contextlib.suppress(OSError, ValueError):  # macOS keeps no such limit
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def address_space() -> int:
    """Return the bytes of this process's address space."""
    import psutil

    return psutil.Process().memory_info().vms


if __name__ == "__main__":
    main()
