"""Exact evaluation against ten lines of fractions, and enclosures of tanh against mpmath."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
from exact import activated, bit_of, layer_values, raw_outputs
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, MANY, fractions_of, graphs, input_rows, networks, refused, tables

from adderlab.errors import NetworkError
from adderlab.nets import evaluation
from adderlab.nets.activations import Activation
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.evaluation import (
    affine,
    enclose_row,
    is_exact,
    outputs,
    row_ends,
    trace,
)
from adderlab.nets.network import Layer, Network, network
from adderlab.nets.readout import EXACT, Readout, read_bits
from adderlab.nets.tensors import Dense, Packed, Sparse, Wide
from adderlab.nets.truth import truth_rows
from adderlab.tasks import Task, task_named


def rows_of(values: Dyadic) -> list[list[Fraction]]:
    return [[values.at(i, j) for j in range(values.shape[1])] for i in range(values.shape[0])]


# --- exact evaluation ---------------------------------------------------------------------------


@MANY
@given(data=st.data(), tame=st.booleans())
def test_every_layer_of_any_network_is_evaluated_exactly(data: st.DataObject, tame: bool) -> None:
    net = data.draw(networks(tanh=False, tame=tame) | graphs(tanh=False, tame=tame))
    inputs = data.draw(input_rows(net))
    layers = [layer_values(net, row) for row in inputs]
    steps = list(trace(net, inputs))
    assert len(steps) == net.depth
    for number, step in enumerate(steps):
        assert rows_of(step.sums) == [row[number][0] for row in layers]
        assert rows_of(step.values) == [row[number][1] for row in layers]
    raw = outputs(net, inputs)
    bits, is_bit = read_bits(net.readout, raw)
    ends = [raw_outputs(net, row) for row in inputs]
    assert rows_of(raw) == ends
    expected = [[bit_of(net.readout, value) for value in values] for values in ends]
    assert bits.dtype == np.uint8
    assert is_bit.tolist() == [[bit is not None for bit in row] for row in expected]
    assert bits.tolist() == [[bit or 0 for bit in row] for row in expected]


LECTURE = network(
    [[[1, 1], [1, 1], [0.5, 0.25]], [[0, 2, -1], [1, 1, -3]]],
    [[0, -1, -0.5], [0.125, -0.5]],
    task=task_named("half-adder"),
)


@pytest.mark.parametrize("bits", [10, 51, 52, 53, 61, 62, 63, 80, 1100])
def test_numbers_of_any_size_meet_without_rounding(bits: int) -> None:
    """A weight of 2**bits + 1 less one of 2**bits leaves 1, and a hair decides at the threshold."""
    weights = [[[(1 << bits) + 1, -(1 << bits)]], [[1], [-1]]]
    net = network(weights, [[0], [0, 1]], format="wide")
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.uint8)
    big = (1 << bits) + 1
    assert rows_of(outputs(net, inputs)) == [[0, 1], [0, 1], [big, 1 - big], [1, 0]]
    bits_read, is_bit = read_bits(EXACT, outputs(net, inputs))
    assert bits_read.tolist() == [[0, 1], [0, 1], [0, 0], [1, 0]]
    assert is_bit.tolist() == [[True, True], [True, True], [False, False], [True, True]]


def test_a_double_at_each_end_of_the_range_is_no_trouble() -> None:
    tiny, huge = 5e-324, 1.7976931348623157e308
    net = network([[[huge, tiny]]], [[-huge]], format="fp64")
    got = outputs(net, np.array([[1, 0], [1, 1]], dtype=np.uint8))
    assert rows_of(got) == [[0], [Fraction(tiny)]]
    bits, _ = read_bits(Readout(threshold=0.0), got)
    assert bits.tolist() == [[0], [1]]


@pytest.mark.parametrize("entries", [0, 1, 7])
@pytest.mark.parametrize("limit", [1, 3, 1 << 22])
def test_a_sparse_layer_gives_what_its_dense_twin_gives_however_it_is_cut(
    entries: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "GATHER_LIMIT", limit)
    pointers = {0: [0, 0, 0, 0, 0], 1: [0, 0, 1, 1, 1], 7: [0, 3, 3, 6, 7]}[entries]
    columns = [0, 2, 4, 1, 2, 3, 4][:entries]
    for scale in (1, 1 << 40, *(1 << bits for bits in range(56, 64)), 1 << 90):
        numbers = np.array([scale * n for n in (3, 5, 7, -2, -9, -4, 11)[:entries]], dtype=object)
        weight = Sparse((4, 5), np.array(pointers, np.uint8), np.array(columns, np.uint16),
                        Wide.of(numbers))  # fmt: skip
        twin = np.empty((4, 5), dtype=object)
        for index, value in np.ndenumerate(fractions_of(weight)):
            twin[index] = int(value)
        inputs = np.array([[1, 0, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 0]], dtype=np.uint8)
        bias = Packed(np.array([1, -2, 3, -4]), 3)
        got = outputs(Network((Layer(weight, bias),)), inputs)
        assert rows_of(got) == rows_of(outputs(Network((Layer(Wide.of(twin), bias),)), inputs))
        assert rows_of(got)[2] == [1, -2, 3, -4]


def test_a_layer_is_its_affine_map_then_its_activation() -> None:
    layer = LECTURE.layers[0]
    values = Dyadic(np.array([[1, 1], [0, 1]]))
    sums = affine(layer, values)
    assert rows_of(sums) == [[2, 1, Fraction(1, 4)], [1, 0, Fraction(-1, 4)]]
    assert rows_of(layer.activation.exact(sums)) == [[2, 1, Fraction(1, 4)], [1, 0, 0]]


def test_no_rows_give_no_outputs() -> None:
    got = outputs(LECTURE, np.zeros((0, 2), dtype=np.uint8))
    assert got.shape == (0, 2)
    assert read_bits(LECTURE.readout, got)[0].shape == (0, 2)


@pytest.mark.parametrize("convention", [">", ">="])
@pytest.mark.parametrize("threshold", [0.5, 0.0, -0.75, 3.0])
def test_an_output_on_the_threshold_follows_the_readouts_convention(
    threshold: float, convention: Any
) -> None:
    hair = 2.0**-900
    weight = [[threshold + hair if threshold == 0 else threshold * (1 + 2.0**-52)], [threshold]]
    readout = Readout(threshold=threshold, convention=convention)
    net = network([weight], [None], format="fp64", readout=readout)
    raw = outputs(net, np.array([[1]], dtype=np.uint8))
    bits, is_bit = read_bits(net.readout, raw)
    above = int(threshold >= 0)  # a larger magnitude is below a negative threshold
    assert bits.tolist() == [[above, int(convention == ">=")]]
    assert is_bit.all()


@pytest.mark.parametrize("convention", [">", ">="])
def test_a_step_at_0_follows_its_own_convention(convention: Any) -> None:
    step = Activation("step", convention=convention)
    net = network([[[1, -1], [2, 2]], [[3, 5]]], [[0, -2], [0.25]], activation=step)
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.uint8)
    at_0 = int(convention == ">=")
    first = [at_0, 0, 1, at_0]
    second = [0, at_0, at_0, 1]
    pairs = zip(first, second, strict=True)
    expected = [[3 * left + 5 * right + Fraction(1, 4)] for left, right in pairs]
    assert rows_of(outputs(net, inputs)) == expected


def test_only_0_and_1_as_they_stand_are_bits_of_an_exact_readout() -> None:
    hair = Fraction(1, 2**1000)
    values = [Fraction(0), Fraction(1), hair, -hair, 1 - hair, 1 + hair, Fraction(-1), Fraction(2)]
    raw = Dyadic(np.array([[int(value * 2**1000) for value in values]], dtype=object), -1000)
    bits, is_bit = read_bits(EXACT, raw)
    assert bits.tolist() == [[0, 1, 0, 0, 0, 0, 0, 0]]
    assert is_bit.tolist() == [[True, True, *[False] * 6]]


@pytest.mark.parametrize("shape", [(3,), (4, 3), (4, 1), (1, 2, 2)])
def test_rows_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with refused(
        NetworkError,
        f"inputs: rows of shape {list(shape)} for a network of 2 inputs; give shape [batch, 2]",
    ):
        _ = outputs(LECTURE, np.zeros(shape, dtype=np.uint8))


def test_tanh_has_no_exact_outputs() -> None:
    net = network([[[1, 2]], [[3]]], [None, None], activation=Activation("tanh"))
    assert not is_exact(net)
    assert is_exact(LECTURE)
    with refused(NetworkError, "activation: the values of tanh are no fractions; enclose them"):
        _ = outputs(net, np.array([[1, 0]], dtype=np.uint8))


# --- enclosures ---------------------------------------------------------------------------------

DIGITS = 120
"""Decimal digits of the reference, about twice those of an enclosure's 200 bits."""


