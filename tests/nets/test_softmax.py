"""A softmax before the choice of the largest: in a number format close logits become equal."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import adderlab
from adderlab.errors import FormatError
from adderlab.nets.tracing import from_module

TYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)
ROWS = [[0, 0], [0, 1], [1, 0], [1, 1]]

WAYS = {
    "softmax, argmax": lambda y: torch.softmax(y, 1).argmax(1),
    "log_softmax, argmax": lambda y: torch.log_softmax(y, 1).argmax(1),
    "softmax, max": lambda y: torch.softmax(y, 1).max(1)[1],
    "softmax, comparison": lambda y: (p := torch.softmax(y, 1))[:, 1] > p[:, 0],
}


class Model(nn.Module):
    def __init__(self, weights, way, dtype):
        super().__init__()
        self.pair, self.way = nn.Linear(2, len(weights), dtype=dtype), way
        self.pair.weight.data = torch.tensor(weights, dtype=dtype)
        self.pair.bias.data = torch.full((len(weights),), -1.0, dtype=dtype)

    def forward(self, x):
        return self.way(self.pair(x))


def table_of(values):
    return adderlab.table({"in a:1": [0, 0, 1, 1], "in b:1": [0, 1, 0, 1], "out y:1": values})


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("way", sorted(WAYS))
def test_logits_that_a_softmax_makes_equal_are_no_proof(way, dtype):
    """They differ by less than a softmax of them keeps."""
    model = Model([[0.0, 0.0], [0.0, 0.0]], WAYS[way], dtype)
    model.pair.bias.data = torch.tensor([0.0, torch.finfo(dtype).eps / 8], dtype=dtype)
    with torch.no_grad():
        bits = [int(bit) for bit in model(torch.tensor(ROWS, dtype=dtype))]
    assert bits == [0, 0, 0, 0]
    verdict = adderlab.prove(model, table_of([1, 1, 1, 1]))
    assert (verdict.exact, verdict.verdict) == ("proved", "unknown")
    assert "logits may be too close for a softmax" in verdict.reason
    assert adderlab.prove(model, table_of([0, 0, 0, 0])).verdict == "refuted"  # exactly, as it is


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("way", sorted(WAYS))
def test_logits_that_are_apart_are_proved_as_pytorch_has_them(way, dtype):
    model = Model([[2.0, 2.0], [4.0, 6.0]], WAYS[way], dtype)
    model.pair.bias.data = torch.tensor([0.0, -3.0], dtype=dtype)
    with torch.no_grad():
        bits = [int(bit) for bit in model(torch.tensor(ROWS, dtype=dtype))]
    assert bits == [0, 1, 0, 1]
    assert adderlab.prove(model, table_of(bits))
    assert adderlab.prove(model, table_of([0, 1, 1, 1])).verdict == "refuted"


def test_random_close_logits_are_never_proved_against_pytorch():
    draw = torch.Generator().manual_seed(0)
    proved = 0
    for number in range(120):
        dtype = TYPES[number % 4]
        way = WAYS[("softmax, argmax", "log_softmax, argmax")[number // 4 % 2]]
        model = Model([[0.5, -1.0], [0.5, -1.0]], way, dtype)
        scale = 2.0 ** (number % 15 - 2) * torch.finfo(dtype).eps
        steps = torch.randint(-2, 3, (2, 2), generator=draw)
        model.pair.weight.data += (steps * scale).to(dtype)
        model.pair.bias.data[1] += number % 5 * 40 * torch.finfo(dtype).eps
        network = from_module(model).network
        values = [int(network(*row)["y"]) for row in ROWS]
        with torch.no_grad():
            bits = [int(bit) for bit in model(torch.tensor(ROWS, dtype=dtype))]
        verdict = adderlab.prove(model, table_of(values))
        proved += bool(verdict)
        assert not verdict or bits == values, (number, bits, values)
    assert proved > 5


def test_a_format_can_not_be_run_where_it_is_bounded_alone():
    model = Model([[1.0, 1.0], [2.0, 2.5]], WAYS["softmax, argmax"], torch.float32)
    with pytest.raises(FormatError, match="the largest of a softmax is asked for"):
        _ = adderlab.run(model, "1,1", format="fp32")


def test_a_softmax_of_more_values_than_its_bounds_hold_for_is_refused():
    model = Model([[1.0, 1.0]] * 1025, WAYS["softmax, argmax"], torch.float32)
    with pytest.raises(adderlab.AdderlabError, match="a softmax of 1025 values, more than 1024"):
        _ = from_module(model)
