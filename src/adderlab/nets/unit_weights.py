"""A layer's weights as whole numbers, unit by unit, whatever they are stored as."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from adderlab import limits
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.network import Layer
from adderlab.nets.tensors import Packed, Sparse, Wide, entries_of, structure_of


def stored_weights(layer: Layer) -> Dyadic:
    """Return the weights that are stored: of a sparse tensor, its entries alone."""
    return entries_of(layer.weight)


def stored_exponent(layer: Layer) -> int:
    """Return the power of two that all of a layer's weights are multiples of."""
    weight = layer.weight
    inner = weight.values if isinstance(weight, Sparse) else weight
    return 0 if isinstance(inner, Wide | Packed) else stored_weights(layer).exponent


def unit_rows(layer: Layer, factor: int) -> Iterator[list[tuple[int, int]]]:
    """Yield each unit's (column, weight) pairs, weights times ``factor``."""
    structure = structure_of(layer.weight)
    numbers = stored_weights(layer).integers
    if structure is not None:
        for start, end in pairwise(structure.indptr.tolist()):
            limits.check()
            row = numbers[start:end].tolist()
            scaled = row if factor == 1 else [number * factor for number in row]
            yield list(zip(structure.indices[start:end].tolist(), scaled, strict=True))
        return
    for own in numbers:
        limits.check()
        row = own.tolist()
        yield list(enumerate(row if factor == 1 else [number * factor for number in row]))
