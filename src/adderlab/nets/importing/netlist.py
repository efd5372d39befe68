"""Gates that a netlist composes: a weight of shape (n,) and a bias for each.

A netlist is JSON, ``{"inputs": ["a", "b"], "gates": {"or": ["a", "b"], "nand": ["a", "b"],
"and": ["or", "nand"]}, "outputs": ["and"]}``: the inputs in the order of the network's, what each
gate reads in the order of its weight, and what is read out. A gate's name is what stands before
``.weight`` and ``.bias`` in the file. Gates may be named in any order.

Rule: a gate is a layer of its own, whose weight has a 0 for each input that it does not read, so
that its sum is the one of the file in every format. It gives 1 where ``w x + b >= 0``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from adderlab import limits
from adderlab.blocks.numbers import counted
from adderlab.errors import NetworkError, NetworkFileError
from adderlab.nets.activations import Activation
from adderlab.nets.importing.network_file import Imported, NetworkFile
from adderlab.nets.network import Layer, Network
from adderlab.nets.readout import readout_of
from adderlab.nets.state_dict import FORMAT_OF, stored_array
from adderlab.nets.wiring import INPUT
from adderlab.reading import JsonError, Refusals, parse_json, read_file

LARGEST_BYTES: Final = 1 << 24
MOST_GATES: Final = 10_000
MOST_WEIGHTS: Final = 1 << 24
"""Entries of all the gates' weights, zeros for inputs that are not read included."""

STEP: Final = Activation("step", convention=">=")

_SHAPE: Final = (
    'a netlist is {"inputs": ["a", "b"], "gates": {"or": ["a", "b"]}, "outputs": ["or"]}'
)


@dataclass(frozen=True, slots=True)
class Netlist:
    """Which gate reads which.

    Attributes:
        inputs: the network's, in order.
        gates: what each reads, by its name; each behind all that it reads.
        outputs: the gates that are read out, in order.
    """

    inputs: tuple[str, ...]
    gates: Mapping[str, tuple[str, ...]]
    outputs: tuple[str, ...]


def network_of_gates(arrays: Mapping[str, Any], file: NetworkFile, form: str | None) -> Imported:
    """Return the network that a netlist makes of the gates in a file.

    Args:
        arrays: ``GATE.weight`` of shape (n,) or (1, n), ``GATE.bias`` of one number or none.
        file: with the netlist.
        form: the format of numbers that have none.

    Raises:
        NetworkFileError: the netlist is none.
        NetworkError: a gate is missing, or its weight does not fit what it reads.
    """
    assert file.netlist is not None
    if file.layers is not None:
        raise NetworkError("gates have no sizes", where="layers", remedy="leave `layers` out")
    if len(file.activations) > 1:
        raise NetworkError(
            "gates have one activation", where="activation", remedy="give one for all"
        )
    netlist = read_netlist(file.netlist)
    own = {FORMAT_OF[arrays[key].dtype] for key in _keys(netlist) if _is_float(arrays.get(key))}
    if len(own) > 1:
        raise NetworkError(
            f"gates are in {' and '.join(sorted(own))}",
            where="netlist",
            remedy="convert them to one dtype",
        )
    format_name = next(iter(own), form or "fp32")
    activation = file.activations[0] if file.activations else STEP
    names = {name: f"fc{number}" for number, name in enumerate(netlist.gates, start=1)}
    if len(names) * len(netlist.inputs) > MOST_WEIGHTS:
        raise NetworkError(
            f"{counted(len(names), 'gate')} and {counted(len(netlist.inputs), 'input')}",
            where="netlist",
            remedy="name a smaller netlist",
        )
    layers: list[Layer] = []
    for gate, reads in netlist.gates.items():
        limits.check()
        weight, bias = _gate(arrays, gate, reads)
        row, inputs = _row(weight, reads, netlist.inputs, names)
        layers.append(
            Layer(
                stored_array(row, format_name, f"{gate}.weight"),
                None if bias is None else stored_array(bias, format_name, f"{gate}.bias"),
                activation,
                inputs,
            )
        )
    outputs = tuple(names[name] for name in netlist.outputs)
    net = Network(tuple(layers), readout_of(file.own_readout), format=format_name, outputs=outputs)
    notes = [] if file.activations else ["gates give 1 where w x + b >= 0"]
    unused = len(set(arrays) - set(_keys(netlist)))
    if unused:
        notes.append(f"{counted(unused, 'tensor')} of the file in no gate of the netlist")
    return Imported(net, tuple(notes))


def read_netlist(source: str | Path | Mapping[str, Any]) -> Netlist:
    """Return a netlist whose gates read what is known and are all used.

    Raises:
        NetworkFileError: it is none.
    """
    where = "netlist" if isinstance(source, Mapping) else str(source)
    if isinstance(source, Mapping):
        value: Any = source
    else:
        data = read_file(source, LARGEST_BYTES, Refusals(NetworkFileError, _SHAPE))
        try:
            value = parse_json(data)
        except JsonError as error:
            raise NetworkFileError(f"the netlist {error}", where=where, remedy=_SHAPE) from None
    try:
        return _netlist(value)
    except _NetlistError as error:
        raise NetworkFileError(str(error), where=where, remedy=error.remedy or _SHAPE) from None


