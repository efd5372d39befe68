"""Arguments and options that several commands share, and every choice from a fixed set.

Rule: a choice is an enum, so that the shell completes it and the parser refuses any other; its
values are those that the library takes, and a test compares both. They stand here again because
``--help`` and completion import neither NumPy nor PyTorch.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from adderlab.cli.completion import NETWORKS, task
from adderlab.errors import OptionError


class EngineChoice(StrEnum):
    """How a verdict is reached."""

    AUTO = "auto"
    ENUMERATION = "enumeration"
    DIAGRAM = "diagram"
    SOLVER = "solver"


class ConstructionChoice(StrEnum):
    """A construction of ``build``."""

    AUTO = "auto"
    LECTURE = "lecture"
    ONE_LAYER = "one-layer"
    PREFIX = "prefix"
    RIPPLE = "ripple"
    TABLE = "table"


class DataChoice(StrEnum):
    """What a network is trained on."""

    SAMPLES = "samples"
    TABLE = "table"


class OptimizerChoice(StrEnum):
    """An optimizer."""

    SGD = "sgd"
    MOMENTUM = "momentum"
    ADAM = "adam"


class LossChoice(StrEnum):
    """A loss."""

    MSE = "mse"
    BCE = "bce"


class InitChoice(StrEnum):
    """An initialization."""

    TORCH = "torch"
    HE = "he"
    XAVIER = "xavier"


class ColorChoice(StrEnum):
    """What the colors of a map show."""

    CONVERGENCE = "convergence"
    SUCCESS = "success"


class RoundingChoice(StrEnum):
    """How ``quantize`` picks the numbers."""

    AUTO = "auto"
    NEAREST = "nearest"
    EXACT = "exact"
    SNAP = "snap"
    FINE_TUNE = "fine-tune"


class ScaleChoice(StrEnum):
    """Which scales a quantized network may have."""

    NONE = "none"
    POWER_OF_TWO = "power-of-two"
    FREE = "free"


class TargetChoice(StrEnum):
    """What a network is exported to."""

    HTML = "html"
    TORCH = "torch"
    JSON = "json"
    ONNX = "onnx"
    VNNLIB = "vnnlib"
    VERILOG = "verilog"
    C = "c"


class BitsChoice(StrEnum):
    """Which bit of a word comes first."""

    MSB_FIRST = "msb-first"
    LSB_FIRST = "lsb-first"


class GroupChoice(StrEnum):
    """What shares a scale."""

    TENSOR = "tensor"
    CHANNEL = "channel"


AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output.")
]
NetPath: TypeAlias = Annotated[
    Path,
    typer.Argument(
        metavar="NET",
        help="A network's file: .safetensors, .onnx, .pt, .npz, .json.",
        autocompletion=NETWORKS,
    ),
]
TaskOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar="TASK",
        help="The task, if not the one the file names: a name, table:FILE, 'y = a xor b'.",
        autocompletion=task,
    ),
]
BitsOption: TypeAlias = Annotated[
    BitsChoice | None, typer.Option("--bits", help="Which bit of each word the network has first.")
]
InputsOption: TypeAlias = Annotated[
    str, typer.Option("--inputs", metavar="NAMES", help="Words or bits in the network's order.")
]
OutputsOption: TypeAlias = Annotated[
    str, typer.Option("--outputs", metavar="NAMES", help="The same of its outputs: c0,c1.")
]
OutNet: TypeAlias = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="NET", help="Write the network here.")
]

_UNITS: Final = {
    "": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 1 << 10,
    "MIB": 1 << 20,
    "GIB": 1 << 30,
}


_SCIENTIFIC: Final = re.compile(
    r"([+-]?[0-9]{1,18})(?:\.([0-9]{1,18}))?e\+?([0-9]{1,2})", re.IGNORECASE | re.ASCII
)


def parse_integer(text: str) -> int:
    """Return the whole number that a text like ``1000``, ``1e6`` or ``2.5e3`` means.

    Raises:
        ValueError: it is none.
    """
    match = _SCIENTIFIC.fullmatch(text.strip())
    if match is None:
        return int(text)
    digits = (match[2] or "").rstrip("0")
    zeros = int(match[3]) - len(digits)
    if zeros < 0:
        raise ValueError(f"{text} has a fraction")
    return int(match[1] + digits) * 10**zeros


def integer(value: str | int) -> int:
    """Return an option's whole number; the parser calls it, and help shows its name."""
    try:
        return parse_integer(str(value))
    except ValueError:
        raise typer.BadParameter(f"'{value}' is not a valid integer.") from None


def size_in_bytes(text: str, *, where: str) -> int:
    """Return the bytes that a size like ``2GB`` or ``512MiB`` means.

    Raises:
        OptionError: it is no size.
    """
    pattern = r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?([KMG]i?B)?"
    match = re.fullmatch(pattern, text.strip(), re.IGNORECASE | re.ASCII)
    if match is None:
        raise OptionError(
            f"got {text[:40]!r}", where=where, remedy="give a size like 2GB or 512MiB"
        )
    return int(float(match[1]) * _UNITS[(match[2] or "").upper()])


HOLDS: Final = 0
REFUTED: Final = 1
BAD_INPUT: Final = 2
UNKNOWN: Final = 3
INTERRUPTED: Final = 130
READER_LEFT: Final = 141
"""128 + SIGPIPE, as of programs that the signal ends."""

EXIT_OF_VERDICT: Final = {"proved": HOLDS, "refuted": REFUTED, "unknown": UNKNOWN}
