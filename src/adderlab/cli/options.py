"""Arguments and options that several commands share, declared once."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer

from adderlab.errors import OptionError

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
Data: TypeAlias = Annotated[
    str, typer.Option(metavar="samples|table", help="Learn from samples, or every row once.")
]
Optimizer: TypeAlias = Annotated[str, typer.Option(metavar="sgd|momentum|adam", help="Optimizer.")]
Momentum: TypeAlias = Annotated[float, typer.Option(help="Of --optimizer momentum.")]
WeightDecay: TypeAlias = Annotated[
    float, typer.Option(help="This times a weight is added to its gradient.")
]
Loss: TypeAlias = Annotated[str, typer.Option(metavar="mse|bce", help="Loss.")]
HiddenActivation: TypeAlias = Annotated[
    str, typer.Option(metavar="relu|leaky:S|tanh", help="Of the hidden units.")
]
Init: TypeAlias = Annotated[
    str, typer.Option(metavar="torch|he|xavier", help="How the weights start.")
]
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
