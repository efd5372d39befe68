"""Networks as ONNX models, and those models as the networks that they were.

Importing this imports neither onnx nor torch.
"""

from adderlab.nets.written_onnx.arithmetic import arithmetic_form
from adderlab.nets.written_onnx.build import Build
from adderlab.nets.written_onnx.model import (
    BITS,
    KEY,
    RAW,
    finished,
    model_of,
    put_bits,
    put_layers,
)
from adderlab.nets.written_onnx.reading import graph_difference, network_in, recorded_in
from adderlab.nets.written_onnx.running import Expectation, Outputs, RowRun, Session

__all__ = [
    "BITS",
    "KEY",
    "RAW",
    "Build",
    "Expectation",
    "Outputs",
    "RowRun",
    "Session",
    "arithmetic_form",
    "finished",
    "graph_difference",
    "model_of",
    "network_in",
    "put_bits",
    "put_layers",
    "recorded_in",
]