class _NetlistError(NetworkError):
    """What is wrong with a netlist, before it is known where it is from."""

    def __str__(self) -> str:
        return self.what


def _netlist(value: Any) -> Netlist:
    keys = {"inputs", "gates", "outputs"}
    if not isinstance(value, Mapping) or set(value) != keys:
        raise _NetlistError(f"it has not the keys {', '.join(sorted(keys))} alone")
    inputs = _names(value["inputs"], "inputs")
    outputs = _names(value["outputs"], "outputs")
    gates = value["gates"]
    if not isinstance(gates, Mapping) or not 1 <= len(gates) <= MOST_GATES:
        raise _NetlistError(f"its gates are no object of 1 to {MOST_GATES} gates")
    reads = {str(gate): _names(names, f"gate {gate!r}") for gate, names in gates.items()}
    for name in inputs:
        if name in reads:
            raise _NetlistError(f"{name!r} is an input and a gate", remedy="rename the input")
    for gate, names in reads.items():
        for name in names:
            if name not in reads and name not in inputs:
                raise _NetlistError(
                    f"gate {gate!r} reads {name!r}, which is neither an input nor a gate",
                    remedy="name it among the inputs or the gates",
                )
    for name in outputs:
        if name not in reads:
            raise _NetlistError(f"the output {name!r} is no gate", remedy="name gates as outputs")
    ordered = _ordered(reads)
    used = {name for names in reads.values() for name in names} | set(outputs)
    for name in (*reads, *inputs):
        if name not in used:
            what = "gate" if name in reads else "input"
            raise _NetlistError(
                f"nothing reads the {what} {name!r}", remedy="leave it out, or read it"
            )
    return Netlist(inputs, ordered, outputs)


def _names(value: Any, what: str) -> tuple[str, ...]:
    if (
        not isinstance(value, list | tuple)
        or not value
        or not all(isinstance(name, str) and name for name in value)
    ):
        raise _NetlistError(f"{what}: no list of names")
    twice = next((name for n, name in enumerate(value) if name in value[:n]), None)
    if twice is not None:
        raise _NetlistError(f"{what}: {twice!r} stands there twice", remedy="name it once")
    return tuple(value)


def _ordered(reads: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Return the gates, each behind all that it reads."""
    missing = {gate: sum(name in reads for name in names) for gate, names in reads.items()}
    readers: dict[str, list[str]] = {gate: [] for gate in reads}
    for gate, names in reads.items():
        for name in names:
            if name in reads:
                readers[name].append(gate)
    ready = [gate for gate, count in missing.items() if not count]
    for gate in ready:  # it grows
        for reader in readers[gate]:
            missing[reader] -= 1
            if not missing[reader]:
                ready.append(reader)
    if len(ready) < len(reads):
        rest = [gate for gate in reads if missing[gate]]
        raise _NetlistError(
            f"gates read each other in a circle: {', '.join(rest[:4])}",
            remedy="a gate reads earlier gates alone",
        )
    return {gate: reads[gate] for gate in ready}


def _keys(netlist: Netlist) -> list[str]:
    return [f"{gate}.{part}" for gate in netlist.gates for part in ("weight", "bias")]


def _is_float(array: Any) -> bool:
    return array is not None and array.dtype in FORMAT_OF


def _gate(arrays: Mapping[str, Any], gate: str, reads: tuple[str, ...]) -> tuple[Any, Any]:
    """Return the weight of a gate as a row, and its bias."""
    weight, bias = arrays.get(f"{gate}.weight"), arrays.get(f"{gate}.bias")
    if weight is None:
        raise NetworkError(
            f"the file has no {gate}.weight",
            where="netlist",
            remedy="name gates by what stands before .weight in the file",
        )
    shape = weight.shape[1:] if weight.ndim == 2 and weight.shape[0] == 1 else weight.shape
    if shape != (len(reads),):
        raise NetworkError(
            f"has shape {list(weight.shape)}, the gate reads {counted(len(reads), 'value')}",
            where=f"{gate}.weight",
            remedy=f"a gate of {len(reads)} has a weight of shape [{len(reads)}]",
        )
    if bias is not None and bias.size != 1:
        raise NetworkError(
            f"has shape {list(bias.shape)}", where=f"{gate}.bias", remedy="a gate has one bias"
        )
    return weight.reshape(-1), None if bias is None else bias.reshape(1)


def _row(
    weight: Any, reads: tuple[str, ...], inputs: tuple[str, ...], names: Mapping[str, str]
) -> tuple[Any, tuple[str, ...]]:
    """Return a gate's weight on all that its layer reads, of shape (1, n), and what that is."""
    gates = [name for name in reads if name in names]
    places = {name: place for place, name in enumerate(inputs)}
    start = len(inputs) if len(gates) < len(reads) else 0
    row = np.zeros((1, start + len(gates)), dtype=weight.dtype)
    places |= {name: place for place, name in enumerate(gates, start=start)}
    for value, name in zip(weight, reads, strict=True):
        row[0, places[name]] = value
    return row, (*((INPUT,) if start else ()), *(names[name] for name in gates))
