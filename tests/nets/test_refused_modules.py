"""Modules that no network holds: refused by the line that does what can't be read."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from nets.traced import (
    READABLE,
    module,
    refusal,
)
from torch import nn

from adderlab.errors import TaskError
from adderlab.nets.modules import AdderNN
from adderlab.nets.tracing import from_module, operations
from adderlab.tasks import task_named

ADDMM = operations.TABLE["addmm"]
CONSTANTS = "multiply by constants alone"
DIVIDE = "divide by constants alone"
COMPARE = "compare outputs with a number, or with one another, by >, >=, < or <="
PATH = "its path depends on the values of the input, which a network's can't"
BRANCH = "replace if, while and loops over values by a comparison or where"
OUTSIDE = " takes values out of PyTorch, where they can't be followed"
LARGEST = "take the largest with argmax, or compare the values before the softmax"
BAD = [
    ("y ** 2", "pow can't be read", READABLE),
    ("y * y", "two computed values are multiplied", CONSTANTS),
    ("torch.bmm(y[:, None], y[..., None])", "two computed values are multiplied", CONSTANTS),
    ("y / 0", "values are divided by 0", "divide by other numbers"),
    ("y / torch.tensor([3, float('inf')])", "values are divided by inf", "divide by other numbers"),
    ("y / y", "two computed values are divided", DIVIDE),
    ("1 / y", "a computed value is divided by", DIVIDE),
    ("y.exp()", "exp can't be read", "1 / (1 + exp(-y)) alone is read, as a sigmoid"),
    ("torch.softmax(h, 1)", "the values of a softmax are no network's", LARGEST),
    ("torch.softmax(h, 1) > 0.9", "the values of a softmax are no network's", LARGEST),
    ("torch.log_softmax(y, 1) > -1", "the values of a softmax are no network's", LARGEST),
    (
        "torch.cat([torch.softmax(h, 1), torch.softmax(h[:, 1:] + 1, 1)], 1).argmax(1)",
        "the values of a softmax are no network's",
        LARGEST,
    ),
    ("torch.softmax(y, 0)", "it computes one row's values from another's", READABLE),
    ("y.max(1)[0]", "the largest of several computed values is used", READABLE),
    ("torch.maximum(y, y + 1)", "two computed values are compared for the larger one", READABLE),
    ("y.round()", "values beyond 0 and 1 are rounded", COMPARE),
    ("y.logical_not()", "a value that is no bit is used as one", COMPARE),
    (
        "torch.where(y > 0, y, h[:, :2])",
        "where chooses between two computed values",
        "choose between constants, or between what is compared and a constant",
    ),
    ("y > float('inf')", "the threshold is inf", "compare with a finite number"),
    (
        "y.half() > 0",
        "values are converted to torch.float16, which rounds them",
        "convert bits alone, after a comparison",
    ),
    ("y - y.mean(0)", "it treats some rows otherwise than others", READABLE),
    ("y + x[:1, :1]", "it computes one row's values from another's", READABLE),
    ("y * torch.arange(4.0)[:, None]", "it treats some rows otherwise than others", READABLE),
    ("y[y > 0]", PATH, "select by numbers that do not depend on the input"),
    ("1 if (y > 0)[0, 0] else 0", PATH, BRANCH),
    (
        "y + torch.tensor(y.numpy()[:, :1])",
        "numpy" + OUTSIDE,
        "compute with PyTorch's operations alone",
    ),
    ("y + torch.tensor(y.tolist())", "tolist" + OUTSIDE, "compute with PyTorch's operations alone"),
    ("torch.sin(y)", "sin can't be read", READABLE),
]


@pytest.mark.parametrize(("result", "what", "remedy"), BAD, ids=[case[0] for case in BAD])
def test_refusals_name_the_line(result, what, remedy):
    model = module(f"h = torch.relu(self.fc1(x))\ny = self.fc2(h)\nreturn {result}")
    assert refusal(model) == f"cell 3 line 16: return {result}: {what}; {remedy}"


FORWARDS = [
    (
        "return torch.relu(self.fc2(self.fc1(x)).T)",
        "pass",
        (
            "forward: its forward returns shape [2, 4] for 4 rows, and not a row of outputs for "
            "each; return a tensor of shape (batch, outputs)"
        ),
    ),
    (
        "return None",
        "pass",
        (
            "forward: its forward returns NoneType; return a tensor, or a tuple or dictionary of "
            "tensors"
        ),
    ),
    (
        "return self.fc1.weight",
        "pass",
        (
            "forward: its forward returns something computed without the batch; return the "
            "outputs of the layers"
        ),
    ),
    (
        "return F.dropout(self.fc2(self.fc1(x)))",
        "pass",
        (
            "Model: its forward draws random numbers; a network gives the same bits for the same "
            "input every time"
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
        "return self.fc2(self.fc1(x).double())",
        "self.fc2.double()",
        (
            "cell 3 line 14: return self.fc2(self.fc1(x).double()), in fc2 (Linear): the layers "
            "are in different number formats (float64, float32); convert the model to one, for "
            "example with model.float()"
        ),
    ),
]


@pytest.mark.parametrize(("forward", "init", "message"), FORWARDS)
def test_refusals_of_whole_forwards(forward, init, message):
    assert refusal(module(forward, init=init)) == message


def test_what_reading_does_not_see_is_caught_by_running_it():
    model = module(
        "y = self.fc2(torch.relu(self.fc1(x)))\n"
        "watched = torch.utils._python_dispatch._get_current_dispatch_mode() is not None\n"
        "return y if watched else y + 1"
    )
    model.fc1.weight.data.zero_()
    model.fc1.bias.data.zero_()
    model.fc2.bias.data = torch.tensor([0.5, 0.25])
    assert refusal(model) == (
        "Model: its forward does something that was not read: on input bits 0,0 it gives "
        "[1.5, 1.25], the layers that were read [0.5, 0.25]; write forward with layers, "
        "activations and a comparison alone"
    )


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("relu", operations.TABLE["tanh"]),
        ("addmm", lambda rec, func, out, b, x, w: ADDMM(rec, func, out, b, x, w.flip(1))),
    ],
)  # fmt: skip
def test_a_wrong_entry_in_the_table_is_caught(monkeypatch, name, wrong):
    model = module("return self.fc2(self.relu(self.fc1(x)))")
    model.fc2.bias.data = torch.tensor([0.6, 0.3])
    model.fc2.weight.data = torch.tensor([[-1.0, 2.0, 3.0], [1.5, -2.5, 0.5]])
    assert from_module(model).network.shape == "2-3-2"
    monkeypatch.setitem(operations.TABLE, name, wrong)
    assert "its forward does something that was not read" in refusal(model)


def test_what_is_no_module_is_named():
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
            return self.fc(x).sin()

    line = Wrong.forward.__code__.co_firstlineno + 1
    text = f"line {line}: return self.fc(x).sin(): sin can't be read; {READABLE}"
    path = str(Path(__file__))
    assert refusal(Wrong()) == f"{path}:{text.removeprefix('line ')}"
    shell = SimpleNamespace(compile=SimpleNamespace(_filename_map={path: 7}))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert refusal(Wrong()) == f"cell 7 {text}"


def test_a_refused_module_is_left_as_it_was():
    model = module("self.h = self.fc1(x)\nreturn self.drop(torch.rand(3) + self.h.sin())")
    state, random = dict(vars(model)), torch.get_rng_state()
    assert refusal(model)
    assert vars(model) == state
    assert torch.equal(random, torch.get_rng_state())
