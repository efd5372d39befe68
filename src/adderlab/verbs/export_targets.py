"""What a network can be exported to: one row a target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from adderlab.exporting.c import compare_c, write_c
from adderlab.exporting.check_json import compare_json
from adderlab.exporting.check_torch import compare_torch
from adderlab.exporting.comparison import Comparison
from adderlab.exporting.html import compare_html, lab_document
from adderlab.exporting.json_layers import write_json
from adderlab.exporting.onnx import compare_onnx, write_onnx
from adderlab.exporting.subject import Files, Paths, Subject
from adderlab.exporting.torch_source import write_torch
from adderlab.exporting.verilog import compare_verilog, write_verilog
from adderlab.exporting.vnnlib import compare_vnnlib, write_vnnlib
from adderlab.page_data.beginning import beginning


@dataclass(frozen=True, slots=True)
class Target:
    """What a network can be written as.

    Attributes:
        title: what it is, in a few words.
        endings: of the file that is asked for; the first is the usual one.
        write: the content of the files, the one that is asked for first.
        compare: runs files that were written, and holds them against the network.
        takes_wiring: whether it can hold a cell with its wiring, at every width.
        shows_verdict: whether whoever opens the file sees the verdict, so that a network that is
            refuted is written without being forced.
    """

    title: str
    endings: tuple[str, ...]
    write: Callable[[Subject], Files]
    compare: Callable[[Paths, Subject], Comparison]
    takes_wiring: bool = False
    shows_verdict: bool = False


def _lab(subject: Subject) -> Files:
    data = beginning(subject.network, subject.task, has_prover=False)
    return {"": lab_document(data, subject.origin)}


TARGETS: Final[Mapping[str, Target]] = {
    "html": Target(
        "the lab in one file, without Python",
        (".html", ".htm"),
        _lab,
        compare_html,
        shows_verdict=True,
    ),
    "torch": Target(
        "a plain nn.Module as Python source, which needs torch alone",
        (".py",),
        write_torch,
        compare_torch,
    ),
    "json": Target(
        "layers with their integer codes, scales and zero points, as JSON",
        (".json",),
        write_json,
        compare_json,
    ),
    "onnx": Target(
        "an ONNX model with the numbers as they are stored",
        (".onnx",),
        write_onnx,
        compare_onnx,
        takes_wiring=True,
    ),
    "vnnlib": Target(
        "the task as a property for other verifiers, with the ONNX model of the raw outputs",
        (".vnnlib",),
        write_vnnlib,
        compare_vnnlib,
    ),
    "verilog": Target(
        "a module of Verilog-2001 and its test bench",
        (".v",),
        write_verilog,
        compare_verilog,
        takes_wiring=True,
    ),
    "c": Target(
        "a C99 header without allocation",
        (".h",),
        write_c,
        compare_c,
        takes_wiring=True,
    ),
}
"""Every target, by the name that ``to`` takes."""
