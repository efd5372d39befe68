"""Snap: trained float weights to a nearby network of small whole numbers.

Why it works: relu(a z) = a relu(z) for every a above 0, so a hidden unit may be scaled by a if
what leaves it is divided by a; and an output may be stretched away from its threshold. Among
these networks, which all compute the same bits, some lie close to whole numbers.

References:
    Neyshabur, Salakhutdinov, Srebro, "Path-SGD" (2015), section 2, for the scalings that leave a
    relu network unchanged.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Final

import numpy as np

from adderlab.blocks.numbers import counted
from adderlab.errors import FormatError
from adderlab.formats import Format
from adderlab.nets import Layer, Network
from adderlab.nets.tensors import Dense
from adderlab.quantizing.clock import NO_LIMIT, TIME_UP, Clock
from adderlab.quantizing.grid import Grid
from adderlab.quantizing.rounding import (
    Grids,
    Rounded,
    choose_around,
    drop_absent_biases,
    to_network,
)
from adderlab.quantizing.rows import Arrays, Rows, Shape, arrays_of, wrong_rows
from adderlab.quantizing.scheme import PLAIN
from adderlab.quantizing.search import NUMBERS_AT_ONCE, search

MOST_SCALINGS: Final = 4096
REACHES: Final = (1.0, 2.0, 1.5, 3.0, 2.5, 4.0, 6.0, 8.0)
"""What a unit's largest parameter may be scaled to, the plainest first."""

MOST_SEARCHED: Final = 8
"""Scalings around which is searched where rounding alone finds nothing."""

LIMIT_AROUND: Final = 20_000
LIMIT_OUTPUT: Final = 50_000
MOST_LEVELS: Final = 16
"""Levels of a format up to which the output layer is chosen freely."""


def snap(
    net: Network,
    form: Format,
    rows: Rows,
    *,
    limit: int = LIMIT_OUTPUT,
    clock: Clock = NO_LIMIT,
) -> Rounded:
    """Return a nearby network of whole numbers without scales, right on every row if one is found.

    Hidden units that are off on every row are left out: they add nothing. Of the scalings, first
    each is rounded to nearest; if none is right, up and down are searched around the best ones;
    then, in formats of few levels, the whole output layer.

    Raises:
        FormatError: the format has no whole numbers.
    """
    if form.kind != "integer":
        raise FormatError(
            f"{form.name} is no integer format",
            where="method snap",
            remedy="name one, or take another method",
        )
    small, dropped = without_dead_units(net, rows)
    units = counted(dropped, "unit")
    plans = [(small, f"{units} off on every row left out" if dropped else "")]
    plans += [(net, "")] if dropped else []  # a unit that did nothing may be of use after all
    candidates: list[Rounded] = []
    for plan, note in plans:
        arrays, shape = arrays_of(plan)
        q, is_found = snap_arrays(arrays, shape, rows, form, limit=limit, clock=clock)
        snapped = to_network(plan, q, _plain_grids(arrays, form), form)
        if is_found:
            return Rounded(snapped, "snap", PLAIN, note=_with_bit_note(note, form))
        end = f" before {TIME_UP}" if clock.is_up else ""
        note = f"no network near it found{end}"
        candidates.append(Rounded(snapped, "snap", PLAIN, 0, False, note))
    return candidates[0]


def _with_bit_note(note: str, form: Format) -> str:
    """Return a note, with a remark on two levels."""
    bit = "in one bit every choice of -1 and 1 was open" if form.name == "binary" else ""
    return "; ".join(filter(None, (note, bit)))


def without_dead_units(net: Network, rows: Rows) -> tuple[Network, int]:
    """Return the network without the relu units that are off on every row, and their number.

    One unit of each layer stays, since a network needs one.
    """
    arrays, _ = arrays_of(net)
    keep: list[np.ndarray] = []
    values = rows.inputs
    for layer, weight, bias in zip(net.layers, arrays.weights, arrays.biases, strict=True):
        values = layer.activation.plain(values @ weight[0].T + bias[0])
        alive = np.ones(values.shape[1], dtype=bool)
        if layer.activation.rule.can_die:
            alive = values.max(axis=0) > 0
            alive[0] |= not alive.any()
        keep.append(alive)
    keep[-1] = np.ones(net.n_out, dtype=bool)
    dropped = sum(int((~alive).sum()) for alive in keep)
    if not dropped:
        return net, 0
    before = [np.ones(net.n_in, dtype=bool), *keep]
    layers = [
        replace(
            layer,
            weight=_rows_of(layer, alive, inputs),
            bias=None if layer.bias is None else Dense(layer.bias.exact().to_floats()[alive]),
        )
        for layer, alive, inputs in zip(net.layers, keep, before, strict=False)
    ]
    return replace(net, layers=tuple(layers), training=None, format="fp64"), dropped


def _rows_of(layer: Layer, alive: np.ndarray, inputs: np.ndarray) -> Dense:
    return Dense(layer.weight.exact().to_floats()[alive][:, inputs])


def _plain_grids(arrays: Arrays, form: Format) -> Grids:
    def grid(array: np.ndarray) -> Grid:
        scale = np.ones((1,) * array.ndim)
        return Grid(form, scale, np.zeros_like(scale))

    return Grids(tuple(map(grid, arrays.weights)), tuple(map(grid, arrays.biases)))


