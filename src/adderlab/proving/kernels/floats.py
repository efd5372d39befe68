"""A chain of layers in floats, and how far from the exact outputs they can be.

Rule: with ``u`` the unit roundoff of the lanes, a sum of terms each of which passes at most ``n``
roundings, in whatever order, is within ``((1 + u)**n - 1)`` times the sum of the terms' magnitudes
of the sum without roundings (Higham, section 3.1). A kernel may spread a product over its factor:
where a unit is on in all rows of a block, ``w * (z + t)`` may be computed as ``w * z + w * t``. So
magnitudes are those of the terms, not of their sums, and :func:`sum_errors` follows them through
the layers. A unit is taken for on, or off, in a block only where the ends of its computed sums are
on that side by more than the sums' error (:data:`GUARD`): then its exact value is its exact sum,
or 0.

References:
    Higham, "Accuracy and Stability of Numerical Algorithms" (2002), section 3.1 and lemma 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.nets import Network
from adderlab.nets.activations import SLACK, lowest_bits
from adderlab.nets.enclosure import Machine

if TYPE_CHECKING:
    from jaxtyping import Float64

SAFE: Final = 2.0**100
"""Weights, and sums of magnitudes, are below it; weights that are not 0 are above its inverse."""

MORE: Final = 16
"""Roundings of a term beside those of sums over units: products, stored weights, biases, ends."""

GUARD: Final = 1.001
"""By how much more than their error sums must be above 0: the guard itself is rounded, too."""


@dataclass(frozen=True, slots=True, eq=False)
class FloatLayer:
    """A layer in doubles: ``weight`` (out, in), and the slope below 0 of each unit."""

    weight: Float64[np.ndarray, "n_out n_in"]
    bias: Float64[np.ndarray, " n_out"]
    below: Float64[np.ndarray, " n_out"]

    @property
    def is_relu(self) -> bool:
        """Whether each unit's value is the larger of its sum and 0."""
        return not self.below.any()

    @property
    def is_identity(self) -> bool:
        """Whether each unit's value is its sum."""
        return bool((self.below == 1).all())


@dataclass(frozen=True, slots=True, eq=False)
class FloatNet:
    """A chain of layers in floats.

    Attributes:
        layers: from the input bits to the outputs, the threshold subtracted from the last biases.
        dtype: of the lanes.
        errors: of each layer, how far a computed sum may be from the exact one; 0 where nothing is
            rounded.
    """

    layers: tuple[FloatLayer, ...]
    dtype: Any
    errors: tuple[Float64[np.ndarray, " n_out"], ...]

    @property
    def bound(self) -> float:
        """How far any output may be from the exact one."""
        return float(self.errors[-1].max())


def float_layers(net: Network) -> tuple[FloatLayer, ...] | None:
    """Return a chain's layers in doubles; ``None`` where it has others than lines through 0."""
    if not net.is_chain or net.readout.kind != "threshold" or not Machine.can_run(net):
        return None
    layers: list[FloatLayer] = []
    for layer in net.layers:
        units = [layer.activation.of_unit(unit) for unit in range(layer.n_out)]
        pairs = {unit: _slopes(unit) for unit in set(units)}
        weight, bias = layer.weight.exact(), layer.bias and layer.bias.exact()
        if None in pairs.values() or not weight.is_double or (bias and not bias.is_double):
            return None
        biases = np.zeros(layer.n_out) if bias is None else bias.to_floats()
        below = np.array([pairs[unit] for unit in units], dtype=np.float64)
        layers.append(FloatLayer(weight.to_floats(), biases, below))
    numbers = np.concatenate(
        [np.abs(part).ravel() for own in layers for part in (own.weight, own.bias, own.below)]
    )
    numbers = np.append(numbers, abs(net.readout.threshold))
    if numbers.max() > SAFE or numbers[numbers > 0].min(initial=SAFE) < 1 / SAFE:
        return None
    return tuple(layers)


def _slopes(activation: Any) -> float | None:
    """Return the slope below 0 of a line through 0 that has slope 1 above it."""
    if activation.kind in ("relu", "identity", "leaky"):
        return {"relu": 0.0, "identity": 1.0}.get(activation.kind, activation.slope)
    return None


def float_net(net: Network, dtype: Any) -> FloatNet | None:
    """Return a chain in floats with the bound on its outputs; ``None`` where there is none."""
    layers = float_layers(net)
    if layers is None:
        return None
    last = layers[-1]
    errors = sum_errors(layers, net.readout.threshold, dtype)
    if errors is None or (not last.is_identity and net.readout.threshold):
        return None
    if never_rounds(layers, net.readout.threshold, dtype):
        errors = tuple(np.zeros_like(own) for own in errors)
    shifted = FloatLayer(last.weight, last.bias - net.readout.threshold, last.below)
    return FloatNet((*layers[:-1], shifted), np.dtype(dtype), errors)


def sum_errors(
    layers: tuple[FloatLayer, ...], threshold: float, dtype: Any
) -> tuple[Float64[np.ndarray, " n_out"], ...] | None:
    """Return how far each layer's computed sums, and values, may be from the exact ones.

    The last layer's are those less the threshold; ``None`` where magnitudes may leave the floats. A
    term of a sum passes through the sums over the units before it, once for those that are on and
    once for the others; where it was spread, also over the units before those, and the inputs.
    """
    about = np.finfo(dtype)
    unit, tiny = float(about.eps) / 2, float(about.smallest_subnormal)
    inputs = layers[0].weight.shape[1]
    magnitude, errors = np.ones(inputs), np.zeros(inputs)
    before = inputs
    all_errors: list[Any] = []
    for number, layer in enumerate(layers, start=1):
        units = layer.weight.shape[1]
        roundings = 2 * units + before + inputs + MORE
        before = units
        growth = float(np.expm1(roundings * np.log1p(unit + 2.0**-53))) * SLACK
        size, steep = np.abs(layer.weight), np.maximum(1.0, np.abs(layer.below))
        shift = np.abs(layer.bias) + (abs(threshold) if number == len(layers) else 0)
        total = (size @ magnitude + shift) * SLACK * (1 + growth)
        errors = (size @ errors + growth * total + tiny * roundings * (1 + growth)) * SLACK
        if total.max() > SAFE:
            return None
        magnitude = total * steep * (1 + growth) * SLACK
        if not (layer.is_relu or layer.is_identity):  # a slope multiplies
            errors = (errors * steep + growth * magnitude) * SLACK
        all_errors.append(errors)
    return tuple(all_errors)


def never_rounds(layers: tuple[FloatLayer, ...], threshold: float, dtype: Any) -> bool:
    """Return whether all terms of each sum lie on one grid, and add up to few of its units.

    That is the rule of :mod:`adderlab.nets.enclosure`, with the terms of products that are spread.
    """
    about = np.finfo(dtype)
    magnitude, grid = np.ones(layers[0].weight.shape[1]), 0
    for number, layer in enumerate(layers, start=1):
        is_last = number == len(layers)
        shift = np.abs(layer.bias) + (abs(threshold) if is_last else 0)
        numbers = np.append(layer.bias, threshold if is_last else 0.0)
        grid = int(min(grid + lowest_bits(layer.weight).min(), lowest_bits(numbers).min()))
        magnitude = (np.abs(layer.weight) @ magnitude + shift) * SLACK
        if not (layer.is_relu or layer.is_identity) or grid < about.minexp:
            return False
        if magnitude.max(initial=0) > np.ldexp(1.0, grid + about.nmant):
            return False
    return True
