"""A network's size: parameters by layer, operations, bytes in every format.

Rule: ``bytes`` is arithmetic (bits per value times values, in whole bytes), ``stored_bytes`` is
what the file's tensors take as they are stored, ``file_bytes`` is the file. One multiply-add is
one MAC; FLOPs count a MAC as two, each bias as one addition, and activations not at all.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adderlab.blocks import Block, Line, Result, Table
from adderlab.counting.modules import distinct_parameters, is_module
from adderlab.counting.sizes import bytes_by_format
from adderlab.counting.training_memory import TrainingMemory, training_memory
from adderlab.formats import FORMATS
from adderlab.nets import Network
from adderlab.nets.dyadic import to_fraction
from adderlab.nets.sources import Source, read_source
from adderlab.nets.tensors import Tensor

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
        slopes: of a prelu, which are parameters too.
        arithmetic: ``2*3 + 3 = 9``.
        macs: multiply-adds of one evaluation.
        stored_bytes: what the layer's tensors take as they are stored.
        weight_of: the earlier layer whose matrix it uses again; empty where it has its own.
        bias_of: the same of its bias.
        reads: in a graph, what the layer reads; empty in a chain.
    """

    name: str
    n_in: int
    n_out: int
    biases: int
    stored_bytes: int
    slopes: int = 0
    weight_of: str = ""
    bias_of: str = ""
    reads: tuple[str, ...] = ()

    @property
    def weights(self) -> int:
        """Entries of the matrix, zeros included."""
        return self.n_in * self.n_out

    @property
    def parameters(self) -> int:
        """Weights, biases and slopes; those of an earlier layer not again."""
        weights = 0 if self.weight_of else self.weights
        return weights + (0 if self.bias_of else self.biases) + self.slopes

    @property
    def macs(self) -> int:
        """Multiply-adds of one evaluation."""
        return self.weights

    @property
    def flops(self) -> int:
        """Two for each MAC, one for each bias."""
        return 2 * self.macs + self.biases

    @property
    def arithmetic(self) -> str:
        """How the parameters add up."""
        if self.weight_of and (self.bias_of or not self.biases) and not self.slopes:
            return f"{self.weight_of}'s, counted there = 0"
        weights = f"{self.weight_of}'s weights" if self.weight_of else f"{self.n_in}*{self.n_out}"
        own_bias = f"{self.bias_of}'s bias" if self.bias_of else str(self.biases)
        bias = f" + {own_bias}" if self.biases else ""
        slopes = f" + {self.slopes}" if self.slopes else ""
        return f"{weights}{bias}{slopes} = {self.parameters}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            **({"reads": list(self.reads)} if self.reads else {}),
            "shape": [self.n_in, self.n_out],
            "weights": self.weights,
            "biases": self.biases,
            **({"slopes": self.slopes} if self.slopes else {}),
            "parameters": self.parameters,
            "arithmetic": self.arithmetic,
            "macs": self.macs,
            "flops": self.flops,
            "bytes": bytes_by_format(self.parameters),
            "stored_bytes": self.stored_bytes,
            "shared_with": self.weight_of or self.bias_of or None,
        }


