"""Random forwards of all that can be read: values and bits are PyTorch's own."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from nets.public_styles import ACTIVATIONS, table_of
from torch import Tensor, nn

from adderlab.formats import FORMATS
from adderlab.nets.enclosure import Machine
from adderlab.nets.tracing import from_module
from adderlab.verbs.prove import prove

LINES = ("where above", "where leaky", "abs", "hardtanh", "relu6", "clamp", "sign", "threshold",
         "leaky relu", "where less", "where constants")  # fmt: skip
CURVES = ("tanh", "softplus", "silu", "elu", "gelu", "mish", "softsign", "hardsigmoid",
          "quotients")  # fmt: skip
WIDTH = 4


@dataclass(frozen=True)
class Step:
    """One line of a forward: an operation on earlier values, by their numbers."""

    kind: str
    first: int
    second: int
    number: float
    name: str


@st.composite
def steps(draw: st.DrawFn, names: tuple[str, ...]) -> Step:
    kinds = ["linear", "activation", "sum", "join", "turn", "scale", "shift", "compare", "bits"]
    return Step(
        draw(st.sampled_from(kinds)),
        draw(st.integers(0, 9)),
        draw(st.integers(0, 9)),
        draw(st.sampled_from([-2.0, -0.5, 0.25, 1.0, 4.0])),
        draw(st.sampled_from(names)),
    )


class Program(nn.Module):
    """A forward made of steps, each of which gives four values a row."""

    def __init__(self, lines: list[Step], seed: int) -> None:
        super().__init__()
        rng = np.random.default_rng(seed)
        self.lines = lines
        self.first = nn.Linear(2, WIDTH)
        self.rest = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in lines)
        self.last = nn.Linear(WIDTH, 2)
        for parameter in self.parameters():  # quarters, so that fp32 rarely rounds
            parameter.data = torch.from_numpy(rng.integers(-5, 6, parameter.shape) / 4).float()

    def forward(self, x: Tensor) -> Tensor:
        values = [self.first(x)]
        for line, layer in zip(self.lines, self.rest, strict=True):
            a, b = (values[place % len(values)] for place in (line.first, line.second))
            values.append(self.step(line, layer, a, b))
        return self.last(values[-1])

    def step(self, line: Step, layer: nn.Module, a: Tensor, b: Tensor) -> Tensor:
        match line.kind:
            case "linear":
                return layer(a)
            case "activation":
                return ACTIVATIONS[line.name](a)
            case "sum":
                return a - b if line.number < 0 else a + b
            case "join":
                return torch.cat([a[:, 1:3], b[:, ::3]], dim=1)
            case "turn":
                return a.reshape(-1, 2, 2).transpose(1, 2).flatten(1)
            case "scale":
                return line.number * a
            case "shift":
                return line.number - a
            case "compare":
                return (a > b).float() if line.first % 2 else (a <= line.number).float()
            case _:
                return ((a > 0) ^ (b >= line.number)).to(a.dtype)


def rows() -> Tensor:
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=2)))


def check(program: Program) -> None:
    """The network that was read encloses PyTorch's values, and no verdict is against its bits."""
    with torch.no_grad():
        got = program(rows())
    if not torch.isfinite(got).all():
        return
    network = from_module(program).network
    machine = Machine(network, FORMATS["fp32"], library=True)
    enclosure = machine.enclose(rows().numpy().astype(np.uint8))
    off = np.abs(enclosure.values - got.double().numpy())
    assert (off <= enclosure.errors * (1 + 1e-9) + 1e-30).all()
    bits = (got > 0.5).int().tolist()
    assert prove(program, table_of(bits)).verdict != "refuted"
    bits[3][1] ^= 1
    assert prove(program, table_of(bits)).verdict != "proved"


@pytest.mark.parametrize("names", [LINES, CURVES], ids=["lines", "curves"])
def test_random_forwards(names: tuple[str, ...]) -> None:
    @settings(max_examples=40, deadline=None)
    @given(st.lists(steps(names), min_size=1, max_size=6), st.integers(0, 99))
    def run(lines: list[Step], seed: int) -> None:
        check(Program(lines, seed))

    run()
