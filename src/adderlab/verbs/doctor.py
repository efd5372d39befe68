"""``doctor``: what is installed, how fast it is on this machine, and what is missing."""

from __future__ import annotations

import os
import platform
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any, Final

from adderlab.blocks import Block, Result, Table
from adderlab.errors import AdderlabError
from adderlab.packages import DISTRIBUTIONS, EXTRAS, dependency_error, install_command, is_installed
from adderlab.verbs.doctor_tools import TOOLS, Tool

LOWEST_PYTHON: Final = (3, 11)
NETWORKS: Final = 1 << 13
"""Trained to measure the speed: a tenth of a second of one core."""

REPEATS: Final = 3
"""Times that a speed is measured; the best counts, because other work only slows it down."""


@dataclass(frozen=True, slots=True)
class Check:
    """The state of a package, of a program, of Python, or of a speed.

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
        *(_program(tool) for tool in TOOLS),
    ]
    if all(check.is_good for check in checks if check.needed):
        checks += [_measured("proving", _proof_speed), _measured("training", _training_speed)]
    return Examination(tuple(checks))


def needed_packages() -> list[str]:
    """Return the packages that adderlab's metadata requires, by the names they are imported by."""
    lines = metadata.requires("adderlab") or []
    required = (line for line in lines if "extra ==" not in line)
    names = [re.split(r"[^A-Za-z0-9_.-]", line)[0] for line in required]
    modules = {name: module for module, name in DISTRIBUTIONS.items()}
    return [modules.get(name, name.replace("-", "_")) for name in names]


def _package(name: str, extra: str = "") -> Check:
    if not is_installed(name):
        return Check(
            name, "not installed", is_good=False, needed=not extra, remedy=install_command(name)
        )
    try:
        installed = metadata.version(DISTRIBUTIONS.get(name, name))
    except metadata.PackageNotFoundError:
        installed = "installed"
    return Check(name, installed, is_good=True, needed=not extra)


def _program(tool: Tool) -> Check:
    version = tool.version()
    state = version or f"not installed; it {tool.purpose}"
    return Check(tool.name, state, is_good=bool(version), needed=False, remedy=tool.remedy)


def _measured(what: str, speed: Callable[[], Check]) -> Check:
    """Return a speed, or why there is none: a package that is there and can't be loaded."""
    fault: AdderlabError | None
    try:
        return speed()
    except AdderlabError as error:
        fault = error
    except ImportError as error:
        fault = dependency_error(error)
        if fault is None:
            raise
    state = f"{fault.where}: {fault.what}" if fault.where else fault.what
    return Check(what, state, is_good=False, remedy=fault.remedy)


def _proof_speed() -> Check:
    """Return how many rows a second the prover decides on a small network, the best of three."""
    from adderlab.nets import EXACT, network
    from adderlab.tasks import task_named
    from adderlab.verbs.prove import prove

    width = 14
    net = network(
        [[[1] * width] * width, [[1, *((-2 if unit % 2 else 2) for unit in range(1, width))]]],
        [[-unit for unit in range(width)], [0]],
        readout=EXACT,
    )
    task = task_named(f"parity:{width}")
    verdicts = [prove(net, task, engine="enumeration") for _ in range(REPEATS)]
    rate = (1 << width) / min(verdict.seconds for verdict in verdicts)
    text = f"{rounded_rate(rate)} rows/s by enumeration, {width}-{width}-1"
    return Check("proving", text, is_good=all(verdicts))


def _training_speed() -> Check:
    """Return how many networks a second are trained with the notebook's settings, at best."""
    from adderlab.tasks import task_named
    from adderlab.training import Settings
    from adderlab.training.choice import choose
    from adderlab.training.members import train_members

    task, settings = task_named("half-adder"), Settings()
    path = choose(task, settings).path
    _ = train_members(task, settings, range(16), path=path)  # compiles the kernel
    seconds: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        _ = train_members(task, settings, range(NETWORKS), path=path)
        seconds.append(time.perf_counter() - start)
    rate = rounded_rate(NETWORKS / min(seconds))
    shape = "-".join(map(str, settings.sizes(task)))
    text = f"{rate} networks/s by {path}, {shape}, {settings.steps} steps each"
    return Check("training", text, is_good=True)


def rounded_rate(rate: float) -> str:
    """Return a rate to two digits, written out: no more of it is the same the next time.

    Examples:
        >>> rounded_rate(1_234_567.8), rounded_rate(94.6)
        ('1,200,000', '95')
    """
    return f"{float(f'{rate:.2g}'):,.0f}"
