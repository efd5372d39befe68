"""``export --to vnnlib``: unsatisfiable just where the network is right on every row."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from exports import subject_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import FEW, any_networks, conventions, refused, tasks

import adderlab
from adderlab.cli.main import main
from adderlab.errors import NetworkError, NetworkFileError, TaskError
from adderlab.nets import Layer, Network
from adderlab.nets.evaluation import outputs
from adderlab.nets.readout import Readout, read_states
from adderlab.nets.tensors import Wide
from adderlab.tasks import task_named
from adderlab.tasks.order import Order, in_order

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from adderlab.exporting.vnnlib import compare_vnnlib, write_vnnlib  # noqa: E402
from adderlab.exporting.vnnlib.conditions import dividing  # noqa: E402
from adderlab.exporting.vnnlib.text import decimal, parsed  # noqa: E402

LECTURE = adderlab.build("half-adder", method="lecture").network
FULL = adderlab.build("full-adder", method="one-layer").network
MINE = settings(FEW, max_examples=12, suppress_health_check=list(HealthCheck))


def written(net, folder, task=None, **about):
    """Return where a property and its model are, and what was written."""
    subject = subject_of(net, task, **about)
    paths = {"": folder / "net.vnnlib", ".onnx": folder / "net.onnx"}
    for key, content in write_vnnlib(subject).items():
        raw = content.encode("ascii") if isinstance(content, str) else content
        _ = paths[key].write_bytes(raw)
    return paths, subject


def exported(net, folder, task=None):
    paths, subject = written(net, folder, task)
    return paths, compare_vnnlib(paths, subject)


def met_rows(paths):
    """Return the rows on which a verifier would find a case, by what onnxruntime gives."""
    session = onnxruntime.InferenceSession(str(paths[".onnx"]), providers=["CPUExecutionProvider"])
    cases = parsed(paths[""].read_text()).cases
    rows = np.array([case.inputs for case in cases], np.float32)
    (raw,) = session.run(None, {"input": rows})
    values = [Fraction(float(own[case.output])) for own, case in zip(raw, cases, strict=True)]
    pairs = zip(cases, values, strict=True)
    return {case.inputs for case, value in pairs if case.condition.holds(value)}


def wrong_rows(net, task):
    """Return the rows on which a network is wrong, in exact arithmetic."""
    rows = set()
    for block in task.blocks():
        states = read_states(net.readout, outputs(net, block.inputs))
        is_wrong = states != block.expected
        if block.cares is not None:
            is_wrong &= block.cares
        rows |= {tuple(row) for row in block.inputs[is_wrong.any(axis=1)].tolist()}
    return rows


@pytest.mark.parametrize(
    ("net", "task"),
    [
        (LECTURE, None),
        (FULL, None),
        (adderlab.build("adder:4", method="prefix").network, None),
        (adderlab.quantize(adderlab.build("adder:2").network, to="int4").network, None),
        (
            adderlab.build("adder:2", method="one-layer").network,
            in_order(task_named("adder:2"), Order(inputs="b,a")),
        ),
        (adderlab.build("adder:2").network, "adder:2"),
    ],
)
def test_it_is_unsatisfiable_where_the_network_is_right(net, task, tmp_path):
    paths, comparison = exported(net, tmp_path, task)
    known = net.task if task is None else task_named(task) if isinstance(task, str) else task
    assert comparison.equal is True, comparison
    assert comparison.rows == known.rows
    assert met_rows(paths) == wrong_rows(net, known)
    (fact,) = comparison.facts
    assert fact.value == len(wrong_rows(net, known))


def test_a_refuted_network_is_satisfiable_on_its_wrong_row_alone(tmp_path):
    paths, comparison = exported(LECTURE, tmp_path)
    assert met_rows(paths) == {(1, 1)}
    assert comparison.facts[0].sentence == "sat, on 1 of its rows"


@MINE
@given(any_networks(task=tasks(max_in=3), tanh=False, tame=True))
def test_random_networks(tmp_path_factory, net):
    try:
        paths, comparison = exported(net, tmp_path_factory.mktemp("vnnlib"))
    except TaskError as error:
        assert error.what == "any output will do on all rows"
        return
    assert comparison.equal is True, comparison
    if {fact.key for fact in comparison.facts} == {"counterexamples"}:
        assert met_rows(paths) == wrong_rows(net, net.task)


@given(
    st.integers(-40, 40).map(lambda n: n / 8),
    conventions(),
    st.integers(-3, 3),
    st.integers(-50, 50),
)
def test_no_output_lies_on_the_number_that_divides_them(threshold, convention, power, count):
    readout, grid = Readout("threshold", threshold, convention), Fraction(2) ** power
    value, limit = count * grid, dividing(readout, grid)
    assert value != limit
    assert (value > limit) == bool(readout.above(value))


def test_ties_of_both_conventions_are_right(tmp_path):
    for convention, bits in ((">", [0, 0]), (">=", [0, 1])):
        task = adderlab.table({"x": [0, 1], "out y": bits})
        net = adderlab.network([[[1.0]]], [None], readout=f"{convention} 1", task=task)
        paths, comparison = exported(net, tmp_path)
        assert comparison.equal is True
        assert met_rows(paths) == set()
        assert "Y_0 1.0)" not in paths[""].read_text()


def test_curves_count_a_tie_as_wrong_and_say_so(tmp_path):
    net = adderlab.network(
        [[[1, 1], [1, 1]], [[0, 1], [1, -2]]],
        [[0, -1], [0, 0]],
        activation=adderlab.Activation("tanh"),
        readout=0.2,
        task="half-adder",
    )
    paths, comparison = exported(net, tmp_path)
    assert comparison.equal is True
    assert "so an output on the threshold counts as wrong" in paths[""].read_text()
    with refused(
        NetworkError,
        "readout: an exact readout of curves, which come near to 0 or 1 without a bound; "
        "take a threshold, or export to onnx",
    ):
        _ = exported(replace(net, readout=adderlab.Readout("exact")), tmp_path)


def test_any_value_is_asked_of_nothing(tmp_path):
    task = adderlab.table({"x:2<3": [0, 1, 2], "out y": [0, "*", 1]})
    net = adderlab.build(task, method="table").network
    paths, comparison = exported(net, tmp_path)
    assert comparison.equal is True
    assert comparison.rows == 2
    assert "(<= X_0 0.0) (>= X_1 1.0)" not in paths[""].read_text()


def test_the_text_is_that_of_other_tools(tmp_path):
    """Its own grammar is VNN-LIB 1.0; in the words of 2.0 the package ``vnnlib`` reads it."""
    vnnlib = pytest.importorskip("vnnlib")
    paths, _ = written(LECTURE, tmp_path, name="half")
    text = re.sub(r";.*", "", paths[""].read_text())
    constraints = re.sub(r"\b([XY])_(\d+)", r"\1[\2]", text[text.index("(assert") :])
    head = (
        "(vnnlib-version <2.0>)\n(declare-network N (declare-input X float32 [2]) "
        "(declare-output Y float32 [2]))\n"
    )
    query = vnnlib.parse_query_string(head + constraints)
    assert len(query.assertions) == 1


def test_a_solver_reads_it_as_smt_lib(tmp_path):
    z3 = pytest.importorskip("z3", reason="z3-solver is not installed")
    paths, _ = written(LECTURE, tmp_path)
    text = re.sub(r"-(\d+\.\d+)", r"(- \1)", paths[""].read_text())
    solver = z3.Solver()
    solver.from_string(text)
    assert solver.check() == z3.sat  # the outputs are free: no network is in it


def test_the_model_is_plain_for_other_tools(tmp_path):
    net = adderlab.build("adder:4", method="ripple").network
    paths, _ = written(net, tmp_path)
    model = onnx.load(paths[".onnx"])
    assert {node.op_type for node in model.graph.node} <= {"Gemm", "Relu", "Concat"}
    assert all(len(node.input) == 3 for node in model.graph.node if node.op_type == "Gemm")
    assert {each.data_type for each in model.graph.initializer} == {onnx.TensorProto.FLOAT}
    assert model.opset_import[0].version == 13
    assert model.graph.output[0].name == "raw"
    own = adderlab.load(paths[".onnx"])
    assert own.readout == net.readout
    assert bool(adderlab.compare(own, net))


def test_what_it_can_not_hold_is_refused(tmp_path):
    with refused(
        TaskError,
        "task: adder:7 has 16384 rows, and a property names each of up to 4096; "
        "take a narrower task, or export to onnx, c or verilog",
    ):
        _ = exported(adderlab.build("adder:7", method="ripple").network, tmp_path)
    wide = Network(
        (Layer(Wide.of([[(1 << 24) + 1, 1], [1, 1]])),),
        task=task_named("half-adder"),
        format="wide",
    )
    with refused(
        NetworkError,
        "fc1.weight: a number is none of fp32, in which verifiers take networks; "
        "export to onnx, json, c or verilog",
    ):
        _ = exported(wide, tmp_path)


def test_decimals_are_exact():
    values = [Fraction(1, 2), Fraction(-7, 1 << 70), Fraction(2**80)]
    assert [Fraction(decimal(value)) for value in values] == values


# --- what is caught -----------------------------------------------------------------------------


BROKEN = {
    "a bound": (lambda text: text.replace("(>= Y_0 0.25)", "(>= Y_0 0.75)", 1), "c1 for a = 0"),
    "a sign": (lambda text: text.replace("(>= Y_0", "(<= Y_0", 1), "c1 for a = 0, b = 0"),
    "an output": (lambda text: text.replace("(>= Y_1", "(>= Y_0", 1), "c0 for a = 0, b = 0"),
    "a row": (
        lambda text: text.replace("(>= X_1 1.0) (<= X_1 1.0)", "(>= X_1 0.0) (<= X_1 0.0)", 1),
        "c1 for a = 0, b = 1",
    ),
    "a case less": (
        lambda text: re.sub(r"  \(and.*\n", "", text, count=1),
        "it has 7 cases",
    ),
    "a range": (lambda text: text.replace("(<= X_0 0.0)", "(<= X_0 1.0)", 1), "X_0 is no bit"),
    "a bracket": (lambda text: text.replace("))\n", ")\n"), "a bracket is not closed"),
    "another bracket": (lambda text: text + ")", "a bracket closes that was not opened"),
    "a word": (lambda text: text.replace("(assert", "(check"), " is none of its forms"),
    "a number": (lambda text: text.replace("Y_0 0.25", "Y_0 1e3", 1), "'1e3' is no decimal number"),
    "an input": (
        lambda text: text.replace("(declare-const X_1 Real)\n", ""),
        " is no row with an output",
    ),
    "a name": (lambda text: text.replace("-const Y_1", "-const Y_2"), "'Y_2' is declared out of"),
    "no output": (lambda text: text.replace("(>= Y_1", "(>= Y_7", 1), "'Y_7' is no output"),
    "no text": (lambda text: text + "é", "it is no text of ASCII"),
}


@pytest.mark.parametrize("part", BROKEN)
def test_a_property_that_was_changed_is_noticed(part, tmp_path):
    change, reason = BROKEN[part]
    paths, subject = written(LECTURE, tmp_path)
    text = paths[""].read_text()
    assert change(text) != text
    _ = paths[""].write_text(change(text), encoding="utf-8")
    comparison = compare_vnnlib(paths, subject)
    assert comparison.equal is False
    assert reason in comparison.reason


def test_a_model_that_was_changed_is_noticed(tmp_path):
    paths, subject = written(LECTURE, tmp_path)
    model = onnx.load(paths[".onnx"])
    own = model.graph.initializer[0]
    own.raw_data = own.raw_data[:-1] + bytes([own.raw_data[-1] ^ 0x80])
    _ = paths[".onnx"].write_bytes(model.SerializeToString())
    comparison = compare_vnnlib(paths, subject)
    assert comparison.equal is False
    assert comparison.reason == "fc1.weight[2, 1] is -1, and the network's 1"
    _ = paths[".onnx"].write_bytes(b"\x08")
    assert compare_vnnlib(paths, subject).reason.startswith("its model: ")


def test_a_runtime_that_computes_something_else_is_noticed(tmp_path, monkeypatch):
    from adderlab.nets.written_onnx import running

    paths, subject = written(LECTURE, tmp_path)
    run = running.RowRun.outputs

    def wrong(self, rows):
        own = run(self, rows)
        return replace(own, raw=-own.raw)

    monkeypatch.setattr(running.RowRun, "outputs", wrong)
    comparison = compare_vnnlib(paths, subject)
    assert comparison.equal is False
    assert comparison.reason == "its model gives [-0.0, -0.5] for a = 0, b = 1"
    monkeypatch.setattr(running, "is_installed", lambda name: False)
    monkeypatch.setattr(
        running.Session, "_start_reference", lambda self, model: self._refuse("it", OSError("no"))
    )
    monkeypatch.setattr(running.RowRun, "outputs", run)
    comparison = compare_vnnlib(paths, subject)
    assert comparison.equal is None
    assert "pip install onnxruntime" in comparison.reason


def test_what_is_no_property_is_refused():
    with pytest.raises(NetworkFileError):
        _ = parsed("(assert (or (and)))")


def test_the_command_writes_both_files_or_none(tmp_path, capsys):
    net = adderlab.save(LECTURE, tmp_path / "net.safetensors")
    out = tmp_path / "half.vnnlib"
    arguments = ["export", str(net), "--to", "vnnlib", "-o", str(out), "--json"]
    assert main(arguments) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"net.safetensors"}
    _ = capsys.readouterr()
    assert main([*arguments, "--force"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["equal"], result["checked_rows"], result["counterexamples"]) == (True, 4, 1)
    assert result["files"] == [str(out), str(tmp_path / "half.onnx")]
    assert "; DO NOT USE: refuted" in out.read_text()