def activated_by_mpmath(activation: Activation, total: Fraction) -> Fraction:
    """The activation, tanh to some hundred digits."""
    return tanh(total) if activation.kind == "tanh" else activated(activation, total)


def tanh(value: Fraction) -> Fraction:
    with mpmath.workdps(DIGITS):
        x = mpmath.mpf(value.numerator) / value.denominator
        sign, mantissa, exponent, _ = mpmath.tanh(x)._mpf_
    return Fraction(-1 if sign else 1) * int(mantissa) * Fraction(2) ** int(exponent)


SLACK = Fraction(1, 10 ** (DIGITS - 10))
"""What the reference may be off by, on the way through layers of weights below 200."""


@MANY
@given(data=st.data(), precision=st.sampled_from([53, 100, 200, 300]))
def test_enclosures_hold_the_outputs_and_are_narrow(data: st.DataObject, precision: int) -> None:
    """Steps after tanh jump at 0, where the reference itself may be off; they come first."""
    kinds = st.sampled_from(["tanh", "relu", "leaky", "identity"])
    net = data.draw(networks(tame=True) | graphs(tame=True))
    layers = [
        Layer(layer.weight, layer.bias,
              Activation(data.draw(kinds), slope=data.draw(st.sampled_from([-0.5, 0.125]))),
              layer.inputs)
        for layer in net.layers
    ]  # fmt: skip
    layers[0] = Layer(layers[0].weight, layers[0].bias, Activation("tanh"))
    net = Network(tuple(layers), outputs=net.outputs)
    (row,) = data.draw(input_rows(net, max_rows=1))[:1]
    ends = enclose_row(net, row, precision=precision)
    assert len(ends) == net.n_out
    for (low, high), value in zip(ends, raw_outputs(net, row, activated_by_mpmath), strict=True):
        assert low - SLACK <= value <= high + SLACK
        assert high - low <= Fraction(2) ** (60 - precision)


