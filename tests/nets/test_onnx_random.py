"""Random ONNX models of many operators: values and bits are those of onnx itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")

from hypothesis import given, settings
from hypothesis import strategies as st
from nets.onnx_models import BOOL, FLOAT, model_of, node, rows_of, values_of, values_read

from adderlab.nets.onnx import read_onnx

QUARTERS = st.integers(-8, 8).map(lambda number: number / 4)
WIDTH = 3

STRAIGHT = ("Relu", "Abs", "Neg", "Sign", "LeakyRelu", "Clip", "Min", "Max", "PRelu", "HardSigmoid")
CURVED = ("Sigmoid", "Tanh", "Softplus", "Softsign", "Elu", "Selu")
MOVES = ("Reshape", "Transpose", "Gather", "Split", "Slice")
SUMS = ("Gemm", "MatMul", "Add", "Sub", "Mul", "Sum", "Where", "And")


class Program:
    """Nodes that are added one by one, each giving WIDTH values a row."""

    def __init__(self, opset: int, draw: Any) -> None:
        self.opset, self.draw = opset, draw
        self.nodes = [node("Gemm", "x first shift", "v0", transB=1)]
        self.weights: dict[str, Any] = {
            "first": self.numbers(WIDTH, 2), "shift": self.numbers(WIDTH)
        }  # fmt: skip
        self.values = ["v0"]

    def numbers(self, *shape: int) -> np.ndarray:
        size = int(np.prod(shape))
        drawn = self.draw(st.lists(QUARTERS, min_size=size, max_size=size))
        return np.array(drawn, np.float32).reshape(shape)

    def stored(self, numbers: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights[name] = numbers
        return name

    def add(self, kind: str, inputs: str, count: int = 1, **attributes: Any) -> list[str]:
        names = [f"n{len(self.nodes)}_{at}" for at in range(count)]
        self.nodes.append(node(kind, inputs, " ".join(names), **attributes))
        return names

    def ints(self, *numbers: int) -> str:
        return self.stored(np.array(numbers, np.int64))

    def step(self, kind: str) -> None:
        left, right = (self.draw(st.sampled_from(self.values)) for _ in "ab")
        match kind:
            case "Gemm":
                weight, bias = self.numbers(WIDTH, WIDTH), self.numbers(WIDTH)
                own = f"{left} {self.stored(weight)} {self.stored(bias)}"
                (name,) = self.add(kind, own, transB=self.draw(st.integers(0, 1)))
            case "MatMul":
                (name,) = self.add(kind, f"{left} {self.stored(self.numbers(WIDTH, WIDTH))}")
            case "Mul" | "Min" | "Max":
                (name,) = self.add(kind, f"{left} {self.stored(self.numbers(1))}")
            case "PRelu":
                (name,) = self.add(kind, f"{left} {self.stored(self.numbers(WIDTH))}")
            case "Add" | "Sub" | "Sum":
                (name,) = self.add(kind, f"{left} {right}")
            case "Clip" if self.opset >= 11:
                low, high = (self.stored(np.float32(end)) for end in (-0.75, 1.5))
                (name,) = self.add(kind, f"{left} {low} {high}")
            case "Clip":
                (name,) = self.add(kind, left, min=-0.75, max=1.5)
            case "LeakyRelu" | "Elu":
                (name,) = self.add(kind, left, alpha=0.25)
            case "HardSigmoid":
                (name,) = self.add(kind, left, alpha=0.25, beta=0.5)
            case "Where":
                limit = self.stored(self.numbers(1))
                (bit,) = self.add("Greater", f"{left} {limit}")
                (name,) = self.add("Where", f"{bit} {left} {limit}")
            case "And":
                limit = self.stored(self.numbers(1))
                (above,) = self.add("Greater", f"{left} {limit}")
                (below,) = self.add("Less", f"{right} {limit}")
                (both,) = self.add(
                    self.draw(st.sampled_from(["And", "Or", "Xor"])), f"{above} {below}"
                )
                (name,) = self.add("Cast", both, to=FLOAT)
            case "Reshape":
                (tall,) = self.add(kind, f"{left} {self.ints(0, 1, -1)}")
                (name,) = self.add(kind, f"{tall} {self.ints(-1, WIDTH)}")
            case "Transpose":
                (turned,) = self.add(kind, left, perm=[1, 0])
                (name,) = self.add(kind, turned)
            case "Gather":
                places = self.draw(st.lists(st.integers(-WIDTH, WIDTH - 1), min_size=3, max_size=3))
                (name,) = self.add(kind, f"{left} {self.ints(*places)}", axis=1)
            case "Split":
                if self.opset >= 13:
                    parts = self.add(kind, f"{left} {self.ints(2, 1)}", 2, axis=1)
                else:
                    parts = self.add(kind, left, 2, axis=1, split=[2, 1])
                (name,) = self.add("Concat", " ".join(parts[::-1]), axis=1)
            case "Slice":
                if self.opset >= 10:
                    ends = [self.ints(number) for number in (-1, -9, 1, -1)]
                    (name,) = self.add(kind, " ".join([left, *ends]))
                else:
                    (part,) = self.add(kind, left, starts=[1], ends=[3], axes=[1])
                    (name,) = self.add(
                        "Concat",
                        f"{part} {self.add('Slice', left, starts=[0], ends=[1], axes=[1])[0]}",
                        axis=1,
                    )
            case _:
                (name,) = self.add(kind, left)
        self.values.append(name)

    def model(self, *, compares: bool) -> Any:
        last = self.values[-1]
        if not compares:
            return model_of(self.nodes, self.weights, results=last, opset=self.opset)
        (bit,) = self.add("Greater", f"{last} {self.stored(self.numbers(1))}")
        return model_of(self.nodes, self.weights, results=bit, kind=BOOL, opset=self.opset)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), opset=st.sampled_from([9, 11, 13, 17, 20]), compares=st.booleans())
def test_a_straight_model_gives_exactly_what_onnx_gives(
    data: st.DataObject, opset: int, compares: bool
) -> None:
    program = Program(opset, data.draw)
    for kind in data.draw(st.lists(st.sampled_from(STRAIGHT + MOVES + SUMS), max_size=6)):
        program.step(kind)
    model = program.model(compares=compares)
    net = read_onnx(model.SerializeToString(), "net.onnx").network
    got = np.asarray(net.run(rows_of(2)), float) if compares else values_read(net, 2)
    assert got.tolist() == values_of(model, 2).tolist()


@settings(max_examples=25, deadline=None)
@given(data=st.data(), opset=st.sampled_from([9, 13, 20]))
def test_a_curved_model_gives_what_onnx_gives_but_for_rounding(
    data: st.DataObject, opset: int
) -> None:
    program = Program(opset, data.draw)
    kinds = (*CURVED, *MOVES, "Gemm", "Add", "Relu", "Mul")
    for kind in data.draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4)):
        program.step(kind)
    model = program.model(compares=False)
    net = read_onnx(model.SerializeToString(), "net.onnx").network
    np.testing.assert_allclose(values_read(net, 2), values_of(model, 2), rtol=1e-3, atol=1e-4)
