"""A graph of ONNX that grows node by node, and the opset that what it uses needs."""

from __future__ import annotations

from typing import Any, Final

import ml_dtypes
import numpy as np

from adderlab.formats import FORMATS, Format

LOWEST: Final = 13
"""The opset of a graph that uses nothing newer: its operators are those of 2020."""

NEWER_TYPES: Final = {
    np.dtype(ml_dtypes.float8_e4m3fn): 19,
    np.dtype(ml_dtypes.float8_e5m2): 19,
    np.dtype(ml_dtypes.int4): 21,
    np.dtype(ml_dtypes.int2): 25,
}
"""Types of numbers that came later."""

DEQUANTIZED: Final = {
    np.dtype(np.int8): LOWEST,
    np.dtype(np.uint8): LOWEST,
    np.dtype(np.int32): LOWEST,
    np.dtype(np.int16): 21,
    np.dtype(np.uint16): 21,
    np.dtype(ml_dtypes.int4): 21,
    np.dtype(ml_dtypes.int2): 25,
}
"""Types of whole numbers that DequantizeLinear takes, with the opset from which on it does."""


class Build:
    """A graph that grows.

    Args:
        form: what it computes in, fp32 or fp64.

    Attributes:
        initializers: the numbers that are stored.
        ready: nodes that make weights of them, which depend on no input.
        nodes: those that depend on the input, in order.
        kept: how arrays of a network file are stored where they are stored otherwise.
        opset: the lowest that has all of it.
    """

    def __init__(self, form: Format) -> None:
        self.form = form
        is_single = form is FORMATS["fp32"]
        self.dtype: np.dtype[Any] = np.dtype(np.float32 if is_single else np.float64)
        self.initializers: list[Any] = []
        self.ready: list[Any] = []
        self.nodes: list[Any] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.opset = LOWEST

    @property
    def is_single(self) -> bool:
        """Whether it computes in fp32."""
        return self.dtype == np.float32

    @property
    def type(self) -> int:
        """ONNX's number of the type that it computes in."""
        from onnx import TensorProto

        return TensorProto.FLOAT if self.is_single else TensorProto.DOUBLE

    def store(self, name: str, array: Any) -> str:
        """Store numbers under a name, and return it."""
        from onnx import numpy_helper

        own = np.asarray(array)
        self.opset = max(self.opset, NEWER_TYPES.get(own.dtype, LOWEST))
        plain = np.array(own, dtype=own.dtype.newbyteorder("="), order="C").reshape(own.shape)
        self.initializers.append(numpy_helper.from_array(plain, name))
        return name

    def number(self, name: str, value: Any) -> str:
        """Store constants in the type that is computed in."""
        with np.errstate(over="ignore"):
            return self.store(name, np.array(value, dtype=np.float64).astype(self.dtype))

    def op(self, kind: str, *inputs: str, out: str, is_ready: bool = False, **options: Any) -> str:
        """Add a node of one output, and return the output's name.

        Args:
            kind: the operator.
            *inputs: names of values; empty for one that is left out.
            out: the output's name, and the node's.
            is_ready: whether it depends on no input.
            **options: its attributes.
        """
        from onnx import helper

        node = helper.make_node(kind, list(inputs), [out], name=out, **options)
        (self.ready if is_ready else self.nodes).append(node)
        return out
