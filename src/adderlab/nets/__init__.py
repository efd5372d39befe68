"""The shape of networks: data with exact values, exact evaluation, and files.

The PyTorch side (``adderlab.nets.modules``, ``adderlab.nets.tracing``) is imported where it is
used, never from here: everything else works without loading torch.
"""

from adderlab.nets.evaluation import enclose_row, is_exact, outputs, read_bits, trace
from adderlab.nets.files import from_bytes, load, save, sha256, to_bytes
from adderlab.nets.network import EXACT, Activation, Layer, Network, Readout, network

__all__ = [
    "EXACT",
    "Activation",
    "Layer",
    "Network",
    "Readout",
    "enclose_row",
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
