"""The target ``vnnlib``: a property for other verifiers, and the ONNX model that it speaks of."""

from adderlab.exporting.vnnlib.target import compare_vnnlib, write_vnnlib

__all__ = ["compare_vnnlib", "write_vnnlib"]
