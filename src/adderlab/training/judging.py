"""Whether trained members are right, decided exactly: arrays in, arrays out.

Rule: the enclosure of :mod:`adderlab.nets.enclosure`, of all members at once, decides the rows
that are clear; a member with an output, or a hidden unit's sum, that lies within its bound of the
threshold is evaluated exactly (with tanh: between two fractions). So no verdict here depends on
rounding.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.nets import Activation, evaluate, read_bits, trace
from adderlab.nets.activations import Rounding
from adderlab.nets.enclosure import bounded, sum_bound
from adderlab.training.networks import network_of
from adderlab.training.settings import Settings

if TYPE_CHECKING:
    from jaxtyping import Bool, Float64, Int32, UInt8, UInt64

    from adderlab.nets import Network
    from adderlab.tasks import RowBlock, Task

DIVERGED: Final = (1 << 64) - 1
"""The table code of a member that is not finite."""

CHUNK: Final = 1 << 20
"""Values of a layer held at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The verdicts on trained members, a member in each row.

    Attributes:
        is_finite: whether every parameter is a finite number; where not, it diverged, and the
            rest is 0 (the margin minus infinity).
        is_right: whether every output bit of every row is right, where it matters.
        rows_right: rows with all bits right.
        bits: the output bits, row after row, packed (``numpy.packbits``, first bit highest).
        code: the same as one number where a table has at most 64 bits, the first row's first bit
            the highest; else the first 8 bytes of their BLAKE2b hash. ``DIVERGED`` if it did.
        margin: the smallest signed distance of an output to the threshold, in double.
        dead_units: relu units that are off on every row.
        on: for each row and each 64 hidden units, a mask of those whose sum is above 0; the
            first unit is bit 0, and each hidden layer begins a new mask.
        is_close: whether it was close enough to a threshold to be evaluated exactly.
    """

    is_finite: Bool[np.ndarray, " member"]
    is_right: Bool[np.ndarray, " member"]
    rows_right: Int32[np.ndarray, " member"]
    bits: UInt8[np.ndarray, "member bytes"]
    code: UInt64[np.ndarray, " member"]
    margin: Float64[np.ndarray, " member"]
    dead_units: Int32[np.ndarray, " member"]
    on: UInt64[np.ndarray, "member rows masks"]
    is_close: Bool[np.ndarray, " member"]

    def __len__(self) -> int:
        return len(self.is_right)

    def __repr__(self) -> str:
        return f"Judged: {int(self.is_right.sum())} of {len(self)} right"


def judge(task: Task, settings: Settings, arrays: tuple[Any, ...]) -> Judged:
    """Return what each member computes on every row, decided exactly.

    Args:
        task: the task it should compute; all its rows are held at once.
        settings: of its training; activation and readout are used.
        arrays: fc1.weight, fc1.bias, fc2.weight and so on, each with an axis of members first.
    """
    block = next(task.blocks(task.rows))
    widest = max(settings.sizes(task)) * task.rows
    at_once = max(1, CHUNK // widest)
    parts: list[Judged] = []
    for first in range(0, max(len(arrays[0]), 1), at_once):
        some = tuple(array[first : first + at_once] for array in arrays)
        parts.append(_judge_chunk(task, settings, block, some))
    return Judged(*(np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Judged)))


def table_of(task: Task, bits: UInt8[np.ndarray, " bytes"]) -> tuple[int, ...]:
    """Return a member's output words row by row, each row's words as one number.

    Args:
        task: what the bits are the output of.
        bits: a row of :attr:`Judged.bits`.
    """
    rows = np.unpackbits(bits, count=task.rows * task.n_out).reshape(task.rows, task.n_out)
    return tuple(int("".join(map(str, row)), 2) for row in rows.tolist())


def expected_code(task: Task) -> int:
    """Return the table code of a network that is right, free outputs taken as 0."""
    block = next(task.blocks(task.rows))
    return int(_codes(np.packbits(block.expected.reshape(1, -1), axis=1), block.expected.size)[0])


def _judge_chunk(
    task: Task, settings: Settings, block: RowBlock, arrays: tuple[Any, ...]
) -> Judged:
    count = len(arrays[0])
    is_finite = np.ones(count, dtype=bool)
    for array in arrays:
        is_finite &= np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
    wide = [
        np.where(is_finite.reshape(-1, *[1] * (a.ndim - 1)), a, 0).astype(float) for a in arrays
    ]
    ons: list[Any] = []
    is_close = np.zeros(count, dtype=bool)
    distance: Any = None
    bits: Any = None
    for number, (sums, bound) in enumerate(_sums(settings, block, wide)):
        if number + 1 < len(wide) // 2:
            ons.append(sums > 0)
            close = (np.abs(sums) <= bound) & (bound > 0)
            if number == 0:
                _decide_first_layer(ons[0], close, block, wide)
            else:
                is_close |= close.any(axis=(1, 2))
        else:
            bits = settings.readout.above(sums)
            distance = settings.readout.distance(sums, block.expected)
            is_close |= _unclear(distance, bound, block)
    is_close &= is_finite
    for index in np.flatnonzero(is_close):
        parts = [np.ascontiguousarray(array[index]) for array in arrays]
        network = network_of(parts, task, settings, "judged")
        assert network is not None
        exact_on, bits[index] = _exact(network, block)
        for on, exact in zip(ons, exact_on, strict=False):
            on[index] = exact
    cares = np.ones(block.expected.shape, dtype=bool) if block.cares is None else block.cares
    right = (bits == block.expected) | ~cares
    can_die = settings.network_activation.rule.can_die
    dead = sum((~on.any(axis=1)).sum(axis=1) for on in ons)
    packed = np.packbits(bits.reshape(count, block.expected.size), axis=1)
    packed[~is_finite] = 0
    codes = _codes(packed, block.expected.size)
    return Judged(
        is_finite=is_finite,
        is_right=right.all(axis=(1, 2)) & is_finite,
        rows_right=np.where(is_finite, right.all(axis=2).sum(axis=1), 0).astype(np.int32),
        bits=packed,
        code=np.where(is_finite, codes, np.uint64(DIVERGED)),
        margin=np.where(
            is_finite, np.where(cares, distance, np.inf).min(axis=(1, 2), initial=np.inf), -np.inf
        ),
        dead_units=np.where(is_finite & can_die, dead, 0).astype(np.int32),
        on=np.where(
            is_finite[:, None, None], np.concatenate([_masks(on) for on in ons], axis=2), 0
        ),
        is_close=is_close,
    )


def _decide_first_layer(on: Any, close: Any, block: RowBlock, arrays: list[Any]) -> None:
    """Decide exactly which units of the first layer are on where double leaves it open.

    Their sums are of numbers, not of products, so one correctly rounded sum has the right sign.
    There are many: training holds units at the very edge of a row.
    """
    weight, bias = arrays[:2]
    for member, row, unit in np.argwhere(close):
        some = weight[member, unit][block.inputs[row] == 1]
        on[member, row, unit] = math.fsum([*some, bias[member, unit]]) > 0


def _unclear(distance: Any, bound: Any, block: RowBlock) -> Any:
    unclear = (np.abs(distance) <= bound) & (bound > 0)  # of a bound of 0, nothing was added up
    if block.cares is not None:
        unclear &= block.cares
    return unclear.any(axis=(1, 2))


def _sums(settings: Settings, block: RowBlock, arrays: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield each layer's sums in double, and the bound on their error, with axes member, row."""
    activation = settings.network_activation
    values: Any = block.inputs.astype(np.float64)
    errors: Any = None  # of bits there are none
    reach: Any = None
    for weight, bias in zip(arrays[::2], arrays[1::2], strict=True):
        magnitude = np.abs(weight)
        sums = _affine(values, weight, bias)
        if errors is None:
            total, carried = _affine(values, magnitude, np.abs(bias)), 0.0
        else:
            reach = np.abs(values) + errors
            total = _affine(reach, magnitude, np.abs(bias))
            carried = errors @ magnitude.transpose(0, 2, 1)
        bound = sum_bound(total, carried, weight.shape[2], Rounding())
        # a sum of zeros alone is 0; products with bits can't underflow to it
        is_zero = (
            total == 0
            if errors is None
            else ~reach.any(axis=2, keepdims=True) & (bias == 0)[:, None]
        )
        bound[is_zero] = 0.0
        sums, bound = bounded(sums, bound)
        yield sums, bound
        values, errors = activation.enclosed(sums, bound, Rounding())


