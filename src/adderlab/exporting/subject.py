"""What is exported: a network, what it is meant to compute, and where it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from adderlab.formats import FORMATS
from adderlab.nets import Network
from adderlab.tasks import Task

if TYPE_CHECKING:
    from jaxtyping import Float64, UInt8

    from adderlab.tasks.wirings import Wiring

Run: TypeAlias = "Callable[[UInt8[np.ndarray, 'batch n_in']], Computed]"
"""What a network gives on rows of bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Computed:
    """What a network gives on rows in its own format, sums taken from left to right, bias last.

    Attributes:
        values: the raw outputs, ``(batch, n_out)``.
        states: 0, 1, or that an output is no bit, as :func:`adderlab.nets.readout.read_states`.
    """

    values: Float64[np.ndarray, "batch n_out"]
    states: UInt8[np.ndarray, "batch n_out"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file comes from, and what is known of the network: every artifact carries it.

    Attributes:
        network_sha256: of the network's file.
        task: the task's name, or the wiring's.
        format: the network's own number format.
        readout: how its outputs become bits.
        verdict: ``proved``, ``refuted`` or ``unknown``, in exact arithmetic and in its own format.
        sentence: what follows that word: on how many inputs, or the counterexample.
        certificate_sha256: of the certificate, as it names itself; ``None`` where there is none.
        version: of adderlab.
    """

    network_sha256: str
    task: str
    format: str
    readout: str
    verdict: str
    sentence: str
    certificate_sha256: str | None
    version: str

    def to_dict(self) -> dict[str, Any]:
        """Return it by key, for metadata."""
        return {
            "network_sha256": self.network_sha256,
            "task": self.task,
            "format": self.format,
            "readout": self.readout,
            "verdict": self.verdict,
            "certificate_sha256": self.certificate_sha256,
            "adderlab": self.version,
        }

    def lines(self) -> tuple[str, ...]:
        """Return it as lines of ASCII without control characters, for a comment of any language.

        What would end or open a comment of C, Verilog, Python, SMT-LIB or HTML does not occur.
        """
        marks = "" if self.verdict != "refuted" else "DO NOT USE: "
        certificate = self.certificate_sha256 or "none"
        return tuple(
            in_comment(line)
            for line in (
                f"Written by adderlab {self.version}.",
                f"{marks}{self.verdict} {self.sentence}",
                f"task: {self.task}; format: {self.format}; readout: {self.readout}",
                f"network SHA-256: {self.network_sha256}",
                f"certificate SHA-256: {certificate}",
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A network that is to be exported.

    Attributes:
        network: the network; of a wiring, its cell.
        task: what it is meant to compute; of a wiring, what the cell is.
        wiring: how the cell is repeated, where it is exported as a whole at every width.
        origin: where it comes from.
        name: what the artifact is called: the file's name without its ending, as it was given.
        in_format: what the network gives in a format, by the format's name; ``None`` where that
            does not round, or its arithmetic is not defined for the network. With scales, or curves
            between whole numbers, an integer format rounds too: its activations are fp32 or fp64.
    """

    network: Network
    task: Task
    wiring: Wiring | None
    origin: Origin
    name: str
    in_format: Callable[[str], Run | None] = lambda _: None

    @property
    def in_own_format(self) -> Run | None:
        """What the network gives in its own format, where that is a float format."""
        is_float = FORMATS[self.network.format].kind == "float"
        return self.in_format(self.network.format) if is_float else None


Files: TypeAlias = dict[str, "str | bytes"]
"""What is written: the content of each file by what follows the stem of its name, ``"_tb.v"``; of
the file that was asked for, by ``""``."""

Paths: TypeAlias = dict[str, Path]
"""Where those files are, by the same keys, under the names that they will have."""


def in_comment(text: str) -> str:
    """Return a text in ASCII on one line, in which no comment begins or ends.

    Examples:
        >>> in_comment("a */ b")
        'a * / b'
    """
    plain = text.encode("ascii", "backslashreplace").decode()
    plain = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in plain)
    for mark in ("*/", "/*", "//", "--", "<!", "->", '""', "''", "??"):
        while mark in plain:
            plain = plain.replace(mark, f"{mark[0]} {mark[1]}")
    return plain.rstrip("\\")
