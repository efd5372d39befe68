"""A walk's numbers against fractions computed by hand, one by one."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from exact import layer_values, raw_outputs
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, MANY, any_networks, fractions_of, networks, refused, tasks

from adderlab.building import lecture_network, printed_network
from adderlab.errors import TaskError
from adderlab.nets import Activation, Network, enclose_row, network
from adderlab.nets.truth import truth_rows
from adderlab.nets.walk import (
    Enclosed,
    block_of_rows,
    checked_words,
    json_number,
    nameless_task,
    unit_names,
    walk,
    words_of,
)
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table

HALF_ADDER = task_named("half-adder")
F = Fraction


def test_the_lecture_adds_one_and_one_to_three() -> None:
    """Every number of the row that the notebook calls correct."""
    way = walk(lecture_network(HALF_ADDER), HALF_ADDER, {"b": 1, "a": 1})
    assert [layer.name for layer in way.layers] == ["fc1", "fc2"]
    hidden, out = (layer.units for layer in way.layers)
    assert [(unit.name, unit.bias, unit.sum.low, unit.value.low) for unit in hidden] == [
        ("h1", F(-3, 2), F(1, 2), F(1, 2)),
        ("h2", F(-1, 2), F(3, 2), F(3, 2)),
        ("h3", F(-3, 2), F(1, 2), F(1, 2)),
    ]
    assert [
        (entry.source, entry.weight, entry.factor.low, entry.value.low) for entry in out[1].products
    ] == [
        ("h1", F(0), F(1, 2), F(0)),
        ("h2", F(1), F(3, 2), F(3, 2)),
        ("h3", F(-2), F(1, 2), F(-1)),
    ]
    assert [(entry.name, entry.raw.low, entry.got, entry.expected) for entry in way.outputs] == [
        ("c1", F(1, 2), 1, 1),
        ("c0", F(1, 2), 1, 0),
    ]
    assert (way.input, way.got, way.expected) == ({"a": 1, "b": 1}, {"c": 3}, {"c": 2})
    assert [entry.is_right for entry in way.outputs] == [True, False]
    assert not way.is_right
    assert walk(printed_network(), HALF_ADDER, {"a": 1, "b": 1}).is_right


@MANY
@given(st.data())
def test_every_number_is_what_fractions_give(data: st.DataObject) -> None:
    net = data.draw(any_networks(task=tasks(max_in=4), tanh=False))
    assert net.task is not None
    row = net.task.row(data.draw(st.integers(0, net.task.rows - 1)))
    way = walk(net, net.task, row.inputs)
    values = [F(int(bit)) for bit in block_of_rows(net.task, [row.inputs]).inputs[0]]
    expected = layer_values(net, [int(value) for value in values])
    sources, *columns = unit_names(net, net.task)
    known = {"input": list(zip(sources, values, strict=True))}
    parts = zip(net.layers, net.wiring.layers, way.layers, expected, columns, strict=True)
    for layer, node, walked, (sums, after), column in parts:
        names, values = zip(*(unit for name in node.reads for unit in known[name]), strict=True)
        known[node.name] = list(zip(column, after, strict=True))
        weights = fractions_of(layer.weight)
        for number, unit in enumerate(walked.units):
            total, value = sums[number], after[number]
            assert tuple(product.source for product in unit.products) == names
            assert [product.weight for product in unit.products] == list(weights[number])
            assert [product.factor for product in unit.products] == [Enclosed(v, v) for v in values]
            low = sum((product.value.low for product in unit.products), unit.bias or F(0))
            assert low == total
            assert (unit.sum, unit.value) == (Enclosed(total, total), Enclosed(value, value))
    assert [output.raw.low for output in way.outputs] == raw_outputs(
        net, [int(value) for _, value in known["input"]]
    )
    assert way.expected == row.outputs
    json.dumps(way.to_dict(), allow_nan=False)


@FEW
@given(st.data())
def test_the_bits_are_those_of_the_truth_table(data: st.DataObject) -> None:
    """On every row, tanh or not, right and wrong alike."""
    net = data.draw(any_networks(task=tasks(max_in=2), tame=True))
    assert net.task is not None
    for row in truth_rows(net, net.task):
        way = walk(net, net.task, row.inputs)
        assert tuple(output.got for output in way.outputs) == row.got
        assert tuple(output.expected for output in way.outputs) == row.expected
        assert way.is_right == row.is_right
        for output, raw in zip(way.outputs, row.raw, strict=True):
            assert float(output.raw.middle) == pytest.approx(raw, rel=1e-12, abs=1e-300)


@FEW
@given(st.data())
def test_tanh_lies_between_its_bounds(data: st.DataObject) -> None:
    drawn = data.draw(networks(task=tasks(max_in=2), tame=True, max_depth=2))
    layers = (replace(drawn.layers[0], activation=Activation("tanh")), *drawn.layers[1:])
    net = replace(drawn, layers=layers)
    assert net.task is not None
    row = net.task.row(0)
    way = walk(net, net.task, row.inputs)
    bits = block_of_rows(net.task, [row.inputs]).inputs[0]
    assert [(entry.raw.low, entry.raw.high) for entry in way.outputs] == enclose_row(net, bits)
    for layer in way.layers:
        for unit in layer.units:
            assert unit.sum.low <= unit.sum.high
            assert unit.value.high - unit.value.low < F(1, 10**40)
            if layer.activation.kind == "tanh":
                assert float(unit.value.middle) == pytest.approx(math.tanh(float(unit.sum.middle)))
                if unit.sum.middle:
                    assert not unit.value.is_exact
                    assert unit.value.to_dict()["exact"] is None


def test_units_are_named_by_layer_where_there_are_several() -> None:
    deep = network([[[1, 1]], [[1], [2]], [[1, 1], [0, 1]]], [None] * 3, task=HALF_ADDER)
    names = [("a", "b"), ("h1.1",), ("h2.1", "h2.2"), ("c1", "c0")]
    assert unit_names(deep, HALF_ADDER) == names
    way = walk(deep, HALF_ADDER, {"a": 1, "b": 1})
    assert [unit.bias for layer in way.layers for unit in layer.units] == [None] * 5
    assert unit_names(printed_network(), HALF_ADDER)[1] == ("h1", "h2", "h3")


@pytest.mark.parametrize("n_in", [1, 2, 8, 9, 70])
def test_a_network_without_a_task_has_one_that_expects_nothing(n_in: int) -> None:
    net = network([[[1] * n_in, [2] * n_in, [3] * n_in]], [None])
    task = nameless_task(net)
    words = ["x"] if n_in > 8 else [f"x{number}" for number in range(1, n_in + 1)]
    assert [word.name for word in task.inputs] == words
    assert (task.n_in, task.n_out, task.output_bits) == (n_in, 3, ("y2", "y1", "y0"))
    way = walk(net, task, task.row(task.rows - 1).inputs)
    assert [output.expected for output in way.outputs] == [None] * 3
    assert [output.raw.low for output in way.outputs] == [n_in, 2 * n_in, 3 * n_in]
    assert (way.expected, way.got, way.is_right) == ({"y": None}, {"y": 7}, True)


@pytest.mark.parametrize(
    ("inputs", "got"),
    [
        ({}, "nothing"),
        ({"a": 1}, "a=1"),
        ({"a": 1, "b": 2}, "a=1, b=2"),
        ({"a": 1, "b": 1, "c": 0}, "a=1, b=1, c=0"),
        ({"a": 1.5, "b": 1}, "a=1.5, b=1"),
    ],
)
def test_inputs_that_are_none_are_refused(inputs: Any, got: str) -> None:
    message = (
        f"input: half-adder takes a in 0..1, b in 0..1, got {got}; "
        "give a whole number for each word"
    )
    with refused(TaskError, message):
        _ = checked_words(HALF_ADDER, inputs)


def test_a_task_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TaskError):
        _ = walk(printed_network(), task_named("full-adder"), {"a": 1, "b": 1, "cin": 1})


def test_words_need_all_their_bits() -> None:
    task = parse_table("in a:1,out p:2,out q:1\n0,0,0\n1,3,1\n", where="t.csv")
    assert words_of(task, [1, 0, 1]) == {"p": 2, "q": 1}
    assert words_of(task, [1, None, 0]) == {"p": None, "q": 0}


def test_numbers_of_any_size_go_into_json() -> None:
    assert json_number(F(1, 2)) == 0.5
    assert json_number(F(10) ** 400) == 10**400
    assert json_number(F(10**400, 3)) == round(F(10**400, 3))
    assert json_number(F(1, 10**400)) == 0.0


def test_wide_words_are_walked_too() -> None:
    """40 bits a word: rows are numbered beyond 64 bits."""
    task = task_named("adder:40")
    net: Network = network([[[1] * 80] * 41], [None], task=task)
    words = {"a": (1 << 40) - 1, "b": 5}
    way = walk(net, task, words)
    assert way.outputs[0].raw.low == 42
    assert way.expected == {"c": (1 << 40) + 4}
