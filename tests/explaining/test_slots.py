"""The two slots as PyTorch keeps them: against PyTorch itself, run here once more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from strategies import refused
from torch import nn

from adderlab.building import lecture_network
from adderlab.building.adders import prefix_adder
from adderlab.errors import NetworkError, OptionError, ResourceError
from adderlab.explaining import backprop_rows, example
from adderlab.explaining.slots import LOSS_STEPS, run_slots
from adderlab.nets import Activation, network
from adderlab.nets.modules import to_module
from adderlab.tasks import task_named

HALF_ADDER = task_named("half-adder")
ROWS = [example(HALF_ADDER, HALF_ADDER.row(at).inputs) for at in range(4)]
LECTURE = lecture_network(HALF_ADDER)


@pytest.fixture(scope="module")
def run():
    return run_slots(LECTURE, ROWS)


def test_every_slot_and_loss_is_that_of_the_loop_written_out(run):
    raw = network([[[1, 1], [1, 1], [1, 1]], [[1, 0, 0], [0, 1, -2]]], [[-1.5, -0.5, -1.5], [0, 0]])
    for zero_grad, iterations in ((True, run.with_zero_grad), (False, run.without_zero_grad)):
        model = to_module(raw)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x = torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        y = torch.tensor([[0.0, 0], [0, 1], [0, 1], [1, 0]])
        for iteration in iterations:
            loss = nn.MSELoss()(model(x), y)
            assert iteration.loss == loss.item()
            if zero_grad:
                optimizer.zero_grad()
                assert all(
                    parameter is None
                    for parameter in iteration.after("zero_grad()").gradient.values()
                )
            loss.backward()
            for name, parameter in model.named_parameters():
                assert iteration.after("backward()").gradient[name] == parameter.grad.tolist()
            optimizer.step()
            for name, parameter in model.named_parameters():
                assert iteration.after("step()").w[name] == parameter.tolist()
                assert iteration.after("step()").gradient[name] == parameter.grad.tolist()


def test_the_first_gradients_are_those_of_the_step_by_step_table(run):
    exact = backprop_rows(LECTURE, HALF_ADDER, ROWS).gradients
    slots = run.with_zero_grad[0].after("backward()").gradient
    for name, nested in exact.items():
        assert np.array(slots[name]) == pytest.approx(np.array(nested, dtype=float))


def test_without_zero_grad_a_slot_holds_the_sum_of_all_gradients(run):
    first, second = run.without_zero_grad[:2]
    fresh = run.with_zero_grad[1].after("backward()").gradient["fc2.bias"]
    before = first.after("step()").gradient["fc2.bias"]
    after = second.after("backward()").gradient["fc2.bias"]
    assert np.array(after) == pytest.approx(np.array(before) + np.array(fresh))  # same w so far


def test_zero_grad_leaves_none_or_zeros(run):
    assert run.left_by_default == "None"
    assert run.left_by_zero == "tensor([0., 0.])"


def test_a_parameter_left_out_is_neither_emptied_nor_moved(run):
    assert run.forgotten == "fc2.bias"
    start = run.forgotten_run[0].after("start").w["fc2.bias"]
    sizes: list[float] = []
    for iteration in run.forgotten_run:
        assert iteration.after("step()").w["fc2.bias"] == start
        sizes.append(abs(iteration.after("backward()").gradient["fc2.bias"][0]))
        assert iteration.after("step()").w["fc2.weight"] != iteration.after("start").w["fc2.weight"]
    assert sizes == sorted(sizes)
    assert run.forgotten_run[1].after("zero_grad()").gradient["fc2.bias"] is not None
    assert run.forgotten_run[1].after("zero_grad()").gradient["fc1.bias"] is None


def test_the_step_readouts_message_is_pytorchs_own(run):
    bits = (nn.Linear(2, 2)(torch.ones(1, 2)) > 0).float()
    with pytest.raises(RuntimeError) as raised:
        bits.sum().backward()
    assert run.step_message == str(raised.value)


def test_the_loss_without_zero_grad_rises_and_the_other_never_does(run):
    assert len(run.losses_with) == len(run.losses_without) == LOSS_STEPS
    assert all(b <= a for a, b in zip(run.losses_with, run.losses_with[1:], strict=False))
    assert any(b > a for a, b in zip(run.losses_without, run.losses_without[1:], strict=False))


def test_a_deeper_networks_parameters_keep_their_names():
    net = network([[[1, 1]], [[2]], [[1], [3]]], [[0], None, [0, 1]], activation=Activation("tanh"))
    run = run_slots(net, ROWS, iterations=1)
    assert list(run.with_zero_grad[0].moments[0].w) == [
        "fc1.weight", "fc1.bias", "fc2.weight", "fc3.weight", "fc3.bias",
    ]  # fmt: skip


def test_what_pytorch_can_not_run_is_refused():
    with refused(OptionError, "iterations: got 21; give a whole number in 1..20"):
        _ = run_slots(LECTURE, ROWS, iterations=21)
    wide = network([[[1, 1]] * 60, [[1] * 60] * 2], [[0] * 60, [0, 0]])
    with refused(
        ResourceError,
        "slots: 302 parameters are too many to show two slots of each; take a network of up to 200",
    ):
        _ = run_slots(wide, ROWS)
    stepped = network([[[1, 1]], [[1], [1]]], [[0], [0, 0]])
    last = replace(stepped.layers[-1], activation=Activation("step"))
    with refused(
        NetworkError,
        "slots: the last layer is a step, behind which nothing has a gradient; "
        "take a network with raw outputs",
    ):
        _ = run_slots(replace(stepped, layers=(stepped.layers[0], last)), ROWS)


@pytest.mark.parametrize("format_name", ["fp32", "fp64", "bf16", "int8"])
def test_a_sparse_network_runs_as_its_dense_twin(format_name):
    sparse = prefix_adder(task_named("adder:1"), format_name)
    dense = network(
        [layer.weight.exact().to_floats().tolist() for layer in sparse.layers],
        [
            None if layer.bias is None else layer.bias.exact().to_floats().tolist()
            for layer in sparse.layers
        ],
        activation=sparse.layers[0].activation,
        format=format_name,
    )
    run, twin = run_slots(sparse, ROWS), run_slots(dense, ROWS)
    assert (run.made_dense, twin.made_dense) == (True, False)
    assert run.with_zero_grad == twin.with_zero_grad
    assert run.losses_without == twin.losses_without
    assert (
        run.with_zero_grad[0].moments[0].w["fc1.weight"] == dense.layers[0].weight.numbers.tolist()
    )
