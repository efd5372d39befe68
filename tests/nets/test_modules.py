"""The lecture's module, the step, and networks as modules that read back as what they were."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from adderlab.building import construct
from adderlab.errors import ModelError, OptionError
from adderlab.nets import EXACT, Activation, Layer, Network, Readout, network, outputs, read_bits
from adderlab.nets.modules import AdderNN, Step, to_module
from adderlab.nets.state_dict import from_state_dict, to_state_dict
from adderlab.nets.tensors import Dense, Scaled
from adderlab.nets.tracing import from_module
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove


class Notebook(nn.Module):
    """The class of the training notebook."""

    def __init__(self):
        super(Notebook, self).__init__()  # noqa: UP008
        self.fc1 = nn.Linear(2, 3)
        self.fc2 = nn.Linear(3, 2)
        self.relu = torch.nn.ReLU()

    def forward(self, x):
        h = self.relu(self.fc1(x))
        return self.fc2(h)


def rows(n_in: int) -> np.ndarray:
    return np.array(list(itertools.product([0, 1], repeat=n_in)), dtype=np.uint8)


def sized(sizes: list[int], *, kind: str = "relu", readout: Readout | None = None, **options):
    """Return a network of small numbers without symmetry."""
    rng = np.random.default_rng(len(sizes))
    shapes = list(zip(sizes[1:], sizes, strict=False))
    return network(
        [rng.integers(-9, 10, shape).tolist() for shape in shapes],
        [rng.integers(-9, 10, out).tolist() for out, _ in shapes],
        activation=Activation(kind, slope=0.25) if kind == "leaky" else Activation(kind),
        readout=readout,
        **options,
    )


@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_seed_gives_the_notebooks_weights_and_outputs(seed):
    torch.manual_seed(seed)
    theirs = Notebook()
    torch.manual_seed(seed)
    ours = AdderNN()
    for (name, left), (key, right) in zip(
        theirs.state_dict().items(), ours.state_dict().items(), strict=True
    ):
        assert name == key
        assert torch.equal(left, right)
    x = torch.rand(5, 2)
    assert torch.equal(theirs(x), ours(x))


def test_state_dicts_go_both_ways():
    theirs, ours = Notebook(), AdderNN(threshold=0)
    assert str(ours.load_state_dict(theirs.state_dict())) == "<All keys matched successfully>"
    assert str(theirs.load_state_dict(AdderNN().state_dict())) == "<All keys matched successfully>"


def test_the_printout_is_the_notebooks_and_a_threshold_is_shown():
    assert repr(AdderNN()) == repr(Notebook()).replace("Notebook", "AdderNN")
    assert repr(AdderNN(threshold=0.25, convention=">=")).splitlines()[1] == "  outputs >= 0.25"
    assert repr(Step(">=")) == "Step(>= 0)"


@pytest.mark.parametrize("convention", [">", ">="])
def test_the_hand_set_notebook_gives_bits(convention):
    model = AdderNN(threshold=0, convention=convention)
    model.fc1.weight.data = torch.Tensor([[1, 1], [1, 1], [1, 1]])
    model.fc1.bias.data = torch.Tensor([-1.5, -0.5, -1.5])
    model.fc2.weight.data = torch.Tensor([[1, 0, 0], [0, 1, -2]])
    model.fc2.bias.data = torch.Tensor([0, 0])
    x = torch.Tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    expected = [[0, 0], [0, 1], [0, 1], [1, 1]] if convention == ">" else [[1, 1]] * 4
    assert model(x).tolist() == expected


@pytest.mark.parametrize("convention", [">", ">="])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_a_step_keeps_the_dtype_and_has_no_gradient(convention, dtype):
    x = torch.tensor([-2.0, 0.0, 0.5], dtype=dtype, requires_grad=True)
    got = Step(convention)(x)
    assert got.dtype == dtype
    assert got.tolist() == [0.0, float(convention == ">="), 1.0]
    with pytest.raises(RuntimeError, match="does not require grad"):
        got.sum().backward()


@pytest.mark.parametrize("make", [Step, lambda c: AdderNN(convention=c)])
def test_an_unknown_convention_is_refused(make):
    with pytest.raises(OptionError, match=r"^unknown convention '<'; one of >, >=$"):
        make("<")


@pytest.mark.parametrize("kind", ["relu", "leaky", "tanh"])
@pytest.mark.parametrize(
    ("readout", "threshold", "back"),
    [
        (Readout(), None, Readout()),
        (EXACT, None, Readout()),
        (Readout("threshold", 0.0, ">="), 0.0, Readout("threshold", 0.0, ">=")),
        (Readout("threshold", 0.25), 0.25, Readout("threshold", 0.25)),
    ],
)
def test_two_layers_become_an_adder_nn(kind, readout, threshold, back):
    random = torch.get_rng_state()
    model = to_module(sized([3, 5, 2], kind=kind, readout=readout))
    assert torch.equal(random, torch.get_rng_state())
    assert isinstance(model, AdderNN)
    assert model.threshold == threshold
    assert from_module(model).network.readout == back


@pytest.mark.parametrize(
    ("net", "parts"),
    [
        (sized([3, 2]), ["Linear"]),
        (sized([3, 5, 2], kind="step"), ["Linear", "Step", "Linear"]),
        (sized([3, 5, 2], kind="identity"), ["Linear", "Linear"]),
        (
            sized([3, 5, 4, 2], kind="tanh", readout=Readout("threshold", 0.25, ">=")),
            ["Linear", "Tanh", "Linear", "Tanh", "Linear", "Step"],
        ),
        (network([[[2, 3]], [[4]]], [None, [5]]), ["Linear", "ReLU", "Linear"]),
    ],
)
def test_other_networks_become_a_sequential(net, parts):
    model = to_module(net)
    assert [type(part).__name__ for part in model] == parts
    assert model.state_dict()["0.weight"].tolist() == net.layers[0].weight.numbers.tolist()


@pytest.mark.parametrize("format", ["fp64", "fp32", "fp16", "bf16", "fp8-e4m3", "int5", "wide"])
def test_the_dtype_is_that_of_the_format_or_fp32(format):
    model = to_module(sized([2, 3, 2], format=format))
    names = {"fp64": "float64", "fp16": "float16", "bf16": "bfloat16"}
    assert str(model.fc1.weight.dtype) == f"torch.{names.get(format, 'float32')}"
    assert from_module(model).network.format == (format if format in names else "fp32")


def test_a_scaled_network_is_written_with_its_exact_values():
    half = Dense(np.array(0.5, dtype=np.float32))
    net = Network((Layer(Scaled(Dense(np.array([[3, -5]], dtype=np.int8)), half)),), format="int4")
    assert to_module(net)[0].weight.tolist() == [[1.5, -2.5]]


@pytest.mark.parametrize("method", ["one-layer", "ripple", "prefix"])
def test_every_adder_becomes_a_module_that_adds(method):
    task = task_named("adder:3")
    net = construct(task, method)
    assert prove(to_module(net), task)
    arrays = to_state_dict(net)
    assert {array.dtype for array in arrays.values()} == {np.dtype("float32")}
    assert prove(from_state_dict(arrays, readout=net.readout), task)


def test_a_wider_format_is_named_and_holds():
    net = network([[[2**24 + 1, 1]]], [[0]], format="int32")
    assert to_module(net, format="fp64")[0].weight.tolist() == [[2**24 + 1, 1]]


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (
            network([[[2**24 + 1, 1]]], [[0]], format="int32"),
            "fc1.weight: fp32 does not hold its values exactly; give `format` fp64",
        ),
        (
            network([[[2**200 + 1, 1]]], [[0]], format="wide"),
            "fc1.weight: fp32 does not hold its values exactly; no float format holds all of them",
        ),
        (
            sized([2, 3, 2], readout=Readout("threshold", 0.1)),
            (
                "the threshold 0.1 is not representable in fp32, and PyTorch would round it to "
                "0.10000000149011612; give the network the threshold 0.10000000149011612"
            ),
        ),
        (
            network([[[2]], [[3]]], [[1], [1]], activation=Activation("leaky", slope=0.01)),
            (
                "the slope 0.01 is not representable in fp32, and PyTorch would round it to "
                "0.009999999776482582; give the network the slope 0.009999999776482582"
            ),
        ),
    ],
)
def test_what_a_module_would_round_is_refused(net, message):
    with pytest.raises(ModelError) as caught:
        to_module(net)
    assert str(caught.value) == message


@settings(max_examples=50, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    kind=st.sampled_from(["relu", "leaky", "step", "identity"]),
    readout=st.sampled_from([Readout(), Readout("threshold", 0.0, ">="), Readout("threshold", 2)]),
    format=st.sampled_from(["fp64", "fp32", "int8"]),
)
def test_a_module_computes_what_its_network_computes_and_reads_back(sizes, kind, readout, format):
    net = sized(sizes, kind=kind, readout=readout, format=format)
    model = to_module(net)
    x = torch.from_numpy(rows(sizes[0])).to(next(model.parameters()).dtype)
    raw = outputs(net, rows(sizes[0]))
    with torch.no_grad():
        got = model(x).numpy()
    expected = raw.to_floats() if readout == Readout() else read_bits(net.readout, raw)[0]
    assert np.array_equal(got, expected)
    back = from_module(model).network
    assert back.readout == net.readout
    assert [layer.activation for layer in back.layers] == [layer.activation for layer in net.layers]
    for (_, left), (_, right) in zip(net.tensors(), back.tensors(), strict=True):
        assert np.array_equal(left.exact().to_floats(), right.exact().to_floats())
