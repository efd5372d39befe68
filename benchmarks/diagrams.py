"""Time building and proving adders of growing width, by construction, in one run.

Each in a process of its own, so that the peak memory is its own. Run: python benchmarks/diagrams.py
"""

from __future__ import annotations

import subprocess
import sys

WIDTHS = (8, 64, 256, 1024)
METHODS = ("one-layer", "ripple", "prefix")

ONE = """
import resource, sys, time
from adderlab.building import construct
from adderlab.proving.diagrams import decide
from adderlab.tasks import task_named
task = task_named(f"adder:{sys.argv[1]}")
start = time.perf_counter()
net = construct(task, sys.argv[2])
built = time.perf_counter() - start
start = time.perf_counter()
verdict = decide(net, task)
proved = time.perf_counter() - start
assert verdict.is_right
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{built:9.3f} s {proved:9.3f} s {verdict.nodes:9,} {peak:7.0f} MB")
"""


def main() -> None:
    print(f"{'adder':10} {'method':10} {'build':>11} {'proof':>11} {'nodes':>9} {'peak':>10}")
    for width in WIDTHS:
        for method in METHODS:
            done = subprocess.run(
                [sys.executable, "-c", ONE, str(width), method],
                capture_output=True,
                text=True,
                check=True,
            )
            print(f"adder:{width:<4} {method:10} {done.stdout.rstrip()}", flush=True)


if __name__ == "__main__":
    main()