@dataclass(frozen=True, slots=True, repr=False)
class Count(Result):
    """A network's parameters, operations and bytes.

    Attributes:
        layers: from the input to the output.
        nonzero: parameters that are not 0.
        unique: different values among them.
        entropy_bits: the fewest bits that a code of the values one by one can take on average,
            given their frequencies; the table of the values themselves is not included.
        format: the network's own.
        stored_bytes: of the tensors as they are stored.
        file_bytes: of the file.
        trainable: how many parameters are trained; the others are frozen.
        training: the memory of training, if an optimizer was given.
    """

    layers: tuple[LayerCount, ...]
    nonzero: int
    unique: int
    entropy_bits: float
    format: str
    stored_bytes: int
    file_bytes: int
    trainable: int
    training: TrainingMemory | None = None

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
        return sum(layer.flops for layer in self.layers)

    @property
    def bytes(self) -> dict[str, int]:
        """Bytes of the parameters alone, by format."""
        return bytes_by_format(self.raw)

    @property
    def entropy_bytes(self) -> int:
        """The entropy bound in whole bytes."""
        return math.ceil(round(self.entropy_bits, 6) / 8)

    def to_dict(self) -> dict[str, Any]:
        return {
            "parameters": {
                "raw": self.raw,
                "nonzero": self.nonzero,
                "unique": self.unique,
                "trainable": self.trainable,
            },
            "layers": [layer.to_dict() for layer in self.layers],
            "macs": self.macs,
            "flops": self.flops,
            "rule": RULE,
            "format": self.format,
            "bytes": self.bytes,
            "stored_bytes": self.stored_bytes,
            "file_bytes": self.file_bytes,
            "entropy": {"bits": round(self.entropy_bits, 6), "bytes": self.entropy_bytes},
            "training": self.training.to_dict() if self.training is not None else None,
        }

    def blocks(self) -> tuple[Block, ...]:
        """Return layers, totals, bytes by format, what training takes."""
        own = self.format if self.format != "wide" else "fp32"
        is_graph = any(layer.reads for layer in self.layers)
        reads = ("reads",) if is_graph else ()
        layers = Table(
            ("layer", *reads, "weights + biases", "parameters", f"bytes in {own}"),
            (
                *(
                    (
                        layer.name,
                        *([", ".join(layer.reads)] if is_graph else []),
                        layer.arithmetic.partition(" = ")[0],
                        str(layer.parameters),
                        str(bytes_by_format(layer.parameters)[own]),
                    )
                    for layer in self.layers
                ),
                ("all", *([""] if is_graph else []), "", str(self.raw), str(self.bytes[own])),
            ),
            left=("layer", *reads),
        )
        formats = Table(
            ("format", "bits", "bytes", "how"),
            tuple(
                (
                    name,
                    str(FORMATS[name].bits),
                    str(size),
                    f"{self.raw} * {FORMATS[name].bits} / 8"
                    + ("" if self.raw * FORMATS[name].bits % 8 == 0 else ", rounded up"),
                )
                for name, size in self.bytes.items()
            ),
            left=("format", "how"),
        )
        return (
            layers,
            Line(
                f"{self.raw} parameters, {self.nonzero} of them nonzero, "
                f"{self.unique} different values",
                "strong",
            ),
            *(
                [Line(f"{self.trainable} of them are trained, the others are frozen")]
                if self.trainable != self.raw
                else []
            ),
            Line(f"{self.macs} MACs, {self.flops} FLOPs ({RULE})"),
            Line(f"{self.stored_bytes} bytes of tensors as stored, {self.file_bytes} in the file"),
            Line(
                f"entropy bound: {self.entropy_bits:.2f} bits = {self.entropy_bytes} bytes (a code "
                "of the values one by one, from how often each stands, takes no fewer)"
            ),
            formats,
            *(self.training.blocks() if self.training is not None else ()),
        )

    def __repr__(self) -> str:
        sums = "; ".join(f"{layer.name}: {layer.arithmetic}" for layer in self.layers)
        model_size = FORMATS[self.format].bytes_of(self.raw) if self.format != "wide" else None
        size = f", {model_size} bytes in {self.format}" if model_size is not None else ""
        return f"Count: {self.raw} parameters ({sums}){size}"


def count_network(
    model: Network | Source | str | Path | nn.Module, *, training: str | None = None
) -> Count:
    """Return the parameters, operations and bytes of a network.

    Args:
        model: a network, the path of a network file, or a PyTorch module.
        training: an optimizer, to add what training takes.

    Raises:
        NetworkFileError: the file is not a network.
        ModelError: the module can't be read.
        OptionError: there is no such optimizer.
    """
    source = read_source(model)
    net = source.network
    own = distinct_parameters(model) if is_module(model) else None
    shared = shared_tensors(net, own[0] if own is not None else None)
    layers: list[LayerCount] = []
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        weight_of, bias_of = (shared.get(f"{node.name}.{key}", "") for key in ("weight", "bias"))
        stored = 0 if weight_of else layer.weight.stored_bytes
        if layer.bias is not None and not bias_of:
            stored += layer.bias.stored_bytes
        layers.append(
            LayerCount(
                name=node.name,
                n_in=layer.n_in,
                n_out=layer.n_out,
                biases=layer.bias.shape[0] if layer.bias is not None else 0,
                stored_bytes=stored,
                slopes=len(layer.activation.slopes),
                weight_of=weight_of.partition(".")[0],
                bias_of=bias_of.partition(".")[0],
                reads=() if net.is_chain else node.reads,
            )
        )
    total = sum(layer.parameters for layer in layers)
    trainable = own[1] if own is not None and own[0] == total else total
    often = _often(net, total, shared)
    return Count(
        layers=tuple(layers),
        nonzero=total - often.get(Fraction(0), 0),
        unique=len(often),
        entropy_bits=_entropy_bits(often.values()),
        format=net.format,
        stored_bytes=sum(layer.stored_bytes for layer in layers),
        file_bytes=len(source.data),
        trainable=trainable,
        training=training_memory(total, training, trainable=trainable),
    )


