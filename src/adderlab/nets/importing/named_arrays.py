"""A network from arrays by name: the ``state_dict`` of a class that nobody has to see.

Rule: nothing is assumed in silence. Which layer comes first, how a weight lies, the activation
and the readout are said by the file or by its reader, or stand among the notes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.errors import AdderlabError, NetworkError, NetworkFileError
from adderlab.formats import FORMATS
from adderlab.nets.activations import Activation
from adderlab.nets.importing.layer_order import Order, Weight, order_of
from adderlab.nets.importing.netlist import network_of_gates
from adderlab.nets.importing.network_file import Imported, NetworkFile
from adderlab.nets.network import Network
from adderlab.nets.state_dict import FORMAT_OF, array_from, from_state_dict

MOST_ARRAYS: Final = 100_000

INTEGERS: Final = {1: "int8", 2: "int16", 4: "int32", 8: "wide"}
"""The format of whole numbers by the bytes of their type."""

_NAME: Final = re.compile(
    r"(?:(?P<stem>.*)[._/])?(?P<kind>weights?|kernel|w|bias(?:es)?|b)", re.IGNORECASE | re.DOTALL
)
_NUMBERED: Final = re.compile(
    r"(?P<kind>weights?|kernel|w|bias(?:es)?|b)_?(?P<stem>[0-9]+)", re.IGNORECASE
)
_LISTED: Final = re.compile(r"arr_[0-9]+")
"""How ``numpy.savez`` names what was given without a name."""


def network_of_arrays(
    arrays: Mapping[str, Any],
    file: NetworkFile,
    *,
    keeps_order: bool,
    format: str | None = None,
    notes: tuple[str, ...] = (),
) -> Imported:
    """Return the network of weights and biases by name.

    Args:
        arrays: arrays, tensors or nested lists.
        file: where they are from, with what is known of them.
        keeps_order: whether they stand in the order in which they were defined.
        format: of numbers that have none themselves.
        notes: what was assumed so far.

    Raises:
        NetworkFileError: they are no chain of layers, and no gates of the netlist.
    """
    where = str(file)
    try:
        if len(arrays) > MOST_ARRAYS:
            raise _refused(f"{len(arrays)} arrays", "name a file of one network")
        kept = {name: array_from(value, name) for name, value in arrays.items()}
        form = format or format_of(kept, arrays)
        if file.netlist is not None:
            read = network_of_gates(kept, file, form)
        else:
            read = _chain_of(_Parts.of(kept), file, form, keeps_order=keeps_order)
    except AdderlabError as error:
        if isinstance(error, NetworkFileError) or error.where in ("layers", "activation"):
            raise
        place = "" if error.where in ("", where) else f"{error.where}: "
        raise NetworkFileError(f"{place}{error.what}", where=where, remedy=error.remedy) from None
    return Imported(read.network, (*notes, *read.notes))


@dataclass(slots=True)
class _Parts:
    """Arrays, sorted into the weights and biases of layers and the others.

    Attributes:
        weights: by the name of their layer.
        biases: likewise.
        others: by their own names.
        is_numpy: whether a name is one that weights ``(in, out)`` often have.
        is_keras: whether they are called kernels, which always lie ``(in, out)``.
    """

    weights: dict[str, Any] = field(default_factory=dict)
    biases: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    is_numpy: bool = False
    is_keras: bool = False

    @classmethod
    def of(cls, arrays: Mapping[str, Any]) -> _Parts:
        """Return the arrays, sorted by their names."""
        parts = cls()
        if arrays and all(_LISTED.fullmatch(name) for name in arrays):
            arrays = _listed(arrays)
        for name, array in arrays.items():
            match = _NAME.fullmatch(name) or _NUMBERED.fullmatch(name)
            kind = match["kind"].lower() if match is not None else ""
            stem = (match["stem"] or "") if match is not None else ""
            is_bias = kind.startswith("b")
            group = parts.biases if is_bias else parts.weights
            if not kind or stem in group or array.ndim != (1 if is_bias else 2):
                parts.others[name] = array
                continue
            group[stem] = array
            parts.is_keras |= kind == "kernel"
            parts.is_numpy |= not is_bias and (kind == "w" or not kind.startswith("weight"))
        for stem in [stem for stem in parts.biases if stem not in parts.weights]:
            parts.others[f"{stem}.bias" if stem else "bias"] = parts.biases.pop(stem)
        return parts

    def turned(self) -> _Parts:
        """Return the same with each weight transposed."""
        weights = {name: np.ascontiguousarray(array.T) for name, array in self.weights.items()}
        return _Parts(weights, self.biases, self.others, self.is_numpy, self.is_keras)

    def order(self, sizes: tuple[int, ...], *, keeps_order: bool) -> Order | None:
        """Return the layers in order; ``None`` where none fits the shapes."""
        fits = all(bias.shape == self.weights[name].shape[:1] for name, bias in self.biases.items())
        if not fits:
            return None
        weights = [Weight(name, *array.shape) for name, array in self.weights.items()]
        return order_of(weights, sizes, keeps_order=keeps_order)

    def in_order(self, order: Order) -> dict[str, Any]:
        """Return the arrays as those of a ``state_dict``."""
        named: dict[str, Any] = {}
        for weight in order.weights:
            prefix = f"{weight.name}." if weight.name else ""
            named[f"{prefix}weight"] = self.weights[weight.name]
            if weight.name in self.biases:
                named[f"{prefix}bias"] = self.biases[weight.name]
        return named


def _chain_of(parts: _Parts, file: NetworkFile, form: str | None, *, keeps_order: bool) -> Imported:
    """Return the chain of layers that the arrays are."""
    activations = file.activations
    is_prelu = len(activations) == 1 and activations[0].kind == "prelu"
    slopes = {
        name: array
        for name, array in parts.others.items()
        if is_prelu and array.ndim == 1 and name.rpartition(".")[2] == "weight"
    }
    _check_others(parts, slopes)
    order, notes = None, []
    if not parts.is_keras:
        order = parts.order(file.sizes, keeps_order=keeps_order)
    if order is None:
        turned = parts.turned()
        order = turned.order(file.sizes, keeps_order=keeps_order)
        if order is not None:
            parts = turned
            notes.append("weights are (in, out): transposed")
    elif parts.is_numpy and all(len(set(array.shape)) == 1 for array in parts.weights.values()):
        notes.append("square weights: read as (out, in), as PyTorch has them")
    if order is None:
        raise _unordered(parts, file.sizes)
    names = ", ".join(weight.name or "weight" for weight in order.weights)
    if order.reason != "names" and len(order.weights) > 1:
        by = {"file": "as they stand in the file", "shapes": "by the only order that fits"}
        notes.append(f"layers {by[order.reason]}: {names}")
    net = from_state_dict(
        {**parts.in_order(order), **slopes},
        activation=activations[0] if len(activations) == 1 else Activation("relu"),
        readout=file.own_readout,
        format=form,
    )
    if len(activations) > 1:
        net = _with_activations(net, activations)
    return Imported(net, (*notes, *assumed(net, file)))


def assumed(net: Network, file: NetworkFile) -> tuple[str, ...]:
    """Return the note on what was assumed of plain weights."""
    parts: list[str] = []
    if not file.activations and net.depth > 1:
        parts.append(f"read as {net.layers[0].activation} layers")
    if file.readout is None:
        parts.append(f"readout {net.readout}")
    return (f"plain weights: {', '.join(parts)}",) if parts else ()


def _check_others(parts: _Parts, slopes: Mapping[str, Any]) -> None:
    """Raise where an array is neither a weight nor a bias of a layer."""
    for name, array in parts.others.items():
        if name in slopes:
            continue
        is_gate = array.ndim == 1 and name.endswith("weight") and len(array) > 0
        raise _refused(
            f"this is no weight or bias of a Linear layer (its shape is {list(array.shape)})",
            "weights of shape (n,) are gates: say with `netlist` which reads which"
            if is_gate
            else "only Linear layers make a network: X.weight of shape (out, in) and X.bias",
            name,
        )
    if not parts.weights:
        raise _refused("there are no weights", "name a file with X.weight and X.bias")


def _unordered(parts: _Parts, sizes: tuple[int, ...]) -> AdderlabError:
    shapes = [f"{name or 'weight'} {list(array.shape)}" for name, array in parts.weights.items()]
    text = ", ".join(shapes[:8]) + (f" and {len(shapes) - 8} more" if len(shapes) > 8 else "")
    sizes_text = f" with the sizes {','.join(map(str, sizes))}" if sizes else ""
    return _refused(
        f"no single order of its weights and biases makes a chain{sizes_text}: {text}",
        "name the sizes with `layers`, as 2,3,2; of a module that is no chain, in Python: "
        "adderlab.save(model, 'net.safetensors')",
    )


def _with_activations(net: Network, activations: tuple[Activation, ...]) -> Network:
    """Return a network with an activation for each layer; the last has none unless it is given."""
    if len(activations) not in (net.depth - 1, net.depth):
        raise _refused(
            f"got {len(activations)} for {net.depth} layers",
            "give one for all, or one between each two layers",
            "activation",
        )
    each = (*activations, Activation()) if len(activations) < net.depth else activations
    layers = (replace(layer, activation=own) for layer, own in zip(net.layers, each, strict=True))
    return replace(net, layers=tuple(layers))


def _listed(arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return arrays without names by those that they would have: a matrix begins a layer."""
    named: dict[str, Any] = {}
    number = 0
    for name in sorted(arrays, key=lambda name: int(name.removeprefix("arr_"))):
        array = arrays[name]
        number += array.ndim == 2
        own = f"{number}.{'weight' if array.ndim == 2 else 'bias'}"
        named[name if own in named else own] = array
    return named


