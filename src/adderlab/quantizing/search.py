"""Choose one of a few values for every parameter so that every row is right: branch and bound.

Rule: a branch is left only if no choice below it can be right on some row (or, when the largest
margin is sought, beat the best one found): outputs are bounded by intervals, with the choices
still open. So an end without a find, unless the limit was reached, means that there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.nets import Activation
from adderlab.nets.layout import Layout
from adderlab.quantizing.clock import NO_LIMIT, Clock
from adderlab.quantizing.rows import (
    Arrays,
    Rows,
    Shape,
    distances,
    is_right,
    outputs_of,
)

if TYPE_CHECKING:
    from jaxtyping import Float64, Int64

NODES_AT_ONCE: Final = 2048
NUMBERS_AT_ONCE: Final = 1 << 21
SLACK: Final = 1e-9
"""Of the largest sum: far above the rounding of double, so that no branch is left wrongly."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a search found.

    Attributes:
        chosen: for each parameter the number of its value; ``None`` if no choice is right.
        margin: the smallest signed distance there.
        is_complete: whether all choices were weighed; else a limit came first.
        nodes: branches looked at.
    """

    chosen: Int64[np.ndarray, " parameters"] | None
    margin: float
    is_complete: bool
    nodes: int


def search(
    choices: Sequence[Float64[np.ndarray, " values"]],
    layout: Layout,
    shape: Shape,
    rows: Rows,
    *,
    limit: int,
    best: bool,
    clock: Clock = NO_LIMIT,
) -> Found:
    """Return a choice that is right on every row.

    Args:
        choices: for each parameter its values, the one to be tried first in front.
        layout: where the parameters stand.
        shape: activations and readout.
        rows: what has to be right.
        limit: branches after which it is given up.
        best: look for the largest margin, not for the first find.
        clock: when it is given up, and who is told how far it is.
    """
    lows = np.array([values.min() for values in choices])
    highs = np.array([values.max() for values in choices])
    table = np.full((len(choices), max(map(len, choices))), np.nan)
    for place, values in enumerate(choices):
        table[place, : len(values)] = values
    # unit by unit, so that one unit's sums are known before the next unit's are branched on
    order = [place for place in layout.by_unit() if len(choices[place]) > 1]
    chunk = _nodes_at_once(layout, rows)
    start = np.zeros((1, len(choices)), dtype=np.int64)
    stack: list[tuple[int, Int64[np.ndarray, "nodes parameters"]]] = [(0, start)]
    nodes, best_values, margin = 0, None, -np.inf
    while stack:
        depth, block = stack.pop()
        if len(block) > chunk:
            stack.append((depth, block[chunk:]))
            block = block[:chunk]
        clock.on_share(min(nodes / limit, 1.0))
        if nodes >= limit or clock.is_up:
            return Found(best_values, margin, False, nodes)
        nodes += len(block)
        taken = np.take_along_axis(table, block.T, axis=1).T
        if depth == len(order):
            raw = outputs_of(Arrays.split(layout, taken), shape.activations, rows.inputs)
            far = distances(raw, rows, shape.readout)
            right: Any = is_right(raw, rows, shape.readout).all(axis=(1, 2))
            worst = np.where(right, far.min(axis=(1, 2)), -np.inf)
            top = int(np.argmax(worst)) if best else int(np.argmax(right))
            if right[top] and (best_values is None or worst[top] > margin):
                best_values, margin = block[top], float(worst[top])
                if not best:
                    return Found(best_values, margin, True, nodes)
            continue
        low, high = taken.copy(), taken
        still = order[depth:]
        low[:, still], high[:, still] = lows[still], highs[still]
        reach = _farthest(Arrays.split(layout, low), Arrays.split(layout, high), shape, rows)
        keep = (reach.far >= -SLACK * (1 + np.abs(reach.scale))).all(axis=(1, 2))
        if best and best_values is not None:
            keep &= reach.far.min(axis=(1, 2)) > margin
        block = block[keep]
        if not len(block):
            continue
        count = len(choices[order[depth]])
        children = np.repeat(block, count, axis=0).reshape(len(block), count, -1)
        children[:, :, order[depth]] = np.arange(count)
        together = children.reshape(-1, children.shape[2])
        # those that keep most first choices in front; one block, so that it is bounded at once
        stack.append((depth + 1, together[np.argsort(together.sum(axis=1), kind="stable")]))
    return Found(best_values, margin, True, nodes)


def _nodes_at_once(layout: Layout, rows: Rows) -> int:
    widest = max((n_in + 1) * n_out for n_in, n_out in pairwise(layout.sizes))
    return max(1, min(NODES_AT_ONCE, NUMBERS_AT_ONCE // (widest * len(rows.inputs))))


@dataclass(frozen=True, slots=True, eq=False)
class _Reach:
    """How far on its right side each output can get, and how large it can be at all."""

    far: Float64[np.ndarray, "node rows n_out"]
    scale: Float64[np.ndarray, "node rows n_out"]


def _farthest(low: Arrays, high: Arrays, shape: Shape, rows: Rows) -> _Reach:
    """Return bounds on each output's distance over all parameters between ``low`` and ``high``."""
    bottom = top = np.broadcast_to(rows.inputs, (len(low), *rows.inputs.shape))
    for w_low, w_high, b_low, b_high, activation in zip(
        low.weights, high.weights, low.biases, high.biases, shape.activations, strict=True
    ):
        sum_low, sum_high = _interval_product(w_low, w_high, bottom, top)
        bottom, top = _interval_activation(
            activation, sum_low + b_low[:, None], sum_high + b_high[:, None]
        )
    scale = np.maximum(np.abs(bottom), np.abs(top))
    if shape.readout.kind == "exact":
        off = np.maximum(np.maximum(bottom - rows.expected, rows.expected - top), 0)
        return _Reach(np.where(rows.cares, -off, np.inf), scale)
    far = shape.readout.distance(np.where(rows.expected == 1, top, bottom), rows.expected)
    return _Reach(np.where(rows.cares, far, np.inf), scale)


def _interval_product(
    w_low: np.ndarray, w_high: np.ndarray, x_low: np.ndarray, x_high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds on ``x W^T`` for every x and W between their bounds."""
    if x_low.size and x_low.min() >= 0:  # then W alone decides which end of x counts
        low = np.maximum(w_low, 0), np.minimum(w_low, 0)
        high = np.maximum(w_high, 0), np.minimum(w_high, 0)
        return (
            x_low @ low[0].transpose(0, 2, 1) + x_high @ low[1].transpose(0, 2, 1),
            x_high @ high[0].transpose(0, 2, 1) + x_low @ high[1].transpose(0, 2, 1),
        )
    corners = np.stack(
        [x[:, :, None] * w[:, None] for x in (x_low, x_high) for w in (w_low, w_high)]
    )
    return corners.min(axis=0).sum(axis=-1), corners.max(axis=0).sum(axis=-1)


def _interval_activation(
    activation: Activation, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds on the activation of every sum between ``low`` and ``high``."""
    if activation.rule.kink == "jump":  # a sum that double moved off 0 may fall on either side
        near = SLACK * (1 + np.maximum(np.abs(low), np.abs(high)))
        low, high = low - near, high + near
    return activation.image(low, high)
