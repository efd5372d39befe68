"""Files of weights alone: each form computes what PyTorch computes, and says what was assumed."""

from __future__ import annotations

import json
from itertools import permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from nets.imported_files import FORMS, WEIGHTS, WRONG, arrays_of, layers_of, write
from strategies import refused

import adderlab
from adderlab.cli.main import main
from adderlab.errors import NetworkError, NetworkFileError
from adderlab.nets.importing.layer_order import Weight, order_of
from adderlab.nets.sources import load, read_source

ROWS = np.array(list(product((0, 1), repeat=2)))


def torch_outputs(weights: dict[str, Any], hidden: Any = torch.relu) -> Any:
    """Return what PyTorch computes of the weights on every row."""
    w1, b1, w2, b2 = (torch.tensor(value, dtype=torch.float32) for value in weights.values())
    x = torch.from_numpy(ROWS.astype(np.float32))
    return (hidden(x @ w1.T + b1) @ w2.T + b2).double().numpy()


@pytest.mark.parametrize("weights", [WEIGHTS, WRONG], ids=["right", "wrong"])
@pytest.mark.parametrize("form", FORMS)
def test_a_file_computes_what_pytorch_computes(form: str, weights: Any, tmp_path: Path) -> None:
    path = write(tmp_path / form, form, weights)
    source = read_source(path)
    assert source.data == path.read_bytes()
    assert (source.network.run(ROWS, raw=True) == torch_outputs(weights)).all()
    verdict = adderlab.prove(path, "half-adder")
    assert bool(verdict) is (weights is WEIGHTS)
    assert verdict.sha256 == source.sha256


@pytest.mark.parametrize(
    ("form", "notes"),
    [
        ("layers.json", ()),
        ("list.json", ("the file names no readout: > 0.5 taken",)),
        ("names.json", ("plain weights: read as relu layers, readout > 0.5",)),
        ("net.safetensors", ("plain weights: read as relu layers, readout > 0.5",)),
        (
            "wrapped.pth",
            (
                "read: its 'state_dict', not its epoch, loss",
                "plain weights: read as relu layers, readout > 0.5",
            ),
        ),
    ],
)
def test_what_was_assumed_is_said(form: str, notes: tuple[str, ...], tmp_path: Path) -> None:
    path = write(tmp_path / form, form, WEIGHTS)
    assert read_source(path).notes == notes
    for result in (adderlab.show(path), adderlab.prove(path, "half-adder")):
        assert result.notes == notes
    file = adderlab.NetworkFile(path, readout=">= 0.5")
    assert not any("readout" in note for note in read_source(file).notes)


def test_the_options_say_what_a_file_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "net.npz", "net.npz", WEIGHTS)
    net = load(path, layers="2,3,2", activation="sigmoid", readout=0)
    assert [str(layer.activation) for layer in net.layers] == ["sigmoid", "identity"]
    assert str(net.readout) == "> 0"
    expected = torch_outputs(WEIGHTS, torch.sigmoid)
    assert np.allclose(net.run(ROWS, raw=True), expected, rtol=0, atol=1e-6)
    each = load(path, activation="hardtanh:-1,1,step:>=")
    assert [str(layer.activation) for layer in each.layers] == ["hardtanh", "step >= 0"]
    assert load(path, layers=(2, 3, 2), activation=["tanh"]).layers[0].activation.kind == "tanh"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": "2,2,2"}, "no single order of its weights and biases makes a chain with"),
        ({"layers": "two"}, "layers: got 'two'; give the sizes from input to output: 2,3,2"),
        ({"activation": "relu,relu,relu"}, "activation: got 3 for 2 layers; give one for all"),
        ({"activation": "rulu"}, "unknown activation 'rulu'"),
        ({"readout": "high"}, "readout: got 'high'; give a number"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: Any, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "net.npz", "net.npz", WEIGHTS)
    with pytest.raises(NetworkError) as caught:
        _ = load(path, **options)
    assert message in str(caught.value)


