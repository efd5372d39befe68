"""What a process of our own finds in its environment: this package, and libraries of one thread."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

PACKAGES: Final = Path(__file__).parents[2]
"""The folder that adderlab lies in."""

ONE_THREAD: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""What keeps libraries from starting threads, which a fork would lose, and their memory."""


def environment() -> dict[str, str]:
    """Return this process's environment, in which Python finds the same adderlab in any folder."""
    paths = [str(PACKAGES), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **os.environ,
        **dict.fromkeys(ONE_THREAD, "1"),
        "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in paths),
    }
