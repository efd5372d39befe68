"""``export --to onnx``: the model is the network, and computes what it computes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from exporting.onnx_files import initializer, set_numbers, written
from hypothesis import HealthCheck, given, settings
from strategies import FEW, any_networks, refused, tasks

import adderlab
from adderlab.cli.main import main
from adderlab.errors import ModelError, NetworkError
from adderlab.nets import Layer, Network
from adderlab.nets.files import to_bytes
from adderlab.nets.sources import read_source
from adderlab.nets.tensors import Dense, Packed, Scaled, Sparse, Wide, stored_in
from adderlab.tasks import task_named

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from adderlab.exporting.onnx import compare_onnx  # noqa: E402
from adderlab.nets.written_onnx import KEY, model_of, network_in, running  # noqa: E402

LECTURE = adderlab.build("half-adder", method="lecture").network
FULL = adderlab.build("full-adder", method="one-layer").network
MINE = settings(FEW, max_examples=12, suppress_health_check=list(HealthCheck))


def exported(net, folder, task=None):
    path, subject = written(net, folder, task)
    return path, compare_onnx({"": path}, subject)


def hand_made(form="fp32", readout="exact", activation="relu", **options):
    """A half adder of whole numbers that each format holds."""
    return adderlab.network(
        [[[1, 1], [1, 1]], [[0, 1], [1, -2]]],
        [[0, -1], [0, 0]],
        activation=adderlab.Activation(activation, **options),
        readout=readout,
        format=form,
        task="half-adder",
    )


def check_same(net, path):
    """The file is read as the same network, byte for byte."""
    assert to_bytes(adderlab.load(path)) == to_bytes(net)


# --- what is written ----------------------------------------------------------------------------


@MINE
@given(any_networks(task=tasks(max_in=4), tame=True))
def test_random_networks_of_small_numbers(tmp_path_factory, net):
    path, comparison = exported(net, tmp_path_factory.mktemp("onnx"))
    assert comparison.equal is True, comparison
    assert comparison.rows == net.task.rows
    check_same(net, path)


@MINE
@given(any_networks(task=tasks(max_in=3)))
def test_random_networks_of_any_numbers_are_written_or_refused(tmp_path_factory, net):
    try:
        path, comparison = exported(net, tmp_path_factory.mktemp("onnx"))
    except NetworkError as error:
        assert "json, c or verilog" in error.remedy
        return
    assert comparison.equal is True, comparison
    check_same(net, path)


@pytest.mark.parametrize(
    ("form", "stored", "opset"),
    [
        ("fp64", "DOUBLE", 13),
        ("fp32", "FLOAT", 13),
        ("fp16", "FLOAT16", 13),
        ("bf16", "BFLOAT16", 13),
        ("fp8-e4m3", "FLOAT8E4M3FN", 19),
        ("fp8-e5m2", "FLOAT8E5M2", 19),
        ("int32", "INT32", 13),
        ("int16", "INT16", 21),
        ("int8", "INT8", 13),
        ("int6", "INT8", 13),
        ("int4", "INT4", 21),
        ("int3", "INT4", 21),
        ("int2", "INT2", 25),
        ("wide", "INT8", 13),
    ],
)
def test_a_format_is_stored_as_it_is_with_the_lowest_opset(form, stored, opset, tmp_path):
    net = hand_made(form)
    path, comparison = exported(net, tmp_path)
    assert (comparison.equal, comparison.rows) == (True, 4)
    assert comparison.facts[0].value == opset
    model = onnx.load(path)
    assert [entry.version for entry in model.opset_import] == [opset]
    (weight,) = (each for each in model.graph.initializer if each.name == "fc1.weight")
    assert onnx.TensorProto.DataType.Name(weight.data_type) == stored
    check_same(net, path)


@pytest.mark.parametrize("form", ["ternary", "binary"])
def test_numbers_of_one_or_two_bits_are_int2(form, tmp_path):
    net = adderlab.network([[[1, -1]]], [[1]], readout="> 0", format=form)
    net = net.for_task("y = a or not b")
    path, comparison = exported(net, tmp_path)
    assert comparison.equal is True
    check_same(net, path)


SCALES = {
    "one exact scale": ((0.5, None), "DequantizeLinear", False),
    "a scale for each row": (([0.5, 0.25], None), "DequantizeLinear", False),
    "with a zero": (([0.5, 0.25], 1), "DequantizeLinear", False),
    "with a zero for each row": ((0.5, [1, -2]), "DequantizeLinear", False),
    "a scale that would round a weight": ((1 / 3, None), "DequantizeLinear", True),
    "the same with a zero": (([1 / 3, 0.7], [1, 0]), "Sub", True),
}


@pytest.mark.parametrize("name", SCALES)
def test_scales_and_zeros_are_kept_and_no_weight_is_rounded(name, tmp_path):
    (scale, zero), kind, is_after = SCALES[name]
    weight = Scaled(
        Packed(np.array([[3, -5], [7, 2]]), 4),
        Dense(np.array(scale, np.float32)),
        None if zero is None else Dense(np.array(zero, np.int8)),
    )
    bias = Scaled(Packed(np.array([1, -3]), 4), Dense(np.array(0.3, np.float32)))
    net = Network((Layer(weight, bias),), task=task_named("half-adder"), format="int4")
    path, comparison = exported(net, tmp_path)
    assert comparison.equal is True
    graph = onnx.load(path).graph
    kinds = [node.op_type for node in graph.node]
    assert kind in kinds
    assert ("Mul" in kinds) is is_after
    check_same(net, path)


def test_a_sparse_network_keeps_its_entries_alone(tmp_path):
    net = adderlab.build("adder:16", method="ripple").network
    path, comparison = exported(net, tmp_path)
    assert comparison.equal is True
    assert comparison.scope == "boundary and random ones of 2^32"
    assert any(node.op_type == "ScatterND" for node in onnx.load(path).graph.node)
    assert path.stat().st_size < 40_000
    check_same(net, path)


CURVES = [
    ("tanh", {}),
    ("sigmoid", {}),
    ("hardsigmoid", {}),
    ("softsign", {}),
    ("softplus", {}),
    ("softplus", {"beta": 2.5, "threshold": 3.0}),
    ("elu", {"alpha": 0.3}),
    ("selu", {}),
    ("gelu", {}),
    ("gelu", {"approximate": "tanh"}),
    ("silu", {}),
    ("mish", {}),
    ("quotient", {"divisor": 3.0}),
]


@pytest.mark.parametrize("form", ["fp32", "fp64", "bf16"])
@pytest.mark.parametrize(("kind", "options"), CURVES)
def test_curves_are_compared_within_what_a_runtime_may_be_off(kind, options, form, tmp_path):
    net = hand_made(form, "> 0.25", kind, **options)
    if (kind, form) == ("gelu", "fp64") and not options:
        what = "erf in fp64 is computed by no runtime of ONNX, and by onnx's evaluator in fp32"
        with refused(NetworkError, f"fc1: {what}; take the network in fp32, or export to torch"):
            _ = exported(net, tmp_path)
        return
    path, comparison = exported(net, tmp_path)
    assert comparison.equal is True, comparison
    check_same(net, path)


@pytest.mark.parametrize("convention", [">", ">="])
@pytest.mark.parametrize("limit", [0.1, 0.5, -1e300, 1e300, 3.0])
def test_a_threshold_that_is_no_fp32_number_reads_every_fp32_number_alike(
    convention, limit, tmp_path
):
    near = np.float32(limit) if abs(limit) < 1e30 else np.float32(1.0)
    ends = [np.nextafter(near, -np.inf), near, np.nextafter(near, np.inf)]
    weight = np.array([[own] for own in ends], np.float32)
    net = Network(
        (Layer(Dense(weight)),),
        adderlab.Readout("threshold", limit, convention),
        adderlab.table({"x": [0, 1], "out y:3": [0, 1]}),
    )
    path, comparison = exported(net, tmp_path)
    assert comparison.equal is True
    assert [fact.key for fact in comparison.facts] == ["opset"]
    assert adderlab.load(path).readout == net.readout


def test_a_graph_joins_what_its_layers_read(tmp_path):
    carry = Layer(
        stored_in([[1.0, 1.0]], "fp32"), stored_in([-1.0], "fp32"), adderlab.Activation("relu")
    )
    total = Layer(stored_in([[1.0, 1.0, -2.0]], "fp32"), inputs=("input", "fc1"))
    net = Network((carry, total), "exact", task_named("half-adder"), outputs=("fc1", "fc2"))
    path, comparison = exported(net, tmp_path)
    assert comparison.equal is True
    assert [node.op_type for node in onnx.load(path).graph.node].count("Concat") == 2
    check_same(net, path)


def test_origin_bits_and_a_hostile_name(tmp_path):
    task = task_named("half-adder")
    path, _ = written(LECTURE, tmp_path, task, name="a */ -- \n'é", verdict="refuted")
    model = onnx.load(path)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata["verdict"] == "refuted"
    assert metadata["network_sha256"] == read_source(LECTURE).sha256
    assert "DO NOT USE: refuted" in model.doc_string
    assert model.graph.name.isascii()
    assert model.graph.name.isidentifier()
    assert model.graph.input[0].doc_string == "bits, in this order: a, b"
    assert model.graph.output[0].doc_string == "bits, in this order: c1, c0"
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"


def test_unbearable_numbers_are_refused_and_others_named(tmp_path):
    wide = replace(hand_made("wide"), readout=adderlab.Readout())
    huge = replace(wide.layers[0], weight=Wide.of([[(1 << 60) + 1, 1], [1, 1]]))
    with refused(
        NetworkError,
        "network: a number is beyond every float of ONNX, or has more bits than any; "
        "export to json, c or verilog, which hold whole numbers of any size",
    ):
        _ = exported(replace(wide, layers=(huge, wide.layers[1])), tmp_path)
    large = replace(wide.layers[0], weight=Wide.of([[(1 << 53) - 1, 5], [1, 1]]))
    with refused(
        NetworkError,
        "network: a sum may take more than the 53 bits of a float of ONNX; "
        "export to json, c or verilog, which hold whole numbers of any size",
    ):
        _ = exported(replace(wide, layers=(large, wide.layers[1])), tmp_path)
    fits = replace(wide.layers[0], weight=Wide.of([[1 << 40, 5], [1, 1]]))
    _, comparison = exported(replace(wide, layers=(fits, wide.layers[1])), tmp_path)
    assert comparison.equal is True
    assert comparison.facts[0].sentence.endswith("in fp64")


def test_rows_that_rounding_decides_are_counted(tmp_path):
    weight = [[2.0**-24, 1.0, 2.0**-24]]
    net = adderlab.network([weight], [None], readout="> 1", task=adderlab.table(
        {"x:3": range(8), "out y": [0, 0, 0, 1, 0, 0, 1, 1]}))  # fmt: skip
    _, comparison = exported(net, tmp_path)
    assert comparison.equal is True
    facts = {fact.key: fact.value for fact in comparison.facts}
    assert facts["rows_decided_by_rounding"] == 3


# --- what is caught -----------------------------------------------------------------------------


def a_weight(model):
    set_numbers(model, "fc2.weight", lambda own: own + np.eye(2, 3, dtype=own.dtype))


def a_byte(model):
    own = initializer(model, "fc1.bias")
    own.raw_data = own.raw_data[:-1] + bytes([own.raw_data[-1] ^ 0x80])


def a_threshold(model):
    set_numbers(model, "threshold", lambda own: own + np.float32(0.25))


def a_sign(model):
    model.graph.node[3].op_type = "Less"


def a_convention(model):
    model.graph.node[3].op_type = "GreaterOrEqual"


def a_relu(model):
    del model.graph.node[1]
    model.graph.node[1].input[0] = "fc1.sums"


def a_node(model):
    del model.graph.node[1]


def a_record(model):
    (entry,) = (each for each in model.metadata_props if each.key == KEY)
    entry.value = entry.value.replace('"threshold":0.0', '"threshold":0.5')


def no_record(model):
    kept = [each for each in model.metadata_props if each.key != KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)


def a_hash(model):
    (entry,) = (each for each in model.metadata_props if each.key == "network_sha256")
    entry.value = "0" * 64


def an_output(model):
    model.graph.output[0].name = "above"
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.BOOL
    del model.graph.node[4]


BROKEN = {
    a_weight: "fc2.weight[0, 0] is 2, and the network's 1",
    a_byte: "fc1.bias[2] is 1.5, and the network's -1.5",
    a_threshold: "stored numbers 'threshold' is not as its layers have it",
    a_sign: "node 3 'above' is not as its layers have it",
    a_convention: "node 3 'above' is not as its layers have it",
    a_relu: "node 1 'fc2.sums' is not as its layers have it",
    a_node: "onnx's checker refuses it: Nodes in a graph must be topologically sorted",
    a_record: "its readout is > 0.5, and the network's > 0",
    no_record: "it has no record of its network",
    a_hash: "its metadata say '000000",
    an_output: "node 4 'bits' is missing",
}


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change.__name__)
def test_a_model_that_was_changed_is_noticed(change, tmp_path):
    path, subject = written(LECTURE, tmp_path)
    model = onnx.load(path)
    change(model)
    _ = path.write_bytes(model.SerializeToString())
    comparison = compare_onnx({"": path}, subject)
    assert comparison.equal is False
    assert comparison.reason.startswith(BROKEN[change])


def test_a_file_that_is_cut_is_noticed(tmp_path):
    path, subject = written(LECTURE, tmp_path)
    _ = path.write_bytes(path.read_bytes()[:-9])
    assert compare_onnx({"": path}, subject).equal is False


def test_a_runtime_that_computes_something_else_is_noticed(tmp_path, monkeypatch):
    path, subject = written(LECTURE, tmp_path)
    run = running.Session.run

    def wrong(self, names, feed):
        raw, bits = run(self, names, feed)
        return [raw, bits ^ 1]

    monkeypatch.setattr(running.Session, "run", wrong)
    comparison = compare_onnx({"": path}, subject)
    assert comparison.equal is False
    assert comparison.reason == "it gives [1, 1] for a = 0, b = 0"


def test_without_onnxruntime_the_evaluator_runs_it_and_without_both_nothing(tmp_path, monkeypatch):
    path, subject = written(LECTURE, tmp_path)
    monkeypatch.setattr(running, "is_installed", lambda name: False)
    comparison = compare_onnx({"": path}, subject)
    assert (comparison.equal, comparison.rows) == (True, 4)
    assert comparison.by.startswith("the reference evaluator of onnx ")
    monkeypatch.setattr(
        running.Session, "_start_reference", lambda self, model: self._refuse("it", OSError("no"))
    )
    comparison = compare_onnx({"": path}, subject)
    assert comparison.equal is None
    assert comparison.reason == "nothing here runs it (it: no); pip install onnxruntime"


# --- what is read -------------------------------------------------------------------------------


def test_a_record_is_believed_only_of_the_graph_that_is_written_for_it(tmp_path):
    net = hand_made("int4")
    path, _ = written(net, tmp_path)
    model = onnx.load(path)
    model.graph.node[0].name = "renamed by another tool"
    _ = path.write_bytes(model.SerializeToString())
    source = read_source(path)
    assert source.network.format == "fp32"  # read as every model is
    assert source.notes[1] == (
        "its record is not that of its graph, and is left out: "
        "node 0 'renamed by another tool' is not as its layers have it"
    )
    rows = [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert source.network.run(rows).tolist() == net.run(rows).tolist()


def test_a_record_that_lies_says_nothing(tmp_path):
    path, _ = written(LECTURE, tmp_path)
    for change in (a_record, a_sign):
        model = onnx.load(path)
        change(model)
        network, what = network_in(model, "it")
        assert network is None
        assert what


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"record":1,"kept":{},"is_raw":false}',
        '{"record":{"layers":[{"weight":{"packed":4}}]},"kept":[],"is_raw":false}',
        '{"record":{"layers":[{"weight":"fc1.weight"}]},"kept":{},"is_raw":false}',
        '{"record":{"layers":[{"weight":{"indptr":"a","indices":"b","values":"c"}}]},"kept":{}}',
        '{"record":{"layers":[{"bias":{"scale":"fc1.bias","q":"x"}}]},"kept":{"fc1.bias":7}}',
        '{"record":{"layers":[{"weight":{"packed":-3,"data":"fc1.weight"}}]},"kept":{}}',
        '{"record":{"layers":[{"weight":{"packed":4,"data":"fc1.bias"}}]},"kept":{}}',
        '{"record":{"layers":[{"bias":{"scale":"v","q":"v"}}]},"kept":{"v":{"shape":[7]}}}'.replace(
            "v", "fc1.bias"
        ),
        "no JSON",
    ],
)
def test_a_hostile_record_is_left_out(text, tmp_path):
    path, _ = written(LECTURE, tmp_path)
    model = onnx.load(path)
    (entry,) = (each for each in model.metadata_props if each.key == KEY)
    entry.value = text
    _ = path.write_bytes(model.SerializeToString())
    source = read_source(path)
    assert "its record is not that of its graph" in source.notes[1]
    assert source.network.run([[1, 1]], raw=True).tolist() == [[0.5, 0.5]]


def test_a_model_that_does_not_run_as_it_says_is_refused(tmp_path, monkeypatch):
    path, _ = written(LECTURE, tmp_path)
    run = running.RowRun.outputs

    def wrong(self, rows):
        own = run(self, rows)
        return replace(own, raw=own.raw + 1)

    monkeypatch.setattr(running.RowRun, "outputs", wrong)
    with pytest.raises(ModelError, match="which the layers in it do not"):
        _ = adderlab.load(path)


def test_whole_numbers_of_two_bits_are_read_of_any_model(tmp_path):
    model = model_of(hand_made("int2"))
    del model.metadata_props[:]
    path = tmp_path / "net.onnx"
    _ = path.write_bytes(model.SerializeToString())
    assert adderlab.load(path).run([[0, 1], [1, 1]]).tolist() == [[0, 1], [1, 0]]


# --- the command --------------------------------------------------------------------------------


def test_the_command_writes_and_says_so(tmp_path, capsys):
    net = adderlab.save(hand_made("int4"), tmp_path / "net.safetensors")
    out = tmp_path / "half.onnx"
    assert main(["export", str(net), "--to", "onnx", "-o", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["equal"], result["checked_rows"], result["opset"]) == (True, 4, 21)
    assert result["checked_by"].startswith("onnxruntime ")
    assert adderlab.prove(out).verdict == "proved"


def test_a_refuted_network_is_written_with_force_alone(tmp_path, capsys):
    net = adderlab.save(LECTURE, tmp_path / "net.safetensors")
    out = tmp_path / "half.onnx"
    assert main(["export", str(net), "--to", "onnx", "-o", str(out)]) == 2
    assert not out.exists()
    assert main(["export", str(net), "--to", "onnx", "-o", str(out), "--force"]) == 0
    assert "refuted" in capsys.readouterr().err
    assert adderlab.prove(out).verdict == "refuted"


def test_sparse_weights_without_entries_are_written(tmp_path):
    empty = Sparse(
        (2, 2), np.zeros(3, np.uint8), np.zeros(0, np.uint8), Packed(np.zeros(0, np.int64), 2)
    )
    net = Network((Layer(empty, stored_in([1.0, 0.0], "fp32")),), task=task_named("half-adder"))
    path, comparison = exported(net, tmp_path)
    assert comparison.equal is True
    check_same(net, path)
