"""Gradients in symbols: the active units, the formulas, and their numbers."""

from __future__ import annotations

import pytest
from strategies import refused

from adderlab.building import lecture_network, printed_network
from adderlab.errors import NetworkError, ResourceError
from adderlab.explaining import backprop_rows, example
from adderlab.explaining.symbols import symbolic_gradients
from adderlab.nets import Activation, network
from adderlab.tasks import task_named

HALF_ADDER = task_named("half-adder")
ROWS = [example(HALF_ADDER, HALF_ADDER.row(at).inputs) for at in range(4)]


def test_the_lectures_rows_have_three_sets_of_active_units():
    symbolic = symbolic_gradients(lecture_network(HALF_ADDER), HALF_ADDER, ROWS)
    assert [(pattern.active, len(pattern.rows)) for pattern in symbolic.patterns] == [
        ((), 1),
        (("h2",), 2),
        (("h1", "h2", "h3"), 1),
    ]
    middle = symbolic.patterns[1].to_dict()["gradients"]
    assert middle["fc1.weight[1,0]"] == (
        "a*(fc2.weight[0,1]*(c1 - t_c1) + fc2.weight[1,1]*(c0 - t_c0))"
    )
    assert middle["fc2.weight[0,1]"] == "h2*(c1 - t_c1)"
    # h1 is off: it passes nothing back, and gives nothing to what it feeds
    assert (middle["fc1.weight[0,0]"], middle["fc2.weight[0,0]"]) == ("0", "0")


@pytest.mark.parametrize("kind", ["relu", "leaky", "tanh", "identity"])
@pytest.mark.parametrize("loss", ["mse", "bce"])
def test_with_numbers_put_in_a_formula_gives_the_gradient(kind, loss):
    net = network(
        [[[1.25, -1], [0.5, 2]], [[1, -0.75], [0.5, 3]]], [[-0.25, 0.5], [0.75, -1]],
        activation=Activation(kind, slope=0.125 if kind == "leaky" else 0), task=HALF_ADDER,
    )  # fmt: skip
    for pattern in symbolic_gradients(net, HALF_ADDER, ROWS, loss=loss).patterns:
        row = example(HALF_ADDER, pattern.rows[0])
        updates = backprop_rows(net, HALF_ADDER, [row], loss=loss).updates
        for gradient, update in zip(pattern.gradients, updates, strict=True):
            assert gradient.key == update.key
            assert float(gradient.value) == pytest.approx(float(update.gradient), abs=2.0**-50)


def test_cross_entropy_keeps_its_usual_name():
    pattern, *_ = symbolic_gradients(printed_network(), HALF_ADDER, ROWS, loss="bce").patterns
    assert pattern.to_dict()["gradients"]["fc2.bias[0]"] == "1/2*(sigmoid(c1) - t_c1)"


def test_steps_and_large_networks_are_refused():
    net = network([[[1, 1]], [[1], [1]]], [[0], [0, 0]], activation=Activation("step"))
    with refused(
        NetworkError,
        "symbols: a step has no gradient, in symbols either; take relu, leaky relu or tanh",
    ):
        _ = symbolic_gradients(net, HALF_ADDER, ROWS)
    wide = network([[[1, 1]] * 60, [[1] * 60] * 2], [[0] * 60, [0, 0]])
    with refused(
        ResourceError,
        "symbols: 302 parameters are too many to derive in symbols; take a network of up to 200",
    ):
        _ = symbolic_gradients(wide, HALF_ADDER, ROWS)
