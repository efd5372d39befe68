"""The parameters of a network that a repair may change, and the change itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any, Final

import numpy as np

from adderlab.errors import NetworkError
from adderlab.formats import FORMATS, FP64, Format
from adderlab.nets import Network
from adderlab.nets.network import map_parameters
from adderlab.nets.tensors import FLOAT_DTYPES, Dense, Packed, Tensor

THRESHOLD: Final = "threshold"
_FLOAT_NAMES: Final = {dtype: name for name, dtype in FLOAT_DTYPES.items()}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number of a network.

    Attributes:
        tensor: the name of its tensor, or ``threshold``.
        index: its place there; empty for the threshold.
        value: what it is.
        form: the format that its tensor stores numbers in; a double for the threshold.
        layer: the number of its layer, the first being 0; of the threshold, one past the last.
    """

    tensor: str
    index: tuple[int, ...]
    value: Fraction
    form: Format
    layer: int

    @property
    def is_threshold(self) -> bool:
        """Whether it is the readout's threshold."""
        return self.tensor == THRESHOLD

    @property
    def source(self) -> int | None:
        """Of a weight, the unit of the layer before that it multiplies; else ``None``."""
        return self.index[1] if len(self.index) == 2 else None


def parameters_of(net: Network) -> Iterator[Parameter]:
    """Yield every weight and bias in order, then the threshold where the readout has one."""
    for name, tensor in net.tensors():
        values = tensor.exact()
        form = _storage(name, tensor, net)
        layer = int(name.removeprefix("fc").partition(".")[0]) - 1
        for index in product(*map(range, values.shape)):
            yield Parameter(name, index, values.at(*index), form, layer)
    if net.readout.kind == "threshold":
        yield Parameter(THRESHOLD, (), Fraction(net.readout.threshold), FP64, net.depth)


def with_value(net: Network, parameter: Parameter, value: Fraction) -> Network:
    """Return the network with one number changed; it is no longer what its training gave."""
    if parameter.is_threshold:
        readout = replace(net.readout, threshold=float(value))
        return replace(net, readout=readout, training=None)

    def change(name: str, tensor: Tensor) -> Tensor:
        if name != parameter.tensor:
            return tensor
        assert isinstance(tensor, Dense | Packed)
        numbers: Any = np.array(tensor.numbers)
        is_float = parameter.form.kind == "float"
        numbers[parameter.index] = float(value) if is_float else int(value)
        return replace(tensor, numbers=numbers)

    return replace(map_parameters(net, change), training=None)


def _storage(name: str, tensor: Tensor, net: Network) -> Format:
    """Return the format that a tensor stores its numbers in.

    Raises:
        NetworkError: the tensor is sparse, scaled or wide.
    """
    if isinstance(tensor, Packed):
        if tensor.bits == 1:
            return FORMATS["binary"]
        if tensor.bits == 2 and net.format == "ternary":
            return FORMATS["ternary"]
        half = 1 << (tensor.bits - 1)
        return Format(f"int{tensor.bits}", tensor.bits, "integer", largest=half - 1, least=-half)
    if not isinstance(tensor, Dense):
        raise NetworkError(
            f"the tensor is {type(tensor).__name__.lower()}, and only dense and packed ones "
            "are repaired",
            where=name,
            remedy="store the network in a float format or in one of int2 to int32",
        )
    dtype = tensor.numbers.dtype
    if dtype in _FLOAT_NAMES:
        return FORMATS[_FLOAT_NAMES[dtype]]
    held = np.iinfo(dtype)
    return Format(str(dtype), held.bits, "integer", largest=int(held.max), least=int(held.min))
