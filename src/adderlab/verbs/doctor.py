"""``doctor``: what is installed, how fast it is on this machine, and what is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final

from adderlab.blocks import Block, Result, Table

EXTRAS: Final = {"jupyterlab": "notebook", "z3": "smt"}
LOWEST_PYTHON: Final = (3, 11)


@dataclass(frozen=True, slots=True)
class Check:
    """The state of a package, of Python, or of a speed.

    Attributes:
        what: its name.
        state: its version, its speed, or ``not installed``.
        is_good: whether it is as it should be.
        needed: whether adderlab needs it; extras are not needed.
        remedy: the command that fixes it.
    """

    what: str
    state: str
    is_good: bool
    needed: bool = True
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return ``what`` was checked, its state ``found``, ``is_good``, ``needed``, ``remedy``."""
        return {
            "what": self.what,
            "found": self.state,
            "is_good": self.is_good,
            "needed": self.needed,
            "remedy": self.remedy,
        }


@dataclass(frozen=True, slots=True)
class Examination(Result):
    """All checks."""

    checks: tuple[Check, ...]

    @property
    def is_good(self) -> bool:
        """Whether everything that is needed is there."""
        return all(check.is_good for check in self.checks if check.needed)

    def blocks(self) -> tuple[Block, ...]:
        """Return a table of all checks, with the remedy where one failed."""
        columns = ("what", "here", "if it is missing or slow")
        table = Table(
            columns,
            tuple(
                (check.what, check.state, "" if check.is_good else check.remedy)
                for check in self.checks
            ),
            marks=tuple(
                True if check.is_good else (False if check.needed else None)
                for check in self.checks
            ),
            left=columns,
        )
        return (table,)

    def __repr__(self) -> str:
        missing = [check.what for check in self.checks if check.needed and not check.is_good]
        return f"Examination: {'missing ' + ', '.join(missing) if missing else 'all is there'}"

    def to_dict(self) -> dict[str, Any]:
        return {"good": self.is_good, "checks": [check.to_dict() for check in self.checks]}


def examine() -> Examination:
    """Return what is installed and how fast it is; nothing is changed."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    checks = [
        Check("adderlab", metadata.version("adderlab"), is_good=True),
        Check(
            "python",
            platform.python_version(),
            is_good=sys.version_info >= LOWEST_PYTHON,
            remedy="install Python 3.11 or later",
        ),
        Check("machine", f"{platform.machine()}, {cores} cores", is_good=True),
        *(_package(name) for name in needed_packages()),
        *(_package(name, extra) for name, extra in EXTRAS.items()),
    ]
    if all(check.is_good for check in checks if check.needed):
        checks += [_proof_speed(), _training_speed()]
    return Examination(tuple(checks))


def needed_packages() -> list[str]:
    """Return the packages that adderlab's metadata requires, by the names they are imported by."""
    lines = metadata.requires("adderlab") or []
    required = (line for line in lines if "extra ==" not in line)
    return [re.split(r"[^A-Za-z0-9_.-]", line)[0].replace("-", "_") for line in required]


def _package(name: str, extra: str = "") -> Check:
    requirement = f"adderlab[{extra}]" if extra else name
    remedy = f"pip install '{requirement}'"
    if importlib.util.find_spec(name) is None:
        return Check(name, "not installed", is_good=False, needed=not extra, remedy=remedy)
    try:
        installed = metadata.version(name)
    except metadata.PackageNotFoundError:
        installed = "installed"
    return Check(name, installed, is_good=True, needed=not extra)


def _proof_speed() -> Check:
    """Return how many rows a second the prover decides on a small network."""
    from adderlab.nets import EXACT, network
    from adderlab.tasks import task_named
    from adderlab.verbs.prove import prove

    width = 14
    net = network(
        [[[1] * width] * width, [[1, *((-2 if unit % 2 else 2) for unit in range(1, width))]]],
        [[-unit for unit in range(width)], [0]],
        readout=EXACT,
    )
    start = time.perf_counter()
    verdict = prove(net, task_named(f"parity:{width}"))
    seconds = time.perf_counter() - start
    rate = (1 << width) / seconds
    return Check("proving", f"{rate:,.0f} rows/s by enumeration", is_good=bool(verdict))


def _training_speed() -> Check:
    """Return how long one network of a population takes with the notebook's settings."""
    from adderlab.verbs.train_many import train_many

    networks = 256
    _ = train_many("half-adder", seeds=1, steps=1, explain=False)  # compiles the kernel
    start = time.perf_counter()
    _ = train_many("half-adder", seeds=networks, explain=False)
    each = (time.perf_counter() - start) / networks
    return Check("training", f"{each * 1e6:,.0f} µs a network of 1000 steps", is_good=True)