def snap_arrays(
    arrays: Arrays,
    shape: Shape,
    rows: Rows,
    form: Format,
    *,
    limit: int = LIMIT_OUTPUT,
    clock: Clock = NO_LIMIT,
) -> tuple[Arrays, bool]:
    """Return one network's integers, and whether they are right on every row in double."""
    scaled = scalings(arrays, shape, form)
    grids = _plain_grids(arrays, form)
    rounded = grids.nearest(scaled)
    wrong = _wrong_rows(rounded, shape, rows, clock)
    before, after = scaled.flat(), rounded.flat()
    size = np.maximum((before**2).sum(axis=1), 1e-300)
    off = ((after - before) ** 2).sum(axis=1) / size
    order = np.lexsort((off, wrong))
    first = rounded.take(order[:1])
    if wrong[order[0]] == 0:
        return first, True
    for place in order[:MOST_SEARCHED]:
        member = scaled.take(slice(place, place + 1))
        q, _, is_found = choose_around(
            member,
            grids,
            grids.nearest(member),
            shape,
            rows,
            limit=min(limit, LIMIT_AROUND),
            best=False,
            clock=clock,
        )
        if is_found:
            return q, True
    if not form.levels and form.largest - form.least >= MOST_LEVELS:
        return first, False
    levels = form.levels or tuple(range(form.least, form.largest + 1))
    for place in order[:MOST_SEARCHED]:
        member = scaled.take(slice(place, place + 1))
        values = _free_output(member, grids, shape, rows, levels, limit, clock)
        if values is not None:
            return values, True
    return first, False


def _wrong_rows(arrays: Arrays, shape: Shape, rows: Rows, clock: Clock) -> np.ndarray:
    """Return how many rows are wrong; one more than there are where the time was up before."""
    widest = max(weight.shape[1] for weight in arrays.weights)
    at_once = max(1, NUMBERS_AT_ONCE // (widest * len(rows.inputs)))
    wrong = np.full(len(arrays), len(rows.inputs) + 1)
    for first in range(0, len(arrays), at_once):
        some = slice(first, first + at_once)
        wrong[some], _ = wrong_rows(arrays.take(some), shape, rows)
        if clock.is_up:
            break
    return wrong


def _free_output(
    member: Arrays,
    grids: Grids,
    shape: Shape,
    rows: Rows,
    levels: tuple[int, ...],
    limit: int,
    clock: Clock,
) -> Arrays | None:
    """Return a right network whose output layer may be anything, the rest up or down."""
    layout = member.layout
    joined = [values.flat()[0] for values in (grids.nearest(member), *grids.around(member))]
    options = [np.array(list(dict.fromkeys(values))) for values in zip(*joined, strict=True)]
    exact = member.flat()[0]
    last = list(layout.places())[-2]
    for place in range(last.first, layout.parameters):
        options[place] = np.array(
            sorted(levels, key=lambda level: abs(level - exact[place])), float
        )
    drop_absent_biases(options, member, shape)
    result = search(options, layout, shape, rows, limit=limit, best=False, clock=clock)
    if result.chosen is None:
        return None
    q = np.array([option[pick] for option, pick in zip(options, result.chosen, strict=True)])
    return Arrays.split(layout, q[None])


def scalings(arrays: Arrays, shape: Shape, form: Format) -> Arrays:
    """Return one network scaled in many ways that all compute the same bits.

    Args:
        arrays: one network.
        shape: its activations and readout.
        form: the format whose range bounds the scales.
    """
    top = max(form.largest, -form.least)
    reaches = [reach for reach in REACHES if reach <= top] or [1.0]
    units = sum(weight.shape[1] for weight in arrays.weights)
    picks = _picks(units, len(reaches))
    reach = np.array(reaches)[picks]  # (scalings, units)
    weights: list[np.ndarray] = []
    biases: list[np.ndarray] = []
    came = np.ones((len(picks), arrays.weights[0].shape[2]))
    place = 0
    last = len(arrays.weights) - 1
    for number, (weight, bias) in enumerate(zip(arrays.weights, arrays.biases, strict=True)):
        count = weight.shape[1]
        columns = reach[:, place : place + count]
        place += count
        activation = shape.activations[number]
        inner = weight[0] / came[:, None, :]
        is_output = number == last
        offset = 0.0
        is_plain = shape.readout.kind == "threshold" and activation.kind == "identity"
        if is_output and is_plain:
            offset = shape.readout.threshold if shape.has_bias[number] else 0.0
        own = bias[0] - offset
        largest = np.maximum(np.abs(inner).max(axis=2), np.abs(own))
        free = (
            activation.slope_pair is not None
        )  # straight on both sides of 0: scaled as its sum is
        if is_output:
            free = is_plain and (shape.has_bias[number] or shape.readout.threshold == 0)
        factor = np.where(largest > 0, columns / np.where(largest > 0, largest, 1), 1.0)
        if not free:
            factor = np.ones_like(factor)
        weights.append(inner * factor[:, :, None])
        biases.append(own * factor + offset)
        came = factor if activation.rule.kink != "jump" else np.ones_like(factor)
    return Arrays(tuple(weights), tuple(biases))


def _picks(units: int, reaches: int) -> np.ndarray:
    """Return which reach each unit gets: all ways if they are few, else a seeded sample."""
    if reaches**units <= MOST_SCALINGS:
        return np.array(list(itertools.product(range(reaches), repeat=units)), dtype=np.int64)
    drawn = np.random.default_rng(20).integers(0, reaches, (MOST_SCALINGS, units))
    drawn[:reaches] = np.arange(reaches)[:, None]
    return drawn
