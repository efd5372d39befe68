"""How far a command goes beyond its limits: seconds and peak memory on five large inputs.

Each input is built once into a folder; each command runs in a process of its own. Its time and its
memory are those beyond what ``adderlab tasks`` takes in such a process, which loads as much and
does nothing. Run it with another checkout first on ``PYTHONPATH``, and another folder, to measure
that one. The inputs are built in a process of their own: what a parent took counts as its child's.

    python benchmarks/limits.py FOLDER
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SECONDS = 2.0
MEMORY_MB = 100
LONGEST_S = 20.0
"""Seconds after which a command is ended."""


@dataclass(frozen=True)
class Usage:
    """What a process took."""

    seconds: float
    peak_mb: float
    code: int


def used_by(*arguments: str) -> Usage:
    """Return what the command line took with these arguments."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "adderlab", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        if time.perf_counter() - start > LONGEST_S:
            process.kill()
        time.sleep(0.005)
    seconds = time.perf_counter() - start
    return Usage(seconds, usage.ru_maxrss / 1e3, os.waitstatus_to_exitcode(status))


BUILT = (("one-layer", 1024), ("ripple", 1024), ("prefix", 8192))
DENSE = ((4096, 512), (20_000, 1024))
"""Hidden units of random networks, and the width of the adder that they are meant for."""


def inputs_in(folder: Path) -> dict[str, Path]:
    """Return the places of the five networks by their names."""
    names = [f"{method} adder:{width}" for method, width in BUILT]
    names += [f"dense {2 * width}-{hidden}-{width + 1}" for hidden, width in DENSE]
    return {
        name: folder / f"{name.replace(' ', '-').replace(':', '-')}.safetensors" for name in names
    }


def build_inputs(folder: Path) -> None:
    """Write the networks."""
    import adderlab
    from adderlab.building import construct
    from adderlab.tasks import task_named

    paths = iter(inputs_in(folder).values())
    for method, width in BUILT:
        _ = adderlab.save(construct(task_named(f"adder:{width}"), method), next(paths))
    random = np.random.default_rng(0)
    for hidden, width in DENSE:
        sizes = ((hidden, 2 * width), (width + 1, hidden))
        weights = [random.normal(size=size).astype(np.float32) for size in sizes]
        biases = [np.zeros(size[0], np.float32) for size in sizes]
        net = adderlab.network(weights, biases, task=f"adder:{width}")
        _ = adderlab.save(net, next(paths))


def main() -> None:
    """Print a table, one line a command."""
    folder = Path(sys.argv[1])
    if "--build" in sys.argv:
        build_inputs(folder)
        return
    folder.mkdir(exist_ok=True)
    paths = inputs_in(folder)
    if not all(path.exists() for path in paths.values()):
        _ = subprocess.run([sys.executable, __file__, str(folder), "--build"], check=True)
    idle = used_by("tasks")
    print(f"limits: {SECONDS:g} s, {MEMORY_MB} MB")
    print(f"at rest: {idle.seconds:.1f} s, {idle.peak_mb:.0f} MB", flush=True)
    limits = (("--timeout", f"{SECONDS:g}"), ("--max-memory", f"{MEMORY_MB}MB"))
    commands = [
        (name, ("prove", str(path), *limit)) for name, path in paths.items() for limit in limits
    ]
    commands += [
        (name, ("quantize", str(path), "--to", "ternary", "--timeout", f"{SECONDS:g}"))
        for name, path in list(paths.items())[1:4]
    ]
    builds = (("one-layer", 1800), ("ripple", 2048))
    commands += [
        (
            f"{method} adder:{width}",
            ("build", f"adder:{width}", "--method", method, "--timeout", f"{SECONDS:g}"),
        )
        for method, width in builds
    ]
    print("| input | command | seconds | peak MB | exit |\n| --- | --- | --- | --- | --- |")
    for name, command in commands:
        usage = used_by(*command)
        own = " ".join(part for part in command if "/" not in part)
        seconds, peak_mb = usage.seconds - idle.seconds, usage.peak_mb - idle.peak_mb
        print(f"| {name} | `{own}` | {seconds:.1f} | {peak_mb:.0f} | {usage.code} |", flush=True)


if __name__ == "__main__":
    main()
