"""The JSON record inside a network file: from a network to record and arrays, and back.

Rule: a record says how each tensor is stored, by nesting: a name is a dense tensor; ``packed``
and ``codes`` decode to whole numbers; ``indptr`` makes a sparse matrix of such values;
``scale`` turns numbers into quantized values. Every key is known, every array is used once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab import limits
from adderlab.errors import AdderlabError, NetworkFileError
from adderlab.nets import codebook, packing
from adderlab.nets.activations import RULES, Activation
from adderlab.nets.argmax import ARGMAX, by_argmax
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import Readout
from adderlab.nets.tensors import Dense, Numbers, Packed, Scaled, Sparse, Tensor, Wide
from adderlab.tasks import Task, table_from_record, task_named
from adderlab.tasks.order import Order, in_order

if TYPE_CHECKING:
    from jaxtyping import Shaped

SCHEMA: Final = 1
LARGEST_DIMENSION: Final = 1 << 31
_TOP: Final = ("schema", "task", "format", "layers", "readout")
_WRAPPED_LINE: Final = "the file is damaged; write it again"


def record_of(net: Network) -> tuple[dict[str, Any], dict[str, Shaped[np.ndarray, ...]]]:
    """Return the record of a network and the arrays that it names."""
    arrays: dict[str, Any] = {}
    layers: list[dict[str, Any]] = []
    for number, layer in enumerate(net.layers, start=1):
        entry: dict[str, Any] = {"weight": _stored(layer.weight, f"fc{number}.weight", arrays)}
        if layer.bias is not None:
            entry["bias"] = _stored(layer.bias, f"fc{number}.bias", arrays)
        entry["activation"] = layer.activation.kind
        for option in layer.activation.rule.options:
            value = getattr(layer.activation, option)
            entry[option] = list(value) if isinstance(value, tuple) else value
        if layer.inputs is not None:
            entry["inputs"] = list(layer.inputs)
        layers.append(entry)
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "task": net.task.record if net.task is not None else None,
        "format": net.format,
        "layers": layers,
        "readout": record_of_readout(net.readout),
    }
    if net.outputs is not None:
        record["outputs"] = list(net.outputs)
    if net.training is not None:
        record["training"] = dict(net.training)
    return record, arrays


def record_of_readout(readout: Readout) -> dict[str, Any]:
    """Return the record of a readout."""
    record: dict[str, Any] = {"kind": readout.kind}
    if readout.kind == "threshold":
        record |= {"threshold": readout.threshold, "convention": readout.convention}
    return record


def _stored(tensor: Tensor, name: str, arrays: dict[str, Any]) -> Any:
    """Add a tensor's arrays under names that begin with ``name``; return how they nest."""
    match tensor:
        case Dense():
            arrays[name] = np.ascontiguousarray(tensor.numbers).reshape(tensor.shape)
            return name
        case Packed():
            arrays[name] = packing.pack(tensor.numbers.ravel(), tensor.bits)
            return {"packed": tensor.bits, "shape": list(tensor.shape), "data": name}
        case Wide():
            arrays[name] = tensor.codes
            names = f"{name}.sizes", f"{name}.codebook"
            arrays[names[0]], arrays[names[1]] = codebook.to_bytes(tensor.codebook)
            return {"codes": name, "sizes": names[0], "codebook": names[1]}
        case Sparse():
            arrays[f"{name}.indptr"] = tensor.indptr
            arrays[f"{name}.indices"] = tensor.indices
            return {
                "shape": list(tensor.shape),
                "indptr": f"{name}.indptr",
                "indices": f"{name}.indices",
                "values": _stored(tensor.values, f"{name}.values", arrays),
            }
        case Scaled():
            arrays[f"{name}.scale"] = tensor.scale.numbers
            entry = {"scale": f"{name}.scale", "q": _stored(tensor.q, name, arrays)}
            if tensor.zero is not None:
                arrays[f"{name}.zero"] = tensor.zero.numbers
                entry["zero"] = f"{name}.zero"
            return entry


