"""What a network gives on given rows in a number format's own arithmetic, in one stated order.

Rule: where the format's arithmetic is not defined for the network, nothing is computed and the
reason is named; it is the same arithmetic in which a format's counterexamples are replayed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from adderlab.errors import FormatError
from adderlab.formats import FORMATS, format_named
from adderlab.nets import Network, evaluate, is_exact
from adderlab.nets.enclosure import Machine
from adderlab.nets.quantized_arithmetic import has_float_activations, with_scales_as_layers
from adderlab.nets.readout import Values, read_states
from adderlab.proving.arithmetic import format_outputs
from adderlab.proving.constants import TOO_CLOSE, can_be_run, with_rounded_constants
from adderlab.proving.number_formats import FIRST_ORDER, integer_sums_fit, unfit

if TYPE_CHECKING:
    from jaxtyping import UInt8

EXACT: str = "exact"


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Raw outputs of rows, as two ends between which each lies, and what they read as.

    Attributes:
        low: the outputs, or their lower ends.
        high: the same object where the outputs themselves are known.
        states: 0, 1, or that it is no bit, as of :func:`adderlab.nets.readout.read_states`.
    """

    low: Values
    high: Values
    states: UInt8[np.ndarray, "batch n_out"]


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """A network with the arithmetic that it is run in.

    Attributes:
        network: as it is run: with constants rounded to the format, or scales as layers.
        semantics: the arithmetic in words: ``exact``, or a format and the order of its sums.
        form: the float format whose rounding applies; ``None`` where nothing is rounded.
    """

    network: Network
    semantics: str
    form: str | None = None

    def outputs(self, inputs: UInt8[np.ndarray, "batch n_in"]) -> Outputs:
        """Return the outputs on rows of bits."""
        net = self.network
        if self.form is None:
            low, high = evaluate(net, inputs)
        else:
            low = high = format_outputs(net, inputs, FORMATS[self.form], FIRST_ORDER)
        return Outputs(low, high, read_states(net.readout, low, high))


def arithmetic_of(net: Network, name: str) -> Arithmetic:
    """Return the arithmetic of a format, or the exact one, for a network.

    Args:
        net: any network.
        name: a format's name, or ``exact``.

    Raises:
        FormatError: there is no such format, or its arithmetic is not defined for the network.
    """
    if name.lower() == EXACT:
        return Arithmetic(net, EXACT)
    form = format_named(name, beside=(EXACT,))
    reason = unfit(net, form)
    if reason:
        raise FormatError(f"{form.name}: {reason}", where="format", remedy="take exact arithmetic")
    text = f"{form.name}, {FIRST_ORDER}"
    if form.kind == "integer" and has_float_activations(net):
        net, _ = with_scales_as_layers(net, [()] * (net.depth + 1))
        text = f"{form.name} weights, the rest in {net.format}, {FIRST_ORDER}"
        form = FORMATS[net.format]
    if form.kind == "integer" and not integer_sums_fit(net):
        raise FormatError(
            f"{form.name}: a sum may leave int32", where="format", remedy="take exact arithmetic"
        )
    if form.kind != "float":
        return Arithmetic(net, f"{form.name}, no sum is rounded")
    if not Machine.can_run(net):
        raise FormatError(
            f"{form.name}: the network is too large, or out of range, for doubles",
            where="format",
            remedy="take exact arithmetic",
        )
    if not can_be_run(net):
        raise FormatError(
            f"{form.name}: the largest of a softmax is asked for, and {TOO_CLOSE}",
            where="format",
            remedy="take exact arithmetic",
        )
    if not is_exact(net):
        curves = dict.fromkeys(
            layer.activation.kind for layer in net.layers if not layer.activation.is_exact
        )
        text += f", {' and '.join(curves)} rounded once"
    return Arithmetic(with_rounded_constants(net, form), text, form.name)
