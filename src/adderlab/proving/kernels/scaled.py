"""A chain in whole numbers as kernels take it: outputs and readout on one grid, and the type.

Rule: nothing is rounded (:mod:`adderlab.nets.scaled`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from adderlab.nets import Network
from adderlab.nets.scaled import ScaledLayer, exponent_of, scaled_layers

LARGEST_LAYER: Final = 1 << 16
"""Weights of a layer up to which it is taken apart."""

WIDEST: Final = 64


@dataclass(frozen=True, slots=True)
class ScaledNet:
    """A network in whole numbers; its outputs' threshold is subtracted from them.

    Attributes:
        layers: from the input bits to the outputs.
        exponent: the outputs are multiples of ``2**exponent``.
        threshold: in these units; 0 of an exact readout.
        bits: the narrowest integers of two's complement that hold everything that is compared.
    """

    layers: tuple[ScaledLayer, ...]
    exponent: int
    threshold: int
    bits: int

    @property
    def terms(self) -> int:
        """Products behind the first layer."""
        return sum(len(unit) for layer in self.layers[1:] for unit in layer.weights)


def scaled(net: Network) -> ScaledNet | None:
    """Return a chain in whole numbers; ``None`` where it is none, or has other than lines."""
    is_small = all(layer.n_in * layer.n_out <= LARGEST_LAYER for layer in net.layers)
    layers = scaled_layers(net) if net.is_chain and is_small else None
    if layers is None:
        return None
    *before, last = layers
    threshold = Fraction(net.readout.threshold) if net.readout.kind == "threshold" else Fraction(0)
    at = min(last.value_exponent, exponent_of(threshold), 0)
    # what is compared lies on one grid with the readout's numbers
    layers = (*before, last.finer(1 << (last.value_exponent - at)))
    unit = int(threshold / Fraction(2) ** at)
    held = [unit, int(Fraction(1) / Fraction(2) ** at)]
    for layer in layers:
        held += [*layer.low, *layer.high]
        held += [knot for bends in layer.bends for knot in bends.knots]
        held += [end for own in layer.values for end in (own.low, own.high)]
    held += [end - unit for own in layers[-1].values for end in (own.low, own.high)]
    return ScaledNet(layers, at, unit, _bits_for(held))


def _bits_for(numbers: Sequence[int]) -> int:
    """Return the bits of two's complement that hold numbers, with both ends left free."""
    largest = max(map(abs, numbers)) + 1
    return next((bits for bits in (8, 16, 32, 64) if largest < 1 << (bits - 1)), WIDEST + 1)


def as_numbers(values: Sequence[int], bits: int) -> np.ndarray:
    """Return whole numbers modulo ``2**bits`` as an array of that type."""
    half, whole = 1 << (bits - 1), 1 << bits
    return np.array([(v + half) % whole - half for v in values], dtype=f"int{bits}")
