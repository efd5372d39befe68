"""The parameters that a repair may change, the numbers that they can store, and which is taken.

Rule: only a value that the tensor can store is taken, and it is exactly the one stored. Among those
the network's margin decides; then the margin without the outputs that stood just on the threshold
before and were right (0 + 0 gives exactly 0 in the lecture's network, whatever its weights, and
would hide how well the wrong row was repaired); then the smallest change.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from typing import Any, Final, TypeAlias

import numpy as np

from adderlab.building.repair.intervals import Envelope, Interval, Intervals, at_least, is_endless
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


def extremes(form: Format, within: Interval) -> tuple[Fraction, ...]:
    """Return the least and the greatest number of the format inside; nothing if none is."""
    bounds = (
        _at_least(form, within.low, or_equal=within.low_closed),
        _at_most(form, within.high, or_equal=within.high_closed),
    )
    return tuple(value for value in bounds if value is not None and within.contains(value))


def around(form: Format, value: Fraction, within: Interval) -> tuple[Fraction, ...]:
    """Return the format's numbers next to ``value``, itself if it is one, that lie inside."""
    neighbors = (_at_least(form, value, or_equal=True), _at_most(form, value, or_equal=True))
    return tuple(
        neighbor for neighbor in neighbors if neighbor is not None and within.contains(neighbor)
    )


def _at_least(form: Format, value: Fraction | None, *, or_equal: bool) -> Fraction | None:
    """Return the format's least number that is at least, or above, ``value``."""
    if value is None or value < form.least:
        return Fraction(form.least)
    unit = _unit_above(form, value, or_equal=or_equal)
    count = value / unit
    nearest = unit * (math.ceil(count) if or_equal else math.floor(count) + 1)
    if form.levels:
        return next((Fraction(level) for level in form.levels if level >= nearest), None)
    return nearest if nearest <= form.largest else None


def _at_most(form: Format, value: Fraction | None, *, or_equal: bool) -> Fraction | None:
    """Return the format's greatest number that is at most, or below, ``value``."""
    levels = tuple(-level for level in reversed(form.levels))
    mirrored = replace(form, least=-form.largest, largest=-form.least, levels=levels)
    mirrored_value = _at_least(mirrored, None if value is None else -value, or_equal=or_equal)
    return None if mirrored_value is None else -mirrored_value


def _unit_above(form: Format, value: Fraction, *, or_equal: bool) -> Fraction:
    """Return the spacing of the format's numbers just above ``value``."""
    if form.kind != "float":
        return Fraction(1)
    if not value:
        return Fraction(2) ** form.smallest
    size = abs(value)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    if size < Fraction(2) ** exponent:
        exponent -= 1  # now 2**exponent <= size < 2**(exponent + 1)
    if value < 0 and not or_equal and size == Fraction(2) ** exponent:
        exponent -= 1  # towards 0 from a power of two the numbers stand closer
    return Fraction(2) ** max(exponent - form.precision + 1, form.smallest)


Margin: TypeAlias = Callable[[Intervals], Envelope]
"""A margin as a function of the changed number, on the numbers asked for."""

ENOUGH: Final = Fraction(1)
"""The margin that is enough where it grows without end: the distance between the bits 0 and 1."""


def best_value(
    works: Intervals, margins: Sequence[Margin], form: Format, before: Fraction
) -> Fraction | None:
    """Return the value to take, ``None`` where the format holds none of those that work.

    Args:
        works: the values that work; ``before`` is not among them.
        margins: what is to be large, the first deciding first.
        form: the format that stores the value.
        before: the value that is there now.
    """
    if not any(extremes(form, part) for part in works.parts):
        return None
    good = works
    for margin in margins:
        good = highest(margin(good), form)
    nearest = (value for part in good.parts for value in _nearest(part, form, before))
    return min(nearest, key=lambda value: abs(value - before))


def highest(margin: Envelope, form: Format) -> Intervals:
    """Return the values where a margin is as large as a stored value makes it.

    On a piece a line is highest at an end, so the best stored value is one of those next to the
    ends of the pieces. A margin that grows without end has no best value, or the format's
    largest number: there it is enough to reach 1. (It never only approaches a height at an open
    end: what follows a step is constant between its flips, and without steps nothing jumps.)
    """
    level = max(line.at(value) for piece, line in margin for value in extremes(form, piece))
    return at_least(margin, min(level, ENOUGH) if is_endless(margin) else level)


def _nearest(part: Interval, form: Format, before: Fraction) -> tuple[Fraction, ...]:
    """Return the stored values that come into question in an interval beside ``before``.

    They are those next to its nearer end. Where that end is not inside, a row is wrong on it, and
    the first number beyond it would all but touch it: then to the middle, of a half-line to one
    beyond the end.
    """
    end, is_closed = (
        (part.low, part.low_closed)
        if part.low is not None and part.low > before
        else (part.high, part.high_closed)
    )
    aim = end if is_closed and end is not None else part.sample
    return around(form, aim, part) or extremes(form, part)
