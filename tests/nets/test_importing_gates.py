"""Gate files composed by a netlist: what the gates compute, and what no netlist is."""

from __future__ import annotations

import copy
import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nets.imported_files import GATES, NETLIST, arrays_of
from safetensors.numpy import save_file

import adderlab
from adderlab.cli.main import main
from adderlab.errors import NetworkError
from adderlab.nets.importing import NetworkFile
from adderlab.nets.sources import load, read_source

ROWS = list(product((0, 1), repeat=2))


def gate_outputs(gates: dict[str, Any]) -> list[list[int]]:
    """Return what the gates compute on every row, gate by gate."""

    def gate(name: str, *values: int) -> int:
        total = np.dot(gates[f"{name}.weight"], values) + gates[f"{name}.bias"][0]
        return int(total >= 0)

    return [
        [gate("carry", b, a), gate("ha.sum", gate("ha.or", a, b), gate("ha.nand", a, b))]
        for a, b in ROWS
    ]


def write(path: Path, gates: dict[str, Any]) -> Path:
    arrays = arrays_of(gates)
    match path.suffix:
        case ".npz":
            np.savez(path, **arrays)
        case ".pt":
            torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, path)
        case ".json":
            _ = path.write_text(json.dumps(gates))
        case _:
            save_file(arrays, path)
    return path


@pytest.mark.parametrize("gates", [GATES, GATES | {"ha.sum.bias": [-1]}], ids=["right", "wrong"])
@pytest.mark.parametrize("suffix", ["safetensors", "npz", "pt", "json"])
def test_gates_compute_what_they_do_one_by_one(suffix: str, gates: Any, tmp_path: Path) -> None:
    file = NetworkFile(write(tmp_path / f"gates.{suffix}", gates), netlist=NETLIST)
    source = read_source(file)
    assert source.network.run(ROWS).tolist() == gate_outputs(gates)
    assert source.notes == ("gates give 1 where w x + b >= 0",)
    assert bool(adderlab.prove(file, "half-adder")) is (gates is GATES)


def test_a_netlist_is_a_file_of_the_command_line(tmp_path: Path, capsys: Any) -> None:
    gates = write(tmp_path / "gates.safetensors", GATES | {"other.weight": [1.0]})
    netlist = tmp_path / "netlist.json"
    _ = netlist.write_text(json.dumps(NETLIST))
    arguments = ["prove", str(gates), "--netlist", str(netlist), "--task", "half-adder"]
    assert main(arguments) == 0
    assert "1 tensor of the file in no gate of the netlist" in capsys.readouterr().out
    assert main([*arguments[:4], "--task", "half-adder", "--activation", "relu"]) == 1
    assert load(gates, netlist=str(netlist)).depth == 4


def changed(**changes: Any) -> dict[str, Any]:
    netlist = copy.deepcopy(NETLIST)
    for key, value in changes.items():
        if key == "gates":
            netlist["gates"] |= value
        else:
            netlist[key] = value
    return netlist


@pytest.mark.parametrize(
    ("netlist", "message"),
    [
        (changed(gates={"carry": ["a", "c"]}), "gate 'carry' reads 'c', which is neither"),
        (changed(gates={"carry": ["a", "a"]}), "gate 'carry': 'a' stands there twice"),
        (changed(gates={"carry": ["a"]}), "carry.weight: has shape [2], the gate reads 1 value"),
        (changed(gates={"ha.or": ["a", "ha.sum"]}), "gates read each other in a circle"),
        (changed(gates={"carry": ["a", "carry"]}), "gates read each other in a circle: carry"),
        (changed(gates={"a": ["b"]}), "'a' is an input and a gate"),
        (changed(gates={"xor": ["a", "b"]}), "nothing reads the gate 'xor'"),
        (changed(gates={"xor": ["a"]}, outputs=["carry", "ha.sum", "xor"]), "has no xor.weight"),
        (changed(gates={"carry": []}), "gate 'carry': no list of names"),
        (changed(gates={"carry": "ab"}), "gate 'carry': no list of names"),
        (changed(inputs=["a", "b", "c"]), "nothing reads the input 'c'"),
        (changed(inputs=["a", "a"]), "inputs: 'a' stands there twice"),
        (changed(outputs=["carry", "sum"]), "the output 'sum' is no gate"),
        (changed(outputs=["carry", "a"]), "the output 'a' is no gate"),
        (changed(outputs=["carry", "carry"]), "outputs: 'carry' stands there twice"),
        (changed(outputs=["carry"]), "nothing reads the gate 'ha.sum'"),
        (changed(also=1), "it has not the keys gates, inputs, outputs alone"),
        ({"inputs": ["a"], "gates": {}, "outputs": ["a"]}, "its gates are no object"),
    ],
)
def test_what_is_no_netlist_is_refused(netlist: Any, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "gates.safetensors", GATES)
    with pytest.raises(NetworkError) as caught:
        _ = load(path, netlist=netlist)
    assert message in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "[]", "{", '{"gates": {"a": [], "a": []}}', "[" * 10**5])
def test_a_file_that_is_no_netlist_is_refused(text: str, tmp_path: Path) -> None:
    path = write(tmp_path / "gates.safetensors", GATES)
    netlist = tmp_path / "netlist.json"
    _ = netlist.write_text(text)
    with pytest.raises(NetworkError) as caught:
        _ = load(path, netlist=netlist)
    assert str(caught.value).startswith(f"{netlist}: ")


def test_a_gate_of_two_biases_and_mixed_types_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "gates.safetensors", GATES | {"carry.bias": [1, 2]})
    with pytest.raises(NetworkError, match=r"carry\.bias: has shape \[2\]; a gate has one bias"):
        _ = load(path, netlist=NETLIST)
    arrays = arrays_of(GATES) | {"carry.weight": np.array([3, 3], np.float16)}
    save_file(arrays, path)
    with pytest.raises(NetworkError, match="gates are in fp16 and fp32"):
        _ = load(path, netlist=NETLIST)
