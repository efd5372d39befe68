"""Programs that are no Python packages, and what of adderlab needs each: a row a program.

Rule: adderlab works without any of them; what needs one says so, and is not checked here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from adderlab.exporting.node import REMEDY as NODE_REMEDY
from adderlab.exporting.node import node_command
from adderlab.exporting.programs import run_program

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
        """Return the first line of what it says of its version; empty where it does not run."""
        words = self.command()
        ran = None if words is None else run_program([*words, self.question], patience_s=ASKING_S)
        if ran is None or ran.code:
            return ""
        return (ran.out.strip().splitlines() or ["installed"])[0][:60]


TOOLS: Final = (Tool("Node.js", "checks the HTML that is exported", node_command, NODE_REMEDY),)
"""Every program that is looked for."""
