"""Histories written by hand: when units died and rows fell silent, which rows are distinguished."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adderlab.building import lecture_network
from adderlab.explaining import backprop_rows, example
from adderlab.explaining.history import STEPS_AT_ONCE, History, find_inactivity, separability
from adderlab.nets import network
from adderlab.tasks import task_named

HALF_ADDER = task_named("half-adder")
BLOCK = next(HALF_ADDER.blocks())
F = Fraction


def history(biases):
    """Return a run in which only the hidden biases move: two units, relu(a + b + bias)."""
    steps = len(biases)
    return History(
        {
            "fc1.weight": np.ones((steps, 2, 2), dtype=np.float32),
            "fc1.bias": np.array(biases, dtype=np.float32),
            "fc2.weight": np.broadcast_to(np.float32([[0.5, 0.25], [0.125, 0.75]]), (steps, 2, 2)),
            "fc2.bias": np.full((steps, 2), 0.375, dtype=np.float32),
        }
    )


NET = network(
    [[[1, 1], [1, 1]], [[0.5, 0.25], [0.125, 0.75]]], [[-3, -1], [0.375, 0.375]], task=HALF_ADDER
)


def test_a_unit_died_when_it_went_off_for_good_not_when_it_was_off_first():
    inactivity = find_inactivity(
        NET, HALF_ADDER, BLOCK, history([[0, 0], [-3, 0], [-1, 0], [-2, 0], [-3, -1]])
    )
    assert [(death.unit, death.step) for death in inactivity.deaths] == [("h1", 3)]


def test_a_row_is_silent_from_the_step_on_at_which_its_last_unit_went_off():
    inactivity = find_inactivity(
        NET, HALF_ADDER, BLOCK, history([[0, 1], [0, 0], [-3, 0], [-3, -1]])
    )
    assert [
        (tuple(silent.row.values()), silent.step, silent.off) for silent in inactivity.silent
    ] == [
        ((0, 0), 1, ("h1", "h2")),
        ((0, 1), 3, ("h1", "h2")),
        ((1, 0), 3, ("h1", "h2")),
    ]


@pytest.mark.parametrize("died", [0, 1, STEPS_AT_ONCE - 1, STEPS_AT_ONCE, STEPS_AT_ONCE + 1])
def test_a_death_is_found_wherever_the_steps_are_cut_into_blocks(died):
    biases = [[0 if step < died else -2, 1] for step in range(2 * STEPS_AT_ONCE)]
    inactivity = find_inactivity(NET, HALF_ADDER, BLOCK, history(biases))
    assert [(death.unit, death.step) for death in inactivity.deaths] == [("h1", died)]


@pytest.mark.parametrize("biases", [[-3, -1], [-1, 0], [0.5, -2]])
def test_silent_rows_are_what_exact_backprop_says(biases):
    net = network(
        [[[1, 1], [1, 1]], [[0.5, 0.25], [0.125, 0.75]]], [biases, [0.375, 0.375]], task=HALF_ADDER
    )
    inactivity = find_inactivity(net, HALF_ADDER, BLOCK, history([biases]))
    silent = [tuple(row.row.values()) for row in inactivity.silent]
    for at in range(4):
        row = example(HALF_ADDER, HALF_ADDER.row(at).inputs)
        (passes,) = backprop_rows(net, HALF_ADDER, [row]).rows
        reached = any(passes.gradient(name) for name in ("z1", "z2"))
        assert (tuple(row.inputs.values()) in silent) is not reached


def test_rows_of_equal_hidden_values_are_one_to_the_last_layer():
    hidden = separability(lecture_network(HALF_ADDER), HALF_ADDER, BLOCK)
    assert [(group.rows, group.conflict) for group in hidden.groups] == [
        ((0,), False),
        ((1, 2), False),
        ((3,), False),
    ]
    assert hidden.readable == {"c1": True, "c0": True}  # the last layer alone is to blame


def test_rows_that_need_different_outputs_but_look_alike_can_not_be_read():
    blind = network([[[0, 1]], [[1], [1]]], [[0], [0, 0]], task=HALF_ADDER)  # sees b alone
    hidden = separability(blind, HALF_ADDER, BLOCK)
    assert [(group.rows, group.conflict) for group in hidden.groups] == [
        ((0, 2), True),
        ((1, 3), True),
    ]
    assert hidden.readable == {"c1": False, "c0": False}


def test_values_may_all_differ_and_still_not_be_readable():
    line = network([[[1, 1]], [[1], [1]]], [[0], [0, 0]], task=HALF_ADDER)  # h = a + b
    hidden = separability(line, HALF_ADDER, BLOCK)
    assert hidden.readable == {"c1": True, "c0": False}
    assert [group.values for group in hidden.groups] == [(F(0),), (F(1),), (F(2),)]