def format_of(kept: Mapping[str, Any], arrays: Mapping[str, Any] | None = None) -> str | None:
    """Return the format of whole numbers; ``None`` where some have a fraction, or a float type.

    Args:
        kept: the arrays, those of whole numbers as Python's own.
        arrays: as they were given, with their types.
    """
    if any(array.dtype in FORMAT_OF for array in kept.values()):
        return None
    widths = [_integer_bytes(array) for array in (arrays or kept).values()]
    if all(widths):
        return INTEGERS[max(widths, default=8)]
    numbers = [number for array in kept.values() for number in limits.each(array.flat)]
    if all(isinstance(number, int) for number in limits.each(numbers)):
        form = FORMATS["fp32"]
        return "fp32" if all(_is_held(form, n) for n in limits.each(numbers)) else "wide"
    return None


def _is_held(form: Any, number: int) -> bool:
    return abs(number) <= 1 << form.precision or form.holds(number)


def _integer_bytes(array: Any) -> int:
    """Return the bytes of a signed type that holds what a whole-number array may; 0 of others."""
    dtype = getattr(array, "dtype", None)
    name = str(dtype).removeprefix("torch.")
    match = re.fullmatch(r"(u?)int(8|16|32|64)", name)
    if match is None:
        return 0
    return min(int(match[2]) // 8 * (2 if match[1] else 1), 8)


def _refused(what: str, remedy: str, where: str = "") -> AdderlabError:
    return NetworkError(what, where=where, remedy=remedy)
