"""The table of a network's parameters, made here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.blocks import Table
from adderlab.blocks.numbers import decimal, fixed, is_written_exactly

if TYPE_CHECKING:
    from adderlab.nets.network import Layer

PLACES: Final = 4
"""Decimals of a weight; all weights have as many where some need more."""

MOST_INPUTS: Final = 8
"""Inputs of a layer up to which each weight has a column of its own."""


def weights_table(
    layers: Sequence[Layer], *, caption: str = "", reads: Sequence[Sequence[str]] = ()
) -> Table:
    """Return the parameters of layers, a unit a row and, where they are few, an input a column.

    Args:
        layers: of the network.
        caption: of the table.
        reads: of a graph, what each layer reads, in the order of its weights.
    """
    inputs = max(layer.n_in for layer in layers)
    apart = inputs <= MOST_INPUTS
    names = tuple(f"w{i}" for i in range(1, inputs + 1)) if apart else ("weights",)
    exact = [layer.weight.exact() for layer in layers]
    values = (tensor.at(*index) for tensor in exact for index in np.ndindex(tensor.shape))
    is_short = all(is_written_exactly(value, PLACES) for value in values)
    text = decimal if is_short else fixed
    rows: list[tuple[str, ...]] = []
    for number, layer in enumerate(layers, start=1):
        weight = exact[number - 1]
        bias = layer.bias.exact() if layer.bias is not None else None
        for unit in range(layer.n_out):
            texts = [text(weight.at(unit, i)) for i in range(layer.n_in)]
            texts = [*texts, *[""] * (inputs - len(texts))] if apart else [", ".join(texts)]
            end = text(bias.at(unit)) if bias is not None else ""
            own = (", ".join(reads[number - 1]),) if reads else ()
            rows.append((f"fc{number}", *own, str(unit + 1), *texts, end))
    columns = ("layer", *(["reads"] if reads else []), "unit", *names, "bias")
    left = ("layer", "reads", "weights")
    return Table(
        columns,
        tuple(rows),
        caption=caption,
        left=tuple(name for name in left if name in columns),
    )
