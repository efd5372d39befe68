"""Networks as PyTorch modules: the lecture's AdderNN, and any network as a module.

Rule: a module made here computes with the numbers that the network stores, in their own format,
and has the network's readout or shows raw outputs; it never rounds on the way. Importing this
file imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from adderlab.checking import checked
from adderlab.errors import ModelError, NetworkError
from adderlab.formats import FORMATS
from adderlab.nets.activation_modules import Step, check_convention, module_of
from adderlab.nets.activations import Activation
from adderlab.nets.convention import Convention, is_above
from adderlab.nets.network import Network
from adderlab.nets.readout import Readout
from adderlab.nets.state_dict import to_state_dict
from adderlab.nets.wiring import INPUT, Wiring

if TYPE_CHECKING:
    from jaxtyping import Shaped

TORCH_DTYPES: Final = {
    "fp64": torch.float64,
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
}
"""The formats that PyTorch computes in, with their dtypes; modules of all others are in fp32."""


class AdderNN(nn.Module):
    """The lecture's network: two layers with a ReLU between them.

    As it stands, ``AdderNN()`` is the class of the training notebook, and
    ``AdderNN(threshold=0)`` that of the notebook that sets the weights by hand: the same weights
    after the same ``torch.manual_seed``, the same ``state_dict`` and the same printout.

    Args:
        n_in: input bits.
        hidden: hidden units.
        n_out: output bits.
        threshold: ``None`` gives the raw outputs, which can be trained; a number gives bits,
            1 where an output is above it. Bits have no gradient.
        convention: whether above means ``>`` or ``>=``.
        activation: of the hidden units; ``nn.ReLU()`` unless given.

    Examples:
        >>> AdderNN()
        AdderNN(
          (fc1): Linear(in_features=2, out_features=3, bias=True)
          (fc2): Linear(in_features=3, out_features=2, bias=True)
          (relu): ReLU()
        )
    """

    def __init__(
        self,
        n_in: int = 2,
        hidden: int = 3,
        n_out: int = 2,
        *,
        threshold: float | None = None,
        convention: Convention = ">",
        activation: nn.Module | None = None,
    ) -> None:
        super().__init__()
        check_convention(convention)
        self.fc1 = nn.Linear(n_in, hidden)  # hidden * n_in weights + hidden biases: 6 + 3 = 9
        self.fc2 = nn.Linear(hidden, n_out)  # n_out * hidden weights + n_out biases: 6 + 2 = 8
        self.relu = nn.ReLU() if activation is None else activation  # no parameters
        self.threshold = threshold
        self.convention: Convention = convention

    def forward(self, x: Tensor) -> Tensor:
        """Return the raw outputs, or the bits if there is a threshold.

        Args:
            x: input bits as floats, of shape (batch, n_in): one row for each input.
        """
        h = self.relu(self.fc1(x))  # h = relu(W1 x + b1), the hidden activations
        y = self.fc2(h)  # y = W2 h + b2, the raw outputs
        if self.threshold is None:
            return y  # a loss compares these with 0 and 1, so it has a gradient
        bits = is_above(y, self.threshold, self.convention)
        return bits.float()  # 0.0 or 1.0, flat on both sides of the jump: no gradient

    def extra_repr(self) -> str:
        return "" if self.threshold is None else f"outputs {self.convention} {self.threshold:g}"


class GraphNN(nn.Module):
    """A graph of layers: each reads the input and earlier layers, joined.

    Args:
        wiring: what each layer reads, and what is read out.
        layers: the Linear layers, which become ``fc1``, ``fc2`` and so on.
        activations: of each layer.
        readout: how outputs become bits; ``None`` gives the raw outputs.
    """

    def __init__(
        self,
        wiring: Wiring,
        layers: Sequence[nn.Module],
        activations: Sequence[nn.Module],
        readout: Readout | None = None,
    ) -> None:
        super().__init__()
        self.wiring = wiring
        for node, layer in zip(wiring.layers, layers, strict=True):
            self.add_module(node.name, layer)
        self.activations = nn.ModuleList(activations)  # no parameters
        self.step = (
            nn.Identity()
            if readout is None
            else Step(readout.convention, threshold=readout.threshold)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the raw outputs, or the bits if there is a readout.

        Args:
            x: input bits as floats, of shape (batch, n_in).
        """
        values = {INPUT: x}
        for node, activation in zip(self.wiring.layers, self.activations, strict=True):
            inputs = torch.cat([values[name] for name in node.reads], dim=-1)
            values[node.name] = activation(self.get_submodule(node.name)(inputs))
        return self.step(torch.cat([values[name] for name in self.wiring.output.reads], dim=-1))


