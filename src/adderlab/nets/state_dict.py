"""Networks from and to named tensors: PyTorch's ``state_dict``, NumPy arrays, pasted lists.

Rule: a float array is kept bit for bit in its own format. Numbers without one (lists, JSON,
whole numbers) are stored in the format asked for: decimals rounded to nearest, as PyTorch does,
but a whole number that the format can't hold is refused. Only tensors make this file use torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import limits
from adderlab.blocks.numbers import counted
from adderlab.checking import checked, described
from adderlab.errors import NetworkError
from adderlab.formats import FORMATS, Format, format_named
from adderlab.nets.activations import Activation, activation_named
from adderlab.nets.argmax import by_argmax, is_argmax
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import ReadoutLike, readout_of
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Numbers, Tensor, as_stored, stored_in
from adderlab.reading import JsonError, is_deep, parse_json
from adderlab.tasks import TaskLike, as_task

if TYPE_CHECKING:
    from jaxtyping import Shaped


FORMAT_OF: Final = {dtype: name for name, dtype in FLOAT_DTYPES.items()}
"""The number format of each float dtype."""

MOST_AXES: Final = 8
"""Lists within each other that are made an array of; a weight has two."""

_PASTE = "paste [fc1.weight, fc1.bias, fc2.weight, ...], or an object with those names"


@checked
def from_state_dict(
    state_dict: Mapping[str, Any],
    *,
    activation: str | Activation = "relu",
    readout: ReadoutLike | None = None,
    task: TaskLike | None = None,
    format: str | None = None,
) -> Network:
    """Return the network whose Linear layers have these weights, in order of appearance.

    Args:
        state_dict: pairs ``X.weight`` (out, in) and, unless the layer has none, ``X.bias``;
            tensors, arrays or nested lists.
        activation: between the layers, which a ``state_dict`` does not say: its name, with options
            after a colon (``leaky:0.125``), or itself. Vectors ``X.weight`` are a prelu's slopes.
        readout: how outputs become bits, as a readout, a number or a text such as ``>= 0``, or
            ``argmax``; ``> 0.5`` unless given.
        task: a task, its name or a table, which it is meant to compute.
        format: of numbers that have none themselves, fp32 unless given; float arrays have
            theirs, and are converted only where that is exact.

    Raises:
        NetworkError: a key is no weight or bias of a Linear, the sizes do not chain, a number is
            not finite or not representable, or formats are mixed.

    Examples:
        >>> from_state_dict({"fc1.weight": [[1, 1], [1, 1]], "fc1.bias": [0, -1],
        ...                  "fc2.weight": [[0, 1], [1, -2]], "fc2.bias": [0, 0]})
        Network 2-2-2: relu, readout > 0.5, 12 parameters in fp32
    """
    if not isinstance(state_dict, Mapping) or not all(isinstance(key, str) for key in state_dict):
        raise NetworkError(
            f"got {described(state_dict)}"
            + (" with keys that are no text" if isinstance(state_dict, Mapping) else ""),
            where="state_dict",
            remedy="give names with their weights, as model.state_dict() does",
        )
    arrays = {key: array_from(value, key) for key, value in state_dict.items()}
    hidden = activation_named(activation)
    names = _layers(arrays, has_slopes=hidden.kind == "prelu")
    own = {FORMAT_OF[a.dtype]: key for key, a in arrays.items() if a.dtype in FORMAT_OF}
    if format is None and len(own) > 1:
        (format_1, first), (format_2, second) = list(own.items())[:2]
        raise NetworkError(
            f"{first} is in {format_1}, {second} in {format_2}",
            where="state_dict",
            remedy="convert the model to one dtype, for example with model.float()",
        )
    target = format_named(format or next(iter(own), "fp32")).name
    each = _hidden(hidden, arrays, names)
    layers: list[Layer] = []
    for name in names:
        weight, bias = f"{name}weight", f"{name}bias"
        rows, columns = arrays[weight].shape
        if layers and layers[-1].n_out != columns:
            raise NetworkError(
                f"takes {counted(columns, 'value')}, the layer before gives {layers[-1].n_out}",
                where=weight,
                remedy="list the layers in the order in which forward uses them",
            )
        if bias in arrays and arrays[bias].shape != (rows,):
            raise NetworkError(
                f"has shape {list(arrays[bias].shape)}, its weight {[rows, columns]}",
                where=bias,
                remedy=f"the bias must have shape [{rows}]",
            )
        layers.append(
            Layer(
                stored_array(arrays[weight], target, weight),
                stored_array(arrays[bias], target, bias) if bias in arrays else None,
                each[len(layers)],
            )
        )
    known = as_task(task) if task is not None else None
    own = Network(tuple(layers), format=target)
    if is_argmax(readout):
        return by_argmax(own, known)
    return replace(own, readout=readout_of(readout), task=known)


@checked
def from_lists(
    values: Mapping[str, Any] | Sequence[Any] | str,
    *,
    activation: str | Activation = "relu",
    readout: ReadoutLike | None = None,
    task: TaskLike | None = None,
    format: str = "fp32",
) -> Network:
    """Return the network of weights that were pasted as plain lists or as JSON.

    Args:
        values: ``{"fc1.weight": [[...]], "fc1.bias": [...], ...}``; or the list that the
            notebook prints, ``[fc1.weight, fc1.bias, fc2.weight, fc2.bias]``, in which a list of
            lists begins a layer and a flat list is its bias; or the JSON text of either.
        activation: between the layers.
        readout: how outputs become bits, as a readout, a number or a text such as ``>= 0``, or
            ``argmax``; ``> 0.5`` unless given.
        task: a task, its name or a table, which it is meant to compute.
        format: to store the numbers in; decimals are rounded to nearest.

    Raises:
        NetworkError: as :func:`from_state_dict`, or the text is not JSON.

    Examples:
        >>> from_lists("[[[1, 1]], [-1]]")
        Network 2-1: affine, readout > 0.5, 3 parameters in fp32
    """
    if isinstance(values, str):
        values = _parsed(values)
    if not isinstance(values, Mapping | list | tuple):
        raise NetworkError(f"got {described(values)}", where="values", remedy=_PASTE)
    if not isinstance(values, Mapping):
        values = named_in_order(values)
    return from_state_dict(values, activation=activation, readout=readout, task=task, format=format)


@checked
def to_state_dict(
    network: Network, *, format: str | None = None
) -> dict[str, Shaped[np.ndarray, "*shape"]]:
    """Return the parameters as dense float arrays named ``fc1.weight``, ``fc1.bias``, and so on.

    The slopes of a prelu behind the first layer are ``prelu1.weight``.

    Args:
        network: any network; packed, wide, scaled and sparse tensors are decoded.
        format: the float format of the arrays; the network's own if it is a float format,
            else fp32.

    Raises:
        FormatError: there is no such format.
        NetworkError: the format is no float format, or does not hold a value exactly; the
            message names the format that holds all of them.
    """
    form = format_named(format or network.format)
    if format is None and form.kind != "float":
        form = FORMATS["fp32"]
    if form.kind != "float":
        raise NetworkError(f"got {form.name}", where="format", remedy="give a float format")
    arrays = {name: _floats(network, name, tensor, form) for name, tensor in network.tensors()}
    for name, slopes in network.slopes():
        arrays[name] = np.array(slopes).astype(FLOAT_DTYPES[form.name])
        if (arrays[name].astype(np.float64) != np.array(slopes)).any():
            raise NetworkError(
                f"{form.name} does not hold its slopes exactly",
                where=name,
                remedy="give `format` fp64",
            )
    return arrays


def array_of(value: Any, where: str) -> Shaped[np.ndarray, "*shape"]:
    """Return a tensor's numbers bit for bit, from whatever device.

    Raises:
        NetworkError: its numbers can't be had: it is on the meta device, sparse or quantized.
    """
    import torch  # it is loaded already where there is a tensor

    tensor = value.detach()
    if tensor.is_meta or tensor.is_quantized or tensor.layout != torch.strided:
        kind = "on the meta device" if tensor.is_meta else "quantized or sparse"
        raise NetworkError(f"the tensor is {kind}", where=where, remedy="give a plain tensor")
    name = str(tensor.dtype).removeprefix("torch.")
    tensor = tensor.cpu().contiguous()
    twin = {"bfloat16": "bf16", "float8_e4m3fn": "fp8-e4m3", "float8_e5m2": "fp8-e5m2"}.get(name)
    if twin is None:
        return tensor.numpy().copy()
    dtype = FLOAT_DTYPES[twin]  # NumPy has no such type: pass the bits
    bits = torch.int16 if dtype.itemsize == 2 else torch.uint8
    return tensor.view(bits).numpy().view(dtype).copy()


def array_from(value: Any, key: str) -> Shaped[np.ndarray, "*shape"]:
    """Return an array of a float type or, of plain numbers, of Python's own."""
    if hasattr(value, "detach"):
        array = array_of(value, key)
    elif isinstance(value, np.ndarray):
        array = value
    elif isinstance(value, list | tuple):
        array = _plain(value)
        if array is None:
            raise NetworkError(
                "the value is not a list of numbers, or of rows of equal length",
                where=key,
                remedy=_PASTE,
            )
    else:
        raise NetworkError(
            f"the value is of type {type(value).__name__}",
            where=key,
            remedy="each entry is the tensor of a weight or a bias; of a checkpoint, "
            "pass its state_dict alone",
        )
    if array.dtype == object and not _are_numbers(array):
        raise NetworkError(
            "the array holds objects that are no numbers", where=key, remedy="use a float type"
        )
    if array.dtype in FORMAT_OF or array.dtype == object:
        return array
    if array.dtype.kind not in "iu":
        raise NetworkError(
            f"the numbers are of type {array.dtype}", where=key, remedy="use a float type"
        )
    return array.astype(object)


