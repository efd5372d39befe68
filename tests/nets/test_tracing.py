"""A module is read as what it computes, or refused with the line that can't be read."""

from __future__ import annotations

import itertools
import linecache
import sys
from pathlib import Path
from types import SimpleNamespace

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from torch import nn
from torch.nn.utils import prune

from adderlab.errors import ModelError, TaskError
from adderlab.nets import Activation, Readout, outputs, read_bits
from adderlab.nets.modules import AdderNN, Step
from adderlab.nets.tracing import from_module, operations
from adderlab.tasks import task_named

RAW = "forward gives raw outputs; judged by > 0.5"
READABLE = "what can be read: Linear, relu, leaky_relu, tanh, Step, `> t` and `>= t`"
FLOATS = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}

# The classes of the two notebooks as they stand.
NOTEBOOK = """\
import torch
import torch.nn as nn

# Define the neural network model
class AdderNN(nn.Module):
  def __init__(self):
    super(AdderNN, self).__init__()
    self.fc1 = nn.Linear(2, 3)  # Input: 2 bits, Output: 3 neurons
    self.fc2 = nn.Linear(3, 2)  # Input: 3 neurons, Output: 2 bits (sum)
    self.relu = torch.nn.ReLU()

  def forward(self, x): # [MOST IMPORTANT] the NN is defined here
    h = self.relu(self.fc1(x)) # x is the input , h is the hidden activations
    y = {} # h is the hidden activations, y is the final output
    return y
"""
TRAINED = NOTEBOOK.format("self.fc2(h)")
HAND_SET = NOTEBOOK.format("(self.fc2(h) > 0).float()")


def run_cell(source: str, number: int = 3) -> dict:
    """Run a notebook's cell: a made-up file name whose lines linecache knows."""
    name = f"<ipython-input-{number}-5f0e>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space: dict = {}
    exec(compile(source, name, "exec"), space)
    return space


def module(forward: str, *, init: str = "pass") -> nn.Module:
    """Return a 2-3-2 module whose forward has the given lines, the first of them line 14."""
    body = "\n    ".join(forward.splitlines())
    source = f"""\
import random, torch, torch.nn as nn, torch.nn.functional as F
from adderlab.nets.modules import Step

class Model(nn.Module):
  def __init__(self):
    super().__init__()
    self.fc1 = nn.Linear(2, 3)
    self.fc2 = nn.Linear(3, 2)
    self.relu, self.leaky, self.tanh = nn.ReLU(), nn.LeakyReLU(0.125), nn.Tanh()
    self.step, self.drop, self.flat = Step(), nn.Dropout(0.5), nn.Flatten()
    {init}

  def forward(self, x):
    {body}
"""
    torch.manual_seed(5)
    return run_cell(source)["Model"]()


def rows(n_in: int) -> np.ndarray:
    return np.array(list(itertools.product([0, 1], repeat=n_in)), dtype=np.uint8)


def bits_of(network, inputs: np.ndarray) -> np.ndarray:
    return read_bits(network.readout, outputs(network, inputs))[0]


def refusal(model: object) -> str:
    with pytest.raises(ModelError) as caught:
        from_module(model)
    return str(caught.value)


# The notebooks' classes.


def test_the_training_notebook_class_has_raw_outputs_judged_by_one_half():
    model = run_cell(TRAINED)["AdderNN"]()
    read = from_module(model, task=task_named("half-adder"))
    assert repr(read.network) == (
        "Network 2-3-2 for half-adder: relu, readout > 0.5, 17 parameters in fp32"
    )
    assert read.notes == (RAW,)
    for (name, tensor), (key, parameter) in zip(
        read.network.tensors(), model.state_dict().items(), strict=True
    ):
        assert name == key
        assert np.array_equal(tensor.numbers, parameter.numpy())


def test_the_hand_set_notebook_class_is_wrong_on_its_last_row():
    model = run_cell(HAND_SET)["AdderNN"]()
    model.fc1.weight.data = torch.Tensor([[1, 1], [1, 1], [1, 1]])
    model.fc1.bias.data = torch.Tensor([-1.5, -0.5, -1.5])
    model.fc2.weight.data = torch.Tensor([[1, 0, 0], [0, 1, -2]])
    model.fc2.bias.data = torch.Tensor([0, 0])
    read = from_module(model)
    assert (read.network.readout, read.notes) == (Readout("threshold", 0.0, ">"), ())
    assert bits_of(read.network, rows(2)).tolist() == [[0, 0], [0, 1], [0, 1], [1, 1]]


