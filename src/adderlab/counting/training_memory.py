"""The memory of training in addition to the weights: gradients and the optimizer's state.

Rule: a parameter that is trained has every slot, a frozen one its weight alone. Activations, which
depend on batch and length, are left out, and that is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from adderlab.blocks import Block, Line, Result, Table
from adderlab.counting.sizes import binary_size, bytes_by_format, decimal_size
from adderlab.errors import OptionError
from adderlab.formats import FORMATS

SLOTS: Final[dict[str, tuple[str, ...]]] = {
    "sgd": ("weights", "gradients"),
    "momentum": ("weights", "gradients", "momentum"),
    "adam": ("weights", "gradients", "first moment", "second moment"),
}
"""By optimizer, the numbers that are kept for each parameter: w, dL/dw, and its own."""

LEFT_OUT: Final = "activations are left out: they depend on the batch and the length of the input"


@dataclass(frozen=True, slots=True, repr=False)
class TrainingMemory(Result):
    """The memory of one training step, activations left out.

    Attributes:
        optimizer: ``sgd``, ``momentum`` or ``adam``.
        parameters: how many there are.
        trainable: how many of them are trained; the others have neither gradient nor state.
    """

    optimizer: str
    parameters: int
    trainable: int

    @property
    def slots(self) -> tuple[str, ...]:
        """What is kept for each parameter."""
        return SLOTS[self.optimizer]

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes of all slots, by float format: gradients are no whole numbers."""
        slots = bytes_by_format(self.trainable)
        return {
            name: size + (len(self.slots) - 1) * slots[name]
            for name, size in bytes_by_format(self.parameters).items()
            if FORMATS[name].kind == "float"
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return what is kept for each parameter, and its bytes by format."""
        weights, each = bytes_by_format(self.parameters), bytes_by_format(self.trainable)
        count = len(self.slots)
        frozen = self.parameters - self.trainable
        columns = ("weights", "each of the others") if frozen else ("bytes of each",)
        table = Table(
            ("format", *columns, f"all {count}", "in powers of 10", "in powers of 2"),
            tuple(
                (
                    name,
                    *((f"{weights[name]:,}",) if frozen else ()),
                    f"{each[name]:,}",
                    f"{size:,}",
                    decimal_size(size),
                    binary_size(size),
                )
                for name, size in self.bytes.items()
            ),
            left=("format",),
        )
        numbers = f"{count} numbers for each parameter: {', '.join(self.slots)}"
        lines = [Line(f"training with {self.optimizer}: {numbers}", "strong")]
        if frozen:
            lines.append(
                Line(
                    f"{self.trainable:,} parameters are trained; the {frozen:,} frozen ones have "
                    "neither gradient nor optimizer state"
                )
            )
        return (*lines, table, Line(f"note: {LEFT_OUT}", "quiet"))

    def __repr__(self) -> str:
        return f"TrainingMemory: {self.optimizer}, {len(self.slots)} numbers for each parameter"

    def to_dict(self) -> dict[str, Any]:
        each = bytes_by_format(self.trainable)
        return {
            "optimizer": self.optimizer,
            "slots": list(self.slots),
            "parameters": self.parameters,
            "trainable": self.trainable,
            "bytes_each": {name: each[name] for name in self.bytes},
            "bytes": self.bytes,
            "left_out": LEFT_OUT,
        }


def training_memory(
    parameters: int, optimizer: str | None, *, trainable: int | None = None
) -> TrainingMemory | None:
    """Return what training takes with an optimizer; ``None`` without one.

    Args:
        parameters: how many there are.
        optimizer: ``sgd``, ``momentum`` or ``adam``.
        trainable: how many of them are trained; all by default.

    Raises:
        OptionError: there is no such optimizer.
    """
    if optimizer is None:
        return None
    if optimizer not in SLOTS:
        raise OptionError(
            f"got {optimizer[:40]!r}", where="training", remedy=f"give one of {', '.join(SLOTS)}"
        )
    return TrainingMemory(optimizer, parameters, parameters if trainable is None else trainable)
