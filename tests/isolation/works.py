"""Pieces of work that go wrong in every way, run in processes of their own by the tests."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def echo(context):
    """Send back what it is told."""

    def work(item, send):
        send({"got": item, "context": context, "process": os.getpid(), "parent": os.getppid()})

    return work


def broken(context):
    raise LookupError(f"no {context}")


def various(context):
    """Send the item, then do what it says."""

    def work(item, send):
        send({"item": item, "process": os.getpid()})
        WAYS[item](context)
        send({"is_whole": True})

    return work


def take(size):
    held = bytearray(size)
    held[::4096] = b"x" * len(held[::4096])
    return held


def crash(_):
    ctypes.string_at(0)


def fork_on(pid_file):
    """Start a process that would outlive this one."""
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    started = subprocess.Popen(command)
    _ = Path(pid_file).write_text(str(started.pid))
    time.sleep(60)


def fail(_):
    raise KeyError("x" * 10)


def deaf(_):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    time.sleep(60)


WAYS = {
    "well": lambda _: None,
    "memory": lambda _: take(1 << 31),
    "crash": crash,
    "exit": lambda _: os._exit(7),
    "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
    "kill the server": lambda _: os.kill(os.getppid(), signal.SIGKILL),
    "fail": fail,
    "sleep": lambda _: time.sleep(60),
    "loop": lambda _: [None for _ in iter(int, 1)],
    "deaf": deaf,
    "prints": lambda _: print("x", file=sys.__stdout__, flush=True),
    "stops": lambda _: os.kill(os.getpid(), signal.SIGSTOP),
    "children": fork_on,
}


def noted():
    """Answer with the item and the process; whatever is printed is no answer."""
    print("made ready")

    def work(item):
        print("at work")
        os.write(1, b"at work")
        return {"item": item, "process": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"]}

    return work


def unready():
    raise LookupError


def failing():
    return lambda item: 1 / item


def killed():
    return lambda item: os.kill(os.getpid(), signal.SIGKILL)


def sleeping():
    """Write down its process before each item, and sleep."""

    def work(item):
        with Path(item).open("a", encoding="utf-8") as file:
            _ = file.write(f"{os.getpid()}\n")
        time.sleep(0.5)

    return work