# What can be read.


@pytest.mark.parametrize(
    ("hidden", "activation"),
    [
        ("self.relu(v)", Activation("relu")),
        ("F.relu(v)", Activation("relu")),
        ("F.relu(v, inplace=True)", Activation("relu")),
        ("F.relu(input=v)", Activation("relu")),
        ("torch.relu(v)", Activation("relu")),
        ("torch.relu_(v)", Activation("relu")),
        ("v.relu()", Activation("relu")),
        ("torch.clamp(v, 0)", Activation("relu")),
        ("torch.clamp(v, min=0.0)", Activation("relu")),
        ("v.clamp(min=0)", Activation("relu")),
        ("v.clamp_min(0)", Activation("relu")),
        ("torch.maximum(v, torch.zeros_like(v))", Activation("relu")),
        ("torch.maximum(torch.tensor(0.0), v)", Activation("relu")),
        ("self.leaky(v)", Activation("leaky", slope=0.125)),
        ("F.leaky_relu(v)", Activation("leaky", slope=float(np.float32(0.01)))),
        ("F.leaky_relu(v, 0.25)", Activation("leaky", slope=0.25)),
        ("F.leaky_relu(v, negative_slope=0.25)", Activation("leaky", slope=0.25)),
        ("self.tanh(v)", Activation("tanh")),
        ("torch.tanh(v)", Activation("tanh")),
        ("F.tanh(v)", Activation("tanh")),
        ("v.tanh()", Activation("tanh")),
        ("self.step(v)", Activation("step")),
        ("Step('>=')(v)", Activation("step", convention=">=")),
        ("(v > 0).float()", Activation("step")),
        ("v.ge(0).to(v.dtype)", Activation("step", convention=">=")),
        ("torch.gt(v, 0).type(torch.float32)", Activation("step")),
        ("v", Activation("identity")),
    ],
)
def test_hidden_activations(hidden, activation):
    model = module(f"v = self.fc1(x)\nh = {hidden}\nreturn self.fc2(h)", init="self.s = Step('>=')")
    if hidden.startswith("Step"):
        model = module(
            "v = self.fc1(x)\nh = self.s(v)\nreturn self.fc2(h)", init="self.s = Step('>=')"
        )
    read = from_module(model)
    assert [layer.activation for layer in read.network.layers] == [activation, Activation()]
    assert (read.network.readout, read.notes) == (Readout(), (RAW,))


@pytest.mark.parametrize(
    ("result", "readout"),
    [
        ("y > 0", Readout("threshold", 0.0, ">")),
        ("(y > 0.25).float()", Readout("threshold", 0.25, ">")),
        ("(y >= 0.25).to(torch.float64)", Readout("threshold", 0.25, ">=")),
        ("(torch.tensor(0.25) <= y).int()", Readout("threshold", 0.25, ">=")),
        ("(0.25 < y).int()", Readout("threshold", 0.25, ">")),
        ("torch.gt(y, -1).long()", Readout("threshold", -1.0, ">")),
        ("torch.ge(y, 0.5).type(torch.int8)", Readout("threshold", 0.5, ">=")),
        ("y.gt(0).bool()", Readout("threshold", 0.0, ">")),
        ("y.ge(0).half()", Readout("threshold", 0.0, ">=")),
        ("self.step(y)", Readout("threshold", 0.0, ">")),
        ("y > self.low", Readout("threshold", 0.375, ">")),
        ("y > self.plain", Readout("threshold", 0.75, ">")),
        ("y >= self.learned", Readout("threshold", 0.625, ">=")),
        ("(y > 0).float() > 0.5", Readout("threshold", 0.0, ">")),
        ("(y > 0).float() >= 1", Readout("threshold", 0.0, ">")),
        ("self.drop(y) > 0", Readout("threshold", 0.0, ">")),
    ],
)
def test_a_final_comparison_is_the_readout(result, readout):
    init = (
        "self.register_buffer('low', torch.tensor([0.375])); self.plain = torch.tensor(0.75); "
        + ("self.learned = nn.Parameter(torch.tensor(0.625))" if "learned" in result else "")
    )
    model = module(f"y = self.fc2(torch.relu(self.fc1(x)))\nreturn {result}", init=init)
    read = from_module(model)
    assert read.network.readout == readout
    dropped = "dropout was read as in eval mode, where it does nothing"
    assert read.notes == ((dropped,) if "drop" in result else ())
    with torch.no_grad():
        got = model.eval()(torch.from_numpy(rows(2)).float())
    assert np.array_equal(bits_of(read.network, rows(2)), got.numpy().astype(np.uint8))


