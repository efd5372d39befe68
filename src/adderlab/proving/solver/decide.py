"""The third engine: linear arithmetic over whole numbers, by an SMT solver.

It decides what lies between: too many inputs to try, and weights on which diagrams grow too
large. Its ``yes`` is taken on trust, unlike an enumeration's or a diagram's; an input that it
calls wrong is replayed like any other.

References:
    de Moura, Bjørner, "Z3: An efficient SMT solver", TACAS 2008,
    https://doi.org/10.1007/978-3-540-78800-3_24
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adderlab.limits import Budget
from adderlab.nets import Network
from adderlab.packages import is_installed as is_package_installed
from adderlab.proving.solver.script import to_script
from adderlab.tasks import Task

CHILD: Final = Path(__file__).with_name("child.py")
LONGEST_S: Final = 1e6
"""Seconds beyond which a limit is none: neither the solver nor waiting for it can count more."""

OUT_OF_MEMORY: Final = 101
"""The exit code of z3 where it runs out of memory."""


@dataclass(frozen=True, slots=True)
class SolverResult:
    """The solver's answer.

    Attributes:
        is_right: on all inputs; ``None`` if it gave no answer.
        wrong: an input that is wrong, by input bit.
        reason: why there is no answer.
    """

    is_right: bool | None
    wrong: dict[str, int] | None = None
    reason: str = ""


def is_installed() -> bool:
    """Return whether the solver can be used here."""
    return is_package_installed("z3")


def decide(net: Network, task: Task, budget: Budget) -> SolverResult:
    """Return whether the network is right on every input, by the solver.

    Args:
        net: a network without tanh.
        task: a task with a specification in SMT-LIB.
        budget: the time and memory there is.
    """
    script = to_script(net, task)
    budget.check()
    seconds = budget.seconds_left
    timeout_ms = max(1, int(seconds * 1000)) if seconds < LONGEST_S else 0
    memory_mb = min(max(1, budget.max_memory_bytes >> 20), (1 << 31) - 1)
    command = [sys.executable, "-P", str(CHILD), str(timeout_ms), str(memory_mb), str(net.n_in)]
    limit = seconds if timeout_ms else None
    try:
        done = subprocess.run(  # noqa: S603 -- our own file, by our own interpreter
            command, input=script, capture_output=True, text=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        return SolverResult(None, reason="the time was up")
    if done.returncode == OUT_OF_MEMORY:
        return SolverResult(None, reason=budget.memory_reached)
    if done.returncode:
        last = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        return SolverResult(None, reason=f"it stopped: {last}")
    return _result(task, json.loads(done.stdout), budget)


def _result(task: Task, answer: dict[str, Any], budget: Budget) -> SolverResult:
    if answer["answer"] == "unsat":
        return SolverResult(True)
    if answer["answer"] == "sat":
        return SolverResult(False, dict(zip(task.input_bits, answer["bits"], strict=True)))
    reason = str(answer["reason"])
    if "memory" in reason:
        return SolverResult(None, reason=budget.memory_reached)
    if not budget.seconds_left:
        return SolverResult(None, reason="the time was up")
    return SolverResult(None, reason=f"it gave up: {reason}")
