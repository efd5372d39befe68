"""How many threads compiled code runs in: it is called without Python's lock."""

from __future__ import annotations

import os


def cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
