"""One rule from an output to a bit, whatever arithmetic gave the output."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from adderlab.nets import EXACT, Readout
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.readout import NO_BIT, OPEN, read_bit, read_bits, read_states

OVER, AT_LEAST = Readout("threshold", 0.5, ">"), Readout("threshold", 0.5, ">=")
QUARTERS = [Fraction(n, 4) for n in range(-2, 8)]


def state_by_hand(readout: Readout, low: Fraction, high: Fraction) -> int:
    """Return what all eighths between the ends read as, if they agree."""
    numbers = {low + Fraction(n, 8) for n in range(int((high - low) * 8) + 1)}
    if readout.kind == "exact":
        states = {int(value) if value in (0, 1) else NO_BIT for value in numbers}
    else:
        limit = Fraction(readout.threshold)
        states = {
            int(value > limit or (value == limit and readout.convention == ">="))
            for value in numbers
        }
    return states.pop() if len(states) == 1 else OPEN


@pytest.mark.parametrize(
    "readout", [OVER, AT_LEAST, EXACT, Readout("threshold", 0.0, ">=")], ids=str
)
def test_an_interval_reads_as_what_all_its_numbers_read_as(readout: Readout) -> None:
    pairs = [(low, high) for low, high in itertools.product(QUARTERS, repeat=2) if low <= high]
    expected = [state_by_hand(readout, low, high) for low, high in pairs]
    ends = np.array(pairs, dtype=object)
    assert read_states(readout, ends[:, 0], ends[:, 1]).tolist() == expected
    doubles = ends.astype(np.float64)
    assert read_states(readout, doubles[:, 0], doubles[:, 1]).tolist() == expected
    bits = [read_bit(readout, low, high) for low, high in pairs]
    assert bits == [state if state < NO_BIT else None for state in expected]
    assert {0, 1, OPEN} <= set(expected)


@pytest.mark.parametrize("readout", [OVER, AT_LEAST, EXACT], ids=str)
def test_exact_numbers_read_the_same_in_whole_numbers_in_double_and_as_fractions(
    readout: Readout,
) -> None:
    whole = Dyadic(np.arange(-2, 8), -2)
    expected = [state_by_hand(readout, value, value) for value in QUARTERS]
    for values in (whole, whole.to_floats(), np.array(QUARTERS, dtype=object)):
        assert read_states(readout, values).tolist() == expected
        bits, is_bit = read_bits(readout, values)
        assert is_bit.tolist() == [state < NO_BIT for state in expected]
        assert bits.tolist() == [int(state == 1) for state in expected]
    assert OPEN not in expected


@pytest.mark.parametrize("readout", [OVER, AT_LEAST, EXACT], ids=str)
def test_what_is_no_number_is_no_bit(readout: Readout) -> None:
    assert read_states(readout, np.array([np.nan])).tolist() == [NO_BIT]


@pytest.mark.parametrize("readout", [OVER, AT_LEAST, EXACT], ids=str)
def test_a_distance_is_positive_on_the_right_side_alone(readout: Readout) -> None:
    """Of fractions, doubles and tensors alike; at 0 the convention decides."""
    for value, bit in itertools.product([Fraction(n, 8) for n in range(-4, 20)], (0, 1)):
        distance = readout.distance(value, bit)
        is_right = read_bit(readout, value, value) == bit
        assert isinstance(distance, Fraction)
        assert is_right if distance > 0 else distance == 0 or not is_right
        if readout.kind == "threshold":
            assert abs(distance) == abs(value - Fraction(readout.threshold))
            assert bool(readout.above(value)) == (is_right == bool(bit))
        bits = np.array([bit], dtype=np.uint8)
        assert readout.distance(np.array([float(value)]), bits).tolist() == [distance]
        assert (
            readout.distance(torch.tensor([float(value)]), torch.tensor([bit])).item() == distance
        )
