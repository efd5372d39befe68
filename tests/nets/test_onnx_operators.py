"""Each ONNX operator, in each opset in which its spelling or meaning is another one."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")

from nets.onnx_models import BOOL, FLOAT, INT64, model_of, node, values_of, values_read, write
from onnx import TensorProto, numpy_helper

from adderlab.nets.onnx import from_onnx
from adderlab.nets.onnx.operators import GROUPS, TABLE

W = np.array([[1, -2], [-0.5, 0.75], [2, 1.5]], dtype=np.float32)  # (3, 2)
B = np.array([0.25, -1, 0.5], dtype=np.float32)
HIDDEN = node("Gemm", "x W B", "h", transB=1)
"""Three values a row, between -3 and 4."""


def ints(*numbers: int) -> np.ndarray:
    return np.array(numbers, dtype=np.int64)


def floats(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float32)


def single(kind: str, inputs: str = "h", **attributes: Any) -> list[Any]:
    return [HIDDEN, node(kind, inputs, "y", **attributes)]


ALL = (7, 24)
NEW = (13, 24)
C = floats(0.5)

VALUES: dict[str, tuple[tuple[int, ...], list[Any], dict[str, Any]]] = {
    # sums and products
    "MatMul": (ALL, [node("MatMul", "x V", "y")], {"V": W.T}),
    "MatMul of a constant and the batch": (
        (13,), [node("Transpose", "x", "t"), node("MatMul", "W t", "u"),
         node("Transpose", "u", "y")],
        {}),
    "Gemm": (ALL, [HIDDEN, node("Identity", "h", "y")], {}),
    "Gemm, scaled": (ALL, [node("Gemm", "x V B", "y", alpha=0.5, beta=2.0)], {"V": W.T}),
    "Gemm without a bias": ((11, 13), [node("Gemm", "x W", "y", transB=1)], {}),
    "Gemm with a bias of one number": ((13,), [node("Gemm", "x W c", "y", transB=1)], {"c": C}),
    "Gemm with a row": ((7, 13), [node("Gemm", "x W c", "y", transB=1)], {"c": B[None]}),
    "Gemm with a computed sum": (
        (13,), [HIDDEN, node("Gemm", "x W h", "y", transB=1)], {}),
    "Add": (ALL, single("Add", "h h"), {}),
    "Add of a constant": (ALL, single("Add", "c h"), {"c": B}),
    "Sub": (ALL, single("Sub", "c h"), {"c": B}),
    "Mul": (ALL, single("Mul", "h c"), {"c": B}),
    "Div": (ALL, single("Div", "h c"), {"c": floats(4)}),
    "Neg": (ALL, single("Neg"), {}),
    "Sum": ((8, 13), single("Sum", "h c h"), {"c": B}),
    "ReduceSum with an attribute": ((7, 11), single("ReduceSum", axes=[1], keepdims=0), {}),
    "ReduceSum": (NEW, single("ReduceSum", "h a"), {"a": ints(-1)}),
    "ReduceSum of nothing": ((13,), single("ReduceSum", "h", noop_with_empty_axes=1), {}),
    "ReduceMean": (
        (7, 13), [node("ReduceMean", "x", "m", axes=[1]), node("Add", "m c", "y")], {"c": B}),
    "ReduceMean by an input": ((18,), [node("ReduceMean", "x a", "y")], {"a": ints(1)}),
    "BatchNormalization": (
        (7, 15), single("BatchNormalization", "h s b m v", epsilon=0.0),
        {"s": B, "b": floats(1, 2, 3), "m": floats(0, 1, 0.5), "v": floats(1, 4, 0.25)}),
    "Einsum": ((12, 20), [node("Einsum", "x W", "y", equation="ni,oi->no")], {}),
    "DequantizeLinear": (
        (10, 21),
        [node("DequantizeLinear", "q s z", "V"), node("Gemm", "x V B", "y", transB=1)],
        {"q": np.array([[1, -2], [3, 4], [-5, 6]], np.int8), "s": np.float32(0.25),
         "z": np.int8(1)}),
    "DequantizeLinear by rows": (
        (13, 21),
        [node("DequantizeLinear", "q s z", "V", axis=0), node("Gemm", "x V B", "y", transB=1)],
        {"q": np.array([[1, 2], [3, 4], [5, 6]], np.uint8), "s": floats(0.25, 0.5, 1),
         "z": np.array([1, 2, 3], np.uint8)}),
    # activations that are straight
    "Relu": (ALL, single("Relu"), {}),
    "LeakyRelu": ((7, 16), single("LeakyRelu", alpha=0.125), {}),
    "PRelu": ((7, 16), single("PRelu", "h s"), {"s": floats(0.25)}),
    "PRelu with a slope each": ((7, 16), single("PRelu", "h s"), {"s": floats(0.25, 2, -1)}),
    "Clip by attributes": ((7, 10), single("Clip", min=-0.5, max=1.0), {}),
    "Clip by one attribute": ((7,), single("Clip", min=0.0), {}),
    "Clip": ((11, 13), single("Clip", "h a b"), {"a": np.float32(-0.5), "b": np.float32(1)}),
    "Clip from below": ((13,), single("Clip", "h a"), {"a": np.float32(0)}),
    "Clip from above": ((13,), single("Clip", "h _ b"), {"b": np.float32(1)}),
    "Abs": ((7, 13), single("Abs"), {}),
    "Sign": ((9, 13), single("Sign"), {}),
    "HardSigmoid": ((7, 22), single("HardSigmoid", alpha=0.25, beta=0.5), {}),
    "ThresholdedRelu": ((10, 22), single("ThresholdedRelu", alpha=0.5), {}),
    "Max": ((8, 13), single("Max", "h c"), {"c": C}),
    "Min": ((8, 13), single("Min", "c h"), {"c": C}),
    # comparisons and bits
    "Where": (
        (9, 16),
        [HIDDEN, node("Greater", "h c", "g"), node("Where", "g h d", "y")],
        {"c": C, "d": floats(-1)}),
    "Where of constants": (
        (9,), [HIDDEN, node("Less", "h c", "g"), node("Where", "g a b", "y")],
        {"c": C, "a": floats(2), "b": floats(0.5)}),
    # numbers that move
    "Reshape": (ALL, [HIDDEN, node("Reshape", "h s", "y")], {"s": ints(0, 3, 1)}),
    "Reshape by -1": (
        (14,), [HIDDEN, node("Reshape", "h s", "y", allowzero=1)], {"s": ints(-1, 3)}),
    "Flatten": (ALL, [HIDDEN, node("Flatten", "h", "y")], {}),
    "Flatten from the end": ((11,), [HIDDEN, node("Flatten", "h", "y", axis=-1)], {}),
    "Squeeze and Unsqueeze by attributes": (
        (7, 11),
        [HIDDEN, node("Unsqueeze", "h", "u", axes=[2, 0]), node("Squeeze", "u", "y", axes=[0])],
        {}),
    "Squeeze and Unsqueeze": (
        NEW, [HIDDEN, node("Unsqueeze", "h a", "u"), node("Squeeze", "u b", "y")],
        {"a": ints(-1), "b": ints(2)}),
    "Squeeze of all": (
        (13,), [node("Gemm", "x V", "h", transB=1), node("Squeeze", "h", "y")], {"V": W[:1]}),
    "Concat": (ALL, single("Concat", "h x h", axis=1), {}),
    "Concat with constants": (
        (13,), [node("Shape", "x", "s"), node("Gather", "s zero", "n"), node("Concat", "n two", "t",
         axis=0), node("ConstantOfShape", "t", "c", value=numpy_helper.from_array(C)),
         node("Concat", "x c", "y", axis=1)], {"zero": ints(0), "two": ints(2)}),
    "Split by an attribute": (
        (7, 11), [HIDDEN, node("Split", "h", "a b", axis=1, split=[1, 2]),
                  node("Concat", "b a", "y", axis=1)], {}),
    "Split by an input": (
        NEW, [HIDDEN, node("Split", "h s", "a b", axis=1), node("Concat", "b a", "y", axis=1)],
        {"s": ints(2, 1)}),
    "Split into parts": (
        (18,), [HIDDEN, node("Split", "h", "a b", axis=1, num_outputs=2),
                node("Concat", "b a", "y", axis=1)], {}),
    "Split into equal parts": (
        (7, 13), [node("Split", "x", "a b", axis=1), node("Sub", "b a", "y")], {}),
    "Slice by attributes": ((7,), single("Slice", starts=[1], ends=[9], axes=[1]), {}),
    "Slice": ((10, 13), single("Slice", "h s e a t"),
              {"s": ints(0), "e": ints(3), "a": ints(1), "t": ints(2)}),
    "Slice backwards": ((13,), single("Slice", "h s e a t"),
                        {"s": ints(-1), "e": ints(-(1 << 63)), "a": ints(-1), "t": ints(-2)}),
    "Gather": (ALL, single("Gather", "h i", axis=1), {"i": ints(2, -3, 2)}),
    "Gather of one number": ((13,), single("Gather", "h i", axis=1), {"i": np.array(1)}),
    "Transpose": (
        (7, 13), [HIDDEN, node("Reshape", "h s", "r"), node("Transpose", "r", "y", perm=[0, 2, 1])],
        {"s": ints(0, 3, 1)}),
    "Expand": ((8, 13), [node("Gemm", "x V C", "h", transB=1), node("Expand", "h s", "y")],
               {"V": W[:1], "C": C, "s": ints(1, 3)}),
    "Tile": ((7, 13), single("Tile", "h r"), {"r": ints(1, 2)}),
    "Pad by attributes": ((7,), single("Pad", pads=[0, 1, 0, 2], value=0.5), {}),
    "Pad": ((11, 18), single("Pad", "h p c"), {"p": ints(0, 1, 0, 2), "c": np.float32(0.5)}),
    "Pad of an axis": ((18,), single("Pad", "h p _ a"), {"p": ints(1, -1), "a": ints(1)}),
    "Dropout": ((7, 10), single("Dropout", ratio=0.5), {}),
    "Dropout in inference": (
        (12, 13), single("Dropout", "h r t"), {"r": np.float32(0.5), "t": np.array(False)}),
    "Constant": (
        (7, 13), [HIDDEN, node("Constant", "", "c", value=numpy_helper.from_array(B)),
                  node("Add", "h c", "y")], {}),
    "Constants in short": (
        (12, 13), [HIDDEN, node("Constant", "", "c", value_floats=[0.5, 1.0, 2.0]),
                   node("Constant", "", "d", value_float=0.25), node("Mul", "h c", "m"),
                   node("Add", "m d", "y")], {}),
    "Cast": ((9, 19), [node("Cast", "x", "d", to=TensorProto.BOOL),
                           node("Cast", "d", "f", to=FLOAT), node("Gemm", "f W B", "y", transB=1)],
             {}),
    "CastLike": ((15,), [node("CastLike", "x c", "f"), node("Gemm", "f W B", "y", transB=1)],
                 {"c": C}),
    "Shapes": (
        (7, 13),
        [HIDDEN, node("Shape", "h", "s"), node("Gather", "s i", "n", axis=0),
         node("Concat", "n r", "t", axis=0), node("Reshape", "h t", "y")],
        {"i": ints(0), "r": ints(3, 1)}),
    "A part of a shape": (
        (15,), [HIDDEN, node("Shape", "h", "s", start=0, end=1), node("Concat", "s r", "t", axis=0),
                node("Reshape", "h t", "y")], {"r": ints(-1)}),
    "GatherElements": (
        (11,), [node("Size", "V", "n"), node("GatherElements", "V i", "U", axis=1),
                node("Gemm", "x U", "y", transB=1)],
        {"V": W, "i": np.array([[1, 0], [0, 0], [-1, -1]])}),
    "GatherND": (
        (11, 13), [HIDDEN, node("Transpose", "h", "t"), node("GatherND", "t i", "g"),
                   node("Transpose", "g", "y")], {"i": np.array([[2], [0]])}),
    "ScatterND": (
        (11, 18), [HIDDEN, node("Transpose", "h", "t"), node("Transpose", "x", "u"),
                   node("ScatterND", "t i u", "g"), node("Transpose", "g", "y")],
        {"i": np.array([[2], [-3]])}),
    "ScatterElements": (
        (11, 18), [node("Concat", "x x", "h", axis=1), node("Shape", "x", "s"),
                   node("Expand", "i s", "j"), node("ScatterElements", "h j x", "y", axis=1)],
        {"i": np.array([[3, -4]])}),
    **{
        f"RNN {direction}": (
            (7, 14, 22),
            [node("Reshape", "x two", "s"),
             node("Transpose", "s", "t", perm=[1, 0, 2]),
             node("RNN", "t rw rr rb", "all last", direction=direction, hidden_size=2,
                  activations=["Relu", "Relu"][: len(weights)]),
             node("Transpose", "last", "l", perm=[1, 0, 2]),
             node("Transpose", "all", "a", perm=[2, 0, 1, 3]),
             node("Flatten", "l", "m"), node("Flatten", "a", "b"),
             node("Concat", "m b", "y", axis=1)],
            {"two": ints(0, 2, 1), "rw": np.array(weights, np.float32)[..., None],
             "rr": np.array([[[1, 0.5], [-1, 2]], [[2, 0], [0.25, -1]]][: len(weights)],
                            np.float32),
             "rb": np.array([[0.5, 0, -0.25, 1], [0, 1, 0.5, 0]][: len(weights)], np.float32)})
        for direction, weights in (
            ("forward", [[1, -2]]), ("reverse", [[1, -2]]), ("bidirectional", [[1, -2], [3, 0.5]]))
    },
    "Range": (
        (11,), [node("Range", "a b c", "r"), node("Gather", "V r", "U", axis=0),
                node("Gemm", "x U", "y", transB=1)],
        {"a": np.array(2), "b": np.array(-1), "c": np.array(-1), "V": W}),
    "Constants computed": (
        (13,), [node("Sqrt", "a", "b"), node("Pow", "b e", "c"), node("Floor", "c", "d"),
                node("Ceil", "d", "f"), node("Mul", "x f", "y")],
        {"a": floats(16), "e": floats(3)}),
}  # fmt: skip
"""Models whose values are exact: the opsets, the nodes, the weights beside W and B."""

CURVES: dict[str, tuple[tuple[int, ...], list[Any]]] = {
    "Sigmoid": ((7, 13), single("Sigmoid")),
    "Tanh": ((7, 13), single("Tanh")),
    "Softplus": ((7, 22), single("Softplus")),
    "Softsign": ((7, 22), single("Softsign")),
    "Div by 3": ((7, 24), single("Div", "h three")),
    "ReduceMean of three": ((13,), single("ReduceMean", axes=[1])),
    "Elu": ((7, 22), single("Elu", alpha=1.5)),
    "Celu": ((12,), single("Celu")),
    "Selu": ((7, 22), single("Selu")),
    "Selu with constants of its own": ((7,), single("Selu", alpha=1.5, gamma=2.0)),
    "Gelu": ((20,), single("Gelu")),
    "Gelu by tanh": ((20,), single("Gelu", approximate="tanh")),
    "Mish": ((18, 22), single("Mish")),
    "Swish": ((24,), single("Swish")),
    "Swish by hand": ((13,), [HIDDEN, node("Sigmoid", "h", "g"), node("Mul", "h g", "y")]),
    "Mish by hand": ((13,), [HIDDEN, node("Softplus", "h", "s"), node("Tanh", "s", "g"),
                             node("Mul", "g h", "y")]),
    "Softplus with a threshold": (
        (13,), [HIDDEN, node("Softplus", "h", "s"), node("Greater", "h two", "g"),
                node("Where", "g h s", "y")]),
    "Sigmoid by hand": (
        (13,), [HIDDEN, node("Neg", "h", "n"), node("Exp", "n", "e"), node("Add", "e one", "o"),
                node("Reciprocal", "o", "y")]),
}  # fmt: skip

LESS = {"And": "f", "Or": "d", "Xor": "d", "eOr": "d"}
"""Limits for which an operation of bits gives both."""

BITS: dict[str, tuple[tuple[int, ...], list[Any]]] = {
    "Round": ((11, 22), [HIDDEN, node("HardSigmoid", "h", "q"), node("Round", "q", "y")]),
    "Greater": ((7, 13), single("Greater", "h c")),
    "GreaterOrEqual": ((12, 16), single("GreaterOrEqual", "h c")),
    "Less": ((7, 13), single("Less", "h c")),
    "LessOrEqual": ((12, 16), single("LessOrEqual", "c h")),
    "Greater of two": ((13,), [HIDDEN, node("Split", "h s", "a b", axis=1),
                               node("Greater", "b a", "y")]),
    **{
        kind: ((7, 13), [HIDDEN, node("Greater", "h c", "g"),
                         node("Less", f"h {LESS[kind[-3:]]}", "l"),
                         node(kind, "g l", "y")])
        for kind in ("And", "Or", "Xor")
    },
    "Not": ((7, 13), [HIDDEN, node("Greater", "h c", "g"), node("Not", "g", "y")]),
    "Equal": ((11, 19), [HIDDEN, node("Greater", "h c", "g"), node("Less", "h d", "l"),
                         node("Equal", "g l", "y")]),
    "Equal of values": ((11, 19), single("Equal", "h quarter")),
    "Where of bits": (
        (9,), [HIDDEN, node("Greater", "h c", "g"), node("Less", "h f", "l"), node("Greater", "h d",
               "k"), node("Not", "k", "n"), node("Where", "g l n", "y")]),
    **{
        kind: ((18,), [HIDDEN, node("Greater", "h c", "g"), node("Cast", "g", "i", to=INT64),
                       node("Less", f"h {LESS[kind[-3:]]}", "l"), node("Cast", "l", "j", to=INT64),
                       node(kind, "i j", "k"), node("Cast", "k", "y", to=BOOL)])
        for kind in ("BitwiseAnd", "BitwiseOr", "BitwiseXor")
    },
    "ArgMax": ((7, 13), [node("Gemm", "x V E", "h", transB=1), node("ArgMax", "h", "y", axis=1)]),
    "ArgMax, the last of equals": (
        (12, 13), [node("Gemm", "x V E", "h", transB=1),
                   node("ArgMax", "h", "y", axis=-1, keepdims=0, select_last_index=1)]),
    "ArgMin": ((7, 13), [node("Gemm", "x V E", "h", transB=1), node("ArgMin", "h", "y", axis=1)]),
    **{
        kind: ((7, 13), [node("Gemm", "x V E", "h", transB=1), node(kind, "h", "q", axis=1),
                             node("ArgMax", "q", "y", axis=1)])
        for kind in ("Softmax", "LogSoftmax")
    },
}  # fmt: skip
BIT_WEIGHTS = {
    "c": C,
    "d": floats(-0.9),
    "f": floats(2.25),
    "quarter": floats(0.25),
    "s": ints(1, 2),
    "V": W[:2],
    "E": C,
}


def cases(table: dict[str, Any]) -> Any:
    pairs = [(name, opset) for name, entry in table.items() for opset in entry[0]]
    newest = onnx.defs.onnx_opset_version()
    return pytest.mark.parametrize(("name", "opset"), [p for p in pairs if p[1] <= newest])


@cases(VALUES)
def test_an_exact_operator_gives_what_onnx_says(name: str, opset: int, tmp_path: Path) -> None:
    _, nodes, weights = VALUES[name]
    model = model_of(nodes, {"W": W, "B": B, **weights}, opset=opset)
    network = from_onnx(write(model, tmp_path))
    expected = values_of(model, 2)
    assert len(np.unique(expected)) > 1
    assert values_read(network, 2).tolist() == expected.tolist()


@cases(CURVES)
def test_a_curve_gives_what_onnx_says_but_for_rounding(
    name: str, opset: int, tmp_path: Path
) -> None:
    model = model_of(
        CURVES[name][1],
        {"W": W, "B": B, "one": floats(1), "two": floats(2), "three": floats(3)},
        opset=opset,
    )
    network = from_onnx(write(model, tmp_path))
    np.testing.assert_allclose(values_read(network, 2), values_of(model, 2), rtol=1e-5, atol=1e-6)


@cases(BITS)
def test_bits_are_those_of_onnx(name: str, opset: int, tmp_path: Path) -> None:
    kind = {"ArgMax": INT64, "ArgMin": INT64, "Round": FLOAT}.get(BITS[name][1][-1].op_type, BOOL)
    model = model_of(BITS[name][1], {"W": W, "B": B, **BIT_WEIGHTS}, kind=kind, opset=opset)
    network = from_onnx(write(model, tmp_path))
    expected = values_of(model, 2)
    assert len(np.unique(expected)) == 2
    assert (
        np.asarray(network.run([*itertools.product([0, 1], repeat=2)])).tolist()
        == expected.tolist()
    )


def test_every_operator_of_the_table_is_tried_above() -> None:
    nodes = [
        node for table in (VALUES, CURVES, BITS) for entry in table.values() for node in entry[1]
    ]
    assert {node.op_type for node in nodes} == set(TABLE)
    assert sum(len(group) for group in GROUPS.values()) == len(TABLE)
