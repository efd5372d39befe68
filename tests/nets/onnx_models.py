"""ONNX models made of text: the values that an operator gives, in every opset's spelling."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")

from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from adderlab.nets.network import Network

try:
    import onnxruntime
except ImportError:
    onnxruntime = None

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
NUMPY = {
    FLOAT: np.float32,
    INT64: np.int64,
    BOOL: np.bool_,
    TensorProto.DOUBLE: np.float64,
    TensorProto.FLOAT16: np.float16,
}


def rows_of(n_in: int) -> np.ndarray:
    return np.array(list(itertools.product([0, 1], repeat=n_in)), dtype=np.uint8)


def node(kind: str, inputs: str, result: str, **attributes: Any) -> onnx.NodeProto:
    """Return a node; inputs and outputs are names between spaces, ``_`` is left out."""
    names = ["" if name == "_" else name for name in inputs.split()]
    return helper.make_node(kind, names, result.split(), name=result.split()[0], **attributes)


def model_of(
    nodes: list[onnx.NodeProto],
    weights: dict[str, Any] | None = None,
    *,
    inputs: dict[str, tuple[int, list]] | None = None,
    results: str = "y",
    kind: int = FLOAT,
    opset: int = 20,
) -> onnx.ModelProto:
    """Return a model; its input is x of shape (N, 2) in fp32 unless others are given."""
    specs = inputs or {"x": (FLOAT, ["N", 2])}
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info(name, *own) for name, own in specs.items()],
        [helper.make_tensor_value_info(name, kind, None) for name in results.split()],
        [numpy_helper.from_array(np.asarray(own), name) for name, own in (weights or {}).items()],
    )
    imports = [helper.make_opsetid("", opset)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8 if opset < 21 else 10)


def write(model: onnx.ModelProto, folder: Path, name: str = "net.onnx") -> Path:
    path = folder / name
    _ = path.write_bytes(model.SerializeToString())
    return path


def values_of(model: onnx.ModelProto, n_in: int) -> np.ndarray:
    """Return what the model gives on all rows, by onnxruntime, else by onnx's own evaluator."""
    rows = rows_of(n_in)
    feed: dict[str, Any] = {}
    at = 0
    for value in model.graph.input:
        sizes = [size.dim_value for size in value.type.tensor_type.shape.dim][1:]
        width = int(np.prod(sizes))
        part = rows[:, at : at + width].reshape(len(rows), *sizes)
        feed[value.name] = part.astype(NUMPY[value.type.tensor_type.elem_type])
        at += width
    try:
        results = onnxruntime.InferenceSession(model.SerializeToString()).run(None, feed)
    except Exception:  # noqa: BLE001 -- not installed, or without an operator
        with np.errstate(all="ignore"):
            results = ReferenceEvaluator(model).run(None, feed)
    return np.concatenate(
        [np.asarray(result, dtype=np.float64).reshape(len(rows), -1) for result in results], axis=1
    )


def values_read(network: Network, n_in: int) -> np.ndarray:
    """Return the network's raw outputs on all rows."""
    return np.asarray(network.run(rows_of(n_in), raw=True), dtype=np.float64)
