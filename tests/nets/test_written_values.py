"""Values written into tensors that are there, products of bits, and inference mode."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from nets.traced import bits_of, module, refusal, rows

from adderlab.nets.tracing import from_module
from adderlab.verbs.prove import prove

READ = [
    "half = torch.full_like(y, 0.5)\nreturn half.mul_(y) * 3",
    "third = torch.full_like(y, 0.3)\nreturn third.lt_(y)",
    "pair = torch.tensor([[2.0, -1.0]]).repeat(len(x), 1)\nreturn pair.mul_(y[:, :1]).add_(y)",
    "return y.masked_fill(y < 0.25, -0.3)",
    "return torch.ones_like(y).masked_fill_(y > 0, 0.25)",
    "return y.masked_fill(torch.tensor([True, False]), 0.75)",
    "a, b = x.unbind(1)\nreturn torch.stack([a * b, a + b - 2 * a * b], 1)",
    "a, b = (y > 0.25).unbind(1)\nreturn a * b * 0.7",
    "with torch.inference_mode():\n  return F.linear(y.reshape(-1, 2).relu(), self.fc1.weight)",
]


@pytest.mark.parametrize("lines", READ)
def test_what_is_read_computes_what_the_module_computes(lines):
    model = module(f"y = self.fc2(torch.relu(self.fc1(x)))\n{lines}")
    network = from_module(model).network
    out = model(torch.from_numpy(rows(2)).float())
    assert np.array_equal(bits_of(network, rows(2)), (out.reshape(4, -1) > 0.5).int().numpy())


def test_a_half_adder_of_products_is_proved():
    model = module("a, b = x.unbind(1)\nreturn torch.stack([a * b, a + b - 2 * a * b], 1)")
    assert prove(model, "half-adder")
    wrong = module("a, b = x.unbind(1)\nreturn torch.stack([a * b, a + b - a * b], 1)")
    assert prove(wrong, "half-adder").counterexample.input == {"a": 1, "b": 1}


REFUSED = [
    ("F.celu(y, 1.5)", "a celu with the constant 1.5; write 1.5 * elu(y / 1.5), which is the same"),
    (
        "torch.add(y, y, out=torch.empty_like(y))",
        "a result is written into a tensor that is there; leave out= away",
    ),
    ("(y > 0).any(1)", "any can't be read; docs/classes.md lists what can be read"),
    ("y.amin(1)", "amin can't be read; docs/classes.md lists what can be read"),
    ("y.min(1)[0]", "min can't be read; docs/classes.md lists what can be read"),
    (
        "(y > 0) * y",
        "two computed values are multiplied; multiply by constants alone",
    ),
    (
        "((y > 0) * 0.7) * ((y > 1) * 0.3)",
        "two computed values are multiplied; multiply by constants alone",
    ),
]


@pytest.mark.parametrize(("result", "why"), REFUSED, ids=[case[0] for case in REFUSED])
def test_a_refusal_says_what_the_line_does(result, why):
    model = module(f"y = self.fc2(torch.relu(self.fc1(x)))\nreturn {result}")
    assert refusal(model) == f"cell 3 line 15: return {result}: {why}"


def test_a_gated_cell_is_refused_for_its_products():
    model = module(
        "h = torch.zeros(len(x), 3)\nreturn self.cell(x, h)", init="self.cell = nn.GRUCell(2, 3)"
    )
    assert refusal(model) == (
        "cell 3 line 15: return self.cell(x, h), in cell (GRUCell): two computed values are "
        "multiplied; multiply by constants alone"
    )
