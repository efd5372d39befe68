"""What units compute, whether a plane parts points, and how designs compare."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW

from adderlab.building import lecture_network, printed_network
from adderlab.explaining.design import compare_with
from adderlab.explaining.separation import is_separable
from adderlab.explaining.units import functions_of, unit_meanings
from adderlab.nets import Activation, network
from adderlab.tasks import task_named

HALF_ADDER = task_named("half-adder")
F = Fraction
LECTURE = lecture_network(HALF_ADDER)


def unit(weights, bias, activation="relu"):
    """Return what the one hidden unit with these weights and bias computes."""
    net = network(
        [[weights], [[1], [1]]], [[bias], [0, 0]],
        activation=Activation(activation), task=HALF_ADDER,
    )  # fmt: skip
    return unit_meanings(net, HALF_ADDER)[0]


@pytest.mark.parametrize(
    ("weights", "bias", "function", "scale"),
    [
        ([1, 1], -1, "a AND b (the carry)", 1),
        ([2, 2], -3.5, "a AND b (the carry)", F(1, 2)),
        ([3, 3], 0, "a + b", 3),
        ([0.5, 0], 0, "a copy of a", F(1, 2)),
        ([0, 2], 0, "a copy of b", 2),
        ([0, 0], 0.75, "a constant", F(3, 4)),
        ([-1, -1], 0, "off", 1),
        ([1, 1], -0.5, None, None),
    ],
)
def test_a_unit_is_recognized_up_to_a_positive_factor(weights, bias, function, scale):
    meaning = unit(weights, bias)
    assert (meaning.function, meaning.scale) == (function, scale)


def test_or_and_xor_are_recognized_where_a_unit_is_on():
    assert unit([1, 1], -0.5).on_where == "a OR b"
    net = network([[[1, 1], [1, 1]], [[1, -2]], [[1], [1]]], [[0, -1], [0], [0, 0]])
    xor = unit_meanings(net, HALF_ADDER)[-1]
    assert (xor.name, xor.function) == ("h2.1", "a XOR b (the output c0)")


@pytest.mark.parametrize(
    ("weights", "bias", "function"),
    [
        ([1, -1], 0, "a AND NOT b"),
        ([-2, 2], 0, "b AND NOT a"),
        ([-1, -1], 1, "a NOR b"),
        ([-1, 0], 1, "NOT a"),
        ([0, -3], 3, "NOT b"),
    ],
)
def test_functions_with_a_not_are_recognized(weights, bias, function):
    assert unit(weights, bias).function == function


@pytest.mark.parametrize(
    ("weights", "bias", "on_where"),
    [
        ([-1, -1], 1.5, "a NAND b"),
        ([-1, 1], 0.5, "a IMPLIES b"),
        ([1, -1], 0.5, "b IMPLIES a"),
        ([1, -1], -0.5, "a AND NOT b"),
        ([-1, -1], 0.5, "a NOR b"),
    ],
)
def test_a_unit_that_is_on_just_where_such_a_function_is_1_says_so(weights, bias, on_where):
    meaning = unit(weights, bias)
    assert meaning.on_where == on_where


def test_all_sixteen_functions_of_two_bits_have_a_name():
    rows = [row for _, row in functions_of(HALF_ADDER, next(HALF_ADDER.blocks(4)))]
    assert set(product((0, 1), repeat=4)) <= set(rows)


def test_what_is_not_on_the_list_is_not_called_something():
    net = network([[[3, 2, 2]], [[1], [1]]], [[-2.5], [0, 0]])
    meaning = unit_meanings(net, task_named("full-adder"))[0]
    assert (meaning.function, meaning.on_where, meaning.rows_on) == (None, None, (3, 4, 5, 6, 7))
    assert meaning.off_by > 0.05


def test_the_carry_of_a_full_adder_is_recognized():
    net = network([[[1, 1, 1], [1, 1, 1]], [[1, -1]], [[1], [0]]], [[-1, -2], [0], [0, 0]])
    carry = unit_meanings(net, task_named("full-adder"))[-1]
    assert carry.function == "the carry"


@pytest.mark.parametrize("bits", range(16))
def test_of_two_bits_all_but_xor_and_its_opposite_can_be_parted(bits):
    points = [(F(a), F(b)) for a, b in product((0, 1), repeat=2)]
    assert is_separable(points, [bool(bits >> at & 1) for at in range(4)]) is (bits not in (6, 9))


@FEW
@given(st.data(), st.integers(1, 4))
def test_points_on_the_sides_of_a_plane_are_separable_and_a_mean_added_makes_them_not(data, size):
    quarters = st.integers(-8, 8).map(lambda point: F(point, 4))
    plane = data.draw(st.lists(quarters, min_size=size, max_size=size))
    points = data.draw(st.lists(st.tuples(*[quarters] * size), min_size=2, max_size=7, unique=True))
    heights = [sum(w * x for w, x in zip(plane, point, strict=True)) for point in points]
    limit = sum(heights) / len(heights) + F(1, 1000)
    sides = [point > limit for point in heights]
    assert is_separable(points, sides)
    ones = [point for point, side in zip(points, sides, strict=True) if side]
    if len(ones) > 1:  # the middle of two ones, called a zero, lies between them
        middle = tuple((x + y) / 2 for x, y in zip(ones[0], ones[1], strict=True))
        assert not is_separable([*points, middle], [*sides, False])


def shuffled(order, factors):
    """Return the lecture's network with its units reordered and scaled."""
    weight = np.array([[1, 1, -1.5], [1, 1, -0.5], [1, 1, -1.5]])
    out = np.array([[1, 0, 0], [0, 1, -2.0]])
    weight, out = weight[order] * np.array(factors)[:, None], out[:, order] / np.array(factors)
    return network(
        [weight[:, :2].tolist(), out.tolist()], [weight[:, 2].tolist(), [0, 0]], task=HALF_ADDER
    )


def test_another_order_and_positive_scales_are_the_same_design():
    comparison = compare_with(shuffled([2, 0, 1], [0.5, 4, 2]), LECTURE, "the lecture's")
    assert comparison.is_same
    assert {pair.scale for pair in comparison.pairs} == {F(1, 2), F(4), F(2)}
    assert [pair.likeness for pair in comparison.pairs] == pytest.approx([1, 1, 1])


def test_one_changed_weight_is_another_design():
    """The negative twin: what goes out of one unit is twice as much."""
    net = network(
        [[[1, 1]] * 3, [[1, 0, 0], [0, 1, -4]]], [[-1.5, -0.5, -1.5], [0, 0]], task=HALF_ADDER
    )
    assert not compare_with(net, LECTURE, "the lecture's").is_same
    assert not compare_with(printed_network(), LECTURE, "the lecture's").is_same


def test_designs_of_other_shapes_are_not_compared():
    deep = network([[[1, 1]], [[1]], [[1], [1]]], [[0], [0], [0, 0]])
    assert compare_with(deep, LECTURE, "x") is None
    tanh = network([[[1, 1]], [[1], [1]]], [[0], [0, 0]], activation=Activation("tanh"))
    assert compare_with(tanh, LECTURE, "x") is None


def test_a_network_of_fewer_units_leaves_designed_ones_without_a_partner():
    other = network([[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]])
    comparison = compare_with(other, LECTURE, "the lecture's")
    assert sorted(pair.unit or 0 for pair in comparison.pairs) == [0, 1, 2]