@pytest.mark.parametrize(
    ("result", "readout", "note"),
    [
        ("torch.sigmoid(y) > 0.5", ">", "sigmoid(y) > 0.5 was read as y > 0"),
        ("y.sigmoid() >= 0.5", ">=", "sigmoid(y) >= 0.5 was read as y >= 0"),
        (
            "F.sigmoid(y)",
            ">",
            "forward ends in a sigmoid; judged by > 0 of what goes into it",
        ),
    ],
)
def test_a_final_sigmoid_is_judged_by_what_goes_into_it(result, readout, note):
    read = from_module(module(f"y = self.fc2(torch.relu(self.fc1(x)))\nreturn {result}"))
    assert read.network.readout == Readout("threshold", 0.0, readout)
    assert read.notes == (note,)


@pytest.mark.parametrize("name", FLOATS)
@pytest.mark.parametrize("c", [0.1, 1 + 2**-11 + 2**-40, 1 + 2**-8 + 2**-40, 2**24 + 1, -1e-50])
@pytest.mark.parametrize("kind", [float, "tensor", "tensor of one"])
def test_the_threshold_is_what_pytorch_compares_with(name, c, kind):
    dtype = FLOATS[name]
    if name == "fp16" and c > 65504:
        c = 2**11 + 1
    constant = {
        float: c,
        "tensor": torch.tensor(c, dtype=torch.float64),
        "tensor of one": torch.tensor([c], dtype=torch.float64),
    }[kind]

    class Compared(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(1, 1, dtype=dtype)

        def forward(self, x):
            return self.fc(x) >= constant

    t = from_module(Compared()).network.readout.threshold
    near = torch.tensor(t, dtype=torch.float64).to(dtype)
    up, down = (torch.nextafter(near, torch.tensor(end, dtype=dtype)) for end in (1e4, -1e4))
    for value in torch.stack([down, near, up]):
        assert bool(value[None] >= constant) == (float(value.double()) >= t)


def test_a_rounded_threshold_is_noted():
    read = from_module(module("return self.fc2(torch.relu(self.fc1(x))) > 0.1"))
    assert read.notes == ("0.1 is compared as PyTorch rounds it, 0.10000000149011612",)


@pytest.mark.parametrize(
    ("forward", "init"),
    [
        ("return self.fc2(F.linear(x, self.fc1.weight, self.fc1.bias).relu())", "pass"),
        ("return self.fc2((x @ self.fc1.weight.t() + self.fc1.bias).relu())", "pass"),
        (
            "return self.fc2(torch.relu(torch.matmul(x, self.fc1.weight.T).add(self.fc1.bias)))",
            "pass",
        ),
        ("x = x.view(-1, 2)\nreturn self.fc2(self.fc1(x).relu())", "pass"),
        ("x = x.view(x.size(0), -1)\nreturn self.fc2(self.fc1(x).relu())", "pass"),
        ("x = x.reshape(x.shape[0], 2).float()\nreturn self.fc2(self.fc1(x).relu())", "pass"),
        ("x = torch.flatten(self.flat(x), 1)\nreturn self.fc2(self.fc1(x).relu())", "pass"),
        ("assert x.shape[1] == 2\nreturn self.fc2(self.fc1(x).relu()).clone()", "pass"),
        (
            "for layer in self.both:\n  x = layer(x)\nreturn x",
            ("self.both = nn.ModuleList([self.fc1, nn.ReLU(), nn.Identity(), self.fc2])"),
        ),
        (
            "return self.inner(x)",
            ("self.inner = nn.Sequential(nn.Sequential(self.fc1, nn.ReLU()), self.fc2)"),
        ),
        ("with torch.no_grad():\n  return self.fc2(self.fc1(x).relu()).detach()", "pass"),
        ("return self.fc2(self.fc1(x).relu() if self.scale == 1 else x)", "self.scale = 1"),
        ("return self.fc2(F.dropout(self.fc1(x).relu(), training=self.training))", "pass"),
    ],
)
def test_one_network_written_in_many_ways(forward, init):
    model = module(forward, init=init)
    read = from_module(model)
    assert read.network.shape == "2-3-2"
    assert read.network.layers[0].activation == Activation("relu")
    for (_, tensor), parameter in zip(read.network.tensors(), model.parameters(), strict=True):
        assert np.array_equal(tensor.numbers, parameter.detach().numpy())


def test_a_comparison_before_more_layers_is_a_step_after_a_shifted_bias():
    model = module("h = (self.fc1(x) >= 0.75).float()\nreturn self.fc2(h)")
    model.fc1.bias.data = torch.tensor([0.5, -0.25, 1.0])
    read = from_module(model)
    first = read.network.layers[0]
    assert first.activation == Activation("step", convention=">=")
    assert first.bias.numbers.tolist() == [-0.25, -1.0, 0.25]
    assert read.notes == ("a constant was added to the bias of layer 1, exactly", RAW)


def test_a_constant_is_subtracted_into_the_bias():
    model = module("y = self.fc2(self.fc1(x).relu())\nreturn y - 1 > 0")
    model.fc2.bias.data = torch.tensor([0.5, -0.25])
    read = from_module(model)
    assert read.network.layers[1].bias.numbers.tolist() == [-0.5, -1.25]
    assert read.network.readout == Readout("threshold", 0.0, ">")


def test_defaults_overridden_calls_and_subclasses_are_followed():
    class Twice(nn.Linear):
        def forward(self, x, factor=2.0):
            return F.linear(x, self.weight * factor, self.bias)

    class Patched(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = Twice(2, 3), nn.Linear(3, 2)
            self.two.forward = lambda x: F.linear(x, -self.two.weight, self.two.bias)

        def __call__(self, *args):
            return super().__call__(*args) > 0

        def forward(self, x, mask=None):
            if mask is not None:
                x = x * mask
            return self.two(self.one(x).relu())

    model = Patched()
    read = from_module(model)
    first, second = read.network.layers
    assert np.array_equal(first.weight.numbers, 2 * model.one.weight.detach().numpy())
    assert np.array_equal(second.weight.numbers, -model.two.weight.detach().numpy())
    assert read.network.readout == Readout("threshold", 0.0, ">")


def test_a_traced_module_is_read_as_its_own():
    traced = torch.fx.symbolic_trace(nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2)))
    assert repr(from_module(traced).network).startswith("Network 2-3-2: relu")


