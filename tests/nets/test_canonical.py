"""The form up to order and scale of units: equal for those, different for anything else."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

import adderlab
from adderlab.building import construct
from adderlab.nets import Activation, Layer, Network, network
from adderlab.nets.canonical import MOST_PARAMETERS, canonical_form
from adderlab.nets.tensors import Dense
from adderlab.tasks import task_named

SCALED = [Activation("relu"), Activation("leaky", slope=0.125), Activation("abs")]
KEPT = [Activation("step"), Activation("sign")]
NEITHER = [Activation("tanh"), Activation("hardtanh"), Activation("sigmoid")]


def dense(weights, biases, activation, readout=0.5):
    layers = [
        Layer(Dense(weight), None if bias is None else Dense(bias), activation)
        for weight, bias in zip(weights, biases, strict=True)
    ]
    layers[-1] = replace(layers[-1], activation=Activation())
    return Network(tuple(layers), adderlab.Readout(threshold=readout), format="fp64")


def drawn(shape, seed, values=5):
    """Return small whole numbers, so that there are ties, for layers of such sizes."""
    own = random.Random(seed)

    def number():
        return own.randrange(-values, values + 1) / 2

    sizes = list(pairwise(shape))
    weights = [np.array([[number() for _ in range(i)] for _ in range(o)]) for i, o in sizes]
    return weights, [np.array([number() for _ in range(o)]) for o in shape[1:]]


def rearranged(weights, biases, activation, seed):
    """Return the same with hidden units in another order, multiplied by powers of two."""
    own = random.Random(seed)
    weights, biases = [w.copy() for w in weights], [b.copy() for b in biases]
    for at in range(len(weights) - 1):
        size = len(biases[at])
        order = own.sample(range(size), size)
        factors = np.array([2.0 ** own.randrange(-3, 4) for _ in range(size)])
        if activation in NEITHER:
            factors[:] = 1
        weights[at] = (weights[at] * factors[:, None])[order]
        biases[at] = (biases[at] * factors)[order]
        outgoing = weights[at + 1] / (factors if activation in SCALED else 1)
        weights[at + 1] = outgoing[:, order]
    return weights, biases


@pytest.mark.parametrize("activation", [*SCALED, *KEPT, *NEITHER], ids=lambda a: a.kind)
@pytest.mark.parametrize("shape", [(2, 3, 2), (3, 6, 5, 2), (2, 4, 4, 4, 1)], ids=str)
def test_order_and_scale_do_not_count_and_anything_else_does(shape, activation):
    for seed in range(12):
        weights, biases = drawn(shape, seed, values=1 + seed % 4)
        form = canonical_form(dense(weights, biases, activation))
        other = rearranged(weights, biases, activation, seed + 100)
        assert canonical_form(dense(*other, activation)) == form
        weights[-1][0, 0] += 1
        first_row = [*weights[0][0], biases[0][0]]
        if any(first_row) or activation not in SCALED:
            assert canonical_form(dense(weights, biases, activation)) != form


@pytest.mark.parametrize("activation", [*SCALED, *KEPT], ids=lambda a: a.kind)
def test_a_factor_that_is_no_power_of_two_does_not_count(activation):
    weights = [np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[6.0, 12.0]])]
    biases = [np.array([-1.0, 0.0]), np.array([0.25])]
    out = np.array([[2.0, 12.0]]) if activation in SCALED else weights[1]
    other = dense([weights[0] * [[3], [1]], out], [biases[0] * [3, 1], biases[1]], activation)
    assert canonical_form(other) == canonical_form(dense(weights, biases, activation))


def with_readout(**options):
    return lambda net: replace(net, readout=adderlab.Readout(**options))


def with_layer(at, **options):
    def change(net):
        layers = list(net.layers)
        layers[at] = replace(layers[at], **options)
        return replace(net, layers=tuple(layers))

    return change


@pytest.mark.parametrize(
    "change",
    [
        with_readout(threshold=0.5, convention=">="),
        with_readout(threshold=0.25),
        with_layer(0, activation=Activation("leaky", slope=0.1)),
        with_layer(1, bias=Dense(np.array([0.0, 1e-30]))),
    ],
    ids=["convention", "threshold", "activation", "bias"],
)
def test_the_smallest_difference_counts(change):
    weights, _ = drawn((2, 3, 2), 1)
    net = dense(weights, [np.array([1.0, 0, -1]), None], Activation("relu"))
    assert canonical_form(change(net)) != canonical_form(net)


def test_a_negative_factor_and_one_too_close_to_another_count():
    def form(first, second, slope=0.1):
        weights = [np.array([[first]]), np.array([[second]])]
        biases = [np.zeros(1), np.zeros(1)]
        return canonical_form(dense(weights, biases, Activation("leaky", slope=slope)))

    assert form(1.0, 1.0) == form(4.0, 0.25)
    assert form(1.0, 1.0) != form(-1.0, -1.0)
    assert form(1.0, 1.0) != form(1.0, 1.0 + 2**-52)
    assert form(1.0, 1.0) != form(1.0, 1.0, slope=0.1 + 2**-54)  # both are printed as 0.1


def test_twins_and_symmetric_wirings_are_told_apart():
    """Units that no color parts: two layers wired one to one, in any order; a network of zeros."""
    ones, wires = np.ones((4, 2)), np.eye(4)
    biases = [np.zeros(4), np.zeros(4), np.zeros(1)]
    for seed in range(6):
        order = random.Random(seed).sample(range(4), 4)
        straight = dense([ones, wires, np.ones((1, 4))], biases, Activation("relu"))
        crossed = dense([ones, wires[order], np.ones((1, 4))], biases, Activation("relu"))
        assert canonical_form(straight) == canonical_form(crossed)
    pairs = wires[[0, 0, 2, 2]]
    paired = dense([ones, pairs, np.ones((1, 4))], biases, Activation("relu"))
    assert canonical_form(paired) != canonical_form(straight)
    zeros = dense([0 * ones, np.zeros((200, 4)), np.zeros((1, 200))],
                  [np.zeros(4), np.zeros(200), None], Activation("relu"))  # fmt: skip
    assert canonical_form(zeros) is not None


def test_format_bias_of_zeros_and_task_do_not_count():
    lecture = construct(task_named("half-adder"), "lecture")
    weights = [layer.weight.exact().to_floats() for layer in lecture.layers]
    biases = [layer.bias.exact().to_floats() for layer in lecture.layers]
    same = [network(weights, biases, readout=0, format=name) for name in ("fp64", "fp16")]
    same.append(network(weights, [biases[0], None], readout=0))
    assert lecture.readout == same[0].readout
    assert {canonical_form(net) for net in same} == {canonical_form(lecture)}


def test_a_graph_is_recognized_as_it_stands():
    def graph(weight, form="fp32"):
        first = Layer(Dense(np.array([[1.0, 2], [2, 1]])), None, Activation("relu"))
        skip = Layer(Dense(np.array([[weight, 1.0, 1, 0]])), None, inputs=("input", "fc1"))
        return Network((first, skip), format=form)

    assert canonical_form(graph(2.0)) == canonical_form(graph(2.0, "fp64"))
    assert canonical_form(graph(2.0)) != canonical_form(graph(3.0))


def test_many_parameters_have_no_form():
    size = MOST_PARAMETERS // 2
    assert canonical_form(network([np.ones((1, size))], [None])) is not None
    assert canonical_form(network([np.ones((3, size))], [None])) is None
