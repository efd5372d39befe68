"""The process that works beside another: it does what it is told, and answers at the end.

Rules: it holds nothing but memory and writes to standard output alone, so it may be killed at any
time; when standard input ends, because whoever asked has ended for whatever reason, so does it. It
runs as a script, in which nothing of adderlab is imported but the work itself.
"""

import importlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Make the work ready, do all that is told, and answer."""
    _ = signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is ended by whoever started it
    with os.fdopen(os.dup(1), "wb") as answers:
        _ = os.dup2(2, 1)  # whatever prints spoils no answer
        module, _, name = sys.argv[1].partition(":")
        work: Callable[[Any], Any] = getattr(importlib.import_module(module), name)()
        done: list[Any] = []
        for line in sys.stdin.buffer:
            message: list[Any] = json.loads(line)
            if not message:  # nothing more is told
                _ = answers.write(json.dumps(done).encode())
                return
            done += map(work, message)


if __name__ == "__main__":
    main()
