"""What a verb may be given: networks, paths and modules, and the bytes that stand for them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from strategies import FEW, TASKS, check_refusal, graphs, networks, refused

from adderlab.errors import AdderlabError, ModelError, NetworkError, NetworkFileError, TaskError
from adderlab.nets.files import from_bytes, save, to_bytes
from adderlab.nets.network import Network, network
from adderlab.nets.saving import save as save_any
from adderlab.nets.sources import Source, read_source, task_of
from adderlab.tasks import task_named

HALF = task_named("half-adder")
NET = network([[[1, 1], [1, 2], [3, -1]], [[0, 2, -1], [1, 3, -3]]], [[0, -1, 5], [0.25, -0.5]])


@dataclass
class Built:
    """What carries a network, as the results of ``build`` and ``train`` do."""

    network: Any


def module() -> torch.nn.Module:
    """NET as a plain torch module."""
    model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    with torch.no_grad():
        for layer, own in zip((model[0], model[2]), NET.layers, strict=True):
            layer.weight.copy_(torch.tensor(own.weight.numbers.tolist()))  # type: ignore[union-attr]
            layer.bias.copy_(torch.tensor(own.bias.numbers.tolist()))  # type: ignore[union-attr]
    return model


@FEW
@given(net=networks(max_depth=2) | graphs())
def test_a_network_stands_for_the_bytes_that_saving_it_would_write(net: Network) -> None:
    source = read_source(net)
    assert source.network is net
    assert source.data == to_bytes(net)
    assert source.sha256 == hashlib.sha256(source.data).hexdigest()
    assert source.notes == ()


@pytest.mark.parametrize("path_type", [str, Path])
def test_a_path_stands_for_the_bytes_of_its_file(path_type: Any, tmp_path: Path) -> None:
    """The bytes as they are, though another layout of the same network is saved differently."""
    path = tmp_path / "net"
    data = to_bytes(NET)
    spaced = data.replace(b'"shape":', b'"shape": ')
    spaced = len(spaced[8:-68]).to_bytes(8, "little") + spaced[8:]
    _ = path.write_bytes(spaced)
    source = read_source(path_type(path))
    assert source.data == spaced
    assert source.sha256 == hashlib.sha256(spaced).hexdigest()
    assert to_bytes(source.network) == data


def test_a_result_stands_for_its_network() -> None:
    source = read_source(Built(NET))  # type: ignore[arg-type]
    assert source.network is NET
    assert source.data == to_bytes(NET)


def test_a_module_stands_for_the_network_that_its_forward_computes() -> None:
    source = read_source(module())
    assert source.network.shape == "2-3-2"
    assert source.data == to_bytes(source.network)
    assert source.data == to_bytes(NET)
    assert source.notes
    assert all(isinstance(note, str) for note in source.notes)


@pytest.mark.parametrize(("model", "kind"), [
    (None, "NoneType"), (5, "int"), (b"net.safetensors", "bytes"),
    (Built("net.safetensors"), "Built"), (Network, "ABCMeta"),
])  # fmt: skip
def test_anything_else_is_refused(model: Any, kind: str) -> None:
    with refused(
        ModelError,
        f"model: an object of type {kind} is no network; "
        "give a Network, the path of its file, or a torch.nn.Module",
    ):
        _ = read_source(model)


def test_pasted_weights_stand_for_a_relu_network_read_above_one_half() -> None:
    """The list that the notebook prints, and a mapping of names to lists."""
    weights = [[[1, 1], [1, 1], [1, 1]], [-1.5, -0.5, -1.5], [[1, 0, 0], [0, 1, -2]], [0, 0]]
    names = ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")
    for pasted in (weights, dict(zip(names, weights, strict=True))):
        source = read_source(pasted)  # type: ignore[arg-type]
        assert source.network.shape == "2-3-2"
        assert source.notes == ("plain weights: read as relu layers, readout > 0.5",)
    for other in ([NET], {"fc1.weight": 1}):
        with pytest.raises(NetworkError):
            _ = read_source(other)  # type: ignore[arg-type]


def test_a_path_of_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net"
    with refused(NetworkFileError, f"{path}: no such file; check the path"):
        _ = read_source(path)
    _ = path.write_text("hello, world")
    with refused(
        NetworkFileError,
        f"{path}: this is a text file; name a network file (.safetensors), as `train(out=…)` "
        "writes it",
    ):
        _ = read_source(str(path))
    with refused(NetworkFileError, ".: a folder, not a file; name a file"):
        _ = read_source(Path())


def test_a_module_that_can_not_be_read_is_refused() -> None:
    with pytest.raises(AdderlabError) as caught:
        _ = read_source(torch.nn.LSTM(2, 3))
    check_refusal(caught.value)


def test_reading_a_file_does_not_load_torch(tmp_path: Path) -> None:
    path = save(NET, tmp_path / "net")
    code = (
        "import sys\n"
        "from adderlab.errors import ModelError\n"
        "from adderlab.nets.sources import read_source\n"
        f"print(read_source({str(path)!r}).network.shape)\n"
        "try:\n    read_source(5)\nexcept ModelError:\n    print('refused')\n"
        "print('torch' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2-3-2", "refused", "False"]


# --- the task to hold it against ------------------------------------------------------------------


def test_the_task_is_the_one_named_or_else_the_networks_own() -> None:
    net = NET.for_task(HALF)
    assert task_of(net, None) is HALF
    assert task_of(net, "adder:1") == task_named("adder:1")
    comparator = task_named("adder:1")
    assert task_of(NET, comparator) is comparator


def test_a_missing_or_unfit_task_is_refused() -> None:
    with refused(TaskError, "task: the network names no task; name one: `task` half-adder"):
        _ = task_of(NET, None)
    with refused(TaskError, "task: unknown task 'half'; " + TASKS):
        _ = task_of(NET, "half")
    for task in ("adder:2", task_named("adder:2")):
        with refused(
            TaskError,
            "task: adder:2 has 4 input and 3 output bits, the network 2 and 2; "
            "name a task that fits with `task`",
        ):
            _ = task_of(NET.for_task(HALF), task)


# --- saving whatever a verb may be given ----------------------------------------------------------


@pytest.mark.parametrize("make", [lambda _: NET, lambda _: Built(NET), lambda _: module(),
                                  lambda folder: save(NET, folder / "first")])  # fmt: skip
def test_any_source_is_saved_as_its_network(make: Any, tmp_path: Path) -> None:
    path = save_any(make(tmp_path), tmp_path / "net", task="half-adder")
    assert path.read_bytes() == to_bytes(NET.for_task(HALF))
    again = save_any(path, tmp_path / "again")
    assert again.read_bytes() == path.read_bytes()
    assert from_bytes(path.read_bytes()).task == HALF


def test_saving_for_a_task_that_does_not_fit_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(TaskError) as caught:
        _ = save_any(NET, tmp_path / "net", task="adder:2")
    check_refusal(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_source_is_a_value() -> None:
    source = Source.of(NET, b"x")
    with pytest.raises(AttributeError):
        source.data = b"y"  # type: ignore[misc]
    assert source.sha256 == hashlib.sha256(b"x").hexdigest()