@dataclass(slots=True)
class Reader:
    """The arrays of a file, handed out once each."""

    arrays: Mapping[str, Shaped[np.ndarray, ...]]
    where: str
    used: set[str] = field(default_factory=set)

    def fault(self, what: str, remedy: str = _WRAPPED_LINE) -> NetworkFileError:
        """Return the error to raise for a fault in this file."""
        return NetworkFileError(what, where=self.where, remedy=remedy)

    def array(self, name: Any, what: str) -> Shaped[np.ndarray, ...]:
        """Return the array that the record calls ``name``."""
        limits.check()
        if not isinstance(name, str) or name not in self.arrays:
            raise self.fault(f"{what} names the tensor {name!r}, which is not in the file")
        if name in self.used:
            raise self.fault(f"{what} uses the tensor {name!r} a second time")
        self.used.add(name)
        return self.arrays[name]

    def keys(self, value: Any, what: str, needed: tuple[str, ...], also: tuple[str, ...] = ()):
        """Return ``value`` as an object that has the needed keys and no unknown ones."""
        if not isinstance(value, dict):
            raise self.fault(f"{what} is no JSON object")
        missing = [key for key in needed if key not in value]
        unknown = [key for key in value if key not in needed + also]
        if missing or unknown:
            faults = [f"lacks {', '.join(missing)}"] if missing else []
            faults += [f"has the unknown key {', '.join(unknown)}"] if unknown else []
            raise self.fault(f"{what} {' and '.join(faults)}")
        return value

    def whole(self, value: Any, what: str, low: int, high: int) -> int:
        """Return ``value`` if it is a whole number in ``low..high``."""
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.fault(f"{what} is {str(value)[:40]}, not a whole number in {low}..{high}")
        return value

    def names(self, entry: dict[str, Any], key: str, what: str) -> tuple[str, ...] | None:
        """Return the names of layers under a key, ``None`` where it is absent."""
        if key not in entry:
            return None
        value = entry[key]
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            raise self.fault(f"{what}'s {key} are no list of names")
        return tuple(value)

    def shape(self, value: Any, what: str) -> tuple[int, ...]:
        """Return ``value`` as a shape of at most two dimensions."""
        if not isinstance(value, list) or len(value) > 2:
            raise self.fault(f"{what} has no shape of one or two numbers")
        return tuple(self.whole(size, f"{what}'s shape", 0, LARGEST_DIMENSION) for size in value)


def network_from_record(record: Any, reader: Reader) -> Network:
    """Return the network that a record describes.

    Raises:
        NetworkFileError: with what is wrong in the file.
    """
    schema = record.get("schema") if isinstance(record, dict) else SCHEMA
    if type(schema) is not int or schema != SCHEMA:  # true and 1.0 equal 1
        raise reader.fault(
            f"schema {str(schema)[:40]} is not the one this version reads ({SCHEMA})",
            "write the file with this version of adderlab",
        )
    top = reader.keys(record, "the record", _TOP, ("training", "outputs"))
    if not isinstance(top["layers"], list) or not top["layers"]:
        raise reader.fault("the record has no list of layers")
    try:
        layers = tuple(
            _layer(entry, number, reader) for number, entry in enumerate(top["layers"], start=1)
        )
        if str(top["format"]).lower() == "ternary":
            _check_ternary(layers, reader)
        unused = sorted(set(reader.arrays) - reader.used)
        if unused:
            raise reader.fault(f"the tensor {unused[0]!r} is used by no layer")
        if not isinstance(top["format"], str):
            raise reader.fault("the format is no name")
        training = top.get("training")
        if training is not None and not isinstance(training, dict):
            raise reader.fault("the training record is no JSON object")
        task = task_from_record(top["task"], reader)
        outputs = reader.names(top, "outputs", "the record")
        if top["readout"] == {"kind": ARGMAX}:
            net = by_argmax(Network(layers, format=top["format"], outputs=outputs), task)
            return replace(net, task=task, training=training)
        readout = readout_from_record(top["readout"], reader)
        return Network(layers, readout, task, top["format"], training, outputs)
    except AdderlabError as error:
        if isinstance(error, NetworkFileError) and error.where == reader.where:
            raise
        is_said = error.where == reader.where or error.where in error.what
        place = "" if is_said else f"{error.where}: "
        raise NetworkFileError(
            f"{place}{error.what}", where=reader.where, remedy=error.remedy
        ) from None