def test_one_layer_used_twice_is_two_layers():
    model = nn.Sequential(shared := nn.Linear(2, 2), nn.ReLU(), shared)
    read = from_module(model)
    assert read.network.shape == "2-2-2"
    assert read.network.parameters == 12


@pytest.mark.parametrize("name", FLOATS)
def test_the_format_is_the_dtype_and_the_numbers_are_kept_bit_for_bit(name):
    model = AdderNN().to(FLOATS[name])
    model.fc1.weight.data[0, 0] = -0.0
    network = from_module(model).network
    assert network.format == name
    for (_, tensor), parameter in zip(network.tensors(), model.parameters(), strict=True):
        assert tensor.numbers.dtype.itemsize == parameter.element_size()
        assert tensor.numbers.tobytes() == (parameter.detach().view(torch.uint8).numpy().tobytes())


@pytest.mark.parametrize("last", [nn.Identity(), nn.ReLU(), nn.Tanh(), Step(">=")])
def test_any_last_activation_is_kept(last):
    read = from_module(nn.Sequential(nn.Linear(3, 2), last))
    kind = type(last).__name__.lower()
    if kind == "step":
        assert read.network.readout == Readout("threshold", 0.0, ">=")
    else:
        assert read.network.layers[-1].activation == Activation(kind)


def test_a_wide_module_is_compared_on_some_rows():
    read = from_module(nn.Sequential(nn.Linear(40, 7), nn.ReLU(), nn.Linear(7, 3)))
    assert read.network.shape == "40-7-3"


# What can't.

