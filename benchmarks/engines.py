"""When a kernel is worth compiling: seconds of compiling, and products a second, of both engines.

Run: python benchmarks/engines.py. Times are the process's CPU seconds, which other work on the
machine changes little; an empty cache is used, so that kernels are compiled.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable

import numpy as np

from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.choice import ENSEMBLE, choose
from adderlab.training.members import train_members
from adderlab.training.work import members_at_once

SHAPES = (
    ("half-adder", Settings()),
    ("half-adder", Settings(hidden=16)),
    ("half-adder", Settings(batch=16)),
    ("half-adder", Settings(activation="tanh")),
    ("half-adder", Settings(hidden=(8, 8), optimizer="adam")),
    ("full-adder", Settings(hidden=8)),
    ("adder:2", Settings(hidden=16)),
)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU seconds of the whole process that a call takes."""
    start = time.process_time()
    _ = work()
    return time.process_time() - start


def main() -> None:
    """Print a line for each shape."""
    print("shape, compiling, products/s in the kernel and in PyTorch, products in that time")
    for name, settings in SHAPES:
        task = task_named(name)
        path = choose(task, settings).path
        count = members_at_once(task, settings)
        products = count * settings.steps * task.rows * settings.parameters(task)

        def train(engine: str, count: int, task=task, settings=settings) -> float:
            members = np.arange(count, dtype=np.uint64)
            return cpu_seconds(lambda: train_members(task, settings, members, path=engine))

        compiling, kernel = train(path, 0), products / train(path, count)
        torch = products / train(ENSEMBLE, count)
        sizes = "-".join(map(str, settings.sizes(task)))
        print(f"{sizes:10} {compiling:5.1f} s {kernel:8.2g} {torch:8.2g} {compiling * torch:8.2g}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ADDERLAB_CACHE_DIR"] = folder
        main()
