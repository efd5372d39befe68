"""Diagrams and the solver on every activation of straight lines, against fractions.

Their functions are made of knots, bends and jumps on whole numbers, which enumeration never sees.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from exact import bit_of, raw_outputs
from strategies import STRAIGHT

from adderlab.building import METHODS
from adderlab.limits import Budget
from adderlab.nets import Activation, Layer, Network, Readout
from adderlab.nets.tensors import Dense
from adderlab.proving import diagrams, solver
from adderlab.proving.diagrams import states_of, variable_order
from adderlab.tasks import task_named

ADDER = task_named("adder:2")
LIKE_RELU = [
    Activation("clamp", min=0.0),
    Activation("clamp", min=0.0, max=6.5),
    Activation("relu6"),
    Activation("hardtanh", min=0.0, max=7.0),
    Activation("threshold", threshold=0.0, value=0.0),
    Activation("threshold", threshold=0.5, value=0.0),
    Activation("prelu", slopes=(0.0,)),
    Activation("where", threshold=0.25, below=0.0),
    Activation("where", convention=">=", threshold=0.75, below=0.0),
]
"""What is relu on whole numbers up to 6, which the sums of a 2-bit adder stay within."""


def random_net(activation: Activation, seed: int) -> Network:
    """Return a network whose sums fall on knots often: its numbers are eighths."""
    rng = np.random.default_rng(seed)
    sizes = [4, 3, 3, 3]
    layers = tuple(
        Layer(
            Dense((rng.integers(-8, 9, (n_out, n_in)) / 8).astype(np.float32)),
            Dense((rng.integers(-8, 9, n_out) / 8).astype(np.float32)),
            activation,
        )
        for n_in, n_out in itertools.pairwise(sizes)
    )
    return Network(layers, Readout("threshold", 0.25, ">="))


@pytest.mark.parametrize("activation", STRAIGHT, ids=str)
def test_diagrams_are_what_fractions_give_on_every_input(activation: Activation) -> None:
    for seed in range(4):
        net = random_net(activation, seed)
        order = variable_order(net, ADDER, "words")
        states = states_of([net], ADDER, order, budget=Budget.of(30.0))
        for bits in itertools.product((0, 1), repeat=4):
            for function, raw in zip(states.of[0], raw_outputs(net, bits), strict=True):
                at = function
                for name, bit in zip(ADDER.input_bits, bits, strict=True):
                    at = states.diagrams.restricted(at, states.variables[name], bit)
                assert states.diagrams.bounds(at) == (bit_of(net.readout, raw),) * 2


def decided(net: Network, engine: str) -> tuple[bool | None, dict[str, int] | None]:
    """Return whether an engine alone finds a network right, and an input that it finds wrong."""
    if engine == "solver":
        if not solver.is_installed():
            pytest.skip("z3 is not installed: pip install 'adderlab[smt]'")
        answer = solver.decide(net, ADDER, Budget.of(60.0))
        return answer.is_right, answer.wrong
    result = diagrams.decide(net, ADDER, budget=Budget.of(60.0))
    return result.is_right, result.wrong


def is_wrong_on(net: Network, wrong: dict[str, int] | None) -> bool:
    """Return whether fractions give a wrong sum where a counterexample says so."""
    assert wrong is not None
    bits = [wrong.get(name, 0) for name in ADDER.input_bits]
    got = [bit_of(net.readout, value) for value in raw_outputs(net, bits)]
    total = 2 * bits[0] + bits[1] + 2 * bits[2] + bits[3]
    return got != [int(bit) for bit in f"{total:03b}"]


@pytest.mark.parametrize("engine", ["diagram", "solver"])
@pytest.mark.parametrize("activation", STRAIGHT, ids=str)
def test_wrong_networks_are_refuted_by_a_row_that_is_wrong(
    activation: Activation, engine: str
) -> None:
    for seed in (9, 10):
        net = random_net(activation, seed)
        is_right, wrong = decided(net, engine)
        assert is_right is False
        assert is_wrong_on(net, wrong)


@pytest.mark.parametrize("engine", ["diagram", "solver"])
@pytest.mark.parametrize("activation", LIKE_RELU, ids=str)
def test_an_adder_of_what_is_relu_there_is_proved(activation: Activation, engine: str) -> None:
    relu = METHODS["one-layer"].build(ADDER, "fp32")
    hidden, last = relu.layers
    net = replace(relu, layers=(replace(hidden, activation=activation), last))
    assert decided(net, engine) == (True, None)
    # the same adder with a knot among its sums is wrong, which the engine has to see
    cut = replace(hidden, activation=Activation("clamp", min=0.0, max=1.5))
    net = replace(relu, layers=(cut, last))
    is_right, wrong = decided(net, engine)
    assert is_right is False
    assert is_wrong_on(net, wrong)
