"""ONNX models that are refused, each with one line: what, where, and what would be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")

from nets.onnx_models import FLOAT, INT64, model_of, node, write
from nets.test_onnx_operators import HIDDEN, B, W, floats, ints
from onnx import TensorProto, helper, numpy_helper

from adderlab.errors import AdderlabError, DependencyError, ModelError, NetworkFileError
from adderlab.limits import Budget, CapReached, within
from adderlab.nets import load
from adderlab.nets.onnx import from_onnx, parsing, read_onnx
from adderlab.nets.onnx.wire import MOST_LEVELS
from adderlab.verbs.prove import prove

READABLE = "docs/classes.md lists the operators that are read"
SUBGRAPH = helper.make_graph(
    [node("Identity", "h", "i")], "inner", [], [helper.make_tensor_value_info("i", FLOAT, None)]
)


def plain(**changes: Any) -> onnx.ModelProto:
    return model_of([HIDDEN, node("Relu", "h", "y")], {"W": W, "B": B}, **changes)


def with_nodes(*nodes: onnx.NodeProto, **weights: Any) -> onnx.ModelProto:
    return model_of([HIDDEN, *nodes], {"W": W, "B": B, **weights})


def custom() -> onnx.ModelProto:
    model = with_nodes(node("FusedGemm", "h", "y", domain="com.microsoft"))
    model.opset_import.add(domain="com.microsoft", version=1)
    return model


def function() -> onnx.ModelProto:
    model = with_nodes(node("Mine", "h", "y", domain="local"))
    model.opset_import.add(domain="local", version=1)
    model.functions.append(
        helper.make_function(
            "local", "Mine", ["a"], ["b"], [node("Relu", "a", "b")], [helper.make_opsetid("", 20)]
        )
    )
    return model


def training() -> onnx.ModelProto:
    model = plain()
    model.training_info.add()
    return model


def sparse() -> onnx.ModelProto:
    model = plain()
    values = numpy_helper.from_array(floats(1), "S")
    indices = numpy_helper.from_array(ints(0), "i")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [6]))
    return model


MODELS: dict[str, tuple[Any, str]] = {
    "an old opset": (
        lambda: plain(opset=6),
        ("{path}: the model is of opset 6; read are 7 to {newest}; onnx.version_converter makes "
        "another of it")),
    "an opset to come": (
        lambda: plain(opset=99),
        ("{path}: the model is of opset 99; read are 7 to {newest}; onnx.version_converter makes "
        "another of it")),
    "another domain": (
        custom,
        ("{path}: FusedGemm 'y': FusedGemm of the domain 'com.microsoft' is not read; ONNX's own "
        f"operators alone are; {READABLE}")),
    "a function of its own": (
        function,
        ("{path}: Mine 'y': Mine is a function that the model defines; write it out: "
        "onnx.inliner.inline_local_functions")),
    "an operator": (
        lambda: with_nodes(node("Sin", "h", "y")), "{path}: Sin 'y': Sin is not read; " + READABLE),
    "a subgraph": (
        lambda: with_nodes(
            node("If", "c", "y", then_branch=SUBGRAPH, else_branch=SUBGRAPH), c=np.array(True)),
        ("{path}: If 'y': If runs graphs of its own; export the model without if and loops, whose "
        "path a network can't choose")),
    "a training graph": (
        training,
        "{path}: the model holds a training graph (training_info); export it for inference"),
    "sparse weights": (sparse, "{path}: 'S' is stored sparsely; store the weights densely"),
    "a product of two": (
        lambda: with_nodes(node("Mul", "h h", "y")),
        "{path}: Mul 'y': two computed values are multiplied; multiply by constants alone"),
    "a root": (
        lambda: with_nodes(node("Sqrt", "h", "y")),
        "{path}: Sqrt 'y': Sqrt of values that depend on the input is not read; " + READABLE),
    "a shape that is computed": (
        lambda: with_nodes(node("Cast", "h", "i", to=INT64), node("Reshape", "h i", "y")),
        "{path}: Reshape 'y': its shape depends on the values of the input; give it as a constant"),
    "rounding": (
        lambda: with_nodes(node("Cast", "h", "y", to=INT64)),
        ("{path}: Cast 'y': values are converted to torch.int64, which rounds them; convert bits "
        "alone, after a comparison")),
    "rows that are mixed": (
        lambda: with_nodes(node("ReduceSum", "h a", "s"), node("Add", "h s", "y"), a=ints(0)),
        "{path}: ReduceSum 's': it treats some rows otherwise than others; "),
    "dropout in training": (
        lambda: with_nodes(node("Dropout", "h r t", "y"), r=np.float32(0.5), t=np.array(True)),
        "{path}: Dropout 'y': dropout is in training mode; export the model in eval mode"),
    "a type of numbers": (
        lambda: model_of([node("Identity", "x", "y")], inputs={"x": (TensorProto.STRING, [1, 2])}),
        ("{path}: x: its numbers are of the type string; read are float, double, float16, "
        "bfloat16, int8, int16, int32, int64, uint8, bool")),
    "no inputs": (
        lambda: model_of([node("Identity", "W", "y")], {"W": W}, inputs={"V": (FLOAT, [1, 2])}),
        "{path}: the model's outputs depend on none of its inputs; no network is read"),
    "the last of equals": (
        lambda: with_nodes(node("ArgMax", "h", "y", axis=1, select_last_index=1)),
        ("{path}: ArgMax 'y': it takes the last of equals (select_last_index); take the first of "
        "equals")),
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_what_is_not_read_is_named(name: str, tmp_path: Path) -> None:
    make, text = MODELS[name]
    path = write(make(), tmp_path)
    newest = min(parsing.NEWEST, onnx.defs.onnx_opset_version())
    with pytest.raises(ModelError if "type" not in name else NetworkFileError) as caught:
        _ = from_onnx(path)
    assert str(caught.value).startswith(text.format(path=path, newest=newest))


# --- damaged and hostile files --------------------------------------------------------------------


def nested(levels: int) -> bytes:
    """A graph in a node in a graph, and so on."""
    data = b""
    for _ in range(levels):
        for key in (b"\x32", b"\x2a", b"\x0a"):  # an attribute's graph, a node's, a graph's node
            data = key + varint(len(data)) + data
    return b"\x08\x08\x3a" + varint(len(data)) + data


def varint(number: int) -> bytes:
    data = b""
    while number > 127:
        data, number = data + bytes([number & 127 | 128]), number >> 7
    return data + bytes([number])


def changed(change: Any) -> bytes:
    model = plain()
    change(model.graph)
    return model.SerializeToString()


def repeated(graph: Any) -> None:
    graph.initializer.append(graph.initializer[0])


def negative(graph: Any) -> None:
    graph.initializer[0].dims[0] = -3


def huge(graph: Any) -> None:
    graph.initializer[0].dims[:] = [1 << 40, 1 << 20]


def short(graph: Any) -> None:
    graph.initializer[0].raw_data = graph.initializer[0].raw_data[:-4]


def infinite(graph: Any) -> None:
    graph.initializer[0].CopyFrom(numpy_helper.from_array(W * np.float32(np.inf), "W"))


def shuffled(graph: Any) -> None:
    graph.node.append(graph.node[0])
    del graph.node[0]


def cyclic(graph: Any) -> None:
    graph.node[0].input[0] = "y"


def twice(graph: Any) -> None:
    graph.node[1].output[0] = "h"


def absent(graph: Any) -> None:
    graph.output[0].name = "z"


def negative_input(graph: Any) -> None:
    graph.input[0].type.tensor_type.shape.dim[1].dim_value = -2


def huge_input(graph: Any) -> None:
    graph.input[0].type.tensor_type.shape.dim[1].dim_value = 1 << 40


def unknown_attribute(graph: Any) -> None:
    graph.node[1].attribute.append(helper.make_attribute("alpha", 0.5))


DAMAGED: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "the file is empty"),
    "noise": (bytes(range(255, 1, -1)) * 9, "this is no ONNX model, or a damaged one"),
    "cut short": (plain().SerializeToString()[:-9], "this is no ONNX model, or a damaged one"),
    "no graph": (b"\x08\x08\x42\x02\x10\x14", "the model has no nodes"),
    "many nodes": (
        b"\x3a" + varint(8000) + b"\x0a\x00" * 4000, "the file has more than 999 fields"),
    "deep": (nested(2000), f"messages are nested more than {MOST_LEVELS} levels deep"),
    "a weight twice": (changed(repeated), "'W' is stored twice"),
    "a negative size": (changed(negative), "its shape is [-3, 2]"),
    "a huge size": (changed(huge), "its shape [1099511627776, 1048576] has more than"),
    "too few numbers": (changed(short), "its numbers can't be had"),
    "an infinity": (changed(infinite), "a number is inf (at [0, 0])"),
    "nodes out of order": (changed(shuffled), "'h' is used before it is computed"),
    "a cycle": (changed(cyclic), "'y' is used before it is computed"),
    "a value twice": (changed(twice), "'h' is computed twice"),
    "an output that is not there": (changed(absent), "the output 'z' is never computed"),
    "an input of negative size": (changed(negative_input), "its shape is [?, -2]"),
    "an input of huge size": (changed(huge_input), "its shape is [?, 1099511627776]"),
    "an attribute too many": (changed(unknown_attribute), "onnx's checker refuses it"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_model_is_refused_with_a_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adderlab.nets.onnx.wire.MOST_FIELDS", 999)
    data, text = DAMAGED[name]
    with pytest.raises(NetworkFileError) as caught:
        _ = read_onnx(data, "net.onnx")
    assert str(caught.value).startswith("net.onnx")
    assert text in str(caught.value)


def test_a_model_cut_short_anywhere_or_changed_is_refused_or_read() -> None:
    data = plain().SerializeToString()
    rng = np.random.default_rng(3)
    for at in range(0, len(data), 7):
        flipped = bytearray(data)
        flipped[at] ^= 1 << int(rng.integers(8))
        for own in (data[:at], bytes(flipped)):
            try:
                _ = read_onnx(own, "net.onnx")
            except AdderlabError as error:
                assert "\n" not in str(error)


BOMBS: dict[str, list[onnx.NodeProto]] = {
    "an expansion": [node("Expand", "h s", "y")],
    "repeats": [node("Tile", "h t", "y")],
    "padding": [node("Pad", "h p", "y")],
    "a constant": [node("ConstantOfShape", "s", "k"), node("Add", "h k", "y")],
    "a range": [node("Range", "a b c", "r"), node("Add", "h r", "y")],
    "two that spread": [node("Reshape", "l m", "u"), node("Add", "l u", "v"),
                        node("ReduceSum", "v", "w"), node("Add", "h w", "y")],
    "a table of parts": [node("Gather", "n g", "v"), node("ReduceSum", "v", "w"),
                         node("Add", "h w", "y")],
    "an outer product": [node("Reshape", "l m", "u"), node("MatMul", "u n", "v"),
                         node("ReduceSum", "v", "w"), node("Add", "h w", "y")],
    "a sum of products": [node("Einsum", "l l", "v", equation="i,j->ij"),
                          node("ReduceSum", "v", "w"), node("Add", "h w", "y")],
    "joins of joins": [node("Concat", "h h", "d0", axis=1)] + [
        node("Concat", f"d{at} d{at}", f"d{at + 1}", axis=1) for at in range(40)
    ] + [node("Relu", "d40", "y")],
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_takes_no_large_memory(name: str) -> None:
    line = np.zeros(1 << 16, np.float32)
    weights = {"s": ints(1 << 40, 1, 1), "t": ints(1, 1 << 40), "p": ints(0, 0, 0, 1 << 40),
               "a": np.array(0), "b": np.array(1 << 40), "c": np.array(1), "l": line,
               "m": ints(-1, 1), "n": line[None], "g": np.zeros(1 << 12, np.int64)}  # fmt: skip
    weights = {key: own for key, own in weights.items() if any(key in n.input for n in BOMBS[name])}
    with pytest.raises(ModelError) as caught:
        _ = read_onnx(with_nodes(*BOMBS[name], **weights).SerializeToString(), "net.onnx")
    assert "has more than 16777216 numbers; take something smaller" in str(caught.value)


def test_the_limits_hold_while_a_model_is_read() -> None:
    data = plain().SerializeToString()
    with pytest.raises(CapReached), within(Budget.of(1e-9)):
        _ = read_onnx(data, "net.onnx")
    with pytest.raises(CapReached), within(Budget(max_memory_bytes=1)):
        _ = read_onnx(data, "net.onnx")


def test_a_verdict_says_which_limit_was_reached(tmp_path: Path) -> None:
    path = write(plain(), tmp_path)
    verdict = prove(path, "half-adder", timeout_s=1e-9)
    assert verdict.verdict == "unknown"
    assert verdict.reason == "the time was up while the network was read"


# --- weights in other files -----------------------------------------------------------------------


def outside(location: str, **entries: str) -> onnx.ModelProto:
    """A model whose W lies in another file."""
    model = plain()
    proto = model.graph.initializer[0]
    proto.ClearField("raw_data")
    proto.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        proto.external_data.add(key=key, value=value)
    return model


def test_weights_in_a_file_beside_the_model_are_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    _ = (tmp_path / "sub" / "w.bin").write_bytes(bytes(8) + W.tobytes())
    path = write(outside("sub/w.bin", offset="8", length="24"), tmp_path)
    assert load(path).layers[0].weight.numbers.tolist() == W.tolist()


@pytest.mark.parametrize(
    ("location", "entries", "text"),
    [
        ("../w.bin", {}, "its numbers are in '../w.bin', outside of the model's folder"),
        ("sub/../../w.bin", {}, "outside of the model's folder"),
        ("/etc/passwd", {}, "its numbers are in '/etc/passwd', outside of the model's folder"),
        ("..\\w.bin", {}, "outside of the model's folder"),
        ("C:\\w.bin", {}, "outside of the model's folder"),
        ("", {}, "its numbers are in '', outside of the model's folder"),
        ("link.bin", {}, "its numbers are in 'link.bin', outside of the model's folder"),
        ("folder/w.bin", {}, "outside of the model's folder"),
        ("none.bin", {}, "its numbers are in 'none.bin', which is not there"),
        ("loop", {}, "which is not there"),
        ("pipe", {}, "not a regular file"),
        ("w.bin", {"length": "20"}, "its shape takes 24 bytes and its entry names 20"),
        ("w.bin", {"offset": "4"}, "w.bin ends before it"),
        ("w.bin", {"offset": "-4"}, "its place in the file is '-4'"),
        ("w.bin", {"offset": "9" * 30}, "its place in the file is"),
    ],
)
def test_no_file_outside_the_models_folder_is_opened(
    location: str, entries: dict[str, str], text: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    for place in (tmp_path, folder):
        _ = (place / "w.bin").write_bytes(W.tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    (folder / "folder").symlink_to(tmp_path)
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe")
    path = write(outside(location, **entries), folder)
    with pytest.raises(NetworkFileError) as caught:
        _ = load(path)
    assert text in str(caught.value)


def test_sizes_are_known_before_another_file_is_read(tmp_path: Path) -> None:
    with (tmp_path / "w.bin").open("wb") as file:
        _ = file.truncate(1 << 40)
    model = outside("w.bin")
    model.graph.initializer[0].dims[:] = [1 << 30, 2]
    with pytest.raises(NetworkFileError, match="has more than 134217728 numbers"):
        _ = load(write(model, tmp_path))


# --- the reading and the model itself -------------------------------------------------------------


def test_a_reading_that_differs_from_the_model_is_refused_with_the_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wrong = dict(parsing.TABLE, Relu=lambda step, value: value)
    monkeypatch.setattr("adderlab.nets.onnx.module.TABLE", wrong)
    with pytest.raises(ModelError, match=r"input bits 0,0 onnxruntime gives .*0.0.*-1.0"):
        _ = read_onnx(plain().SerializeToString(), "net.onnx")


def test_a_model_that_counts_its_rows_is_refused() -> None:
    nodes = [node("Shape", "h", "s"), node("Gather", "s i", "n"), node("Cast", "n", "f", to=FLOAT),
             node("Add", "h f", "y")]  # fmt: skip
    with pytest.raises(ModelError, match="the model does something that was not read"):
        _ = read_onnx(with_nodes(*nodes, i=ints(0)).SerializeToString(), "net.onnx")


def test_without_onnxruntime_onnx_itself_runs_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adderlab.nets.onnx.runtime.is_installed", lambda name: False)
    notes = read_onnx(plain().SerializeToString(), "net.onnx").notes
    assert notes[0] == "ONNX opset 20; compared with onnx's reference evaluator"


def test_without_onnx_the_line_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(plain(), tmp_path)
    monkeypatch.setattr("adderlab.packages.is_installed", lambda name: name != "onnx")
    with pytest.raises(DependencyError) as caught:
        _ = load(path)
    assert str(caught.value) == "onnx is not installed; pip install 'adderlab[onnx]'"


def test_a_layer_of_scales_takes_no_more_memory_than_is_allowed() -> None:
    """Of n units it has n times n entries."""
    size = 4096
    weights = {"W": np.ones((size, 2), np.float32), "B": np.arange(size, dtype=np.float32)}
    nodes = [HIDDEN, node("Mul", "h c", "y")]
    data = model_of(nodes, {**weights, "c": 1 + weights["B"]}).SerializeToString()
    with pytest.raises(CapReached), within(Budget.of(None, 100 << 20)):
        _ = read_onnx(data, "net.onnx")
