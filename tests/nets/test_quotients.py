"""Division by constants in modules: PyTorch's bits on every row, and ties as they fall."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
import torch
from nets.public_styles import table_of
from nets.traced import FLOATS
from torch import Tensor, nn

from adderlab.errors import NetworkError
from adderlab.nets import Activation, evaluate, read_bits
from adderlab.nets.tracing import from_module
from adderlab.verbs.prove import prove

ROWS = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
DIVISORS = torch.tensor([3.0, -10.0, 4.0, 0.7])
SHAPES: dict[str, Callable[[Tensor], Tensor]] = {
    "by 3": lambda h: h / 3,
    "by -10": lambda h: torch.relu(h).div(-10),
    "by each its own": lambda h: torch.tanh(h / DIVISORS.to(h.dtype)),
    "means": lambda h: torch.cat([h[:, :3].mean(1, keepdim=True), h[:, 1:] / 6], dim=1),
}


class Divided(nn.Module):
    """A 3-4-2 network with a division between its layers and one behind them."""

    def __init__(self, shape: str, seed: int, dtype: torch.dtype) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        self.shape, self.first, self.last = SHAPES[shape], nn.Linear(3, 4), nn.Linear(4, 2)
        for parameter in self.parameters():
            drawn = rng.integers(-6, 7, parameter.shape) / 4
            parameter.data = torch.from_numpy(drawn).to(dtype)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.shape(self.first(x))) / 7 > 0.125


class Written(nn.Module):
    """A forward that is given."""

    def __init__(self, forward: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = forward

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


@pytest.mark.parametrize("dtype", ["fp64", "fp32", "fp16"])
@pytest.mark.parametrize("shape", SHAPES)
def test_verdicts_are_those_of_pytorchs_bits(shape: str, dtype: str) -> None:
    kinds: set[str] = set()
    for seed in range(2):
        model = Divided(shape, seed, FLOATS[dtype])
        bits = model(ROWS.to(FLOATS[dtype])).int().tolist()
        read = from_module(model)
        kinds |= {layer.activation.kind for layer in read.network.layers}
        own = prove(model, table_of(bits)).formats[dtype]
        assert (own.verdict, own.reason.count("quotient rounded correctly")) == ("proved", 1)
        bits[seed][seed % 2] ^= 1
        wrong = prove(model, table_of(bits))
        assert (wrong.verdict, wrong.formats[dtype].verdict) == ("refuted", "refuted")
    assert "quotient" in kinds


TIES: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "6 / 3 >= 2": (lambda x: x.sum(1, keepdim=True) * 3 / 3 >= 2, "proved"),
    "6 / 3 > 2": (lambda x: x.sum(1, keepdim=True) * 3 / 3 > 2, "refuted"),
    "-6 / -3 >= 2": (lambda x: -3 * x.sum(1, keepdim=True) / -3 >= 2, "proved"),
    "thirds": (lambda x: (x * 2 / 3 + x / 3).sum(1, keepdim=True) >= 2, "proved"),
    "thirds above": (lambda x: (x * 2 / 3 + x / 3).sum(1, keepdim=True) > 2, "refuted"),
    "hardsigmoid": (
        lambda x: torch.nn.functional.hardsigmoid(x - 1).sum(1, keepdim=True) >= 4 / 3,
        "refuted",  # 4/3 in fp64 is below 4/3, and 1/2 + 1/3 + 1/2 is equal to it
    ),
}


@pytest.mark.parametrize("tie", TIES)
def test_ties_are_decided_exactly(tie: str) -> None:
    forward, expected = TIES[tie]
    verdict = prove(Written(forward), "majority:3", formats="exact")
    assert verdict.verdict == expected
    if expected == "proved":
        assert verdict.margin is not None
        assert verdict.margin.of_1 == 0


def test_in_its_format_a_quotient_is_rounded_once() -> None:
    """PyTorch's 2/3 is the threshold 2/3; exactly it is below fp32's and above fp64's."""
    model = Written(lambda x: x.mean(1, keepdim=True) >= 2 / 3)
    for name, exact in (("fp64", "proved"), ("fp32", "refuted")):
        rows = ROWS.to(FLOATS[name])
        assert model(rows)[:, 0].tolist() == (rows.sum(1) >= 2).tolist()
        model.register_buffer("dtype", torch.zeros(1, dtype=FLOATS[name]))
        verdict = prove(model, "majority:3", formats=["exact", name])
        assert verdict.formats[name].verdict == "proved"
        assert prove(model, "majority:3", formats="exact").verdict == exact


def test_rows_of_quotients_are_fractions() -> None:
    model = Written(lambda x: torch.relu(x.sum(1, keepdim=True) / 3 - 0.5) / 7)
    network = from_module(model).network
    low, high = evaluate(network, np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.uint8))
    expected = [max(Fraction(bits, 3) - Fraction(1, 2), Fraction(0)) / 7 for bits in (0, 1, 1, 2)]
    assert low[:, 0].tolist() == high[:, 0].tolist() == expected
    assert read_bits(network.readout, low, high)[1].all()


def test_a_divisor_of_0_is_refused() -> None:
    with pytest.raises(NetworkError, match="the divisor is 0; give another number"):
        _ = Activation("quotient", divisor=0)