def test_a_file_that_says_its_layers_takes_a_readout_alone(tmp_path: Path) -> None:
    own = adderlab.save(load(write(tmp_path / "net.npz", "net.npz", WEIGHTS)), tmp_path / "own")
    layers = write(tmp_path / "layers.json", "layers.json", WEIGHTS)
    for path, kind in ((own, "a network file"), (layers, "a JSON file of layers")):
        assert str(load(path, readout=">= 1").readout) == ">= 1"
        for name, value in (("layers", "2,3,2"), ("activation", "relu"), ("netlist", {"a": 1})):
            with refused(
                NetworkError,
                f"{name}: {path} is {kind}, which says its layers itself; leave `{name}` out",
            ):
                _ = load(path, **{name: value})


@pytest.mark.parametrize(
    "names",
    [
        ("fc1", "fc2", "fc10"), ("0", "2", "10"), ("layers.0", "layers.1", "layers.2"),
        ("net.0", "net.2", "out"), ("input_layer", "hidden", "output_layer"),
        ("module.l1", "module.l2", "module.head"), ("hidden1", "hidden2", "readout"),
    ],
)  # fmt: skip
def test_names_say_the_order_whatever_the_file_does(names: tuple[str, ...]) -> None:
    weights = [Weight(name, 4, 4) for name in names]
    for listed in permutations(weights):
        order = order_of(listed, (), keeps_order=False)
        assert order is not None
        assert (order.weights, order.reason) == (tuple(weights), "names")


def test_shapes_say_the_order_where_names_do_not() -> None:
    weights = [Weight("alpha", 4, 5), Weight("beta", 3, 2), Weight("gamma", 5, 3)]
    order = order_of(weights, (), keeps_order=False)
    assert order is not None
    assert [weight.name for weight in order.weights] == ["beta", "gamma", "alpha"]
    square = [Weight("alpha", 2, 2), Weight("beta", 2, 2)]
    assert order_of(square, (), keeps_order=False) is None
    kept = order_of(square, (), keeps_order=True)
    assert kept is not None
    assert kept.reason == "file"


@pytest.mark.parametrize(
    "names", ["W1 b1 W2 b2", "w_1 b_1 w_2 b_2", "a/kernel a/bias b/kernel b/bias"]
)
def test_weights_of_numpy_and_keras_are_transposed(names: str, tmp_path: Path) -> None:
    arrays = [a.T if a.ndim == 2 else a for a in arrays_of(WEIGHTS).values()]
    path = tmp_path / "net.npz"
    np.savez(path, **dict(zip(names.split(), arrays, strict=True)))
    source = read_source(path)
    assert (source.network.run(ROWS, raw=True) == torch_outputs(WEIGHTS)).all()
    assert "weights are (in, out): transposed" in source.notes


@pytest.mark.parametrize(
    ("dtype", "form"),
    [
        ("<f2", "fp16"), (">f4", "fp32"), ("<f8", "fp64"), ("i1", "int8"), (">i2", "int16"),
        ("u1", "int16"), ("<i4", "int32"), ("<i8", "wide"),
    ],
)  # fmt: skip
def test_an_archive_keeps_its_number_format(dtype: str, form: str, tmp_path: Path) -> None:
    whole = {name: np.array(value).astype(np.int8) for name, value in WEIGHTS.items()}
    if dtype == "u1":
        whole = {name: np.abs(array) for name, array in whole.items()}
    arrays = {name: np.asfortranarray(array.astype(dtype)) for name, array in whole.items()}
    np.savez(tmp_path / "net.npz", **arrays)
    net = load(tmp_path / "net.npz")
    assert net.format == form
    for name, tensor in net.tensors():
        assert (tensor.exact().to_floats() == whole[name]).all()


def test_numbers_of_json_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    digits = "1" + "0" * 40 + "1"
    _ = path.write_text(f'{{"layers": [{{"weight": [[{digits}, 3]], "bias": [-2]}}]}}')
    net = load(path)
    assert net.format == "wide"
    assert net.layers[0].weight.exact().integers.tolist() == [[int(digits), 3]]
    _ = path.write_text('{"layers": [{"weight": [[0.1, 3]]}], "format": "fp64", "readout": 0}')
    net = load(path)
    assert net.layers[0].weight.exact().to_floats().tolist() == [[0.1, 3.0]]
    assert str(net.readout) == "> 0"


