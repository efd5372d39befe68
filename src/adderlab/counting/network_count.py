"""What a network has and weighs: parameters by layer, operations, bytes in every format.

Rule: ``bytes`` is arithmetic (bits per value times values, in whole bytes), ``stored_bytes`` is
what the file's tensors take as they are stored, ``file_bytes`` is the file. One multiply-add is
one MAC; FLOPs count a MAC as two, each bias as one addition, and activations not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adderlab import fragments
from adderlab.formats import FORMATS
from adderlab.nets import Network
from adderlab.nets.dyadic import to_fraction
from adderlab.nets.sources import read_source
from adderlab.nets.tensors import Sparse

if TYPE_CHECKING:
    from torch import nn

RULE = "one MAC is a multiplication and an addition; FLOPs = 2 MACs + 1 per bias"


@dataclass(frozen=True, slots=True)
class LayerCount:
    """One layer's parameters and bytes.

    Attributes:
        name: ``fc1``, ``fc2``, …
        weights: entries of the matrix, zeros included.
        biases: entries of the bias.
        arithmetic: ``2*3 + 3 = 9``.
        macs: multiply-adds of one evaluation.
        stored_bytes: what the layer's tensors take as they are stored.
    """

    name: str
    n_in: int
    n_out: int
    biases: int
    stored_bytes: int

    @property
    def weights(self) -> int:
        """Entries of the matrix, zeros included."""
        return self.n_in * self.n_out

    @property
    def parameters(self) -> int:
        """Weights and biases."""
        return self.weights + self.biases

    @property
    def macs(self) -> int:
        """Multiply-adds of one evaluation."""
        return self.weights

    @property
    def arithmetic(self) -> str:
        """How the parameters add up."""
        bias = f" + {self.biases}" if self.biases else ""
        return f"{self.n_in}*{self.n_out}{bias} = {self.parameters}"

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "name": self.name,
            "shape": [self.n_in, self.n_out],
            "weights": self.weights,
            "biases": self.biases,
            "parameters": self.parameters,
            "arithmetic": self.arithmetic,
            "macs": self.macs,
            "bytes": bytes_by_format(self.parameters),
            "stored_bytes": self.stored_bytes,
        }


@dataclass(frozen=True, slots=True)
class Count:
    """A network's parameters, operations and bytes."""

    layers: tuple[LayerCount, ...]
    nonzero: int
    unique: int
    format: str
    stored_bytes: int
    file_bytes: int

    @property
    def raw(self) -> int:
        """All parameters, zeros included."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def macs(self) -> int:
        """Multiply-adds of one evaluation, zeros included."""
        return sum(layer.macs for layer in self.layers)

    @property
    def flops(self) -> int:
        """Two for each MAC, one for each bias."""
        return 2 * self.macs + sum(layer.biases for layer in self.layers)

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes of the parameters alone, by format."""
        return bytes_by_format(self.raw)

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "parameters": {"raw": self.raw, "nonzero": self.nonzero, "unique": self.unique},
            "layers": [layer.to_dict() for layer in self.layers],
            "macs": self.macs,
            "flops": self.flops,
            "rule": RULE,
            "format": self.format,
            "bytes": self.bytes,
            "stored_bytes": self.stored_bytes,
            "file_bytes": self.file_bytes,
        }

    def to_html(self) -> str:
        """Return it for a notebook."""
        layers = [(layer.name, layer.arithmetic, layer.stored_bytes) for layer in self.layers]
        weights = ((name, FORMATS[name].bits, size) for name, size in self.bytes.items())
        return fragments.block(
            fragments.table(("layer", "parameters", "bytes stored"), layers, left=("layer",)),
            fragments.table(
                ("format", "bits each", f"bytes of {self.raw}"), weights, left=("format",)
            ),
            fragments.line(f"{self.macs} MACs, {self.flops} FLOPs ({RULE})"),
            title=f"{self.raw} parameters, {self.nonzero} nonzero, {self.unique} different",
        )

    def _repr_html_(self) -> str:
        return self.to_html()

    def __repr__(self) -> str:
        sums = "; ".join(f"{layer.name}: {layer.arithmetic}" for layer in self.layers)
        weight = FORMATS[self.format].bytes_of(self.raw) if self.format != "wide" else None
        size = f", {weight} bytes in {self.format}" if weight is not None else ""
        return f"Count: {self.raw} parameters ({sums}){size}"


def bytes_by_format(parameters: int) -> dict[str, int]:
    """Return the bytes of that many parameters in each format of a fixed size."""
    return {form.name: form.bytes_of(parameters) for form in FORMATS.values() if form.bits}


def count(model: Network | str | Path | nn.Module) -> Count:
    """Return the parameters, operations and bytes of a network.

    Args:
        model: a network, the path of a network file, or a PyTorch module.

    Raises:
        NetworkFileError: the file is not a network.
        ModelError: the module can't be read.

    Examples:
        >>> import adderlab
        >>> adderlab.count(adderlab.build("half-adder", method="lecture").network)
        Count: 17 parameters (fc1: 2*3 + 3 = 9; fc2: 3*2 + 2 = 8), 68 bytes in fp32
    """
    source = read_source(model)
    net = source.network
    layers = tuple(
        LayerCount(
            name=f"fc{number}",
            n_in=layer.n_in,
            n_out=layer.n_out,
            biases=layer.bias.shape[0] if layer.bias is not None else 0,
            stored_bytes=layer.weight.stored_bytes
            + (layer.bias.stored_bytes if layer.bias is not None else 0),
        )
        for number, layer in enumerate(net.layers, start=1)
    )
    return Count(
        layers=layers,
        nonzero=net.nonzero,
        unique=_unique(net),
        format=net.format,
        stored_bytes=sum(layer.stored_bytes for layer in layers),
        file_bytes=len(source.data),
    )


def _unique(net: Network) -> int:
    """Return how many different values the parameters have."""
    values = set[Fraction]()
    if any(isinstance(tensor, Sparse) for _, tensor in net.tensors()):
        values.add(Fraction(0))
    for _, exact in net.entries():
        values.update(to_fraction(int(v), exact.exponent) for v in np.unique(exact.integers))
    return len(values)
