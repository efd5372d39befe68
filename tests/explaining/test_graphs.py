"""Networks that are graphs: sums of gradients by hand, slots, what is said of their layers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from strategies import refused

from adderlab.building import lecture_network
from adderlab.errors import NetworkError, NetworkFileError
from adderlab.explaining import backprop_rows, example
from adderlab.explaining.design import compare_with
from adderlab.explaining.history import History, find_inactivity, inactivity_of, separability
from adderlab.explaining.slots import run_slots
from adderlab.explaining.symbols import symbolic_gradients
from adderlab.explaining.units import unit_meanings
from adderlab.nets import Activation, Layer, Network
from adderlab.nets.modules import GraphNN, to_module
from adderlab.nets.tensors import stored_in
from adderlab.tasks import task_named
from adderlab.verbs.explain_why import explain_why

HALF_ADDER = task_named("half-adder")
BLOCK = next(HALF_ADDER.blocks())
RELU, STEP = Activation("relu"), Activation("step")
F = Fraction


def layer(weight: Any, bias: Any, activation: Activation | None = None, inputs: Any = None):
    own = None if bias is None else stored_in(bias, "fp32")
    return Layer(stored_in(weight, "fp32"), own, activation or Activation(), inputs)


CARRY = layer([[1, 1]], [-1], RELU)
READ_TWICE = Network(
    (CARRY, layer([[-2, 1, 1]], None, None, ("fc1", "input"))),
    task=HALF_ADDER,
    outputs=("fc1", "fc2"),
)
"""The half adder whose carry is an output, and read for the sum."""


def heads(first: Activation, second: Activation) -> Network:
    """Return a half adder of two heads on three units; the sum's head reads the inputs too."""
    return Network(
        (
            layer([[2, 2], [1, -1], [-1, -1]], [-3, 0, 0], RELU),
            layer([[0.5, 0.25, 0]], [0.125], first, ("fc1",)),
            layer([[1, 0, -1, 0.5, 0]], [0.25], second, ("input", "fc1")),
        ),
        task=HALF_ADDER,
        outputs=("fc3", "fc2"),
    )


def test_a_value_that_is_read_twice_gets_both_gradients():
    """Of 1 + 1 with target 1: dL/dc1 is (1 - 0) from L, and dL/dc0 = (0 - 1) times -2 from c0."""
    backprop = backprop_rows(
        READ_TWICE, HALF_ADDER, [example(HALF_ADDER, {"a": 1, "b": 1}, {"c": 1})], lr=F(1, 8)
    )
    steps = {step.name.text: step for step in backprop.rows[0].steps}
    assert [(flow.new.text, flow.product) for flow in steps["c1"].flows] == [
        ("c0", F(2)),
        ("L", F(1)),
    ]
    assert [(flow.new.text, flow.product) for flow in steps["a"].flows] == [
        ("z_c1", F(3)),
        ("c0", F(-1)),
    ]
    assert backprop.gradients == {
        "fc1.weight": [[F(3), F(3)]],
        "fc1.bias": [F(3)],
        "fc2.weight": [[F(-1), F(-1), F(-1)]],
    }
    assert backprop.agreement.difference == 0


def test_symbols_add_up_what_arrives_and_name_an_output_that_is_read():
    rows = [example(HALF_ADDER, HALF_ADDER.row(at).inputs) for at in range(4)]
    off, on = symbolic_gradients(READ_TWICE, HALF_ADDER, rows).patterns
    assert (off.inactive, on.active, off.outputs) == (("c1",), ("c1",), ("c1", "c0"))
    gradients = on.to_dict()["gradients"]
    assert gradients["fc1.weight[0,0]"] == "a*(c1 + fc2.weight[0,0]*(c0 - t_c0) - t_c1)"
    assert off.to_dict()["gradients"]["fc2.weight[0,0]"] == "0"


def test_the_slots_of_a_graph_hold_autograds_sums():
    run = run_slots(READ_TWICE, [example(HALF_ADDER, {"a": 1, "b": 1}, {"c": 1})], iterations=1)
    filled = run.with_zero_grad[0].after("backward()")
    assert filled.gradient == {
        "fc1.weight": [[3, 3]],
        "fc1.bias": [3],
        "fc2.weight": [[-1, -1, -1]],
    }