@checked
def to_module(network: Network, *, format: str | None = None) -> nn.Module:
    """Return the network as a PyTorch module.

    Two layers with biases and an activation that passes a gradient between them become an
    :class:`AdderNN`; any other chain an ``nn.Sequential`` of Linear and activations; a graph a
    :class:`GraphNN`. The dtype is that of the format.

    The readout ``> 0.5`` gives raw outputs, as in the training notebook: that is how raw outputs
    are judged, and they can be trained further. So does the ``exact`` readout, which has no
    threshold; read back, such a module is judged by ``> 0.5``. Any other readout gives bits: the
    AdderNN's threshold, or a final :class:`Step`.

    Args:
        network: any network; packed, wide, scaled and sparse tensors become dense.
        format: ``fp64``, ``fp32``, ``fp16`` or ``bf16``; the network's own if it is one of them,
            else fp32.

    Raises:
        ModelError: a parameter, threshold or constant is not representable in the module's dtype;
            of a parameter, the message names the format that holds all of them.
    """
    dtype_name = format or (network.format if network.format in TORCH_DTYPES else "fp32")
    try:
        arrays = to_state_dict(network, format=dtype_name)
    except NetworkError as error:
        raise ModelError(error.what, where=error.where, remedy=error.remedy) from error
    readout = _shown_readout(network.readout)
    if readout is not None:
        _check_holds(readout.threshold, dtype_name, "threshold")
    with torch.random.fork_rng(devices=[]):  # new Linears draw weights that are replaced below
        layers = [_linear(layer.n_in, layer.n_out, layer.bias) for layer in network.layers]
        activations = [_module_of(layer.activation, dtype_name) for layer in network.layers]
        match network.layers, activations:
            case _ if not network.is_chain:
                model = GraphNN(network.wiring, layers, activations, readout)
            case [first, second], [hidden, nn.Identity()] if (
                first.bias
                and second.bias
                and not isinstance(hidden, nn.Identity)
                and first.activation.has_gradient
            ):
                model = AdderNN(
                    network.n_in,
                    first.n_out,
                    network.n_out,
                    threshold=None if readout is None else readout.threshold,
                    convention=">" if readout is None else readout.convention,
                    activation=hidden,
                )
                layers = [model.fc1, model.fc2]
            case _:
                parts = [part for pair in zip(layers, activations, strict=True) for part in pair]
                if readout is not None:
                    parts.append(Step(readout.convention, threshold=readout.threshold))
                model = nn.Sequential(
                    *(part for part in parts if not isinstance(part, nn.Identity))
                )
    for number, linear in enumerate(layers, start=1):
        linear.weight.data = _tensor(arrays[f"fc{number}.weight"], dtype_name)
        if f"fc{number}.bias" in arrays:
            linear.bias.data = _tensor(arrays[f"fc{number}.bias"], dtype_name)
    return model


def _shown_readout(readout: Readout) -> Readout | None:
    """Return the readout that the module has itself, ``None`` if it gives raw outputs."""
    return None if readout.kind == "exact" or readout == Readout() else readout


def _linear(n_in: int, n_out: int, bias: Any) -> nn.Linear:
    return nn.Linear(n_in, n_out, bias=bias is not None)


def _module_of(activation: Activation, dtype_name: str) -> nn.Module:
    # leaky_relu, threshold and elu round to fp32 in fp16 and bf16 too (measured, torch 2.13)
    wide = "fp64" if dtype_name == "fp64" else "fp32"
    rounds_to_own = activation.kind in ("prelu", "hardtanh", "clamp", "heaviside", "where")
    for name, numbers in activation.constants.items():
        for number in numbers:
            _check_holds(number, dtype_name if rounds_to_own else wide, name)
    return module_of(activation).to(TORCH_DTYPES[dtype_name])


def _tensor(array: Shaped[np.ndarray, "*shape"], dtype_name: str) -> Tensor:
    """Return a tensor of the array's numbers, which the dtype holds."""
    return torch.from_numpy(array.astype(np.float64)).to(TORCH_DTYPES[dtype_name])


def _check_holds(value: float, format_name: str, what: str) -> None:
    if not FORMATS[format_name].holds(Fraction(value)):
        near = float(torch.tensor(value, dtype=TORCH_DTYPES[format_name]))
        raise ModelError(
            f"the {what} {value!r} is not representable in {format_name}, and PyTorch would "
            f"round it to {near!r}",
            remedy=f"give the network the {what} {near!r}",
        )
