"""A layer's weights as whole numbers, unit by unit, whatever they are stored as."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from adderlab.nets import Layer
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.tensors import Sparse


def stored_weights(layer: Layer) -> Dyadic:
    """Return the weights that are stored: of a sparse tensor, its entries alone."""
    weight = layer.weight
    return weight.values.exact() if isinstance(weight, Sparse) else weight.exact()


def stored_exponent(layer: Layer) -> int:
    """Return the power of two that all of a layer's weights are multiples of."""
    return stored_weights(layer).exponent


def unit_rows(layer: Layer, factor: int) -> Iterator[list[tuple[int, int]]]:
    """Yield each unit's (column, weight) pairs, weights times ``factor``."""
    weight = layer.weight
    numbers = stored_weights(layer).integers.ravel().tolist()
    if factor != 1:
        numbers = [number * factor for number in numbers]
    if isinstance(weight, Sparse):
        ends = weight.indptr.astype(np.int64).tolist()
        columns = weight.indices.astype(np.int64).tolist()
        for start, end in pairwise(ends):
            yield list(zip(columns[start:end], numbers[start:end], strict=True))
        return
    width = layer.n_in
    for row in range(layer.n_out):
        yield list(enumerate(numbers[row * width : (row + 1) * width]))
