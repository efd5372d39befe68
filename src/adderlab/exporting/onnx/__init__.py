"""The target ``onnx``: ONNX models, run by onnxruntime or by onnx's own evaluator."""

from adderlab.exporting.onnx.target import compare_onnx, write_onnx

__all__ = ["compare_onnx", "write_onnx"]