def _plain(value: Any) -> Shaped[np.ndarray, "*shape"] | None:
    """Return nested lists as an array of their numbers, or ``None`` if they do not make one."""
    if is_deep(value, MOST_AXES):
        return None
    try:
        array = np.array(value, dtype=object)
    except ValueError:  # rows of unequal length
        return None
    return array if _are_numbers(array) else None


def _are_numbers(array: Shaped[np.ndarray, "*shape"]) -> bool:
    return all(
        isinstance(v, int | float) and not isinstance(v, bool) for v in limits.each(array.flat)
    )


def _hidden(
    hidden: Activation, arrays: Mapping[str, Shaped[np.ndarray, "*shape"]], names: list[str]
) -> list[Activation]:
    """Return the activation of each layer; of prelu, with the slopes that stand among the arrays.

    One vector of slopes is shared by all layers, else there is one for each hidden layer.
    """
    last = len(names) - 1
    slopes = [array for key, array in arrays.items() if _is_slopes(key, array)]
    if hidden.kind != "prelu" or not slopes or not last:
        return [hidden] * last + [Activation()]
    if len(slopes) not in (1, last):
        raise NetworkError(
            f"there are {counted(len(slopes), 'vector')} of slopes and "
            f"{counted(last, 'hidden layer')}",
            where="state_dict",
            remedy="give one vector for each hidden layer, or one for all",
        )
    each = [replace(hidden, slopes=tuple(array.astype(np.float64).tolist())) for array in slopes]
    return [*(each * last if len(each) == 1 else each), Activation()]


