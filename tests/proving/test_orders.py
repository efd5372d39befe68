"""Bits in another order: a network is held against it, and a refutation names the one proved."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import refused

import adderlab
from adderlab.building import construct
from adderlab.cli.main import main
from adderlab.errors import NetworkFileError, TaskError
from adderlab.nets import Network, load, save
from adderlab.nets.files import from_bytes, to_bytes
from adderlab.nets.tensors import Dense
from adderlab.tasks import task_named
from adderlab.tasks.order import Order, in_order, natural_orders, word_widths

TASKS = {
    name: construct(task_named(name), "one-layer")
    for name in ("half-adder", "full-adder", "adder:2", "adder:3")
}


def permuted(net: Network, order: Order) -> Network:
    """Return a network that computes the same, with its weights moved to an order of bits."""
    assert net.task is not None
    ordered = in_order(net.task, order)
    columns = [net.task.input_bits.index(bit) for bit in ordered.input_bits]
    rows = [net.task.output_bits.index(bit) for bit in ordered.output_bits]
    first, *rest = net.layers
    first = replace(first, weight=Dense(first.weight.exact().to_floats()[:, columns]))
    *inner, last = first, *rest
    bias = last.bias and Dense(last.bias.exact().to_floats()[rows])
    last = replace(last, weight=Dense(last.weight.exact().to_floats()[rows]), bias=bias)
    return Network((*inner, last), net.readout, net.task, "fp64")


@pytest.mark.parametrize(
    ("name", "order", "hint"),
    [
        ("half-adder", Order("lsb-first"), {"outputs": "c0,c1"}),
        ("half-adder", Order(outputs="c0,c1"), {"outputs": "c0,c1"}),
        ("full-adder", Order(inputs="cin,a,b", outputs="c0,c1"), {"outputs": "c0,c1"}),
        ("adder:2", Order("lsb-first"), {"bits": "lsb-first"}),
        ("adder:2", Order(outputs="c0,c1,c2"), {"outputs": "c0,c1,c2"}),
        ("adder:2", Order(inputs="a1,b1,a0,b0"), {"inputs": "a1,b1,a0,b0"}),
        ("adder:3", Order("lsb-first", "b,a"), {"bits": "lsb-first"}),
    ],
)
def test_the_order_under_which_a_refuted_network_is_proved_is_named(name, order, hint):
    net = permuted(TASKS[name], order)
    verdict = adderlab.prove(net)
    assert (verdict.verdict, verdict.to_dict()["hint"]) == ("refuted", hint)
    assert f"in another order: {verdict.hint}" in str(verdict.blocks())
    assert verdict.hint.arguments() in repr(verdict)
    right = adderlab.prove(net, **hint)
    assert (right.verdict, right.hint, right.rows) == ("proved", None, verdict.rows)
    assert right.margin == adderlab.prove(TASKS[name]).margin
    assert any("in this order" in note for note in right.notes)


def test_the_command_line_names_the_option(tmp_path, capsys):
    net = save(permuted(TASKS["half-adder"], Order(outputs="c0,c1")), tmp_path / "net.safetensors")
    assert main(["prove", str(net)]) == 1
    assert "proved with its bits in another order: --outputs c0,c1\n" in capsys.readouterr().out


def test_no_order_is_named_where_none_is_proved_or_nothing_is_wrong():
    lecture = adderlab.build("half-adder", method="lecture").network
    assert adderlab.prove(lecture).hint is None
    assert adderlab.prove(TASKS["adder:2"]).to_dict()["hint"] is None
    wide = permuted(construct(task_named("adder:16"), "one-layer"), Order("lsb-first"))
    verdict = adderlab.prove(wide, formats="exact")
    assert verdict.to_dict()["hint"] == {"bits": "lsb-first"}  # by diagrams
    assert adderlab.prove(wide, bits="lsb-first", formats="exact").method == "diagram"


@settings(max_examples=20)
@given(st.sampled_from(sorted(TASKS)), st.data())
def test_what_is_computed_does_not_depend_on_the_order(name, data):
    """The permuted network gives the same words for the same words, in every room."""
    net = TASKS[name]
    inputs, outputs = net.task.input_bits, net.task.output_bits
    order = Order("", data.draw(st.permutations(inputs)), data.draw(st.permutations(outputs)))
    other = permuted(net, order)
    task = in_order(net.task, order)
    assert adderlab.prove(other, task)
    rows = [tuple(net.task.row(index).inputs.values()) for index in range(net.task.rows)]
    computed = adderlab.run(other, *rows, inputs=order.inputs, outputs=order.outputs)
    assert [row.got for row in computed.rows] == [net.task.row(i).outputs for i in range(len(rows))]
    copy = from_bytes(to_bytes(other.for_task(task)))
    assert (copy.task, copy.task.input_bits) == (task, task.input_bits)
    assert copy(*rows[-1]) == net(*rows[-1])
    assert in_order(task, Order("msb-first")) == net.task
    wrong = replace(other, layers=(*other.layers[:-1], replace(other.layers[-1], bias=None)))
    assert adderlab.prove(wrong, task).rows_right == adderlab.prove(
        replace(net, layers=(*net.layers[:-1], replace(net.layers[-1], bias=None)))
    ).rows_right  # fmt: skip


@pytest.mark.parametrize(
    "command",
    [
        "prove {net}",
        "run {net} 1,1",
        "show {net} --input 1,1",
        "repair {net}",
        "compare {net} {net}",
        "explain {net} --input 1,1",
        "quantize {net} --to int8 -o {out}",
    ],
)
def test_every_command_takes_the_order(command, tmp_path, capsys):
    net, out = tmp_path / "net.safetensors", tmp_path / "out.safetensors"
    _ = save(permuted(TASKS["half-adder"], Order(outputs="c0,c1")), net)
    words = command.format(net=net, out=out).split()
    assert main([*words, "--outputs", "c0,c1", "--json"]) == 0
    printed = capsys.readouterr().out
    if words[0] == "run":
        assert json.loads(printed)["results"][0]["got"] == {"c": 2}
    if words[0] == "quantize":
        assert load(out).task == in_order(task_named("half-adder"), Order(outputs="c0,c1"))
        assert adderlab.prove(out)


@pytest.mark.parametrize(
    ("order", "fault"),
    [
        ({"outputs": "c0"}, "outputs: c1 is missing; name each once, as words or bits: c"),
        ({"outputs": "c0,c0"}, "outputs: c0 is there twice; name each once, as words or bits: c"),
        ({"inputs": "a,d"}, "inputs: there is no d; name each once, as words or bits: a, b"),
        ({"bits": "middle"}, "bits: got 'middle'; give msb-first or lsb-first"),
    ],
)
def test_an_order_of_other_bits_is_refused(order, fault):
    with refused(TaskError, fault):
        adderlab.prove(TASKS["half-adder"], **order)


def test_an_order_needs_a_task_and_a_record_of_one_is_checked():
    net = replace(TASKS["half-adder"], task=None)
    fault = "bits: no task is known whose bits could have an order; name it with `task`"
    with refused(TaskError, fault):
        adderlab.prove(net, bits="lsb-first")
    data = to_bytes(net.for_task(in_order(task_named("half-adder"), Order("lsb-first"))))
    assert b'["c0","c1"]' in data.replace(b"\\", b"").replace(b", ", b",")
    with pytest.raises(NetworkFileError):
        from_bytes(data.replace(b"c0", b"cc"))


def test_the_words_of_a_module_follow_its_order():
    task = in_order(task_named("adder:2"), Order("lsb-first", "b,a"))
    assert (task.input_bits, word_widths(task)) == (("b0", "b1", "a0", "a1"), [2, 2])
    assert word_widths(in_order(task, Order(inputs="a1,b1,a0,b0"))) == [1, 1, 1, 1]
    assert len({str(order) for order in natural_orders(task)}) > 8
    assert np.array_equal(task.block_of({"a": [2], "b": [1]}).inputs, [[1, 0, 0, 1]])