@MANY
@given(data=st.data())
def test_enclosures_of_a_network_without_tanh_hold_its_exact_outputs(data: st.DataObject) -> None:
    net = data.draw(networks(tanh=False) | graphs(tanh=False))
    row = data.draw(input_rows(net, max_rows=1))[:1]
    exact = outputs(net, row)
    for j, (low, high) in enumerate(enclose_row(net, row[0], precision=100)):
        assert low <= exact.at(0, j) <= high


def test_an_enclosure_of_few_bits_holds_a_weight_of_many() -> None:
    big = 3**200
    net = network([[[2**60 + 1, big]]], [[-7]], format="wide")
    for precision in (20, 53, 400):
        ((low, high),) = enclose_row(net, np.array([1, 1], dtype=np.uint8), precision=precision)
        assert low <= 2**60 + 1 + big - 7 <= high
        assert (low == high) == (precision == 400)


def test_a_negative_slope_encloses_its_lowest_value_at_0() -> None:
    """tanh 1 + tanh -1 is 0, but its enclosure reaches to both sides, where leaky is positive."""
    tanh_layer = Layer(Dense(np.float32([[1], [-1]])), None, Activation("tanh"))
    total = Layer(Dense(np.float32([[1, 1]])), None, Activation())
    ((low, high),) = enclose_row(Network((tanh_layer, total)), np.array([1], np.uint8))
    assert low < 0 < high
    folded = Layer(total.weight, None, Activation("leaky", slope=-0.5))
    ((low, high),) = enclose_row(Network((tanh_layer, folded)), np.array([1], np.uint8))
    assert low <= 0 < high


def test_a_step_of_an_open_sum_is_both_0_and_1() -> None:
    tanh_layer = Layer(Dense(np.float32([[1], [-1]])), None, Activation("tanh"))
    for convention in (">", ">="):
        step = Activation("step", convention=convention)  # type: ignore[arg-type]
        net = Network((tanh_layer, Layer(Dense(np.float32([[1, 1]])), None, step)))
        ((low, high),) = enclose_row(net, np.array([1], np.uint8))
        assert -Fraction(1, 2**20) < low <= 0
        assert 1 <= high < 1 + Fraction(1, 2**20)
        assert enclose_row(net, np.array([0], np.uint8)) == [(int(convention == ">="),) * 2]


