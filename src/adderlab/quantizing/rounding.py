"""Networks put on grids: rounding to nearest, and exact rounding.

References:
    Nagel et al., "Up or Down? Adaptive Rounding for Post-Training Quantization" (2020), which
    shows that rounding each weight to nearest is not the best choice; here the choice is made by
    a search that keeps every row right.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.errors import NetworkError
from adderlab.formats import Format
from adderlab.nets import Layer, Network
from adderlab.nets.tensors import Scaled, Sparse, Tensor, as_stored
from adderlab.quantizing.clock import NO_LIMIT, TIME_UP, Clock
from adderlab.quantizing.grid import Grid, grid_for
from adderlab.quantizing.rows import Arrays, Rows, Shape, arrays_of
from adderlab.quantizing.scheme import Scheme
from adderlab.quantizing.search import search

if TYPE_CHECKING:
    from jaxtyping import Float64

SEARCH_LIMIT: Final = 200_000
"""Branches after which a search is given up; some seconds for a small network."""


@dataclass(frozen=True, slots=True, eq=False)
class Grids:
    """The grid of every tensor, layer by layer."""

    weights: tuple[Grid, ...]
    biases: tuple[Grid, ...]

    def nearest(self, arrays: Arrays) -> Arrays:
        """Return each parameter's nearest q."""
        return self._each("nearest", arrays)

    def values(self, q: Arrays) -> Arrays:
        """Return the value of each q."""
        return self._each("values", q)

    def _each(self, what: str, arrays: Arrays) -> Arrays:
        return Arrays(
            tuple(
                getattr(grid, what)(array)
                for grid, array in zip(self.weights, arrays.weights, strict=True)
            ),
            tuple(
                getattr(grid, what)(array)
                for grid, array in zip(self.biases, arrays.biases, strict=True)
            ),
        )

    def around(self, arrays: Arrays) -> tuple[Arrays, Arrays]:
        """Return the q just below and just above each parameter."""
        weights = [
            grid.around(array) for grid, array in zip(self.weights, arrays.weights, strict=True)
        ]
        biases = [
            grid.around(array) for grid, array in zip(self.biases, arrays.biases, strict=True)
        ]
        below = Arrays(tuple(pair for pair, _ in weights), tuple(pair for pair, _ in biases))
        above = Arrays(tuple(up for _, up in weights), tuple(up for _, up in biases))
        return below, above

    def clipped(self, arrays: Arrays) -> int:
        """Return how many parameters lie beyond their last level."""
        pairs = (*zip(self.weights, arrays.weights, strict=True),)
        pairs += (*zip(self.biases, arrays.biases, strict=True),)
        return sum(grid.clipped(array) for grid, array in pairs)


def grids_for(arrays: Arrays, form: Format, scheme: Scheme) -> Grids:
    """Return the grids of all tensors of many networks at once."""
    axes = (1, 2) if scheme.per == "tensor" else (2,)
    return Grids(
        tuple(grid_for(array, form, scheme, axes=axes) for array in arrays.weights),
        tuple(grid_for(array, form, scheme, axes=(1,)) for array in arrays.biases),
    )


def to_network(net: Network, q: Arrays, grids: Grids, form: Format) -> Network:
    """Return the first of the networks as its file holds it; ``net`` says what is no number."""
    layers = [
        replace(
            layer,
            weight=_only(weight_grid).store(weight[0]),
            bias=None if layer.bias is None else _only(bias_grid).store(bias[0]),
        )
        for layer, weight_grid, weight, bias_grid, bias in zip(
            net.layers, grids.weights, q.weights, grids.biases, q.biases, strict=True
        )
    ]
    return replace(net, layers=tuple(layers), format=form.name, training=None)


def _only(grid: Grid) -> Grid:
    """Return the grid of the first network."""
    return Grid(grid.form, grid.scale[0], grid.zero[0])


@dataclass(frozen=True, slots=True, eq=False)
class Rounded:
    """A network in a format, not judged yet.

    Attributes:
        network: the rounded network, as a file stores it.
        method: the name of the method that rounded it.
        scheme: its scales and zeros.
        clipped: the number of values beyond the outermost levels.
        is_complete: whether every choice of the method was tried; if not, a limit ended it.
        note: a further remark; may be empty.
    """

    network: Network
    method: str
    scheme: Scheme
    clipped: int = 0
    is_complete: bool = True
    note: str = ""


def round_to_nearest(net: Network, form: Format, scheme: Scheme) -> Rounded:
    """Return the network with every parameter at its nearest level.

    The zeros of a sparse tensor stay zeros and stay unstored, unless it takes fewer bytes dense.
    """
    layers: list[Layer] = []
    clipped = 0
    for layer in net.layers:
        weight, off = _nearest_tensor(layer.weight, form, scheme, is_bias=False)
        bias, more = (
            (None, 0)
            if layer.bias is None
            else _nearest_tensor(layer.bias, form, scheme, is_bias=True)
        )
        clipped += off + more
        layers.append(replace(layer, weight=weight, bias=bias))
    rounded = replace(net, layers=tuple(layers), format=form.name, training=None)
    return Rounded(rounded, "nearest", scheme, clipped)