BAD = [
    ("y * 2", "mul can't be read", READABLE),
    ("y - 0.1", "the constant is rounded by PyTorch", "put it into the bias yourself"),
    ("y < 0.5", "lt can't be read", "write the comparison as y > t or y >= t"),
    ("y <= 0.5", "le can't be read", "write the comparison as y > t or y >= t"),
    (
        "torch.softmax(y, 1)",
        "softmax can't be read",
        "leave it out and compare each output with a constant",
    ),
    (
        "y.argmax(1)",
        "argmax can't be read",
        "give one output for each bit and compare it with a constant",
    ),
    ("torch.where(y > 0, 1.0, 0.0)", "where can't be read", "write the bits as (y > t).float()"),
    ("y.round()", "round can't be read", "compare with 0.5 instead: (y > 0.5).float()"),
    (
        "torch.sigmoid(y) > 0.6",
        "a sigmoid is compared with 0.6",
        "compare it with 0.5, or leave out the sigmoid and compare its input",
    ),
    ("torch.sigmoid(y) * 3", "mul can't be read", READABLE),
    ("torch.sigmoid(h)", "a sigmoid is read only right after the last Linear", READABLE),
    ("torch.relu(h)", "relu stands where no Linear is right before it", READABLE),
    ("torch.clamp(y, 0, 1)", "a clamp is read only as clamp(min=0), which is relu", READABLE),
    (
        "torch.maximum(y, torch.tensor(1.0))",
        "a maximum is read only against zeros, which is relu",
        READABLE,
    ),
    (
        "y > torch.tensor([0.5, 0.25])",
        "the outputs are compared with 2 thresholds",
        "compare all outputs with one number",
    ),
    ("y > float('inf')", "the threshold is inf", "compare with a finite number"),
    ("(y > 0).float() > 1", "bits are compared with 1: the result is constant", READABLE),
    (
        "y.flatten()",
        "flatten changes the shape of the batch from [4, 2] to [8]",
        "keep it (batch, bits): one row for each input",
    ),
    (
        "y.half() > 0",
        "half converts values to torch.float16, which rounds them",
        "convert the bits after the comparison instead",
    ),
    (
        "y + h[:, :2]",
        "getitem can't be read",
        READABLE,
    ),
    ("y - torch.ones(4, 1)", "a constant of shape [4, 1] meets 2 outputs", READABLE),
    (
        "F.linear(y, self.fc2.weight.T, torch.ones(1))",
        "weight and bias have shapes [[3, 2], [1]], not (out, in) and (out,)",
        READABLE,
    ),
    (
        "y + y",
        "add is given the batch otherwise than as its first argument alone",
        "a network is one chain of layers; a comparison is written y > t",
    ),
    (
        "F.dropout(y)",
        "this dropout is on in eval mode too, so the outputs are random",
        "use nn.Dropout, or F.dropout(x, training=self.training)",
    ),
    (
        "torch.relu(y.T)",
        "the batch's .T can't be read",
        READABLE,
    ),
    (
        "torch.add(y, 1, alpha=2)",
        "a number can only be added to or subtracted from a Linear's outputs",
        READABLE,
    ),
    (
        "torch.clamp(y, 0, out=None)",
        "clamp can't be read with these arguments (got an unexpected keyword argument 'out')",
        READABLE,
    ),
    (
        "1 if y.sum() > 0 else 0",
        "its path depends on the values of the input, which a network's can't",
        "replace if, while, max() and loops over values by relu or a comparison",
    ),
    (
        "torch.stack([row for row in y])",
        "its path depends on the values of the input, which a network's can't",
        "replace if, while, max() and loops over values by relu or a comparison",
    ),
    (
        "float(y)",
        (
            "its forward can't be followed (TypeError: float() argument must be a string or a real "
            "number, not 'Proxy')"
        ),
        "write it with PyTorch's operations on one batch of inputs",
    ),
]


@pytest.mark.parametrize(("result", "what", "remedy"), BAD, ids=[case[0] for case in BAD])
def test_refusals_name_the_line(result, what, remedy):
    model = module(f"h = torch.relu(self.fc1(x))\ny = self.fc2(h)\nreturn {result}")
    assert refusal(model) == f"cell 3 line 16: return {result}: {what}; {remedy}"


