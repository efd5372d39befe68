"""Named tensors, arrays and pasted lists become networks, number for number."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import OrderedDict

import ml_dtypes
import numpy as np
import pytest
import torch
from torch import nn

from adderlab.errors import NetworkError, OutputError
from adderlab.nets import Activation, Readout, network
from adderlab.nets.modules import AdderNN
from adderlab.nets.saving import save
from adderlab.nets.state_dict import from_lists, from_state_dict, to_state_dict
from adderlab.nets.tensors import FLOAT_DTYPES
from adderlab.tasks import task_named

PRINTED = [
    [[1.3319, -1.1752], [1.1975, -0.4550], [0.1733, -0.6872]],
    [-0.0006, 0.4568, -0.1736],
    [[-1.1151, 1.0085, 0.1972], [1.2988, -0.9030, -0.2400]],
    [-0.1657, 0.7661],
]
"""The parameters that the training notebook prints."""
PASTE = "paste [fc1.weight, fc1.bias, fc2.weight, ...], or an object with those names"


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16", "float8_e5m2"])
def test_a_state_dict_goes_in_and_comes_out_unchanged(dtype):
    state = AdderNN().to(getattr(torch, dtype)).state_dict()
    net = from_state_dict(state, task=task_named("half-adder"))
    assert net.shape == "2-3-2"
    assert FLOAT_DTYPES[net.format].name == dtype
    for (name, array), (key, tensor) in zip(to_state_dict(net).items(), state.items(), strict=True):
        assert name == key
        assert array.tobytes() == tensor.view(torch.uint8).numpy().tobytes()


def test_layers_are_taken_in_order_of_appearance():
    model = nn.Sequential(nn.Linear(4, 3, bias=False), nn.ReLU(), nn.Linear(3, 2), nn.Linear(2, 1))
    net = from_state_dict(model.state_dict(), activation="step", readout=Readout("exact"))
    assert net.shape == "4-3-2-1"
    assert net.layers[0].bias is None
    assert [layer.activation.kind for layer in net.layers] == ["step", "step", "identity"]
    assert net.readout == Readout("exact")
    single = from_state_dict(nn.Linear(4, 3).state_dict(), activation=Activation("leaky", 0.5))
    assert (single.shape, single.layers[0].activation) == ("4-3", Activation())


def test_lists_json_and_mappings_are_the_same_network():
    names = ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    named = dict(zip(names, PRINTED, strict=True))
    for values in (PRINTED, json.dumps(PRINTED), named, json.dumps(named)):
        net = from_lists(values)
        assert net.format == "fp32"
        for (name, tensor), numbers in zip(net.tensors(), PRINTED, strict=True):
            assert name in names
            assert np.array_equal(tensor.numbers, torch.tensor(numbers).numpy())


def test_whole_numbers_are_kept_in_any_format():
    net = from_lists([[[1, -2]], [1]], format="int2")
    assert net.format == "int2"
    assert to_state_dict(net)["fc1.weight"].tolist() == [[1.0, -2.0]]
    big = from_lists([[[2**70, 1]]], format="wide")
    assert big.layers[0].weight.exact().at(0, 0) == 2**70
    arrays = from_state_dict({"a.weight": np.array([[3, 5]], dtype=np.int64)})
    assert (arrays.format, arrays.layers[0].weight.numbers.tolist()) == ("fp32", [[3.0, 5.0]])


def test_a_float_array_is_converted_only_where_that_is_exact():
    exact = from_state_dict({"fc.weight": np.array([[0.5, 2.0]])}, format="fp16")
    assert (exact.format, exact.layers[0].weight.numbers.dtype) == ("fp16", np.float16)
    with pytest.raises(NetworkError, match=r"^fc\.weight: 0\.1 \(at \[0, 0\]\) is not represent"):
        from_state_dict({"fc.weight": np.array([[0.1, 2.0]])}, format="fp16")
    half = {"fc.weight": np.array([[1.5, 3.0]], dtype=ml_dtypes.bfloat16)}
    assert from_state_dict(half).format == "bf16"


def test_numbers_without_a_format_of_their_own_take_that_of_the_arrays():
    net = from_state_dict({"fc.weight": np.array([[0.5, 3.0]], np.float16), "fc.bias": [0.1]})
    assert (net.format, float(net.layers[0].bias.numbers[0])) == ("fp16", float(np.float16(0.1)))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, f"state_dict: there are no weights; {PASTE}"),
        (
            nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).state_dict(),
            (
                "1.weight: this is no weight or bias of a Linear layer (its shape is [3]); only "
                "Linear layers make a network: X.weight of shape (out, in) and X.bias"
            ),
        ),
        (
            {"fc1.bias": np.zeros(3)},
            (
                "fc1.bias: this is no weight or bias of a Linear layer (its shape is [3]); only "
                "Linear layers make a network: X.weight of shape (out, in) and X.bias"
            ),
        ),
        (
            OrderedDict(a=AdderNN().state_dict()),
            (
                "a: the value is of type OrderedDict; each entry is the tensor of a weight or a "
                "bias; of a checkpoint, pass its state_dict alone"
            ),
        ),
        (
            {"b.weight": np.ones((2, 3)), "a.weight": np.ones((3, 2))},
            None,
        ),
        (
            {"a.weight": np.ones((3, 2)), "b.weight": np.ones((2, 4))},
            (
                "b.weight: takes 4 values, the layer before gives 3; list the layers in the order "
                "in which forward uses them"
            ),
        ),
        (
            {"a.weight": np.ones((3, 2)), "a.bias": np.ones(2)},
            "a.bias: has shape [2], its weight [3, 2]; the bias must have shape [3]",
        ),
        (
            {"a.weight": np.ones((3, 2)), "a.bias": np.ones(3, dtype=np.float32)},
            (
                "state_dict: a.weight is in fp64, a.bias in fp32; convert the model to one dtype, "
                "for example with model.float()"
            ),
        ),
        (
            {"a.weight": np.ones((3, 2), dtype=complex)},
            "a.weight: the numbers are of type complex128; use a float type",
        ),
        (
            {"a.weight": torch.full((3, 2), float("nan"))},
            "a.weight: a value is nan (at [0, 0]); every parameter must be a finite number",
        ),
        (
            {"a.weight": torch.ones(3, 2, device="meta")},
            "a.weight: the tensor is on the meta device; give a plain tensor",
        ),
        (
            {"a.weight": torch.ones(3, 2).to_sparse()},
            "a.weight: the tensor is quantized or sparse; give a plain tensor",
        ),
        (
            {"a.weight": [[1, 2], [3]]},
            f"a.weight: the value is not a list of numbers, or of rows of equal length; {PASTE}",
        ),
        (
            {"a.weight": [[True, 2]]},
            f"a.weight: the value is not a list of numbers, or of rows of equal length; {PASTE}",
        ),
        (
            {"a.weight": [["1", 2]]},
            f"a.weight: the value is not a list of numbers, or of rows of equal length; {PASTE}",
        ),
        (
            {"a.weight": [[2**24 + 1, 0.1]]},
            "a.weight: 16777217 (at [0, 0]) is not representable in fp32; take a wider format",
        ),
        (
            {"a.weight": [[1e39, 0.1]]},
            "a.weight: a value is inf (at [0, 0]); every parameter must be a finite number",
        ),
    ],
)
def test_what_is_no_chain_of_linear_layers_is_refused(state, message):
    if message is None:
        assert from_state_dict(state).shape == "3-2-3"
        return
    with pytest.raises(NetworkError) as caught:
        from_state_dict(state)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            "[[1, 2]",
            (
                "the text is not valid JSON (Expecting ',' delimiter: line 1 column 8 (char 7)); "
                f"{PASTE}"
            ),
        ),
        ("3", f"this JSON holds a single value; {PASTE}"),
        ([[1, 2]], f"entry 0 of the list is a bias without a weight before it; {PASTE}"),
        (
            [[[1, 2]], [1], [2]],
            f"entry 2 of the list is a bias without a weight before it; {PASTE}",
        ),
        ([[[1, 2]], 3], f"entry 1 of the list is not a list of numbers; {PASTE}"),
        (
            "[[[1, NaN]]]",
            "fc1.weight: a value is nan (at [0, 1]); every parameter must be a finite number",
        ),
    ],
)
def test_pasted_text_that_is_no_network_is_refused(values, message):
    with pytest.raises(NetworkError) as caught:
        from_lists(values)
    assert str(caught.value) == message


def test_arrays_and_lists_need_no_torch():
    code = (
        "import sys, numpy as np\n"
        "from adderlab.nets.state_dict import from_lists, from_state_dict, to_state_dict\n"
        "to_state_dict(from_state_dict({'a.weight': np.ones((2, 3))}))\n"
        "from_lists('[[[1, 2.5]], [0.1]]')\n"
        "sys.exit('torch' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_network_comes_back_from_its_own_state_dict():
    net = network([[[2, 3], [5, -7]], [[0.5, 1.5]]], [[1, 2], None])
    back = from_state_dict(to_state_dict(net))
    assert [name for name, _ in back.tensors()] == ["fc1.weight", "fc1.bias", "fc2.weight"]
    for (_, left), (_, right) in zip(net.tensors(), back.tensors(), strict=True):
        assert left.numbers.tobytes() == right.numbers.tobytes()


def test_a_readout_of_the_largest_and_what_is_no_activation():
    state = {"fc.weight": [[1, 0], [0, 0.5]]}
    net = from_state_dict(state, readout="argmax")
    assert [net(a, b)["y"] for a, b in ((0, 0), (0, 1), (1, 0), (1, 1))] == [0, 1, 0, 0]
    with pytest.raises(NetworkError) as caught:
        from_state_dict(state, activation=3)
    assert str(caught.value) == "activation: got int; give its name, relu, say, or an Activation"


@pytest.mark.parametrize("name", ["net.npz", "net.PT", "net.onnx", "net.json"])
def test_a_network_is_named_as_what_it_is(name, tmp_path):
    with pytest.raises(OutputError) as caught:
        save(network([[[1, 1]]], [None]), tmp_path / name)
    ending = name.removeprefix("net")
    assert str(caught.value) == (
        f"{tmp_path / name}: a network is written as a safetensors file, and {ending} is another "
        "kind; name a file that ends in .safetensors"
    )
    assert not list(tmp_path.iterdir())
