"""Time proving adders by diagrams beside SMT solvers, where these are installed, in one run.

Both solvers read the script that `adderlab prove --engine solver` gives z3, each in a process of
its own, and a second form of it, with sums as definitions instead of variables. One line a network:
seconds, and how many times what diagrams take. The last one is a majority of votes that all weigh
a little different, on which diagrams grow too large.

Run: pip install z3-solver cvc5; python benchmarks/solvers.py [seconds each, 30 unless given]
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import time

import numpy as np

from adderlab.building import construct
from adderlab.limits import Budget
from adderlab.nets import Network, Readout, network
from adderlab.proving.diagrams import decide
from adderlab.proving.solver import to_script
from adderlab.tasks import task_named

CASES = [
    (method, width) for method in ("one-layer", "ripple", "prefix") for width in (8, 16, 32, 64)
]

RUN = {
    "z3": """
import sys, time, z3
text = sys.stdin.read()
start = time.perf_counter()
solver = z3.Solver()
solver.set("timeout", int(sys.argv[1]))
solver.from_string(text)
print(solver.check(), time.perf_counter() - start)
""",
    "cvc5": """
import sys, time, cvc5
text = sys.stdin.read() + "(check-sat)"
start = time.perf_counter()
solver = cvc5.Solver(cvc5.TermManager())
solver.setOption("tlimit-per", sys.argv[1])
parser = cvc5.InputParser(solver)
parser.setStringInput(cvc5.InputLanguage.SMT_LIB_2_6, text, "script")
symbols, answer = parser.getSymbolManager(), ""
while not (command := parser.nextCommand()).isNull():
    answer = command.invoke(solver, symbols)
print(str(answer).split()[0], time.perf_counter() - start)
""",
}
SUM = re.compile(r"\(declare-const (s\S+) Int\) \(assert \(= \S+ (.*)\)\)")


def by_solver(name: str, script: str, limit_s: float) -> tuple[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", RUN[name], str(int(limit_s * 1000))],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    answer, _, seconds = done.stdout.partition(" ")
    return (answer, float(seconds)) if seconds else ("failed", limit_s)


def uneven_majority(width: int) -> Network:
    votes = 1 + np.random.default_rng(5).uniform(-1, 1, (1, width)) / (4 * width)
    return network(
        [votes],
        [[-width / 2]],
        task=task_named(f"majority:{width}"),
        readout=Readout("threshold", 0.0),
        format="fp64",
    )


def main() -> None:
    limit_s = float(sys.argv[1]) if len(sys.argv) > 1 else 30.0
    solvers = [name for name in RUN if importlib.util.find_spec(name)]
    columns = [f"{name} {form}" for name in solvers for form in ("variables", "definitions")]
    print(f"{'network':20} {'diagrams':>12}" + "".join(f"{name:>24}" for name in columns))
    nets = [(f"adder:{width} {name}", construct(task_named(f"adder:{width}"), name))
            for name, width in CASES]  # fmt: skip
    for title, net in [*nets, ("majority:101 uneven", uneven_majority(101))]:
        assert net.task is not None
        start = time.perf_counter()
        verdict = decide(net, net.task, budget=Budget.of(limit_s))
        base = time.perf_counter() - start
        cells = [f"{base:10.4f} s" if verdict.is_right else f"over {limit_s:g} s"]
        script = to_script(net, net.task)
        defined = SUM.sub(r"(define-fun \1 () Int \2)", script)
        for name in solvers:
            for text in (script, defined):
                answer, seconds = by_solver(name, text, limit_s)
                assert answer != "sat", (title, name)
                ratio = f"{seconds / base:,.1f}x" if verdict.is_right else ""
                cell = (
                    f"{seconds:.2f} s {ratio:>10}" if answer == "unsat" else f"over {limit_s:g} s"
                )
                cells.append(cell)
        print(f"{title:20} {cells[0]:>12}" + "".join(f"{c:>24}" for c in cells[1:]), flush=True)
    missing = [name for name in RUN if name not in solvers]
    if missing:
        print(f"not installed: {', '.join(missing)}")


if __name__ == "__main__":
    main()