def _is_slopes(key: str, array: Shaped[np.ndarray, "*shape"]) -> bool:
    return array.ndim == 1 and (key == "weight" or key.endswith(".weight"))


def _layers(arrays: Mapping[str, Shaped[np.ndarray, "*shape"]], *, has_slopes: bool) -> list[str]:
    """Return what stands before ``weight`` in the key of each layer, in order."""
    names: list[str] = []
    for key, array in arrays.items():
        name = key.removesuffix("weight")
        if name != key and array.ndim == 2 and (not name or name.endswith(".")):
            names.append(name)
    for key, array in arrays.items():
        if key.removesuffix("weight") in names or key.removesuffix("bias") in names:
            continue
        if has_slopes and _is_slopes(key, array):
            continue
        raise NetworkError(
            f"this is no weight or bias of a Linear layer (its shape is {list(array.shape)})",
            where=key,
            remedy="only Linear layers make a network: X.weight of shape (out, in) and X.bias",
        )
    if not names:
        raise NetworkError("there are no weights", where="state_dict", remedy=_PASTE)
    return names


def stored_array(array: Shaped[np.ndarray, "*shape"], format_name: str, key: str) -> Numbers:
    """Return an array stored in a format; of plain numbers decimals are rounded, whole ones not.

    Raises:
        NetworkError: a number is not representable in it.
    """
    try:
        if array.dtype == FLOAT_DTYPES.get(format_name):
            return Dense(array)
        form = FORMATS[format_name]
        if array.dtype != object or form.kind != "float":
            return stored_in(array.tolist(), format_name)
        whole = np.array(
            [v if isinstance(v, int) else 0 for v in limits.each(array.flat)], dtype=object
        )
        _ = stored_in(
            whole.reshape(array.shape), format_name
        )  # raises where a whole number would be rounded
        return as_stored(array, form)
    except NetworkError as error:
        raise NetworkError(error.what, where=key, remedy=error.remedy) from error


