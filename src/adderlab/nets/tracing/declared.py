"""What a class says of its network beside ``forward``: its task, format and exact readout.

Rule: a class attribute ``adderlab`` is believed only where the forward shows it. Layers become
codes of a format where the codes stand in the module's buffers and are what was multiplied; an
exact readout is taken where the forward returns raw outputs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from adderlab.errors import AdderlabError, ModelError
from adderlab.formats import FORMATS, SCALE_FORMATS
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import EXACT
from adderlab.nets.record import Reader, task_from_record
from adderlab.nets.state_dict import array_of
from adderlab.nets.tensors import Dense, Numbers, Scaled, Tensor, stored_in
from adderlab.nets.wiring import INPUT

if TYPE_CHECKING:
    from torch import nn

    from adderlab.tasks import Task

KEY: Final = "adderlab"
KEYS: Final = ("task", "format", "readout")


@dataclass(frozen=True, slots=True)
class Declared:
    """What a class says.

    Attributes:
        task: what it is meant to compute.
        format: the format of its codes; empty for none.
        is_exact: whether its outputs are bits only where they are 0 or 1.
        dtype: in which it computes, where no parameter says so.
    """

    task: Task | None = None
    format: str = ""
    is_exact: bool = False
    dtype: torch.dtype | None = None


def declared_in(model: nn.Module) -> Declared:
    """Return what a module's class says, nothing where it has no such attribute.

    Raises:
        ModelError: it is none of what may be said.
    """
    kind = type(model)
    record = getattr(kind, KEY, None)
    if not isinstance(record, dict):
        return Declared()
    where = f"{kind.__name__}.{KEY}"
    unknown = [str(key) for key in record if key not in KEYS]
    form, readout = record.get("format", ""), record.get("readout", "")
    if unknown or readout not in ("", "exact") or not (form == "" or form in FORMATS):
        what = unknown[0][:40] if unknown else f"{form or ''} {readout or ''}".strip()[:40]
        raise ModelError(
            f"{what!r} is none of what a class says of its network",
            where=where,
            remedy='it has "task", "format" and "readout": "exact" alone',
        )
    try:
        task = task_from_record(record.get("task"), Reader({}, where))
    except AdderlabError as error:
        raise ModelError(error.what, where=where, remedy=error.remedy) from None
    dtype = getattr(kind, "dtype", None)
    return Declared(
        task, form, readout == "exact", dtype if isinstance(dtype, torch.dtype) else None
    )


def as_declared(
    model: nn.Module, network: Network, declared: Declared, *, shows_values: bool
) -> tuple[Network, str]:
    """Return a network that was read with what its class says, and a note where it can't be so.

    Args:
        model: the module.
        network: what was read of its forward.
        declared: what its class says.
        shows_values: whether the forward returns raw outputs.
    """
    if declared.is_exact:
        if not shows_values:
            return network, "its class says that the readout is exact, and its forward compares"
        network = replace(network, readout=EXACT)
    if declared.format in ("", network.format):
        return network, ""
    layers = _coded(model, network, declared.format)
    if layers is None:
        return network, (
            f"its class says that it is in {declared.format}; its layers are read in "
            f"{network.format}, since they are not what its buffers hold"
        )
    outputs = tuple(layers.names[name] for name in network.output_layers)
    return replace(
        network, layers=tuple(layers.layers), format=declared.format, outputs=outputs
    ), ""


@dataclass(slots=True)
class _Coded:
    """Layers of codes, and the names of the layers that were read."""

    layers: list[Layer]
    names: dict[str, str]


def _coded(model: nn.Module, network: Network, form: str) -> _Coded | None:
    """Return the layers of codes that a network was read of; ``None`` where it is another."""
    nodes = iter(list(zip(network.wiring.layers, network.layers, strict=True)))
    coded = _Coded([], {INPUT: INPUT})
    for node, layer in nodes:
        own = f"fc{len(coded.layers) + 1}"
        buffers = _buffers(model, own)
        weight = _stored(buffers, "weight", form)
        if weight is None or not _is_multiplied(layer.weight, weight):
            return None
        reads = tuple(coded.names[name] for name in node.reads)
        end, after = node, layer
        if isinstance(weight, Scaled) and (weight.scale.numbers.astype(np.float64) != 1).any():
            following = next(nodes, None)
            is_plain = layer.bias is None and layer.activation.kind == "identity"
            if following is None or not is_plain or following[0].reads != (node.name,):
                return None
            end, after = following
            if not _is_diagonal(after.weight, weight.scale):
                return None
        bias = _stored(buffers, "bias", form)
        if not _is_added(after, bias, network.format):
            return None
        coded.layers.append(Layer(weight, bias, after.activation, reads))
        coded.names[end.name] = own
    return coded


def _buffers(model: nn.Module, name: str) -> dict[str, Any]:
    """Return the buffers of a layer as arrays, by their own names."""
    module = dict(model.named_children()).get(name)
    if module is None:
        return {}
    return {key: array_of(value, f"{name}.{key}") for key, value in module.named_buffers()}


def _stored(buffers: dict[str, Any], part: str, form: str) -> Tensor | None:
    """Return the tensor that buffers hold; ``None`` where there is none that the format holds."""
    if part not in buffers:
        return None
    codes = _numbers(buffers[part], form)
    scale = buffers.get(f"{part}_scale")
    if codes is None or scale is None:
        return codes
    zero = buffers.get(f"{part}_zero_point")
    return Scaled(
        codes,
        Dense(_narrow(scale)),
        None if zero is None else Dense(zero.reshape(-1) if zero.ndim else zero),
    )


def _numbers(array: Any, form: str) -> Numbers | None:
    try:
        return stored_in(array.astype(np.int64) if array.dtype.kind in "iu" else array, form)
    except AdderlabError:
        return Dense(array) if array.ndim else None


def _narrow(scale: Any) -> Any:
    """Return scales in the narrowest format that holds them."""
    for name in SCALE_FORMATS:
        rounded = FORMATS[name].round(scale.astype(np.float64))
        if (rounded == scale).all():
            stored = stored_in(scale.astype(np.float64).tolist(), name)
            assert isinstance(stored, Dense)
            return stored.numbers
    return scale


def _is_multiplied(read: Tensor, weight: Tensor) -> bool:
    """Return whether a layer's weights are codes less their zero points."""
    if isinstance(weight, Scaled):
        weight = replace(weight, scale=Dense(np.ones(weight.scale.shape)))
    return _equal(read, weight)


def _is_diagonal(read: Tensor, scale: Dense) -> bool:
    count = read.shape[0]
    values = np.broadcast_to(scale.numbers.astype(np.float64), (count,))
    return read.shape == (count, count) and _equal(read, Dense(np.diag(values)))


def _is_added(layer: Layer, bias: Tensor | None, form: str) -> bool:
    """Return whether a layer's biases are those of codes, rounded once."""
    if bias is None or layer.bias is None:
        return bias is layer.bias
    rounded = FORMATS[form].round(bias.exact().to_floats())
    return bool((layer.bias.exact().to_floats() == rounded).all())


def _equal(own: Tensor, other: Tensor) -> bool:
    return own.shape == other.shape and bool(
        (own.exact().to_floats() == other.exact().to_floats()).all()
    )