CHAIN = "a network is one chain: each result goes into the next operation alone"
FORWARDS = [
    (
        "h = self.fc1(x)\nF.relu_(h)\nreturn self.fc2(h)",
        "pass",
        f"cell 3 line 15: F.relu_(h): what is computed here is never used; {CHAIN}",
    ),
    (
        "z = self.fc2(self.fc1(x))\nreturn self.fc2(self.fc1(x))",
        "pass",
        (
            "cell 3 line 14: z = self.fc2(self.fc1(x)), in fc2 (Linear): what is computed here is "
            f"never used; {CHAIN}"
        ),
    ),
    (
        "y = self.fc2(self.fc1(x))\nreturn y - x[:1, :1]",
        "pass",
        "cell 3 line 15: return y - x[:1, :1]: getitem can't be read; " + READABLE,
    ),
    (
        "return self.fc2(self.fc1(x)), 1",
        "pass",
        "forward: its forward returns tuple; return one tensor of outputs",
    ),
    (
        "return {'y': self.fc2(self.fc1(x))}",
        "pass",
        "forward: its forward returns dict; return one tensor of outputs",
    ),
    (
        "return self.fc1.weight",
        "pass",
        (
            "forward: its forward returns something computed without the batch; return one "
            "tensor of outputs"
        ),
    ),
    (
        "return x > 0",
        "pass",
        "Model: its forward uses no Linear layer; " + READABLE,
    ),
    (
        "return self.fc2(self.fc1(x))",
        "self.fc3 = nn.Linear(2, 2)",
        "Model: fc3.weight is never used in forward; use the layer or remove it",
    ),
    (
        "return self.fc2(self.fc1(x)) > torch.rand(())",
        "pass",
        (
            "Model: its forward draws random numbers; a network gives the same bits for the "
            "same input every time"
        ),
    ),
    (
        "return self.fc2(self.hidden[0](x))",
        "self.hidden = [nn.Linear(2, 3)]",
        (
            "cell 3 line 14: return self.fc2(self.hidden[0](x)): a layer is not registered in "
            "the model, so its weights are not the model's; keep layers as attributes or in "
            "nn.ModuleList, not in a plain list"
        ),
    ),
    (
        "h = (self.fc1(x).relu() > 1).float()\nreturn self.fc2(h)",
        "pass",
        "cell 3 line 15: return self.fc2(h), in fc2 (Linear): a comparison that more layers "
        "follow must stand right after a Linear; " + READABLE,
    ),
    (
        "h = (self.fc1(x) > 1e-30).float()\nreturn self.fc2(h)",
        "pass",
        (
            "cell 3 line 15: return self.fc2(h), in fc2 (Linear): adding this constant to the "
            "bias of the Linear before it would round it; put it into the bias yourself"
        ),
    ),
    (
        "h = self.fc1(x) > 0\nreturn self.fc2(h)",
        "pass",
        (
            "cell 3 line 15: return self.fc2(h), in fc2 (Linear): its forward fails on rows of "
            "shape [4, 2] in float32 (RuntimeError: mat1 and mat2 must have the same dtype, but "
            "got Bool and Float); make model(x) work for x of shape (batch, bits)"
        ),
    ),
    (
        "return self.fc2(self.fc2(x))",
        "self.fc1 = None",
        (
            "cell 3 line 14: return self.fc2(self.fc2(x)), in fc2 (Linear): its forward fails on "
            "rows of shape [8, 3] in float32 (RuntimeError: mat1 and mat2 shapes cannot be "
            "multiplied (8x2 and 3x2)); make model(x) work for x of shape (batch, bits)"
        ),
    ),
    (
        "return self.fc2(self.act(self.fc1(x)))",
        "self.act = nn.GELU()",
        "cell 3 line 14: return self.fc2(self.act(self.fc1(x))), in act (GELU): GELU can't "
        "be read; " + READABLE,
    ),
    (
        "return self.fc2(self.q(self.fc1(x)))",
        "self.q = torch.ao.nn.quantized.ReLU6()",
        (
            "cell 3 line 14: return self.fc2(self.q(self.fc1(x))), in q (ReLU6): a quantized ReLU6 "
            f"can't be read; {READABLE}"
        ),
    ),
    (
        "return self.fc2(self.norm(self.fc1(x)))",
        "self.norm = nn.BatchNorm1d(3)",
        (
            "cell 3 line 14: return self.fc2(self.norm(self.fc1(x))), in norm (BatchNorm1d): "
            "BatchNorm1d can't be read; fold it into the Linear before it"
        ),
    ),
    (
        "return self.fc2(self.fc1(x).double())",
        "self.fc2.double()",
        (
            "cell 3 line 14: return self.fc2(self.fc1(x).double()), in fc2 (Linear): the layers "
            "are in different number formats (float32, float64); convert the model to one, for "
            "example with model.float()"
        ),
    ),
]


@pytest.mark.parametrize(("forward", "init", "message"), FORWARDS)
def test_refusals_of_whole_forwards(forward, init, message):
    assert refusal(module(forward, init=init)) == message


def test_each_run_of_the_forward_starts_from_the_same_state():
    forward = "self.calls += 1\ny = self.fc2(self.fc1(x))\nreturn y if self.calls == 1 else -y"
    assert from_module(module(forward, init="self.calls = 0")).notes == (RAW,)


