"""Programs that are no Python packages, and what of adderlab needs each: a row a program.

Rule: adderlab works without any of them; what needs one says so, and is not checked here.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adderlab.exporting.c.compiler import REMEDY as COMPILER_REMEDY
from adderlab.exporting.c.compiler import compiler
from adderlab.exporting.node import REMEDY as NODE_REMEDY
from adderlab.exporting.node import node_command
from adderlab.exporting.programs import run_program
from adderlab.exporting.verilog.simulation import REMEDY as ICARUS_REMEDY
from adderlab.exporting.verilog.synthesis import yosys_command

VERSION: Final = re.compile(r"v?[0-9]+(\.[0-9]+)+")

ASKING_S: Final = 10.0
"""Seconds that a program has to say its version."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program.

    Attributes:
        name: of the program.
        purpose: what of adderlab runs it.
        command: returns the words that start it; ``None`` where it is not there.
        remedy: the command that installs it.
        question: the option by which it says its version.
    """

    name: str
    purpose: str
    command: Callable[[], Sequence[str] | None]
    remedy: str
    question: str = "-v"

    def version(self) -> str:
        """Return its version; empty where it does not run."""
        words = self.command()
        ran = None if words is None else run_program([*words, self.question], patience_s=ASKING_S)
        if ran is None or ran.code:
            return ""
        number = VERSION.search(ran.out)
        return "installed" if number is None else number[0]


def _words(path: str | None) -> tuple[str, ...] | None:
    return None if path is None else (path,)


TOOLS: Final = (
    Tool("Node.js", "runs the HTML that is exported", node_command, NODE_REMEDY),
    Tool(
        "C compiler",
        "runs the C that is exported",
        lambda: _words(compiler()),
        COMPILER_REMEDY,
        "--version",
    ),
    Tool(
        "Icarus Verilog",
        "runs the Verilog that is exported",
        lambda: _words(shutil.which("iverilog")),
        ICARUS_REMEDY,
        "-V",
    ),
    Tool(
        "Yosys",
        "counts the cells of the Verilog that is exported",
        yosys_command,
        "pip install 'adderlab[verilog]'",
        "-V",
    ),
)
"""Every program that is looked for."""