def _floats(
    network: Network, name: str, tensor: Tensor, form: Format
) -> Shaped[np.ndarray, "*shape"]:
    if isinstance(tensor, Dense) and FORMAT_OF.get(tensor.numbers.dtype) == form.name:
        return tensor.numbers.copy()
    if not _holds(form, tensor):
        others = [f for f in FORMATS.values() if f.kind == "float" and f.precision > form.precision]
        wider = next(
            (f for f in others[::-1] if all(_holds(f, part) for _, part in network.tensors())), None
        )
        remedy = f"give `format` {wider.name}" if wider else "no float format holds all of them"
        raise NetworkError(
            f"{form.name} does not hold its values exactly", where=name, remedy=remedy
        )
    return tensor.exact().to_floats().astype(FLOAT_DTYPES[form.name])


def _holds(form: Format, tensor: Tensor) -> bool:
    """Return whether a float format holds every value of a tensor, exactly."""
    exact = tensor.exact()
    floats = exact.to_floats()
    return exact.is_double and bool((form.round(floats) == floats).all())


def _parsed(text: str) -> Any:
    try:
        values = parse_json(text, is_finite=False)
    except JsonError as error:
        raise NetworkError(f"the text {error}", remedy=_PASTE) from None
    if not isinstance(values, dict | list):
        raise NetworkError("this JSON holds a single value", remedy=_PASTE)
    return values


def named_in_order(values: Sequence[Any]) -> dict[str, Any]:
    """Return the names of weights and biases that were listed in order."""
    named: dict[str, Any] = {}
    number = 0
    for position, value in enumerate(values):
        if not isinstance(value, list | tuple) or not value:
            raise NetworkError(
                f"entry {position} of the list is not a list of numbers", remedy=_PASTE
            )
        is_weight = isinstance(value[0], list | tuple)
        number += is_weight
        key = f"fc{number}.{'weight' if is_weight else 'bias'}"
        if not number or key in named:
            raise NetworkError(
                f"entry {position} of the list is a bias without a weight before it",
                remedy=_PASTE,
            )
        named[key] = value
    return named
