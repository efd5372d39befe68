"""JSON files of weights: layers with their numbers as lists, or arrays by name.

``{"layers": [{"weight": [[1, 1], [1, 1]], "bias": [0, -1], "activation": "relu"}, ...],
"readout": "> 0.5"}``, with ``inputs``, ``outputs``, ``format``, ``task`` and ``training`` as
network files have them; or the bare list of such layers; or a ``state_dict`` as JSON. In place of
a list a tensor may be an object, with a scale or the places of its entries
(:mod:`adderlab.nets.importing.json_tensors`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adderlab import limits
from adderlab.errors import AdderlabError, NetworkError, NetworkFileError
from adderlab.formats import format_named
from adderlab.nets.activations import RULES, Activation, activation_named
from adderlab.nets.importing.checkpoint_entries import weights_in
from adderlab.nets.importing.json_tensors import is_listed, tensor_from_json
from adderlab.nets.importing.named_arrays import format_of, network_of_arrays
from adderlab.nets.importing.network_file import Imported, NetworkFile
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import readout_of
from adderlab.nets.record import (
    Reader,
    activation_from_record,
    readout_from_record,
    task_from_record,
)
from adderlab.nets.state_dict import array_from, named_in_order
from adderlab.reading import JsonError, parse_json
from adderlab.tasks.task import decimal_number

LARGEST_BYTES: Final = 1 << 28
BYTES_OF_NUMBER: Final = 16
"""Memory that a byte of text may take as a Python value."""

LONGEST_NUMBER: Final = 1 << 20
"""Digits of a whole number; as many take a second to read."""

SHORT_NUMBER: Final = 1 << 10

_TOP: Final = ("readout", "outputs", "format", "task", "training", "adderlab")

REMEDY: Final = 'write {"layers": [{"weight": [[1, 1]], "bias": [0], "activation": "relu"}, …]}'


def read_json(data: bytes, file: NetworkFile) -> Imported:
    """Return the network in a JSON file.

    Raises:
        NetworkFileError: it is none.
    """
    where = str(file)
    if len(data) > LARGEST_BYTES:
        raise NetworkFileError(
            f"{len(data)} bytes of JSON", where=where, remedy="save it as .safetensors or .npz"
        )
    limits.check(BYTES_OF_NUMBER * len(data))
    try:
        value = parse_json(data.removeprefix(b"\xef\xbb\xbf"), integer=_whole_number)
    except JsonError as error:
        raise NetworkFileError(f"the file {error}", where=where, remedy=REMEDY) from None
    if isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value):
        value = {"layers": value}
    if isinstance(value, dict) and isinstance(value.get("layers"), list):
        return _of_layers(value, file)
    try:
        if isinstance(value, list):
            weights: Mapping[str, Any] = named_in_order(value)
            return network_of_arrays(weights, file, keeps_order=True)
        if isinstance(value, dict):
            entries = weights_in(value, lambda entry: isinstance(entry, list | int | float), where)
            return network_of_arrays(entries.weights, file, keeps_order=True, notes=entries.notes)
    except NetworkError as error:
        if isinstance(error, NetworkFileError):
            raise
        raise NetworkFileError(error.what, where=where, remedy=REMEDY) from None
    raise NetworkFileError("this JSON holds no weights", where=where, remedy=REMEDY)


def _of_layers(value: dict[str, Any], file: NetworkFile) -> Imported:
    """Return the network whose layers are listed."""
    file.refuse_layers("a JSON file of layers")
    reader = Reader({}, str(file))
    top = reader.keys(value, "the file", ("layers",), _TOP)
    if not top["layers"]:
        raise reader.fault("the list of layers is empty", REMEDY)
    try:
        activations = [_activation(entry, n, reader) for n, entry in enumerate(top["layers"], 1)]
        tensors = {
            f"fc{number}.{part}": entry[part]
            for number, entry in enumerate(top["layers"], start=1)
            for part in ("weight", "bias")
            if entry.get(part) is not None
        }
        form = _format_of(tensors, top.get("format"), reader)
        stored = {
            name: tensor_from_json(tensor, form, name, reader) for name, tensor in tensors.items()
        }
        layers = tuple(
            Layer(
                stored[f"fc{number}.weight"],
                stored.get(f"fc{number}.bias"),
                activation,
                reader.names(entry, "inputs", f"layer {number}"),
            )
            for number, (entry, activation) in enumerate(
                zip(top["layers"], activations, strict=True), start=1
            )
        )
        readout_record = top.get("readout")
        readout = (
            readout_from_record(readout_record, reader)
            if isinstance(readout_record, dict)
            else readout_of(readout_record)
        )
        task = task_from_record(top.get("task"), reader)
        training = top.get("training")
        if not isinstance(training, dict | None) or not isinstance(top.get("adderlab", {}), dict):
            raise reader.fault("training or adderlab is no JSON object", REMEDY)
        outputs = reader.names(top, "outputs", "the file")
        net = Network(layers, readout, task, form, training, outputs)
    except AdderlabError as error:
        if isinstance(error, NetworkFileError):
            raise
        place = f"{error.where}: " if error.where not in ("", str(file)) else ""
        raise reader.fault(f"{place}{error.what}", error.remedy) from None
    is_known = readout_record is not None or file.readout is not None
    return Imported(net, () if is_known else (f"the file names no readout: {net.readout} taken",))


def _format_of(tensors: Mapping[str, Any], name: Any, reader: Reader) -> str:
    """Return the format that is named, or what lists of numbers are stored in without a name."""
    if name is not None:
        return format_named(str(name)).name
    objects = [key for key, tensor in tensors.items() if not is_listed(tensor)]
    if objects:
        raise reader.fault(
            f"{objects[0]} says how its numbers are stored, and the file names no format",
            'name it beside the layers: "format": "int4"',
        )
    arrays = {key: array_from(tensor, key) for key, tensor in tensors.items()}
    return format_of(arrays) or "fp32"


def _whole_number(text: str) -> int:
    """Return a whole number, beyond the 4,300 digits at which ``int`` stops."""
    if len(text) > LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} digits")
    if len(text) > SHORT_NUMBER:
        limits.check()
    return -decimal_number(text[1:]) if text.startswith("-") else decimal_number(text)


def _activation(entry: Any, number: int, reader: Reader) -> Activation:
    """Return a layer's activation, whose options are keys beside it or follow a colon."""
    what = f"layer {number}"
    kind = entry.get("activation", "identity") if isinstance(entry, dict) else "identity"
    options = RULES[kind].options if isinstance(kind, str) and kind in RULES else {}
    keys = reader.keys(entry, what, ("weight",), ("bias", "activation", "inputs", *options))
    if keys["weight"] is None or not isinstance(kind, str):
        raise reader.fault(f"{what} has no weight, or an activation that is no name", REMEDY)
    option_values = {name: keys[name] for name in options if name in keys}
    return (
        activation_from_record(kind, option_values, what, reader)
        if option_values
        else activation_named(kind)
    )