def test_far_sums_saturate_without_losing_the_side_they_are_on() -> None:
    weights = np.array([[200], [-200], [1e30], [1.7e308], [-1.7e308]])
    net = Network((Layer(Dense(weights), None, Activation("tanh")),))
    entry, minus, *far = enclose_row(net, np.array([1], np.uint8), precision=1000)
    assert 1 - Fraction(1, 2**500) < entry[0] <= entry[1] < 1
    assert -1 < minus[0] <= minus[1] < Fraction(1, 2**500) - 1
    for (low, high), limit in zip(far, (1, 1, -1), strict=True):
        assert limit - Fraction(1, 2**900) < low <= limit <= high < limit + Fraction(1, 2**900)


# --- the truth table ----------------------------------------------------------------------------


@FEW
@given(data=st.data())
def test_the_truth_table_is_the_evaluation_row_by_row(data: st.DataObject) -> None:
    task = data.draw(tables())
    net = data.draw(networks(task=st.just(task), tanh=False, tame=True, max_depth=2))
    result = list(truth_rows(net, task))
    assert [row.index for row in result] == list(range(task.rows))
    for row in result:
        task_row = task.row(row.index)
        assert row.inputs == task_row.inputs
        bits = [
            None if task_row.outputs[word.name] is None else int(bit)
            for word in task.outputs
            for bit in format(task_row.outputs[word.name] or 0, f"0{word.width}b")
        ]
        text = "".join(
            format(task_row.inputs[word.name], f"0{word.width}b") for word in task.inputs
        )
        values = raw_outputs(net, [int(bit) for bit in text])
        got = [bit_of(net.readout, value) for value in values]
        assert (list(row.expected), list(row.got)) == (bits, got)
        assert list(row.raw) == [float(value) for value in values]
        assert row.is_right == all(e in (None, g) for e, g in zip(bits, got, strict=True))
        for expected, value, distance in zip(bits, values, row.distances, strict=True):
            if expected is None or net.readout.kind == "exact":
                assert distance is None
            else:
                side = 1 if expected else -1
                assert distance == side * (float(value) - net.readout.threshold)


def tanh_table(weights: Any, readout: Readout, task: Task) -> list[tuple[int | None, ...]]:
    layer = Layer(Dense(np.array(weights, dtype=np.float64)), None, Activation("tanh"))
    return [row.got for row in truth_rows(Network((layer,), readout, task), task)]


def test_a_tanh_row_is_read_under_its_own_readout() -> None:
    """tanh 0 is 0 and ties with a threshold of 0; tanh 2 is no bit of an exact readout."""
    task = task_named("parity:1")
    weights = [[2.0]]
    assert tanh_table(weights, Readout(threshold=0.0), task) == [(0,), (1,)]
    assert tanh_table(weights, Readout(threshold=0.0, convention=">="), task) == [(1,), (1,)]
    assert tanh_table(weights, EXACT, task) == [(0,), (None,)]


@pytest.mark.parametrize("convention", [">", ">="])
def test_a_tanh_row_beside_the_threshold_is_read_from_its_enclosure(convention: Any) -> None:
    """The nearest doubles to tanh 1: rounded, the output would tie with one of them."""
    task, weights = task_named("parity:1"), [[1.0]]
    nearest = float(tanh(Fraction(1)))
    exact = tanh(Fraction(1))
    for threshold in (np.nextafter(nearest, 0), nearest, np.nextafter(nearest, 1)):
        readout = Readout(threshold=float(threshold), convention=convention)
        expected = int(exact > Fraction(float(threshold)))
        assert tanh_table(weights, readout, task)[1] == (expected,)


@pytest.mark.parametrize("kind", ["gelu", "silu", "mish", "sigmoid", "softplus"])
def test_tails_of_curves_are_bounded_however_long_their_exponents_are(kind):
    """Of 10^8 bits and more, of which no fraction is made."""
    net = network(
        [[[-1e12]], [[1.0]]], [[-1e12], [0.0]], activation=Activation(kind), format="fp64"
    )
    for low, high in (row_ends(net, np.array([bit], dtype=np.uint8))[0] for bit in (0, 1)):
        assert -(2.0**-1000) < low <= high < 2.0**-1000
        assert high <= 0 or low >= 0 or kind == "gelu"  # Arb's erfc keeps no sign there
        assert max(low.denominator, high.denominator).bit_length() < 1 << 15