def test_what_the_trace_does_not_see_is_caught_by_running_it():
    model = module(
        "y = self.fc2(torch.relu(self.fc1(x)))\nreturn y if type(x) is not torch.Tensor else y + 1"
    )
    model.fc1.weight.data.zero_()
    model.fc1.bias.data.zero_()
    model.fc2.bias.data = torch.tensor([0.5, 0.25])
    assert refusal(model) == (
        "Model: its forward does something that was not read: on input bits 0,0 it gives "
        "[1.5, 1.25], the layers that were read [0.5, 0.25]; write forward with layers, "
        "activations and a comparison alone"
    )
    model = module(
        "y = self.fc2(torch.relu(self.fc1(x)))\n"
        "return y > 0 if type(x) is not torch.Tensor else y < 0"
    )
    model.fc2.weight.data.zero_()
    model.fc2.bias.data = torch.tensor([0.5, -0.25])
    assert refusal(model).startswith(
        "Model: its forward does something that was not read: on input bits 0,0 it gives "
        "[0.0, 1.0], the layers that were read [1.0, 0.0];"
    )


@pytest.mark.parametrize(
    ("target", "wrong"),
    [
        (F.relu, operations.activation("tanh")),
        (F.linear, lambda call, wire, w, b: operations.linear(call, wire, w.flip(0), b)),
    ],
)
def test_a_wrong_entry_in_the_table_is_caught(monkeypatch, target, wrong):
    model = module("return self.fc2(self.relu(self.fc1(x)))")
    model.fc2.bias.data = torch.tensor([0.6, 0.3])
    model.fc2.weight.data = torch.tensor([[-1.0, 2.0, 3.0], [1.5, -2.5, 0.5]])
    assert from_module(model).network.shape == "2-3-2"
    monkeypatch.setitem(operations.OPERATIONS, target, wrong)
    assert "its forward does something that was not read" in refusal(model)


