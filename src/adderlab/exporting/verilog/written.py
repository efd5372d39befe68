"""What is written: the module, of a wiring with its cell, and the test bench beside it."""

from __future__ import annotations

from typing import Final

from adderlab.exporting.subject import Files, Subject
from adderlab.exporting.verilog.bench import bench_lines
from adderlab.exporting.verilog.module import module_lines
from adderlab.exporting.verilog.names import names_of
from adderlab.exporting.verilog.wired import wired_lines

BENCH: Final = "_tb.v"
"""What follows the stem of the test bench's name."""

_ARITHMETIC: Final = (
    "Combinational: the network in whole numbers, nothing is rounded. Every operand is signed,",
    "and every signal as wide as the range of its value needs.",
)


def write_verilog(subject: Subject) -> Files:
    """Return a module of Verilog-2001 and its test bench.

    Args:
        subject: a network whose activations are straight lines, or a cell with its wiring.

    Raises:
        NetworkError: an activation is a curve, or the network is too large.
    """
    names = names_of(subject.name, subject.task, subject.wiring)
    module = module_lines(subject, names, names.cell)
    if subject.wiring is not None:
        module += ["", *wired_lines(subject.wiring, names)]
    own = [*_ARITHMETIC, *([] if subject.wiring is None else [wiring_text(subject)])]
    return {
        "": _file(subject, own, module),
        BENCH: _file(
            subject,
            [f"Checks {names.module} against what the network gives."],
            bench_lines(subject, names),
        ),
    }


def wiring_text(subject: Subject) -> str:
    """Return how the cell is repeated, as a sentence."""
    assert subject.wiring is not None
    return f"{subject.wiring.name}: the cell repeated, the lowest digits first."


def _file(subject: Subject, own: list[str], lines: list[str]) -> str:
    header = [
        *(f"// {line}" for line in subject.origin.lines()),
        "//",
        *(f"// {line}" for line in own),
    ]
    text = [*header, "", "`default_nettype none", "", *lines, "", "`default_nettype wire", ""]
    return "\n".join(text)
