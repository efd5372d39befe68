"""``export --to onnx`` of a cell with its wiring: one Scan over the digits, for every width."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from exporting.onnx_files import set_numbers, written
from exports import subject_of

import adderlab
from adderlab.errors import ModelError, NetworkError
from adderlab.nets.tensors import stored_in
from adderlab.tasks import Word
from adderlab.tasks.wirings import WIRINGS

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from adderlab.exporting.onnx import compare_onnx, write_onnx  # noqa: E402 -- after the skip
from adderlab.exporting.wired import WIDTHS  # noqa: E402 -- likewise

FULL = adderlab.build("full-adder", method="one-layer").network


def cell_of(name, form=None):
    net = adderlab.build(WIRINGS[name].cell, method="table").network
    return net if form is None else adderlab.quantize(net, to=form).network


@pytest.mark.parametrize("name", WIRINGS)
def test_a_cell_with_its_wiring_is_one_scan(name, tmp_path):
    path, subject = written(cell_of(name), tmp_path, name)
    comparison = compare_onnx({"": path}, subject)
    assert comparison.equal is True, comparison
    assert comparison.rows > 8 * sum(WIDTHS)
    assert [node.op_type for node in onnx.load(path).graph.node][-1] == "Scan"


def test_a_cell_adds_what_it_is_given(tmp_path):
    import onnxruntime

    path, _ = written(
        adderlab.build("full-adder", method="one-layer").network, tmp_path, "adder:any"
    )
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    x, y, width = 0b1011_0111, 0b0110_1101, 8
    feed = {
        name: np.array([[number >> place & 1] for place in range(width)], np.float32)
        for name, number in (("a", x), ("b", y))
    }
    digits, carry = session.run(["digits", "carry"], feed)
    assert (
        sum(int(bit) << place for place, (bit,) in enumerate(digits)) + (int(carry[0]) << 8)
        == x + y
    )


def test_words_of_a_cell_may_have_any_name(tmp_path):
    own = WIRINGS["adder:any"]
    names = {"a": "fc1", "b": "input", "cin": "Scan"}
    words = tuple(Word(names[word.name], word.width) for word in own.cell.inputs)
    cell = replace(own.cell, inputs=words, rule=lambda w: {"c": w["fc1"] + w["input"] + w["Scan"]})
    wiring = replace(own, cell=cell, operands=("fc1", "input"), carried="Scan")
    subject = replace(subject_of(FULL, "adder:any"), wiring=wiring, task=cell)
    path = tmp_path / "net.onnx"
    _ = path.write_bytes(write_onnx(subject)[""])
    assert compare_onnx({"": path}, subject).equal is True
    assert [value.name for value in onnx.load(path).graph.input] == ["fc1_", "input_"]


def body_of(model):
    return model.graph.node[-1].attribute[0].g


def another_carry(model):
    set_numbers(model, "first", lambda own: 1 - own)


def another_place(model):
    set_numbers(model, "digit.places", lambda own: 1 - own)


def another_cell(model):
    set_numbers(model, "fc1.bias", lambda own: own + 1)


def no_relu(model):
    (relu,) = (node for node in body_of(model).node if node.op_type == "Relu")
    relu.op_type = "Identity"


CHANGED = {
    another_carry: "stored numbers 'first' is not as its layers have it",
    another_place: "stored numbers 'digit.places' is not as its layers have it",
    another_cell: "fc1.bias[0] is 1, and the network's 0",
    no_relu: "node 0 'every_digit' is not as its layers have it",
}


@pytest.mark.parametrize("change", CHANGED, ids=lambda change: change.__name__)
def test_a_cell_that_was_changed_is_noticed(change, tmp_path):
    path, subject = written(FULL, tmp_path, "adder:any")
    model = onnx.load(path)
    change(model)
    _ = path.write_bytes(model.SerializeToString())
    comparison = compare_onnx({"": path}, subject)
    assert comparison.equal is False
    assert comparison.reason == CHANGED[change]


def test_a_wiring_that_runs_otherwise_is_noticed(tmp_path):
    """What the model itself computes is compared, not its text alone."""
    from adderlab.exporting.onnx.cells import run_cell

    path, subject = written(FULL, tmp_path, "adder:any")
    for change in (another_carry, another_place, no_relu):
        model = onnx.load(path)
        change(model)
        comparison = run_cell(model, FULL, subject.wiring, None)
        assert comparison.equal is False
        assert comparison.reason.startswith("on the digits ")


def test_a_cell_that_is_read_alone_says_what_it_is(tmp_path):
    path, _ = written(
        adderlab.build("full-adder", method="one-layer").network, tmp_path, "adder:any"
    )
    with pytest.raises(ModelError, match="Scan runs graphs of its own"):
        _ = adderlab.load(path)


def test_a_cell_that_carries_what_it_does_not_take_is_refused(tmp_path):
    cell = WIRINGS["comparator:any"].cell
    net = adderlab.build(cell, method="table").network
    wrong = replace(net, layers=(*net.layers[:-1], replace(
        net.layers[-1], weight=stored_in(np.zeros(net.layers[-1].weight.shape), "fp32"),
        bias=stored_in([1.0, 1.0], "fp32"))))  # fmt: skip
    with pytest.raises(NetworkError, match="it carries 3 on "):
        _ = written(wrong, tmp_path, "comparator:any")