def test_hooks_parametrizations_and_compiled_modules_are_refused():
    model = AdderNN()
    handle = model.fc1.register_forward_hook(lambda *_: None)
    hook = "a forward hook may change what the module gives; remove the hook (of pruning, with "
    assert refusal(model) == f"fc1 (Linear): {hook}prune.remove)"
    handle.remove()
    handle = model.register_forward_pre_hook(lambda *_: None)
    assert refusal(model) == f"AdderNN: {hook}prune.remove)"
    handle.remove()
    handle = nn.modules.module.register_module_forward_hook(lambda *_: None)
    try:
        assert refusal(model) == ("model: a forward hook is set on all modules; remove the hook")
    finally:
        handle.remove()
    _ = nn.utils.parametrizations.weight_norm(model.fc2)
    assert refusal(model) == (
        "fc2 (ParametrizedLinear): a weight is computed by a parametrization; make it plain with "
        "torch.nn.utils.parametrize.remove_parametrizations"
    )
    pruned = AdderNN()
    _ = prune.random_unstructured(pruned.fc1, "weight", 0.5)
    assert refusal(pruned) == f"fc1 (Linear): {hook}prune.remove)"
    compiled = nn.Module()  # as torch.compile wraps it, which takes seconds to load
    compiled._orig_mod = AdderNN()
    assert refusal(compiled) == "model: the model is compiled; give the module that was compiled"
    assert refusal(AdderNN) == "model: AdderNN is a class; make one: AdderNN()"
    assert refusal(3) == "model: int is no nn.Module; give a PyTorch module"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda m: m.fc1.weight.data[1].fill_(float("nan")),
            "fc1.weight: a number is nan (at [1, 0]); every parameter must be a finite number",
        ),
        (
            lambda m: m.fc2.bias.data[1:].fill_(float("inf")),
            "fc2.bias: a number is inf (at [1]); every parameter must be a finite number",
        ),
        (
            lambda m: m.to("meta"),
            "fc1.weight: the weights are on the meta device; load them",
        ),
        (
            lambda m: m.to(torch.complex64),
            "fc1.weight: the numbers are complex64; convert the model with .float()",
        ),
        (
            lambda m: m.fc2.register_parameter(
                "weight", nn.Parameter(torch.ones(2, 3, dtype=torch.int64), requires_grad=False)
            ),
            "fc2.weight: the numbers are int64; convert the model with .float()",
        ),
        (
            lambda m: setattr(m, "fc1", nn.LazyLinear(3)),
            "fc1 (LazyLinear): the layer has no weights yet; run it once",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Complex modules:UserWarning")
def test_unusable_weights_are_named(change, message):
    model = AdderNN()
    change(model)
    assert refusal(model) == message


def test_a_task_of_another_size_is_refused():
    with pytest.raises(TaskError, match="full-adder has 3 input and 2 output bits"):
        from_module(AdderNN(), task=task_named("full-adder"))


# Where a line is.


def test_a_cell_is_named_by_its_number_and_a_file_by_its_path(monkeypatch):
    class Wrong(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            return self.fc(x).exp()

    line = Wrong.forward.__code__.co_firstlineno + 1
    text = f"line {line}: return self.fc(x).exp(): exp can't be read; {READABLE}"
    path = str(Path(__file__))
    assert refusal(Wrong()) == f"{path}:{text.removeprefix('line ')}"
    shell = SimpleNamespace(compile=SimpleNamespace(_filename_map={path: 7}))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert refusal(Wrong()) == f"cell 7 {text}"


# Nothing changes.


def test_the_module_is_left_as_it_was():
    model = module(
        "self.calls += 1\n"
        "self.count += 1\n"
        "self.h = torch.relu(self.fc1(x))\n"
        "self.seen.append(self.h)\n"
        "return self.fc2(self.h)",
        init="self.calls, self.seen = 0, []; self.count = torch.zeros(())",
    )
    x = torch.rand(4, 2)
    model(x).sum().backward()
    before = {
        name: (parameter, parameter.clone(), parameter.grad.clone())
        for name, parameter in model.named_parameters()
    }
    state, h, count = dict(vars(model)), model.h, model.count
    random = torch.get_rng_state()
    assert from_module(model).notes == (RAW,)
    assert vars(model) == state
    assert (model.calls, model.seen, model.training) == (1, [h], True)
    assert model.h is h
    assert model.count is count
    assert count == 1
    assert torch.equal(random, torch.get_rng_state())
    for name, parameter in model.named_parameters():
        same, value, grad = before[name]
        assert parameter is same
        assert torch.equal(parameter, value)
        assert torch.equal(parameter.grad, grad)
        assert parameter.requires_grad


def test_a_refused_module_is_left_as_it_was():
    model = module("self.h = self.fc1(x)\nreturn self.drop(torch.rand(3) + self.h.exp())")
    state, random = dict(vars(model)), torch.get_rng_state()
    assert refusal(model).endswith(READABLE)
    assert vars(model) == state
    assert torch.equal(random, torch.get_rng_state())


# The law: the network that was read computes what the module computes.

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky": lambda: nn.LeakyReLU(0.125),
    "step": Step,
    "step of >=": lambda: Step(">="),
    "identity": nn.Identity,
}


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=4),
    kinds=st.lists(st.sampled_from(sorted(ACTIVATIONS)), min_size=3, max_size=3),
    last=st.sampled_from(["raw", "relu", "> 0", ">= 0.5"]),
    bias=st.booleans(),
    dtype=st.sampled_from([torch.float32, torch.float64]),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_network_computes_what_the_module_computes(sizes, kinds, last, bias, dtype, seed):
    rng = np.random.default_rng(seed)
    stack: list[nn.Module] = []
    for kind, (one, two) in zip(kinds, itertools.pairwise(sizes), strict=False):
        linear = nn.Linear(one, two, bias=bias, dtype=dtype)
        for parameter in linear.parameters():  # eighths, so that fp32 does not round
            parameter.data = torch.from_numpy(rng.integers(-24, 25, parameter.shape) / 8).to(dtype)
        stack += [linear, ACTIVATIONS[kind]()]
    _ = stack.pop()
    stack += {
        "raw": [],
        "relu": [nn.ReLU()],
        "> 0": [Step()],
        ">= 0.5": [Step(">=", threshold=0.5)],
    }[last]
    model = nn.Sequential(*stack)
    network = from_module(model).network
    with torch.no_grad():
        got = model(torch.from_numpy(rows(sizes[0])).to(dtype)).numpy()
    raw = outputs(network, rows(sizes[0]))
    if last in ("raw", "relu"):
        assert np.array_equal(raw.to_floats(), got)
    assert np.array_equal(
        read_bits(network.readout, raw)[0], got > 0.5 if last in ("raw", "relu") else got
    )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", FLOATS)
def test_a_module_on_a_gpu_is_read_and_stays_there(name):
    model = AdderNN(threshold=0.1).to("cuda", FLOATS[name])
    network = from_module(model).network
    assert network.format == name
    assert model.fc1.weight.is_cuda
    assert np.array_equal(
        network.layers[0].weight.numbers.astype(np.float64),
        model.fc1.weight.detach().double().cpu().numpy(),
    )
    near = torch.tensor([network.readout.threshold], dtype=FLOATS[name], device="cuda")
    assert not (near > 0.1).item()
