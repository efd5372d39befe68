"""A file with what it does not say itself: sizes, activations, readout, netlist."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adderlab.checking import described
from adderlab.errors import NetworkError
from adderlab.nets.activations import Activation, activation_named
from adderlab.nets.argmax import READOUTS, is_argmax
from adderlab.nets.network import Network
from adderlab.nets.readout import Readout, ReadoutLike, readout_of


@dataclass(frozen=True, slots=True)
class NetworkFile:
    """A file of weights, and what is to be known to read a network in it.

    Every verb takes one in place of a path.

    Attributes:
        path: of the file.
        layers: the sizes from input to output, ``(2, 3, 2)`` or ``"2,3,2"``; by the shapes of the
            weights unless given.
        activation: between the layers, a name with options after a colon (``leaky:0.125``), or
            several, one for each layer; relu unless given. Of gates, step unless given.
        readout: how outputs become bits, whatever the file says, or ``argmax``; of a file that
            says nothing, ``> 0.5`` unless given.
        netlist: the path of a netlist, or what is in it: which gate reads which.
    """

    path: str | Path
    layers: str | Sequence[int] | None = None
    activation: str | Activation | Sequence[str | Activation] | None = None
    readout: ReadoutLike | None = None
    netlist: str | Path | Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.path, str | Path):
            raise NetworkError(
                f"got {described(self.path)}", where="path", remedy="give the path of a file"
            )
        if self.readout is not None and not is_argmax(self.readout):
            object.__setattr__(self, "readout", readout_of(self.readout, choices=READOUTS))
        object.__setattr__(self, "layers", _sizes(self.layers))
        object.__setattr__(self, "activation", _activations(self.activation))

    def __str__(self) -> str:
        return str(self.path)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes from input to output; none where they are not given."""
        assert not isinstance(self.layers, str)
        return tuple(self.layers or ())

    @property
    def own_readout(self) -> Readout | None:
        """The readout of the layers in the file; ``argmax`` is taken of what they give."""
        return self.readout if isinstance(self.readout, Readout) else None

    @property
    def activations(self) -> tuple[Activation, ...]:
        """The activations that are given: one for between all layers, or one for each of them."""
        return tuple(part for part in _activations(self.activation) or ())

    def refuse_layers(self, kind: str) -> None:
        """Raise where it says what a file of this kind says itself.

        Raises:
            NetworkError: sizes, an activation or a netlist are given.
        """
        for name in ("layers", "activation", "netlist"):
            if getattr(self, name):
                raise NetworkError(
                    f"{self.path} is {kind}, which says its layers itself",
                    where=name,
                    remedy=f"leave `{name}` out",
                )


@dataclass(frozen=True, slots=True)
class Imported:
    """A network that was read.

    Attributes:
        network: the network.
        notes: what had to be assumed in reading it, one sentence each.
    """

    network: Network
    notes: tuple[str, ...] = ()


def _sizes(layers: str | Sequence[int] | None) -> tuple[int, ...] | None:
    if layers is None:
        return None
    parts: Sequence[Any] = re.split(r"[,-]", layers) if isinstance(layers, str) else layers
    try:
        sizes = tuple(int(part) for part in parts)
    except (TypeError, ValueError):
        sizes = ()
    if len(sizes) < 2 or min(sizes) < 1:
        raise NetworkError(
            f"got {str(layers)[:40]!r}",
            where="layers",
            remedy="give the sizes from input to output: 2,3,2",
        )
    return sizes


def _activations(activation: Any) -> tuple[Activation, ...] | None:
    if activation is None or isinstance(activation, Activation):
        return activation if activation is None else (activation,)
    # a comma may stand among the options too: hardtanh:-1,1
    parts = re.split(r",\s*(?=[A-Za-z])", activation) if isinstance(activation, str) else activation
    parts = parts if isinstance(parts, Sequence) else (parts,)
    return tuple(activation_named(part) for part in parts)
