"""A module is read as what it computes, and left as it was."""

from __future__ import annotations

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from nets.traced import (
    FLOATS,
    HAND_SET,
    RAW,
    TRAINED,
    bits_of,
    module,
    rows,
    run_cell,
)
from torch import nn
from torch.nn.utils import prune

from adderlab.errors import ModelError
from adderlab.nets import Activation, Readout, outputs, read_bits
from adderlab.nets.enclosure import Machine
from adderlab.nets.logits import without_last_sigmoid
from adderlab.nets.modules import AdderNN, Step
from adderlab.nets.tracing import from_module
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

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
        ("torch.sigmoid(y) > 0.5", ">", ()),
        ("y.sigmoid() >= 0.5", ">=", ()),
        ("F.sigmoid(y)", ">", ("forward ends in a sigmoid; judged by > 0.5",)),
        (
            "1 / (1 + torch.exp(-y))",
            ">",
            (
                "1 / (1 + exp(-y)) was read as the sigmoid of y",
                "forward ends in a sigmoid; judged by > 0.5",
            ),
        ),
    ],
)
def test_a_final_sigmoid_is_compared_with_one_half(result, readout, note):
    read = from_module(module(f"y = self.fc2(torch.relu(self.fc1(x)))\nreturn {result}"))
    assert read.network.layers[-1].activation == Activation("sigmoid")
    assert read.network.readout == Readout("threshold", 0.5, readout)
    assert read.notes == note
    exact = without_last_sigmoid(read.network)
    assert (exact.layers[-1].activation, exact.readout.threshold) == (Activation(), 0.0)


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


def test_a_comparison_before_more_layers_is_a_step_of_its_own():
    model = module("h = (self.fc1(x) >= 0.75).float()\nreturn self.fc2(h)")
    model.fc1.bias.data = torch.tensor([0.5, -0.25, 1.0])
    read = from_module(model)
    first, second, _ = read.network.layers
    assert (first.activation, first.bias.numbers.tolist()) == (Activation(), [0.5, -0.25, 1.0])
    assert second.activation == Activation("step", convention=">=")
    assert second.bias.numbers.tolist() == [-0.75] * 3
    assert read.notes == (RAW,)


def test_a_constant_is_subtracted_as_pytorch_does_it():
    model = module("y = self.fc2(self.fc1(x).relu())\nreturn y - 1 > 0")
    model.fc2.bias.data = torch.tensor([0.5, -0.25])
    read = from_module(model)
    assert [layer.bias.numbers.tolist() for layer in read.network.layers[1:]] == [
        [0.5, -0.25], [-1.0, -1.0],
    ]  # fmt: skip
    assert read.network.readout == Readout("threshold", 0.0, ">")


def test_defaults_overridden_calls_and_subclasses_are_followed():
    class Twice(nn.Linear):
        def forward(self, x, factor=2.0):
            return F.linear(x, self.weight * factor, self.bias)

    class Patched(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = Twice(2, 3), nn.Linear(3, 2)
            self.second.forward = lambda x: F.linear(x, -self.second.weight, self.second.bias)

        def __call__(self, *args):
            return super().__call__(*args) > 0

        def forward(self, x, mask=None):
            if mask is not None:
                x = x * mask
            return self.second(self.first(x).relu())

    model = Patched()
    read = from_module(model)
    first, second = read.network.layers
    assert np.array_equal(first.weight.numbers, 2 * model.first.weight.detach().numpy())
    assert np.array_equal(second.weight.numbers, -model.second.weight.detach().numpy())
    assert read.network.readout == Readout("threshold", 0.0, ">")


def test_hooks_parametrizations_and_compiled_modules_are_followed():
    model = AdderNN()
    handle = model.fc1.register_forward_hook(lambda _, __, y: 2 * y)
    assert from_module(model).network.shape == "2-3-3-2"
    handle.remove()
    _ = nn.utils.parametrizations.weight_norm(model.fc2)
    weight = from_module(model).network.layers[1].weight.numbers
    assert np.array_equal(weight, model.fc2.weight.detach().numpy())
    pruned = AdderNN()
    _ = prune.random_unstructured(pruned.fc1, "weight", 0.5)
    assert (from_module(pruned).network.layers[0].weight.numbers == 0).sum() == 3
    compiled = nn.Module()  # as torch.compile wraps it, which takes seconds to load
    compiled._orig_mod = AdderNN()
    assert from_module(compiled).network.shape == "2-3-2"


def test_an_output_is_chosen_by_its_key_or_place():
    model = module("h = self.fc1(x)\nreturn {'all': self.fc2(h), 'more': h}")
    read = from_module(model)
    assert read.network.n_out == 5
    assert read.notes[0] == "forward returns a dictionary: all, more are joined in this order"
    assert from_module(model, output="more").network.n_out == 3
    read = from_module(model, task="half-adder")
    assert read.notes[0] == "of the dictionary that forward returns, all is read"
    with pytest.raises(ModelError, match="there is no output 'x'; its forward returns all, more"):
        from_module(model, output="x")


def test_words_are_given_to_the_arguments():
    class Adder(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell = nn.Linear(3, 1)

        def forward(self, a, b):
            carry = torch.zeros(len(a), 1)
            for place in reversed(range(a.shape[1])):
                bits = [a[:, place : place + 1], b[:, place : place + 1], carry]
                carry = (self.cell(torch.cat(bits, dim=1)) > 0).float()
            return carry

    task = parse_table(
        "in a:3,in b:3,out c:1\n"
        + "\n".join(f"{a},{b},{int(a + b > 7)}" for a in range(8) for b in range(8)),
        where="carry",
    )
    model = Adder()
    model.cell.weight.data.fill_(1)
    model.cell.bias.data.fill_(-1.5)
    read = from_module(model, task=task)
    assert read.notes[0] == "each of its 2 arguments is given a word"
    assert prove(model, task)


def test_an_unused_layer_is_noted():
    read = from_module(module("return self.fc2(self.fc1(x))", init="self.fc3 = nn.Linear(2, 2)"))
    assert read.notes == ("fc3.weight is never used in forward", RAW)


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


def test_each_run_of_the_forward_starts_from_the_same_state():
    forward = "self.calls += 1\ny = self.fc2(self.fc1(x))\nreturn y if self.calls == 1 else -y"
    assert from_module(module(forward, init="self.calls = 0")).notes == (RAW,)


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
    for kind, (left, right) in zip(kinds, itertools.pairwise(sizes), strict=False):
        linear = nn.Linear(left, right, bias=bias, dtype=dtype)
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


def test_a_note_says_that_a_module_was_too_large_to_be_compared(monkeypatch):
    monkeypatch.setattr(Machine, "can_run", staticmethod(lambda net: False))
    note = "what was read is too large, or its numbers are, to be run beside the module"
    assert from_module(nn.Linear(2, 1)).notes == (RAW, note)
