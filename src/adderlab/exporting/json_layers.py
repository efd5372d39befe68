"""A network as JSON: layers with their integer codes, scales and zero points as they are stored.

Rule: what is written is read back to the same bytes: a number stands by the shortest decimal that
is its double, a whole number by its digits, and a type is named where a reader would take another.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.blocks.numbers import digits
from adderlab.errors import NetworkError
from adderlab.exporting.subject import Files, Subject
from adderlab.nets import Network
from adderlab.nets.importing.json_layers import LARGEST_BYTES
from adderlab.nets.importing.json_tensors import (
    TYPE_NAMES,
    WIDE,
    index_types,
    scale_type,
    type_of,
    zero_type,
)
from adderlab.nets.record import record_of_readout
from adderlab.nets.tensors import Dense, Numbers, Packed, Scaled, Sparse, Tensor, Wide

WIDTH: Final = 100
"""Characters of a line up to which a list or an object stands on one."""


def write_json(subject: Subject) -> Files:
    """Return the file.

    Raises:
        NetworkError: it would be longer than what is read.
    """
    net, task = subject.network, subject.task
    layers = [_layer(net, number) for number in range(net.depth)]
    size = sum(map(_size, layers))
    if size > LARGEST_BYTES:
        raise NetworkError(
            f"its numbers take {size} bytes of JSON, over the limit of {LARGEST_BYTES}",
            where="network",
            remedy="export it to onnx, or keep the network file, which holds it in less",
        )
    record: dict[str, Any] = {
        "format": net.format,
        "task": task.record,
        "layers": layers,
        "readout": record_of_readout(net.readout),
    }
    if net.outputs is not None:
        record["outputs"] = list(net.outputs)
    if net.training is not None:
        record["training"] = dict(net.training)
    record["adderlab"] = subject.origin.to_dict()
    return {"": _text(record, 0) + "\n"}


def _layer(net: Network, number: int) -> dict[str, Any]:
    layer = net.layers[number]
    entry: dict[str, Any] = {"weight": _tensor(layer.weight, net.format)}
    if layer.bias is not None:
        entry["bias"] = _tensor(layer.bias, net.format)
    entry["activation"] = layer.activation.kind
    for option in layer.activation.rule.options:
        value = getattr(layer.activation, option)
        entry[option] = list(value) if isinstance(value, tuple) else value
    if layer.inputs is not None:
        entry["inputs"] = list(layer.inputs)
    return entry


def _tensor(tensor: Tensor, form: str) -> Any:
    if not isinstance(tensor, Scaled):
        return _unscaled(tensor, form)
    entry = {"codes": _unscaled(tensor.q, form), "scale": _listed(tensor.scale.numbers)}
    parts = [("scale", tensor.scale, scale_type(tensor.scale))]
    if tensor.zero is not None:
        entry["zero"] = _listed(tensor.zero.numbers)
        parts.append(("zero", tensor.zero, zero_type(tensor.zero)))
    for name, part, usual in parts:
        if TYPE_NAMES[part.numbers.dtype] != usual:
            entry[f"{name}_type"] = TYPE_NAMES[part.numbers.dtype]
    return entry


def _unscaled(tensor: Numbers | Sparse, form: str) -> Any:
    if not isinstance(tensor, Sparse):
        return _numbers(tensor, form)
    entry: dict[str, Any] = {
        "shape": list(tensor.shape),
        "indptr": tensor.indptr.tolist(),
        "indices": tensor.indices.tolist(),
        "values": _numbers(tensor.values, form),
    }
    usual = index_types(tensor.shape[1], tensor.indices.size)
    for name, array, own in zip(
        ("indptr", "indices"), (tensor.indptr, tensor.indices), usual, strict=True
    ):
        if TYPE_NAMES[array.dtype] != own:
            entry[f"{name}_type"] = TYPE_NAMES[array.dtype]
    return entry


def _numbers(tensor: Numbers, form: str) -> Any:
    """Return numbers as lists, with their type where it is not what the format stores."""
    match tensor:
        case Dense():
            kind = TYPE_NAMES[tensor.numbers.dtype]
        case Packed():
            kind = f"packed {tensor.bits}"
        case Wide():
            kind = WIDE
    listed = _listed(tensor.numbers)
    return listed if kind == type_of(form) else {"numbers": listed, "type": kind}


def _listed(numbers: Any) -> Any:
    """Return an array as nested lists of Python's own numbers: whole ones as whole numbers."""
    array = np.asarray(numbers)
    if array.dtype.kind in "iuO":
        return array.tolist()
    return _plain(array.astype(np.float64).tolist())


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in limits.each(value)]
    is_whole = value.is_integer() and abs(value) < 1 << 53
    return int(value) if is_whole and (value or math.copysign(1, value) > 0) else value


def _size(value: Any) -> int:
    """Return about how many bytes a value takes."""
    limits.check()
    if isinstance(value, dict | list):
        entries = value.values() if isinstance(value, dict) else value
        return sum(map(_size, entries)) + 2 * len(value)
    return value.bit_length() * 3 // 10 + 1 if isinstance(value, int) else 20


def _text(value: Any, depth: int) -> str:
    """Return a value as JSON: on one line where it is short, or a row of numbers."""
    indent = " " * (depth + 1)
    match value:
        case dict():
            pairs = [f"{_short(key)}: {_text(own, depth + 1)}" for key, own in value.items()]
            return _joined(pairs, "{}", indent)
        case list() if not any(isinstance(entry, list | dict) for entry in value):
            return f"[{', '.join(map(_short, value))}]"
        case list():
            return _joined([_text(own, depth + 1) for own in value], "[]", indent)
        case _:
            return _short(value)


def _joined(parts: list[str], ends: str, indent: str) -> str:
    line = f"{ends[0]}{', '.join(parts)}{ends[1]}"
    if len(line) + len(indent) <= WIDTH and "\n" not in line:
        return line
    body = f",\n{indent}".join(parts)
    return f"{ends[0]}\n{indent}{body}\n{indent[:-1]}{ends[1]}"


def _short(value: Any) -> str:
    """Return a number, a text, true, false or null."""
    match value:
        case str():
            return json.dumps(value)
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[value]
        case int():
            return digits(value)
        case _:
            return repr(value)
