"""Bits as codes: the bits themselves up to 64, a hash of more."""

from __future__ import annotations

import numpy as np
import pytest

from adderlab.training.census.codes import code_of_bits, joined, words_of_bits

RANDOM = np.random.default_rng(7)


@pytest.mark.parametrize("count", [1, 5, 63, 64])
def test_a_code_of_at_most_64_bits_is_the_bits_themselves(count):
    bits = RANDOM.random((50, count)) < 0.5
    codes = code_of_bits(bits)
    for row, code in zip(bits, codes, strict=True):
        assert int(code) == int("".join(map(str, row.astype(int))), 2)


@pytest.mark.parametrize("count", [65, 100, 256])
def test_a_code_of_more_bits_differs_where_any_bit_does(count):
    bits = np.tile(RANDOM.random(count) < 0.5, (count + 1, 1))
    bits[np.arange(count), np.arange(count)] ^= True  # each row but the last has one bit flipped
    codes = code_of_bits(bits)
    assert len(np.unique(codes)) == count + 1
    assert (code_of_bits(bits.copy()) == codes).all()


def test_joined_codes_depend_on_every_code_and_on_their_order():
    codes = np.array([[3, 9, 1], [9, 3, 1], [3, 9, 2], [3, 9, 1]], dtype=np.uint64)
    text = joined(codes)
    assert text[0] == text[3]
    assert len(np.unique(text)) == 3


def test_the_words_of_packed_bits_are_the_rows_numbers():
    bits = RANDOM.integers(0, 2, (6, 4, 3))
    packed = np.packbits(bits.reshape(6, -1).astype(bool), axis=1)
    expected = bits @ np.array([4, 2, 1])
    assert (words_of_bits(packed, 4, 3) == expected).all()
