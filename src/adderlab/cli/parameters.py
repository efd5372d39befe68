"""A network's parameters on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adderlab.nets import Network

if TYPE_CHECKING:
    from adderlab.cli.output import Screen

LARGEST_PRINTED = 200


def print_parameters(screen: Screen, net: Network) -> None:
    """Print every tensor of a small network, aligned; of a large one, say how large it is."""
    if net.parameters > LARGEST_PRINTED:
        return
    for name, tensor in net.tensors():
        rows = tensor.exact().to_floats()
        label = f"{name} "
        for number, row in enumerate(rows if rows.ndim == 2 else rows[None]):
            screen.say((label if number == 0 else " " * len(label)) + numbers_text(row))


def numbers_text(values: Any) -> str:
    """Return numbers in columns, as few digits as tell them apart at four decimals."""
    texts = [f"{round(value, 4) + 0.0:.4f}".rstrip("0").rstrip(".") for value in values]
    return "[" + ", ".join(f"{text:>8}" for text in texts) + "]"
