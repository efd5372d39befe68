"""A number format's own arithmetic, operation by operation, in a stated order of summation.

Rule: every product and every partial sum is rounded to the format, to nearest with ties to
even, and nothing is fused. Products of two values of at most 24 bits, and their sums, are
computed in double first; rounding twice gives the same as rounding once, because double
carries more than twice the bits and two (Figueroa's theorem); fp64 rounds by itself.

References:
    Figueroa, "When is double rounding innocuous?", SIGNUM Newsletter 30(3) (1995).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from adderlab.formats import Format
from adderlab.nets import Layer, Network
from adderlab.nets.wiring import INPUT, join_arrays

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, UInt8

Terms: TypeAlias = "Float64[np.ndarray, 'n_out terms']"
Bias: TypeAlias = "Bool[np.ndarray, ' terms']"
Keys: TypeAlias = "list[Any]"


def _from_left(terms: Terms, bias: Bias) -> Keys:
    return [np.broadcast_to(bias, terms.shape)]


def _bias_first(terms: Terms, bias: Bias) -> Keys:
    return [np.broadcast_to(~bias, terms.shape)]


def _from_right(terms: Terms, bias: Bias) -> Keys:
    return [np.broadcast_to(bias, terms.shape), np.broadcast_to(-np.arange(len(bias)), terms.shape)]


def _bias_then_from_right(terms: Terms, bias: Bias) -> Keys:
    return [_bias_first(terms, bias)[0], _from_right(terms, bias)[1]]


ORDERS: Final[dict[str, Callable[[Terms, Bias], Keys]]] = {
    "products left to right, then the bias": _from_left,
    "the bias, then products left to right": _bias_first,
    "products right to left, then the bias": _from_right,
    "the bias, then products right to left": _bias_then_from_right,
    "terms of positive weight first": lambda terms, bias: [terms <= 0],
    "terms of negative weight first": lambda terms, bias: [terms >= 0],
    "terms by growing weight": lambda terms, bias: [np.abs(terms)],
    "terms by falling weight": lambda terms, bias: [-np.abs(terms)],
}
"""By name, what each unit's terms are sorted by, the first key first; what ties is taken from left
to right, the bias last. The last four make partial sums as large, or as lopsided, as a fixed order
can: where a format rounds at all, one of them is the likeliest to show it."""


def format_outputs(
    net: Network,
    inputs: UInt8[np.ndarray, "batch n_in"],
    form: Format,
    order: str,
    *,
    on_tick: Callable[[], None] = lambda: None,
) -> Float64[np.ndarray, "batch n_out"]:
    """Return the raw outputs as the format's own arithmetic gives them.

    Args:
        net: a network whose parameters are all representable in ``form``, without tanh.
        inputs: rows of bits.
        form: a float format.
        order: a name of :data:`ORDERS`.
        on_tick: called before every step of the sums; raises to stop them.
    """
    by_name = {INPUT: inputs.astype(np.float64)}
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        for node, layer in zip(net.wiring.layers, net.layers, strict=True):
            values = node.take(by_name, join_arrays)
            terms, is_bias = _terms(layer)
            if is_bias.any():  # a term whose source is always 1
                values = np.concatenate([values, np.ones((len(values), 1))], axis=1)
            turns = np.lexsort(ORDERS[order](terms, is_bias)[::-1], axis=1)
            units = np.arange(layer.n_out)
            sums = np.zeros((len(values), layer.n_out))
            for columns in turns.T:
                on_tick()
                products = form.round(values[:, columns] * terms[units, columns])
                sums = form.round(sums + products)
            values = layer.activation.plain(sums)
            if layer.activation.rounds:
                values = form.round(values)
            by_name[node.name] = values
    return net.wiring.output.take(by_name, join_arrays)


def _terms(layer: Layer) -> tuple[Terms, Bias]:
    """Return each unit's weights, its bias as one more, and which column that is."""
    weight = layer.weight.exact().to_floats()
    if layer.bias is None:
        return weight, np.zeros(layer.n_in, dtype=bool)
    terms = np.concatenate([weight, layer.bias.exact().to_floats()[:, None]], axis=1)
    return terms, np.arange(layer.n_in + 1) == layer.n_in
