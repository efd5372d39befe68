"""How bits go into an ONNX model and what comes out: batch axes, inputs, types, exports."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")

import torch
from nets.onnx_models import BOOL, FLOAT, INT64, model_of, node, rows_of, write
from nets.public_styles import STYLES
from nets.test_onnx_operators import B, W, ints
from onnx import TensorProto
from strategies import refused

from adderlab.errors import ModelError, TaskError
from adderlab.nets import load, to_bytes
from adderlab.nets.onnx import from_onnx, read_onnx
from adderlab.nets.sources import read_source
from adderlab.nets.tracing import from_module
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove

ADDER = {
    "V": np.array([[1, 1], [1, 1]], np.float32), "b": np.array([0, -1], np.float32),
    "U": np.array([[0, 1], [1, -2]], np.float32), "c": np.array([-0.5, -0.5], np.float32),
}  # fmt: skip
"""A half adder: relu(a + b), relu(a + b - 1); the carry is the second, the sum what is left."""


def adder(shape: list[Any], *before: Any, kind: int = FLOAT, **weights: Any) -> onnx.ModelProto:
    nodes = [
        *before,
        node("Gemm", "x V b" if not before else "bits V b", "h", transB=1),
        node("Relu", "h", "r"), node("Gemm", "r U c", "z", transB=1),
    ]  # fmt: skip
    return model_of(nodes, {**ADDER, **weights}, inputs={"x": (kind, shape)}, results="z")


@pytest.mark.parametrize("shape", [["N", 2], [1, 2], [5, 2], [None, None], ["N", "K"]])
def test_the_first_axis_is_the_batch(shape: list[Any], tmp_path: Path) -> None:
    path = write(adder(shape), tmp_path)
    verdict = prove(path, "half-adder", readout="> 0")
    assert verdict, verdict
    assert "ONNX opset 20; compared with onnxruntime" in verdict.notes
    assert len(load(path).layers) == 2


@pytest.mark.parametrize(
    ("shape", "before", "kind", "weights"),
    [
        ([2], [node("Unsqueeze", "x zero", "bits")], FLOAT, {"zero": ints(0)}),
        (["N", 2, 1], [node("Squeeze", "x two", "bits")], FLOAT, {"two": ints(2)}),
        (["N", 1, 2], [node("Flatten", "x", "bits")], FLOAT, {}),
        (["N", 2], [node("Cast", "x", "bits", to=FLOAT)], INT64, {}),
        (["N", 2], [node("Cast", "x", "bits", to=FLOAT)], BOOL, {}),
        (["N", 2], [node("Cast", "x", "bits", to=FLOAT)], TensorProto.UINT8, {}),
        (["N", 2], [node("Cast", "x", "bits", to=FLOAT)], TensorProto.DOUBLE, {}),
    ],
)
def test_an_input_has_any_shape_and_type(
    shape: list[Any], before: list[Any], kind: int, weights: dict[str, Any], tmp_path: Path
) -> None:
    path = write(adder(shape, *before, kind=kind, **weights), tmp_path)
    assert prove(path, "half-adder", readout="> 0")


@pytest.mark.parametrize("kind", [TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_a_network_is_in_the_format_of_its_model(kind: int, tmp_path: Path) -> None:
    model = adder(["N", 2], kind=kind)
    for proto in model.graph.initializer:
        numbers = onnx.numpy_helper.to_array(proto)
        types = {TensorProto.DOUBLE: np.float64, TensorProto.FLOAT16: np.float16}
        if kind == TensorProto.BFLOAT16:
            own = onnx.helper.make_tensor(proto.name, kind, numbers.shape, numbers.reshape(-1))
        else:
            own = onnx.numpy_helper.from_array(numbers.astype(types[kind]), proto.name)
        proto.CopyFrom(own)
    model.graph.output[0].type.tensor_type.elem_type = kind
    names = {TensorProto.DOUBLE: "fp64", TensorProto.FLOAT16: "fp16", TensorProto.BFLOAT16: "bf16"}
    path = write(model, tmp_path)
    assert load(path).format == names[kind]
    assert prove(path, "half-adder", readout="> 0")


TWO = [node("Concat", "b a", "ba", axis=1), node("Gemm", "ba W B", "h", transB=1),
       node("Greater", "h zero", "y")]  # fmt: skip


def several(widths: dict[str, Any]) -> onnx.ModelProto:
    inputs = {name: (FLOAT, ["N", width]) for name, width in widths.items()}
    weights = {
        "W": np.array([[1, -1]], np.float32),
        "B": np.zeros(1, np.float32),
        "zero": B[:1] * 0,
    }
    return model_of(TWO, weights, inputs=inputs, kind=BOOL)


def test_inputs_take_the_bits_in_their_order(tmp_path: Path) -> None:
    read = read_onnx(several({"a": 1, "b": 1}).SerializeToString(), "net.onnx")
    assert read.notes[1] == "its inputs a, b are given 1 bit each, in this order"
    assert read.network.run(rows_of(2)).tolist() == [[0], [1], [0], [0]]


def test_inputs_named_as_the_tasks_words_take_those(tmp_path: Path) -> None:
    data = several({"b": 1, "a": 1}).SerializeToString()
    read = read_onnx(data, "net.onnx", "y = b and not a")
    words = [word.name for word in read.network.task.inputs]
    assert "each of its 2 inputs is given its word" in read.notes
    assert prove(read.network), words


def test_inputs_of_one_bit_each_without_a_second_axis() -> None:
    nodes = [node("Unsqueeze", "a one", "a1"), node("Unsqueeze", "b one", "b1"),
             node("Concat", "a1 b1", "x", axis=1),
             node("Gemm", "x W B", "y", transB=1)]  # fmt: skip
    for shape in (["N"], [1]):
        inputs = dict.fromkeys("ab", (FLOAT, shape))
        model = model_of(nodes, {"W": W, "B": B, "one": ints(1)}, inputs=inputs)
        net = read_onnx(model.SerializeToString(), "net.onnx").network
        assert (net.n_in, net.n_out) == (2, 3)


def two_heads() -> onnx.ModelProto:
    nodes = [node("Gemm", "x W B", "h", transB=1), node("Relu", "h", "all"),
             node("ReduceSum", "h a", "sum"), node("Sin", "h", "wave")]  # fmt: skip
    return model_of(nodes, {"W": W, "B": B, "a": ints(1)}, results="all sum wave")


def test_an_output_is_chosen_by_name_or_place(tmp_path: Path) -> None:
    """What the others need is not looked at."""
    path = write(two_heads(), tmp_path)
    assert from_onnx(path, output="all").n_out == from_onnx(path, output=0).n_out == 3
    assert from_onnx(path, output="sum").n_out == 1
    assert read_source(path, output="sum").network.n_out == 1
    with refused(ModelError, f"output: there is no output 'c'; {path} has all, sum, wave"):
        _ = from_onnx(path, output="c")
    with pytest.raises(ModelError, match="Sin is not read"):
        _ = from_onnx(path)


def test_a_task_of_another_width_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        TaskError, match="adder:2 has 4 input and 3 output bits, the network 2 and 2"
    ):
        _ = from_onnx(write(adder(["N", 2]), tmp_path), "adder:2")


def test_a_readout_is_taken_in_place_of_the_models(tmp_path: Path) -> None:
    net = from_onnx(write(adder(["N", 2]), tmp_path), "half-adder", readout=">= 0.25")
    assert (str(net.readout), net.task) == (">= 0.25", task_named("half-adder"))


def test_the_largest_output_may_be_the_readout(tmp_path: Path) -> None:
    path = write(adder(["N", 2]), tmp_path)
    net = from_onnx(path, "y = a xor b", readout="argmax")
    assert net.task is not None
    assert net.run(rows_of(2)).tolist() == [[0], [1], [1], [0]]
    assert (
        from_onnx(path, readout="argmax").run(rows_of(2)).tolist() == net.run(rows_of(2)).tolist()
    )


def test_a_model_is_told_by_its_bytes_whatever_its_name(tmp_path: Path) -> None:
    net = load(write(adder(["N", 2]), tmp_path, "half_adder.model"))
    assert to_bytes(net) == to_bytes(load(write(adder(["N", 2]), tmp_path)))


# --- what PyTorch exports -------------------------------------------------------------------------

NOT_EXPORTED = ("heaviside", "threshold")
"""Styles that PyTorch's first exporter does not know."""