def _check_ternary(layers: tuple[Layer, ...], reader: Reader) -> None:
    """Raise where two bits hold -2, which is no ternary number."""
    for number, layer in enumerate(layers, start=1):
        for name, tensor in (("weight", layer.weight), ("bias", layer.bias)):
            inner = tensor.q if isinstance(tensor, Scaled) else tensor
            numbers = inner.values if isinstance(inner, Sparse) else inner
            if isinstance(numbers, Packed) and numbers.bits == 2 and (numbers.numbers == -2).any():
                raise reader.fault(f"fc{number}.{name} holds -2, which is not ternary")


def task_from_record(value: Any, reader: Reader) -> Task | None:
    """Return the task a record names; it never names a path."""
    if value is None:
        return None
    if isinstance(value, dict) and set(value) == {"table"}:
        return table_from_record(value["table"], where=reader.where)
    if isinstance(value, dict) and "task" in value and set(value) <= {"task", "inputs", "outputs"}:
        task = task_from_record(value["task"], reader)
        orders = [value.get(way, []) for way in ("inputs", "outputs")]
        if task is None or (isinstance(value["task"], dict) and "task" in value["task"]):
            raise reader.fault("an order of bits is of no task")
        if not all(isinstance(o, list) and all(isinstance(n, str) for n in o) for o in orders):
            raise reader.fault("the order of the task's bits is no list of names")
        return in_order(task, Order("", *orders))
    if not isinstance(value, str) or value.partition(":")[0] == "table":
        raise reader.fault(
            f"a network file can't name the task {str(value)[:60]!r}",
            "name one by its name, half-adder, or store the table inline",
        )
    return task_named(value)


def _number(value: Any, what: str, reader: Reader) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise reader.fault(f"{what} is {str(value)[:40]!r}, which is no number")
    try:
        return float(value)
    except OverflowError:
        raise reader.fault(f"{what} is beyond every double") from None


def readout_from_record(value: Any, reader: Reader) -> Readout:
    """Return the readout of a record."""
    if isinstance(value, dict) and value.get("kind") == "exact":
        _ = reader.keys(value, "the readout", ("kind",))
        return Readout("exact")
    entry = reader.keys(value, "the readout", ("kind", "threshold", "convention"))
    threshold = _number(entry["threshold"], "the threshold", reader)
    return Readout(entry["kind"], threshold, entry["convention"])


def _layer(entry: Any, number: int, reader: Reader) -> Layer:
    what = f"layer {number}"
    kind = entry.get("activation") if isinstance(entry, dict) else None
    extra = RULES[kind].options if isinstance(kind, str) and kind in RULES else ()
    keys = reader.keys(entry, what, ("weight", "activation", *extra), ("bias", "inputs"))
    activation = activation_from_record(
        keys["activation"], {name: keys[name] for name in extra}, what, reader
    )
    weight = _tensor(keys["weight"], f"fc{number}.weight", reader)
    bias = _tensor(keys["bias"], f"fc{number}.bias", reader) if "bias" in keys else None
    return Layer(weight, bias, activation, reader.names(keys, "inputs", what))