def test_layers_of_json_make_a_graph_with_options(tmp_path: Path) -> None:
    layers = [
        {
            "weight": [[1, 1], [1, 1]],
            "bias": [-0.5, -1.5],
            "activation": "step",
            "convention": ">=",
        },
        {"weight": [[1, -2]], "activation": "leaky:0.125"},
        {"weight": [[3, 0, 0, -3]], "inputs": ["fc1", "input"], "activation": "identity"},
    ]
    path = tmp_path / "graph.json"
    value = {"layers": layers, "outputs": ["fc3", "fc2"], "readout": {"kind": "exact"}}
    _ = path.write_text(json.dumps(value | {"task": "half-adder"}))
    net = load(path)
    assert str(net.task and net.task.name) == "half-adder"
    step = (ROWS.sum(axis=1, keepdims=True) >= [0.5, 1.5]).astype(float)
    second = step @ [[1.0], [-2.0]]
    third = 3 * step[:, :1] - 3 * ROWS[:, 1:]
    expected = np.hstack([third, np.where(second > 0, second, second * 0.125)])
    assert (net.run(ROWS, raw=True) == expected).all()


@pytest.mark.parametrize("line", [
    "prove {} --task half-adder", "run {} 1,1", "show {} --task half-adder", "count {}",
    "explain {} --input 1,1 --task half-adder", "quantize {} --to int4 --task half-adder",
    "compare {} {}", "repair {} --task half-adder",
])  # fmt: skip
def test_every_command_reads_weights_with_their_options(
    line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(write(tmp_path / "net.json", "names.json", WEIGHTS))
    options = ["--layers", "2,3,2", "--activation", "relu", "--readout", "0.5"]
    code = main([*line.replace("{}", path).split(), *options])
    assert (code in (0, 1), capsys.readouterr().err.strip()) == (True, "")
    assert main([*line.replace("{}", path).split(), "--layers", "2,2,2"]) == 2
    assert "no single order" in capsys.readouterr().err


def test_a_bare_list_of_layers_is_that_of_an_object(tmp_path: Path) -> None:
    first = load(write(tmp_path / "list.json", "list.json", WEIGHTS))
    second = load(write(tmp_path / "layers.json", "layers.json", WEIGHTS))
    assert bool(adderlab.compare(first, second))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "there are no weights"), ({}, "no state_dict"), (3, "this JSON holds no weights"),
        ({"layers": []}, "the list of layers is empty"),
        ({"layers": [{"bias": [1]}]}, "layer 1 lacks weight"),
        ({"layers": [{"weight": [[1]], "wieght": 1}]}, "layer 1 has the unknown key wieght"),
        ({"layers": [{"weight": [[1]]}], "layer": 1}, "the file has the unknown key layer"),
        ({"layers": [{"weight": [[1], [1, 2]]}]}, "fc1.weight: the value is not a list of numbers"),
        ({"layers": [{"weight": [[1]], "activation": "rulu"}]}, "unknown activation 'rulu'"),
        ({"layers": [{"weight": [[1]], "activation": 3}]}, "an activation that is no name"),
        ({"layers": [{"weight": [[1]], "inputs": ["fc7"]}]}, "fc7"),
        ({"layers": [{"weight": [[1]]}], "format": "fp33"}, "unknown number format 'fp33'"),
        ({"layers": [{"weight": [[300]]}], "format": "int8"}, "not representable in int8"),
        ({"layers": layers_of(WEIGHTS)[:1] * 2}, "takes 2 values, the one before gives 3"),
        ({"fc1.weight": [[[1]]]}, "this is no weight or bias of a Linear layer"),
        ({"fc1.weight": [["1"]]}, "fc1.weight: the value is not a list of numbers"),
        ({"a.weight": [1, 1], "a.bias": [0]}, "are gates: say with `netlist`"),
        ({"a": {"fc1.weight": [[1]]}, "b": {"fc1.weight": [[1]]}}, "several state_dicts: a, b"),
    ],
)  # fmt: skip
def test_json_that_is_no_network_is_refused(value: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    _ = path.write_text(json.dumps(value))
    with pytest.raises(NetworkFileError) as caught:
        _ = load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)
