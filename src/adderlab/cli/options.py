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


class GroupChoice(StrEnum):
    """What shares a scale."""

    TENSOR = "tensor"
    CHANNEL = "channel"


AsJson: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output.")
]
NetPath: TypeAlias = Annotated[
    Path, typer.Argument(metavar="NET", help="A network file (.safetensors).")
]
TaskOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--task", metavar="TASK", help="The task, if not the one the file names."),
]
OutNet: TypeAlias = Annotated[
    Path | None, typer.Option("-o", "--out", metavar="NET", help="Write the network here.")
]
Hidden: TypeAlias = Annotated[
    str, typer.Option(metavar="N|NxM", help="Hidden units; 16x8 makes two layers.")
]
LearningRate: TypeAlias = Annotated[float, typer.Option(help="Learning rate.")]
Steps: TypeAlias = Annotated[int, typer.Option(help="Updates; 0 leaves the network untrained.")]
Batch: TypeAlias = Annotated[
    str, typer.Option(metavar="full|1|K", help="Samples a step: all (GD), 1 (SGD), K (minibatch).")
]
SampleCount: TypeAlias = Annotated[int, typer.Option(help="Random operand pairs to learn from.")]
Data: TypeAlias = Annotated[DataChoice, typer.Option(help="Learn from samples, or every row once.")]
Optimizer: TypeAlias = Annotated[OptimizerChoice, typer.Option(help="Optimizer.")]
Momentum: TypeAlias = Annotated[float, typer.Option(help="Of --optimizer momentum.")]
WeightDecay: TypeAlias = Annotated[
    float, typer.Option(help="This times a weight is added to its gradient.")
]
Loss: TypeAlias = Annotated[LossChoice, typer.Option(help="Loss.")]
HiddenActivation: TypeAlias = Annotated[
    str, typer.Option(metavar="relu|leaky:S|tanh", help="Of the hidden units.")
]
Init: TypeAlias = Annotated[InitChoice, typer.Option(help="How the weights start.")]
InitScale: TypeAlias = Annotated[float, typer.Option(help="A factor on the start.")]

_UNITS: Final = {
    "": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 1 << 10,
    "MIB": 1 << 20,
    "GIB": 1 << 30,
}


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

EXIT_OF_VERDICT: Final = {"proved": HOLDS, "refuted": REFUTED, "unknown": UNKNOWN}


def hidden_widths(text: str) -> int | tuple[int, ...]:
    """Return the hidden units that ``--hidden`` names: ``3``, or ``16x8`` for two layers.

    Raises:
        OptionError: it is neither.
    """
    try:
        widths = tuple(int(part) for part in text.lower().split("x"))
    except ValueError:
        raise OptionError(
            f"got {text}",
            where="--hidden",
            remedy="give a whole number, or one for each layer: 16x8",
        ) from None
    return widths[0] if len(widths) == 1 else widths
