"""Leaving out hidden units that do nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adderlab.errors import NetworkError
from adderlab.nets import Network
from adderlab.nets.tensors import Dense


def without_units(net: Network, units: tuple[int, ...]) -> Network:
    """Return a two-layer network without the given hidden units.

    A relu unit that is off on every row adds 0 to every output, so leaving it out changes no
    output; that the network still holds is for ``prove`` to say.

    Args:
        net: a dense network with one hidden layer.
        units: numbers of hidden units, the first being 1.

    Raises:
        NetworkError: another depth, a sparse or packed network, or no such unit.
    """
    if net.depth != 2 or not all(isinstance(tensor, Dense) for _, tensor in net.tensors()):
        raise NetworkError("units are left out of dense networks with one hidden layer")
    if any(not 1 <= unit <= net.hidden for unit in units) or len(units) >= net.hidden:
        raise NetworkError(f"units {list(units)} of {net.hidden} can't be left out")
    kept = [unit for unit in range(net.hidden) if unit + 1 not in units]
    first, second = net.layers
    return replace(
        net,
        layers=(
            replace(first, weight=_rows(first.weight, kept), bias=_rows(first.bias, kept)),
            replace(second, weight=_columns(second.weight, kept)),
        ),
        training=None,
    )


def _rows(tensor: Any, kept: list[int]) -> Any:
    return None if tensor is None else Dense(tensor.numbers[kept])


def _columns(tensor: Any, kept: list[int]) -> Dense:
    return Dense(tensor.numbers[:, kept])
