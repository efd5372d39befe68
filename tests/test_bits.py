"""Whole numbers to rows of bits and back, against Python's own binary notation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW

from adderlab.bits import bit_names, from_bits, integer_dtype, popcount, to_bits

WIDE = (16, 61, 62, 63, 64, 70, 300)


def written(number: int, width: int) -> list[int]:
    """The bits as Python writes them, most significant first."""
    return [int(digit) for digit in format(number, f"0{width}b")]


@pytest.mark.parametrize("width", range(1, 11))
def test_every_number_of_few_bits_is_written_as_python_does_and_read_back(width: int) -> None:
    numbers = np.arange(1 << width)
    bits = to_bits(numbers, width)
    assert bits.dtype == np.uint8
    assert bits.tolist() == [written(number, width) for number in range(1 << width)]
    assert from_bits(bits).tolist() == numbers.tolist()


@FEW
@given(data=st.data(), width=st.sampled_from(WIDE))
def test_wide_numbers_are_written_as_python_does_and_read_back(
    data: st.DataObject, width: int
) -> None:
    numbers = data.draw(st.lists(st.integers(0, (1 << width) - 1), min_size=1, max_size=5))
    numbers.append((1 << width) - 1)
    bits = to_bits(np.array(numbers, dtype=object), width)
    assert bits.tolist() == [written(number, width) for number in numbers]
    back = from_bits(bits)
    assert back.dtype == (np.int64 if width <= 62 else object)
    assert back.tolist() == numbers


def test_one_number_gives_one_row_and_a_grid_gives_a_grid_of_rows() -> None:
    assert to_bits(6, 3).tolist() == [1, 1, 0]
    assert to_bits(2**70 + 1, 71).tolist() == [1, *[0] * 69, 1]
    assert int(from_bits(np.array([1, 1, 0], dtype=np.uint8))) == 6
    grid = np.array([[1, 2, 3], [4, 5, 6]])
    assert to_bits(grid, 3).shape == (2, 3, 3)
    assert from_bits(to_bits(grid, 3)).tolist() == grid.tolist()


def test_only_the_low_bits_are_taken() -> None:
    assert to_bits(np.array([0b1101, 0b0110]), 3).tolist() == [[1, 0, 1], [1, 1, 0]]


def test_no_rows_give_no_rows() -> None:
    assert to_bits(np.zeros(0, dtype=np.int64), 3).shape == (0, 3)
    assert from_bits(np.zeros((0, 70), dtype=np.uint8)).shape == (0,)


def test_a_sum_of_two_of_the_widest_fast_numbers_still_fits() -> None:
    top = np.array([(1 << 62) - 1], dtype=integer_dtype(62))
    assert integer_dtype(62) is np.int64
    assert integer_dtype(63) is np.object_
    assert (top + top).tolist() == [(1 << 63) - 2]


@pytest.mark.parametrize("width", range(1, 9))
def test_popcount_counts_the_ones_among_the_low_bits(width: int) -> None:
    numbers = list(range(1 << 9))
    expected = [bin(number % (1 << width)).count("1") for number in numbers]
    assert [popcount(number, width) for number in numbers] == expected
    assert popcount(np.array(numbers), width).tolist() == expected


@FEW
@given(data=st.data(), width=st.sampled_from(WIDE))
def test_popcount_of_wide_numbers(data: st.DataObject, width: int) -> None:
    number = data.draw(st.integers(0, (1 << width) - 1))
    assert popcount(number, width) == number.bit_count()
    array = np.array([number, 5], dtype=integer_dtype(width))
    assert popcount(array, width).tolist() == [number.bit_count(), 2]


@pytest.mark.parametrize(
    ("word", "width", "names"),
    [("c", 1, ["c"]), ("c", 2, ["c1", "c0"]), ("sum", 3, ["sum2", "sum1", "sum0"])],
)
def test_bits_are_named_from_the_most_significant(word: str, width: int, names: list[str]) -> None:
    assert list(bit_names(word, width)) == names


def test_the_eleventh_bit_keeps_its_whole_number() -> None:
    assert list(bit_names("x", 12))[:3] == ["x11", "x10", "x9"]