def shared_tensors(net: Network, parameters: int | None) -> dict[str, str]:
    """Return the tensors that are an earlier layer's once more, by name.

    Args:
        net: the network. A layer that a module uses several times stands in it as often.
        parameters: how many the module has that it was read from, which is how layers that are
            equal by chance are told from one that is used again; ``None`` where it is no module's.
    """
    same: dict[str, str] = {}
    first: dict[int, str] = {}
    for name, tensor in net.tensors():
        if id(tensor) in first:
            same[name] = first[id(tensor)]
        _ = first.setdefault(id(tensor), name)
    sizes = {name: math.prod(tensor.shape) for name, tensor in net.tensors()}
    total = sum(sizes.values())
    if parameters is None or total - sum(sizes[name] for name in same) == parameters:
        return same
    for equal in (_equal_layers(net), _equal_tensors(net)):
        if total - sum(sizes[name] for name in equal) == parameters:
            return equal
    return same


def _equal_layers(net: Network) -> dict[str, str]:
    """Return the tensors of layers that have all tensors equal to an earlier layer's."""
    same: dict[str, str] = {}
    first: dict[Hashable, str] = {}
    for number, layer in enumerate(net.layers, start=1):
        key = (_values(layer.weight), None if layer.bias is None else _values(layer.bias))
        name = first.setdefault(key, f"fc{number}")
        if name != f"fc{number}":
            same[f"fc{number}.weight"] = f"{name}.weight"
            if layer.bias is not None:
                same[f"fc{number}.bias"] = f"{name}.bias"
    return same


def _equal_tensors(net: Network) -> dict[str, str]:
    same: dict[str, str] = {}
    first: dict[Hashable, str] = {}
    for name, tensor in net.tensors():
        earlier = first.setdefault(_values(tensor), name)
        if earlier != name:
            same[name] = earlier
    return same


def _values(tensor: Tensor) -> Hashable:
    """Return a tensor's values as what equal tensors have in common."""
    return tensor.shape, *(
        (exact.exponent, exact.integers.dtype.str, exact.integers.tobytes())
        if exact.integers.dtype != object
        else (exact.exponent, tuple(exact.integers.ravel().tolist()))
        for exact in [tensor.exact()]
    )


def _often(net: Network, parameters: int, shared: Mapping[str, str]) -> dict[Fraction, int]:
    """Return how often each value occurs among the parameters, zeros of sparse ones included."""
    often: dict[Fraction, int] = {}
    stored = 0
    for name, exact in net.entries():
        if name in shared:
            continue
        stored += exact.integers.size
        values, counts = np.unique(exact.integers, return_counts=True)
        for value, number in zip(values, counts, strict=True):
            fraction = to_fraction(int(value), exact.exponent)
            often[fraction] = often.get(fraction, 0) + int(number)
    left_out = parameters - stored
    if left_out:
        often[Fraction(0)] = often.get(Fraction(0), 0) + left_out
    return often


def _entropy_bits(counts: Iterable[int]) -> float:
    """Return Shannon's bound: n times the entropy of the values' frequencies, in bits.

    References:
        Shannon, "A Mathematical Theory of Communication" (1948), theorem 9.
    """
    sizes = list(counts)
    total = sum(sizes)
    return sum(-size * math.log2(size / total) for size in sizes) + 0.0