def activation_from_record(
    kind: Any, values: dict[str, Any], what: str, reader: Reader
) -> Activation:
    """Return the activation of that kind with the options given, which are JSON values."""
    options = RULES[kind].options if values else {}
    for name, value in values.items():
        match options[name].kind:
            case "number":
                values[name] = _number(value, f"{what}'s {name}", reader)
            case "limit" if value is not None:
                values[name] = _number(value, f"{what}'s {name}", reader)
            case "numbers":
                if not isinstance(value, list) or not value:
                    raise reader.fault(f"{what}'s {name} are no list of numbers")
                numbers = [_number(number, f"one of {what}'s {name}", reader) for number in value]
                values[name] = tuple(numbers)
            case _:  # a choice is checked by the activation, and null is no limit
                pass
    return Activation(kind, **values)


def _tensor(spec: Any, what: str, reader: Reader) -> Tensor:
    try:
        return _scaled(spec, what, reader)
    except NetworkFileError:
        raise
    except AdderlabError as error:
        raise reader.fault(f"{what}: {error.what}", error.remedy) from None


def _scaled(spec: Any, what: str, reader: Reader) -> Tensor:
    if not (isinstance(spec, dict) and "scale" in spec):
        return _unscaled(spec, what, reader)
    keys = reader.keys(spec, what, ("scale", "q"), ("zero",))
    zero = keys.get("zero")
    return Scaled(
        _unscaled(keys["q"], what, reader),
        Dense(reader.array(keys["scale"], what)),
        Dense(reader.array(zero, what)) if zero is not None else None,
    )


def _unscaled(spec: Any, what: str, reader: Reader) -> Numbers | Sparse:
    if not (isinstance(spec, dict) and "indptr" in spec):
        return _numbers(spec, what, reader)
    keys = reader.keys(spec, what, ("shape", "indptr", "indices", "values"))
    shape = reader.shape(keys["shape"], what)
    if len(shape) != 2:
        raise reader.fault(f"{what} is sparse but no matrix")
    structure = [reader.array(keys[key], what) for key in ("indptr", "indices")]
    if any(array.dtype.kind != "u" for array in structure):
        raise reader.fault(f"{what} has signed or fractional indices")
    return Sparse(shape, structure[0], structure[1], _numbers(keys["values"], what, reader))


def _numbers(spec: Any, what: str, reader: Reader) -> Numbers:
    if isinstance(spec, str):
        return Dense(reader.array(spec, what))
    if isinstance(spec, dict) and "codes" in spec:
        return _coded(spec, what, reader)
    kind = "limb_bytes" if isinstance(spec, dict) and "limb_bytes" in spec else "packed"
    keys = reader.keys(spec, what, (kind, "shape", "data"))
    shape = reader.shape(keys["shape"], what)
    data = reader.array(keys["data"], what)
    if data.dtype != np.uint8 or data.ndim != 1:
        raise reader.fault(f"{what} is packed, but its data are no row of bytes")
    count = math.prod(shape)
    if kind == "limb_bytes":
        limb_bytes = reader.whole(keys[kind], f"{what}'s limb_bytes", 1, 1 << 20)
        kept = packing.from_limbs(data, count, limb_bytes, where=reader.where)
        return Wide(kept.codebook, kept.codes.reshape(shape))
    bits = reader.whole(keys[kind], f"{what}'s packed bits", 1, 32)
    numbers = packing.unpack(data, count, bits, where=reader.where)
    return Packed(numbers.reshape(shape), bits)


def _coded(spec: Any, what: str, reader: Reader) -> Wide:
    keys = reader.keys(spec, what, ("codes", "sizes", "codebook"))
    codes, sizes, data = (reader.array(keys[key], what) for key in ("codes", "sizes", "codebook"))
    if sizes.ndim != 1:
        raise reader.fault(f"{what} has a codebook whose sizes are no row")
    values = codebook.from_bytes(sizes, data, where=reader.where)
    codebook.check_codes(codes, len(values), where=reader.where)
    return Wide(values, codes)
