"""ONNX models read as networks; importing this imports torch, and reading a model ``onnx``."""

from adderlab.nets.onnx.reading import from_onnx, read_onnx

__all__ = ["from_onnx", "read_onnx"]