def _affine(values: Any, weight: Any, bias: Any) -> Any:
    if values.ndim == 2:  # the rows themselves, the same for every member: one product for all
        count, n_out, n_in = weight.shape
        flat = weight.reshape(count * n_out, n_in) @ values.T
        return flat.reshape(count, n_out, len(values)).transpose(0, 2, 1) + bias[:, None]
    return values @ weight.transpose(0, 2, 1) + bias[:, None]


def _exact(network: Network, block: RowBlock) -> tuple[list[Any], Any]:
    """Return one network's units that are on, and its bits, row by row, in exact arithmetic.

    The sums behind a tanh are no fractions: a second hidden layer of those is left out here, and
    keeps the signs that it has in double.
    """
    ons: list[Any] = []
    steps = trace(network, block.inputs, activate=Activation.nearest)
    for layer, step in zip(network.layers[:-1], steps, strict=False):
        ons.append(step.sums.integers > 0)
        if not layer.activation.is_exact:
            break
    bits, _ = read_bits(network.readout, *evaluate(network, block.inputs, precision=400))
    return ons, bits == 1


def _masks(on: Bool[np.ndarray, "member rows hidden"]) -> UInt64[np.ndarray, "member rows masks"]:
    """Return the units that are on as bits of 64-bit numbers, the first unit the lowest."""
    missing = -on.shape[2] % 64
    bits = np.pad(on, ((0, 0), (0, 0), (0, missing))) if missing else on
    packed = np.packbits(bits, axis=2, bitorder="little")
    return (
        packed.reshape(*on.shape[:2], packed.shape[2] // 8, 8)
        .copy()
        .view("<u8")[..., 0]
        .astype(np.uint64)
    )


def _codes(packed: UInt8[np.ndarray, "member bytes"], bits: int) -> UInt64[np.ndarray, " member"]:
    if bits > 64:
        hashes = [hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in packed]
        return np.array([int.from_bytes(digest, "big") for digest in hashes], dtype=np.uint64)
    whole = np.zeros((len(packed), 8), dtype=np.uint8)
    whole[:, : packed.shape[1]] = packed
    return whole.view(">u8")[:, 0].astype(np.uint64) >> np.uint64(64 - bits)