FIXED = ("a_loop_over_bits", "features_and_a_column_of_ones")
"""Styles for which it writes the size of the batch into the model."""


def exported(module: Any, widths: tuple[int, ...], **options: Any) -> bytes:
    buffer = io.BytesIO()
    arguments = tuple(torch.zeros(3, width) for width in widths)
    torch.onnx.export(module, arguments, buffer, verbose=False, **options)
    return buffer.getvalue()


def check_same_values(data: bytes, module: Any, widths: tuple[int, ...]) -> None:
    bits = torch.from_numpy(rows_of(sum(widths))).float()
    with torch.no_grad():
        outputs = module(*torch.split(bits, list(widths), dim=1))
    named = outputs.values() if isinstance(outputs, dict) else outputs
    parts = [named] if isinstance(named, torch.Tensor) else list(named)
    expected = torch.cat([part.reshape(len(bits), -1).float() for part in parts], dim=1)
    net = read_onnx(data, "net.onnx").network
    got = net.run(bits.byte().numpy(), raw=True)
    if {float(value) for value in expected.reshape(-1)} <= {0.0, 1.0}:
        got = net.run(bits.byte().numpy())
    np.testing.assert_allclose(np.asarray(got, float), expected.numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", sorted({*STYLES} - {*NOT_EXPORTED}))
def test_a_public_style_is_read_as_it_is_exported(name: str) -> None:
    kind, widths = STYLES[name]
    torch.manual_seed(2)
    module = kind().eval()
    for parameter in module.parameters():
        _ = parameter.data.uniform_(-1, 1)
    names = [f"x{at}" for at in range(len(widths))]
    axes = {} if name in FIXED else {name: {0: "batch"} for name in names}
    data = exported(module, widths, dynamo=False, input_names=names, dynamic_axes=axes)
    kinds = {node.op_type for node in onnx.load_from_string(data).graph.node}
    if name.startswith("gelu") and "Gelu" not in kinds:
        pytest.skip(f"PyTorch {torch.__version__} exports GELU as {', '.join(sorted(kinds))}")
    check_same_values(data, module, widths)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("batch", ["open", "fixed"])
def test_what_the_exporter_of_today_writes_is_read(batch: str) -> None:
    pytest.importorskip("onnxscript", reason="PyTorch's exporter needs onnxscript")
    torch.manual_seed(2)
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.Sigmoid(), torch.nn.Linear(4, 4), torch.nn.ReLU(),
        torch.nn.Linear(4, 2),
    ).eval()  # fmt: skip
    shapes = ({0: torch.export.Dim("batch")},) if batch == "open" else None
    program = torch.onnx.export(
        module, (torch.zeros(3, 3),), dynamo=True, verbose=False, dynamic_shapes=shapes
    )
    data = program.model_proto.SerializeToString()
    check_same_values(data, module, (3,))
    read = read_onnx(data, "net.onnx").network
    assert to_bytes(read) == to_bytes(from_module(module).network)
