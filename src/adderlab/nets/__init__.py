"""The shape of networks: data with exact values, exact evaluation, and files.

The PyTorch side (``modules``, ``activation_modules``, ``tracing``, ``onnx``) is imported where it
is used, never from here: everything else works without loading torch.
"""

from adderlab.nets.activations import Activation
from adderlab.nets.evaluation import enclose_row, evaluate, is_exact, outputs, trace
from adderlab.nets.files import from_bytes, save, sha256, to_bytes
from adderlab.nets.network import Layer, Network, network
from adderlab.nets.readout import EXACT, Readout, read_bits
from adderlab.nets.sources import load

__all__ = [
    "EXACT",
    "Activation",
    "Layer",
    "Network",
    "Readout",
    "enclose_row",
    "evaluate",
    "from_bytes",
    "is_exact",
    "load",
    "network",
    "outputs",
    "read_bits",
    "save",
    "sha256",
    "to_bytes",
    "trace",
]
