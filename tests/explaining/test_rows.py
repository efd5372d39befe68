"""Backpropagation against PyTorch's autograd, against SymPy, and by hand."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, MANY, any_networks, graphs, named_tasks, networks, refused
from torch import nn

from adderlab.building import lecture_network, printed_network
from adderlab.errors import OptionError, ResourceError, TaskError
from adderlab.explaining import NOT_COMPUTED, backprop_rows, example
from adderlab.explaining.autograd import compare
from adderlab.explaining.backprop import backward
from adderlab.explaining.graph import forward, parameters_of
from adderlab.explaining.results import Update
from adderlab.explaining.symbols import symbolic_gradients
from adderlab.nets import Activation, Network, network
from adderlab.nets.tensors import Sparse
from adderlab.tasks import Task, task_named
from adderlab.tasks.tables import parse_table

HALF_ADDER = task_named("half-adder")
F = Fraction
ROUNDING = 2.0**-44
"""Relative to the largest figure: some hundred roundings of float64."""


def by_autograd(net: Network, rows: Any, loss: str) -> dict[str, Any]:
    """Return dL/dw of every tensor by PyTorch, from modules and not from our forward pass."""
    x = torch.tensor([row.bits for row in rows], dtype=torch.float64)
    values = {"input": x}
    linears: list[nn.Linear] = []
    for number, layer in enumerate(net.layers):
        linear = nn.Linear(layer.n_in, layer.n_out, bias=layer.bias is not None).double()
        linear.weight.data = torch.from_numpy(layer.weight.exact().to_floats())
        if layer.bias is not None:
            linear.bias.data = torch.from_numpy(layer.bias.exact().to_floats())
        linears.append(linear)
        kinds = {
            "identity": nn.Identity,
            "relu": nn.ReLU,
            "tanh": nn.Tanh,
            "leaky": lambda slope=layer.activation.slope: nn.LeakyReLU(slope),
        }
        reads = layer.inputs or (list(values)[-1],)
        given_values = torch.cat([values[name] for name in reads], dim=1)
        values[f"fc{number + 1}"] = kinds[layer.activation.kind]()(linear(given_values))
    y = torch.cat([values[name] for name in net.outputs or (list(values)[-1],)], dim=1)
    expected = torch.tensor(
        [[np.nan if t is None else t for t in row.targets] for row in rows], dtype=torch.float64
    )
    expected = torch.where(expected.isnan(), y.detach(), expected)
    criterion = nn.MSELoss() if loss == "mse" else nn.BCEWithLogitsLoss()
    criterion(y, expected).backward()
    gradients: dict[str, Any] = {}
    for number, linear in enumerate(linears, 1):
        gradients[f"fc{number}.weight"] = linear.weight.grad.numpy()
        if linear.bias is not None:
            gradients[f"fc{number}.bias"] = linear.bias.grad.numpy()
    return gradients


def smooth(net: Network) -> bool:
    kinds = {layer.activation.kind for layer in net.layers}
    return kinds <= {"identity", "relu", "leaky", "tanh"}


def some_rows(data: st.DataObject, task: Task, most: int = 3):
    numbers = st.lists(st.integers(0, task.rows - 1), min_size=1, max_size=most)
    return [example(task, task.row(at).inputs) for at in data.draw(numbers)]


@MANY
@given(
    any_networks(task=named_tasks(max_in=3), tame=True).filter(smooth),
    st.sampled_from(["mse", "bce"]),
    st.data(),
)
def test_gradients_are_autograds_to_rounding(net, loss, data):
    rows = some_rows(data, net.task)
    backprop = backprop_rows(net, net.task, rows, loss=loss)
    theirs = by_autograd(net, rows, loss)
    for name, tensor in net.tensors():
        ours = backprop.gradients[name]
        for index, reference in np.ndenumerate(theirs[name]):
            gradient = ours[index[0]] if len(index) == 1 else ours[index[0]][index[1]]
            if gradient is None:
                assert isinstance(tensor, Sparse)
                continue
            scale = max(1.0, float(np.abs(theirs[name]).max()))
            assert abs(float(gradient) - reference) <= ROUNDING * scale


@MANY
@given(
    any_networks(task=named_tasks(max_in=3), tame=True), st.sampled_from(["mse", "bce"]), st.data()
)
def test_every_figure_agrees_with_pytorch_to_rounding_steps_included(net, loss, data):
    backprop = backprop_rows(net, net.task, some_rows(data, net.task), loss=loss)
    assert backprop.agreement.relative is not None
    assert backprop.agreement.relative <= ROUNDING
    assert backprop.agreement.figures >= len(backprop.updates)


@FEW
@given(
    (
        networks(task=named_tasks(max_in=2), tame=True, tanh=False, max_depth=2)
        | graphs(task=named_tasks(max_in=2), tame=True, tanh=False)
    ).filter(smooth),
    st.data(),
)
def test_exact_fractions_are_the_symbolic_derivatives(net, data):
    rows = some_rows(data, net.task, most=2)
    for pattern in symbolic_gradients(net, net.task, rows).patterns:
        backprop = backprop_rows(net, net.task, [example(net.task, pattern.rows[0])])
        exact = {update.key: update.gradient for update in backprop.updates}
        assert all(isinstance(gradient, Fraction) for gradient in exact.values())
        assert {gradient.key: gradient.value for gradient in pattern.gradients} == exact


@FEW
@given(networks(task=named_tasks(max_in=3), tame=True, tanh=False).filter(smooth), st.data())
def test_the_batchs_gradient_is_the_mean_of_its_rows_gradients(net, data):
    rows = some_rows(data, net.task)
    together = backprop_rows(net, net.task, rows)
    alone = [backprop_rows(net, net.task, [row]) for row in rows]
    for at, update in enumerate(together.updates):
        assert update.gradient == sum(single.updates[at].gradient for single in alone) / len(rows)
    assert together.loss == sum(single.loss for single in alone) / len(rows)


def test_a_gradient_is_what_a_finite_difference_says_exactly():
    """The loss is quadratic in each weight of the last layer: the central difference is exact."""
    net = printed_network()
    row = example(HALF_ADDER, {"a": 1, "b": 0})
    exact = parameters_of(net)
    backprop = backprop_rows(net, HALF_ADDER, [row])
    for update in backprop.updates:
        if update.key[0].startswith("fc2"):
            ends = [
                forward(
                    net, HALF_ADDER, {**exact, update.key: update.now + nudge},
                    row.bits, row.targets, "mse",
                ).loss.number
                for nudge in (F(1), F(-1))
            ]  # fmt: skip
            assert update.gradient == (ends[0] - ends[1]) / 2


def test_the_lectures_wrong_row_by_hand():
    backprop = backprop_rows(
        lecture_network(HALF_ADDER), HALF_ADDER, [example(HALF_ADDER, {"a": 1, "b": 1})]
    )
    assert backprop.loss == F(1, 4)  # ((1/2 - 1)^2 + (1/2 - 0)^2) / 2: the mean over both outputs
    assert backprop.gradients["fc2.weight"] == [
        [F(-1, 4), F(-3, 4), F(-1, 4)],
        [F(1, 4), F(3, 4), F(1, 4)],
    ]
    assert backprop.gradients["fc2.bias"] == [F(-1, 2), F(1, 2)]
    assert backprop.gradients["fc1.bias"] == [F(-1, 2), F(1, 2), F(-1)]
    (weight,) = (update for update in backprop.updates if update.name == "fc2.weight[1,2]")
    assert (weight.now, weight.next) == (F(-2), F(-81, 40))  # -2 - 1/10 * 1/4
    steps = {step.name.text: step for step in backprop.rows[0].steps}
    assert str(steps["c0"].formula) == (
        "fc2.weight[1,0]*h1 + fc2.weight[1,1]*h2 + fc2.weight[1,2]*h3 + fc2.bias[1]"
    )
    assert str(steps["L"].formula) == "((c1 - 1)^2 + (c0 - 0)^2)/2"
    assert [(flow.new.text, flow.gradient, flow.derivative) for flow in steps["h3"].flows] == [
        ("c1", F(-1, 2), F(0)),
        ("c0", F(1, 2), F(-2)),
    ]


def test_another_target_turns_the_gradient_around():
    net = lecture_network(HALF_ADDER)
    three = backprop_rows(net, HALF_ADDER, [example(HALF_ADDER, {"a": 1, "b": 1}, {"c": 3})])
    assert three.gradients["fc2.bias"] == [F(-1, 2), F(-1, 2)]


def test_relu_at_exactly_0_follows_pytorch_and_is_pointed_out():
    net = network([[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 1]], task=HALF_ADDER)
    backprop = backprop_rows(net, HALF_ADDER, [example(HALF_ADDER, {"a": 0, "b": 0})])
    z = torch.zeros((), dtype=torch.float64, requires_grad=True)
    torch.relu(z).backward()
    (unit,) = (step for step in backprop.rows[0].steps if step.name.text == "h1")
    assert unit.slopes[0].derivative == float(z.grad) == 0
    assert backprop.rows[0].notes == (
        "z1 is exactly 0: relu has no derivative there, PyTorch takes 0",
    )
    assert backprop.agreement.difference <= 2.0**-52


def test_leaky_relu_at_exactly_0_takes_the_slope_as_pytorch_does():
    net = network(
        [[[1, 1]], [[1], [3]]], [[0], [0, 1]],
        activation=Activation("leaky", slope=0.125), task=HALF_ADDER,
    )  # fmt: skip
    backprop = backprop_rows(net, HALF_ADDER, [example(HALF_ADDER, {"a": 0, "b": 0})])
    assert backprop.rows[0].gradient("z1") == F(3, 8)
    assert backprop.rows[0].notes == (
        "z1 is exactly 0: leaky relu has no derivative there, PyTorch takes the slope",
    )
    assert backprop.agreement.difference <= 2.0**-52


def test_behind_a_step_no_gradient_is_computed_and_none_reads_as_0():
    net = network(
        [[[1, 1], [1, 2]], [[1, 2], [3, 1]]], [[-1, 0], [0, 0]],
        activation=Activation("step"), task=HALF_ADDER,
    )  # fmt: skip
    backprop = backprop_rows(net, HALF_ADDER, [example(HALF_ADDER, {"a": 1, "b": 0})])
    assert backprop.gradients["fc1.weight"] == [[None, None], [None, None]]
    assert backprop.gradients["fc2.bias"] != [None, None]
    written = backprop.to_dict()
    assert written["gradients"]["fc1.bias"] == [None, None]
    (first, *_) = (update for update in written["updates"] if update["name"] == "fc1.bias[0]")
    assert first["gradient"] == {"value": None, "exact": None, "text": NOT_COMPUTED}
    assert first["next"] == first["now"]


def test_before_the_way_back_every_gradient_is_not_computed_yet():
    net = lecture_network(HALF_ADDER)
    row = example(HALF_ADDER, {"a": 1, "b": 1})
    graph = forward(net, HALF_ADDER, parameters_of(net), row.bits, row.targets, "mse")
    assert {value.gradient for value in graph.values} == {None}
    backward(graph.values)
    assert None not in {value.gradient for value in graph.values}


def test_an_output_that_may_be_anything_costs_nothing():
    task = parse_table("in a:1,out p:2\n0,1\n1,*\n", where="free.csv")
    net = network([[[1], [2]]], [[0, 1]], task=task)
    backprop = backprop_rows(net, task, [example(task, {"a": 1})])
    assert (backprop.loss, backprop.gradients["fc1.bias"]) == (0, [0, 0])


def test_a_wrong_figure_is_found_by_the_comparison():
    """The negative twin: one gradient off by 2^-20 is a difference of 2^-20."""
    net = lecture_network(HALF_ADDER)
    row = example(HALF_ADDER, {"a": 1, "b": 1})
    graph = forward(net, HALF_ADDER, parameters_of(net), row.bits, row.targets, "mse")
    backward(graph.values)
    right = backprop_rows(net, HALF_ADDER, [row])
    updates = [
        Update(update.key, update.now, update.gradient + F(1, 1 << 20), update.next)
        if update.name == "fc1.bias[1]"
        else update
        for update in right.updates
    ]
    agreement = compare(net, [graph], [row.bits], [row.targets], "mse", F(1, 10), updates)
    assert agreement.where == "dL/dfc1.bias[1]"
    assert agreement.difference == pytest.approx(2.0**-20, rel=1e-6)


def test_a_tasks_names_that_are_names_of_units_stay_distinct():
    task = parse_table("in h1:1,out L:1\n0,0\n1,1\n", where="names.csv")
    net = network([[[1]], [[1]]], [[0], [0]], task=task)
    backprop = backprop_rows(net, task, [example(task, {"h1": 1})])
    names = [step.name.text for step in backprop.rows[0].steps if step.kind != "parameter"]
    assert names == ["h1", "z1", "h1'", "L'", "L"]
    assert len(set(names)) == len(names)


def test_numbers_beyond_float64_stay_exact_and_are_not_compared():
    net = network([[[10**400, 1]], [[1], [1]]], [[0], [0, 0]], task=HALF_ADDER, format="wide")
    backprop = backprop_rows(net, HALF_ADDER, [example(HALF_ADDER, {"a": 1, "b": 0})])
    assert backprop.gradients["fc2.bias"][0] == 10**400
    assert backprop.agreement.difference is None
    assert backprop.agreement.reason == "there are numbers beyond float64 among them"


def test_what_can_not_be_explained_is_refused():
    net = lecture_network(HALF_ADDER)
    row = example(HALF_ADDER, {"a": 1, "b": 1})
    with refused(OptionError, "loss: got hinge; give one of mse, bce"):
        _ = backprop_rows(net, HALF_ADDER, [row], loss="hinge")
    with refused(OptionError, "lr: got 0; give a number above 0"):
        _ = backprop_rows(net, HALF_ADDER, [row], lr=F(0))
    with refused(OptionError, "input: no rows; give at least one"):
        _ = backprop_rows(net, HALF_ADDER, [])
    with refused(
        ResourceError,
        "explain: 1200 rows of 17 parameters are too many to list; "
        "take fewer rows: rows times parameters up to 20000",
    ):
        _ = backprop_rows(net, HALF_ADDER, [row] * 1200)
    with refused(
        TaskError,
        "target: half-adder gives c in 0..3, got c = 4; give a whole number for each word",
    ):
        _ = example(HALF_ADDER, {"a": 1, "b": 1}, {"c": 4})