def test_slots_need_a_head_behind_which_there_is_a_gradient():
    rows = [example(HALF_ADDER, {"a": 1, "b": 1})]
    filled = run_slots(heads(STEP, Activation()), rows, iterations=1).with_zero_grad[0]
    assert filled.after("backward()").gradient["fc2.weight"] is None
    with refused(
        NetworkError,
        "slots: the layers read out are steps, behind which nothing has a gradient; take a "
        "network with raw outputs",
    ):
        _ = run_slots(heads(STEP, STEP), rows)


def test_two_layers_with_biases_are_no_chain_of_the_lectures_class():
    """A layer that is read out and read again keeps its place among the outputs."""
    net = Network(
        (CARRY, layer([[-2]], [0.5], None, ("fc1",))), task=HALF_ADDER, outputs=("fc1", "fc2")
    )
    module = to_module(net)
    assert isinstance(module, GraphNN)
    assert module(torch.ones(1, 2)).tolist() == [[1.0, -1.5]]


def test_a_head_can_read_what_it_is_given_not_what_another_is():
    """The carry's head reads one unit, on in two rows that need different carries."""
    net = Network(
        (
            layer([[1, 0]], [0], RELU),
            layer([[1]], [0], None, ("fc1",)),
            layer([[1, 1, -1]], [0], None, ("input", "fc1")),
        ),
        task=HALF_ADDER,
        outputs=("fc2", "fc3"),
    )
    apart = separability(net, HALF_ADDER, BLOCK)
    assert apart.readable == {"c1": False, "c0": False}
    assert [group.rows for group in apart.groups] == [(0,), (1,), (2,), (3,)]
    swapped = separability(heads(Activation(), Activation()), HALF_ADDER, BLOCK)
    assert list(swapped.readable) == ["c1", "c0"]
    assert swapped.readable["c1"] is True


def test_a_gradient_takes_any_way_around_units_that_are_off():
    net = heads(Activation(), Activation())
    around = inactivity_of(net, HALF_ADDER, BLOCK)
    assert ([death.unit for death in around.deaths], around.silent) == (["h3"], ())
    first, second, third = net.layers
    narrow = layer([[1, -1, 0.5]], [0.25], None, ("fc1",))
    blocked = inactivity_of(
        Network((first, second, narrow), task=HALF_ADDER, outputs=("fc3", "fc2")),
        HALF_ADDER,
        BLOCK,
    )
    assert third.inputs == ("input", "fc1")
    assert [(silent.row, silent.off) for silent in blocked.silent] == [
        ({"a": 0, "b": 0}, ("h1", "h2", "h3")),
        ({"a": 0, "b": 1}, ("h1", "h2", "h3")),
    ]


def test_units_of_layers_that_are_not_read_out_have_meanings():
    meanings = unit_meanings(heads(RELU, RELU), HALF_ADDER)
    assert [(unit.name, unit.function) for unit in meanings] == [
        ("h1", "a AND b (the carry)"),
        ("h2", "a AND NOT b"),
        ("h3", "off"),
    ]
    assert unit_meanings(READ_TWICE, HALF_ADDER) == ()


def test_why_speaks_of_a_graph():
    text = explain_why(heads(Activation(), Activation())).to_markdown()
    assert "On every row a gradient finds a way to a layer that reads the inputs." in text
    assert "hidden layer distinguishes" not in text
    text = explain_why(READ_TWICE).to_markdown()
    assert "this network is a graph: its units have no counterparts" in text
    assert "hidden unit" not in text
    assert compare_with(READ_TWICE, lecture_network(HALF_ADDER), "the lecture's") is None


def test_a_history_and_a_record_are_those_of_chains():
    history = History({"fc1.weight": np.ones((1, 1, 2))})
    with pytest.raises(NetworkError, match=r"^network: a training history needs a chain of layers"):
        _ = find_inactivity(READ_TWICE, HALF_ADDER, BLOCK, history)
    record = Network(
        READ_TWICE.layers, task=HALF_ADDER, outputs=READ_TWICE.outputs, training={"seed": 0}
    )
    with refused(
        NetworkFileError,
        "network: its training record trains a chain of layers, and the network is no chain; look "
        "at the network as it was trained, before it was changed",
    ):
        _ = explain_why(record)
