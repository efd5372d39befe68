"""Modules that are no chain of known operations: refused by the line that is not."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from nets.traced import (
    READABLE,
    module,
    refusal,
)
from torch import nn
from torch.nn.utils import prune

from adderlab.errors import TaskError
from adderlab.nets.modules import AdderNN
from adderlab.nets.tracing import from_module, operations
from adderlab.tasks import task_named

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
    (
        "torch.where(y > 0, y, 0.0)",
        "where is given the batch otherwise than as its first argument alone",
        "a network is one chain of layers; a comparison is written y > t",
    ),
    ("torch.where(y > 0, 1.0, 0.0)[0]", "getitem can't be read", READABLE),
    ("y.clamp(1, 0)", "clamp: the min 1 is above the max 0", "swap them"),
    ("torch.abs(h)", "abs stands where no Linear is right before it", READABLE),
    ("F.softplus(y, beta=-1)", "softplus: the beta is -1", "give a number above 0"),
    ("torch.heaviside(y, torch.ones(2))", "heaviside is given 2 values", "give one number"),
    ("y.round()", "round can't be read", "compare with 0.5 instead: (y > 0.5).float()"),
    ("torch.sigmoid(y) * 3", "mul can't be read", READABLE),
    ("torch.sigmoid(h)", "sigmoid stands where no Linear is right before it", READABLE),
    ("torch.relu(h)", "relu stands where no Linear is right before it", READABLE),
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
        "self.act = nn.CELU()",
        "cell 3 line 14: return self.fc2(self.act(self.fc1(x))), in act (CELU): CELU can't "
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


def test_a_refused_module_is_left_as_it_was():
    model = module("self.h = self.fc1(x)\nreturn self.drop(torch.rand(3) + self.h.exp())")
    state, random = dict(vars(model)), torch.get_rng_state()
    assert refusal(model).endswith(READABLE)
    assert vars(model) == state
    assert torch.equal(random, torch.get_rng_state())
