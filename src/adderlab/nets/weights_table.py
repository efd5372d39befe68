"""The table of a network's parameters, made here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.blocks import Line, Table
from adderlab.blocks.numbers import decimal, fixed, is_written_exactly
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.tensors import Scaled

if TYPE_CHECKING:
    from adderlab.nets.network import Layer
    from adderlab.nets.tensors import Tensor

PLACES: Final = 4
"""Decimals of a weight; all weights have as many where some need more."""

MOST_INPUTS: Final = 8
"""Inputs of a layer up to which each weight has a column of its own."""


def weights_table(
    layers: Sequence[Layer], *, caption: str = "", reads: Sequence[Sequence[str]] = ()
) -> Table:
    """Return the parameters of layers, a unit a row and, where they are few, an input a column.

    Of a quantized tensor they are the codes that are stored, with the scales, and the zero points
    where there are some, in columns of their own: a value is ``scale * (code - zero)``.

    Args:
        layers: of the network.
        caption: of the table.
        reads: of a graph, what each layer reads, in the order of its weights.
    """
    inputs = max(layer.n_in for layer in layers)
    apart = inputs <= MOST_INPUTS
    names = tuple(f"w{i}" for i in range(1, inputs + 1)) if apart else ("weights",)
    stored = [(_stored(layer.weight), _stored(layer.bias)) for layer in layers]
    values = (numbers.at(*at) for numbers, _ in stored for at in np.ndindex(numbers.shape))
    text = decimal if all(is_written_exactly(value, PLACES) for value in values) else fixed
    scales = _scale_columns(layers)
    rows: list[tuple[str, ...]] = []
    for number, (layer, (weight, bias)) in enumerate(zip(layers, stored, strict=True), start=1):
        for unit in range(layer.n_out):
            texts = [text(weight.at(unit, i)) for i in range(layer.n_in)]
            texts = [*texts, *[""] * (inputs - len(texts))] if apart else [", ".join(texts)]
            end = text(bias.at(unit)) if layer.bias is not None else ""
            own = (", ".join(reads[number - 1]),) if reads else ()
            parts = (_part_text(layer, name, unit) for name in scales)
            rows.append((f"fc{number}", *own, str(unit + 1), *texts, end, *parts))
    columns = ("layer", *(["reads"] if reads else []), "unit", *names, "bias", *scales)
    left = ("layer", "reads", "weights")
    return Table(
        columns,
        tuple(rows),
        caption=caption,
        left=tuple(name for name in left if name in columns),
    )


def codes_line(layers: Sequence[Layer]) -> Line | None:
    """Return what the table's codes stand for; ``None`` where no tensor is quantized."""
    columns = _scale_columns(layers)
    if not columns:
        return None
    has_zero = any("zero" in column for column in columns)
    value = "scale * (code - zero)" if has_zero else "scale * code"
    return Line(f"weights and biases are codes, as they are stored: a value is {value}", "quiet")


_PARTS: Final = {
    "scale": ("weight", "scale"),
    "zero": ("weight", "zero"),
    "bias scale": ("bias", "scale"),
    "bias zero": ("bias", "zero"),
}
"""Columns of quantized layers: the tensor that they speak of, and its part."""


def _stored(tensor: Tensor | None) -> Dyadic:
    """Return the numbers that are stored: of a quantized tensor its codes."""
    if tensor is None:
        return Dyadic(np.zeros(0, np.int64))
    return tensor.q.exact() if isinstance(tensor, Scaled) else tensor.exact()


def _scale_columns(layers: Sequence[Layer]) -> list[str]:
    """Return the columns of scales and zero points that some layer has."""
    return [
        name
        for name, (tensor, part) in _PARTS.items()
        if any(getattr(getattr(layer, tensor), part, None) is not None for layer in layers)
    ]


def _part_text(layer: Layer, column: str, unit: int) -> str:
    """Return a unit's scale or zero point in full; nothing where its tensor has none."""
    tensor, part = _PARTS[column]
    value = getattr(getattr(layer, tensor), part, None)
    if value is None:
        return ""
    exact = value.exact()
    number = exact.at(unit) if exact.shape else exact.at()
    return decimal(number) if is_written_exactly(number, PLACES) else repr(float(number))
