"""Graphs of layers: every engine and every format against fractions, and PyTorch's own outputs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from exact import raw_outputs
from hypothesis import given
from proving.reference import judge
from strategies import FEW, MANY, graphs, named_tasks

from adderlab.bits import to_bits
from adderlab.errors import ModelError, NetworkError
from adderlab.nets import Activation, Layer, Network, Readout
from adderlab.nets.modules import to_module
from adderlab.nets.tensors import stored_in
from adderlab.proving import diagrams
from adderlab.proving.solver.script import to_script
from adderlab.tasks import task_named
from adderlab.verbs.compare import compare
from adderlab.verbs.prove import prove
from adderlab.verbs.quantize import quantize
from adderlab.verbs.repair import repair

RELU, STEP = Activation("relu"), Activation("step", convention=">=")


def layer(
    weight: list[list[float]],
    bias: list[float] | None = None,
    activation: Activation | None = None,
    inputs: tuple[str, ...] | None = None,
) -> Layer:
    own = None if bias is None else stored_in(bias, "fp32")
    return Layer(stored_in(weight, "fp32"), own, activation or Activation(), inputs)


def two_heads(carry: float = 1.0) -> Network:
    """Return a half adder whose sum bit reads the carry, through a sum with the inputs."""
    return Network(
        (
            layer([[1, 1]], [-1], RELU),
            layer([[carry]], None, None, ("fc1",)),
            layer([[1, 1, -2]], None, None, ("input", "fc1")),
        ),
        task=task_named("half-adder"),
        outputs=("fc2", "fc3"),
    )


@pytest.mark.parametrize("engine", ["enumeration", "diagram"])
def test_two_heads_are_proved_and_one_wrong_weight_is_found(engine: str) -> None:
    assert prove(two_heads(), engine=engine)
    verdict = prove(two_heads(0.25), engine=engine)
    assert not verdict
    assert verdict.counterexample is not None
    assert verdict.counterexample.input == {"a": 1, "b": 1}


def wide_carry_chain(bits: int) -> Network:
    """Return an adder of ``2 * bits`` inputs in which every position reads the inputs again."""
    task = task_named(f"adder:{bits}")
    layers: list[Layer] = []
    sums: list[str] = []
    carry: tuple[str, ...] = ()
    for place in range(bits):
        own = [0.0] * (2 * bits)
        own[bits - 1 - place] = own[2 * bits - 1 - place] = 1.0
        weights = [*own, *[1.0] * len(carry)]
        reads = ("input", *carry)
        layers.append(layer([weights], [-2], STEP, reads))  # the carry out
        name = f"fc{len(layers)}"
        layers.append(layer([[*weights, -2.0]], None, None, (*reads, name)))
        sums.append(f"fc{len(layers)}")
        carry = (name,)
    return Network(tuple(layers), task=task, outputs=(carry[0], *reversed(sums)))


def test_a_wide_adder_of_skips_is_proved_by_diagrams() -> None:
    net = wide_carry_chain(24)
    verdict = prove(net)
    assert (verdict.verdict, verdict.method) == ("proved", "diagram")
    assert verdict.margin is not None
    assert verdict.margin.of_1 == Fraction(1, 2)
    assert net(a=11_184_810, b=5_592_405) == {"c": 16_777_215}


@MANY
@given(graphs(task=named_tasks(max_in=4), tanh=False, tame=True))
def test_engines_agree_with_fractions(net: Network) -> None:
    assert net.task is not None
    truth = judge(net, net.task)
    verdict = prove(net, formats="exact")
    assert bool(verdict) == (not truth.wrong)
    if diagrams.is_specified(net.task):
        result = diagrams.decide(net, net.task)
        assert result.is_right == (not truth.wrong)
    assert prove(net).verdict != "proved" or not truth.wrong


@FEW
@given(graphs(tanh=False, tame=True))
def test_pytorch_computes_what_a_graph_computes(net: Network) -> None:
    plain = Network(net.layers, Readout(), outputs=net.outputs)
    rows = to_bits(np.arange(1 << net.n_in), net.n_in)
    exact = [[float(value) for value in raw_outputs(net, row)] for row in rows]
    try:
        module = to_module(plain, format="fp64")
    except ModelError as error:
        assert "representable" in str(error)  # a packed value that no double holds
        return
    with torch.no_grad():
        got = module(torch.from_numpy(rows).double())
    assert np.allclose(got.numpy(), exact, rtol=1e-12, atol=1e-12)


def test_a_graph_has_a_script() -> None:
    net = two_heads()
    assert net.task is not None
    script = to_script(net, net.task)
    assert "(assert (= s3_0 (+ i0 i1 (* (- 2) h1_0))))" in script


def test_equal_graphs_are_equal() -> None:
    assert compare(two_heads(), two_heads())
    assert not compare(two_heads(), two_heads(0.25))


def test_what_needs_a_chain_says_so() -> None:
    message = "the search for repairs needs a chain of layers, each reading the one before it"
    with pytest.raises(NetworkError, match=message):
        _ = repair(two_heads(0.25))
    with pytest.raises(NetworkError, match="a search over roundings needs a chain of layers"):
        _ = quantize(two_heads(), to="int4", method="exact")


def test_a_graph_is_rounded_to_nearest() -> None:
    for name in ("int4", "bf16"):
        assert quantize(two_heads(), to=name)
    smallest = quantize(two_heads(), to="smallest")
    assert smallest
    assert smallest.network.outputs == ("fc2", "fc3")