def _nearest_tensor(
    tensor: Tensor, form: Format, scheme: Scheme, *, is_bias: bool
) -> tuple[Tensor, int]:
    """Return one tensor rounded, and how many of its values were clipped."""
    if not isinstance(tensor, Sparse) or not _is_smaller(tensor, form):
        values = _finite(tensor.exact().to_floats())
        axes = (1,) if scheme.per == "channel" and not is_bias else tuple(range(values.ndim))
        grid = grid_for(values, form, scheme, axes=axes)
        return grid.store(grid.nearest(values)), grid.clipped(values)
    values = _finite(tensor.values.exact().to_floats())
    by_tensor = Scheme(scheme.scale, "tensor") if scheme.scale != "none" else scheme
    grid = grid_for(values, form, by_tensor, axes=(0,))
    q = grid.nearest(values)
    stored = as_stored(q if form.kind == "float" else q.astype(np.int64), form)
    sparse = replace(tensor, values=stored)
    plain = grid.store(q)
    if plain.stored_bytes == stored.stored_bytes:
        return sparse, grid.clipped(values)
    return _rescaled(sparse, grid), grid.clipped(values)


def _finite(values: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    if not np.isfinite(values).all():
        raise NetworkError(
            "a parameter is beyond double", where="network", remedy="take a smaller network"
        )
    return values


def _is_smaller(sparse: Sparse, form: Format) -> bool:
    """Return whether a tensor takes fewer bytes sparse, or has zeros that can't be stored."""
    entries = form.bytes_of(sparse.values.shape[0]) + sparse.indptr.nbytes + sparse.indices.nbytes
    return not form.holds(0) or entries < form.bytes_of(sparse.shape[0] * sparse.shape[1])


def _rescaled(sparse: Sparse, grid: Grid) -> Tensor:
    """Return sparse whole numbers with the grid's scale."""
    stored = grid.store(np.ones(1))
    assert isinstance(stored, Scaled)
    return Scaled(sparse, stored.scale)


def round_exactly(
    net: Network,
    form: Format,
    scheme: Scheme,
    rows: Rows,
    *,
    limit: int = SEARCH_LIMIT,
    clock: Clock = NO_LIMIT,
) -> Rounded:
    """Return the network with each parameter rounded up or down so that all rows are right.

    Of all such choices the one of the largest margin is taken; where there is none, every
    parameter goes to nearest. A search over all choices that finds none has shown that there
    is none.
    """
    arrays, shape = arrays_of(net)
    grids = grids_for(arrays, form, scheme)
    nearest = grids.nearest(arrays)
    q, is_complete, is_found = choose_around(
        arrays, grids, nearest, shape, rows, limit=limit, best=True, clock=clock
    )
    end = f"before {TIME_UP}" if clock.is_up else f"in {limit} branches"
    open_bit = "in one bit every choice of -1 and 1 was open" if form.name == "binary" else ""
    note = open_bit if is_found else "no choice of up and down is right on every row"
    if not is_found and not is_complete:
        note = f"none found {end}"
    elif not is_complete:
        note = f"the largest margin found {end}"
    rounded = to_network(net, q, grids, form)
    return Rounded(rounded, "exact", scheme, grids.clipped(arrays), is_complete, note)


def choose_around(
    arrays: Arrays,
    grids: Grids,
    nearest: Arrays,
    shape: Shape,
    rows: Rows,
    *,
    limit: int,
    best: bool,
    clock: Clock = NO_LIMIT,
) -> tuple[Arrays, bool, bool]:
    """Return one network's q, each up or down; whether all were weighed; whether it is right."""
    joined = [candidate.flat()[0] for candidate in (nearest, *grids.around(arrays))]
    options = [np.array(list(dict.fromkeys(values))) for values in zip(*joined, strict=True)]
    drop_absent_biases(options, arrays, shape)
    scale, zero = (_broadcast(grids, arrays, what).flat()[0] for what in ("scale", "zero"))
    values = [scale[i] * (options[i] - zero[i]) for i in range(len(options))]
    result = search(values, arrays.layout, shape, rows, limit=limit, best=best, clock=clock)
    if result.chosen is None:
        return nearest, result.is_complete, False
    q = np.array([option[pick] for option, pick in zip(options, result.chosen, strict=True)])
    return Arrays.split(arrays.layout, q[None]), result.is_complete, True


def drop_absent_biases(
    options: list[Float64[np.ndarray, " values"]], arrays: Arrays, shape: Shape
) -> None:
    """Leave 0 alone as the option of every bias that its layer does not have."""
    biases = list(arrays.layout.places())[1::2]
    for place, has in zip(biases, shape.has_bias, strict=True):
        if not has:
            options[place.range] = [np.zeros(1)] * place.size


def _broadcast(grids: Grids, arrays: Arrays, what: str) -> Arrays:
    """Return each parameter's own scale or zero."""
    weights, biases = (
        tuple(
            np.broadcast_to(getattr(grid, what), array.shape)
            for grid, array in zip(own, tensors, strict=True)
        )
        for own, tensors in ((grids.weights, arrays.weights), (grids.biases, arrays.biases))
    )
    return Arrays(weights, biases)
