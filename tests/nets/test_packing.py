"""Whole numbers in few bits: what is packed is read back, and nothing else is read."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, MANY, refused

from adderlab.errors import NetworkError, NetworkFileError
from adderlab.nets.codebook import size_of
from adderlab.nets.packing import (
    from_limbs,
    pack,
    packed_size,
    unpack,
)
from adderlab.nets.tensors import Packed


def values_of(bits: int) -> list[int]:
    half = 1 << (bits - 1)
    return [1, -1] if bits == 1 else list(range(-half, half))


def packed_by_hand(values: list[int], bits: int) -> bytes:
    """One long number whose lowest bits are the first value's, cut into bytes."""
    codes = [int(v < 0) if bits == 1 else v % (1 << bits) for v in values]
    total = sum(code << (bits * place) for place, code in enumerate(codes))
    return total.to_bytes(-(-bits * len(values) // 8), "little")


@pytest.mark.parametrize("bits", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5])
def test_every_row_of_few_bits_is_packed_as_by_hand_and_read_back(bits: int, count: int) -> None:
    choices = values_of(bits) if count < 5 else values_of(bits)[:3]
    for row in product(choices, repeat=count):
        data = pack(np.array(row, dtype=np.int64), bits)
        assert data.tobytes() == packed_by_hand(list(row), bits)
        assert data.size == packed_size(count, bits)
        assert unpack(data, count, bits, where="net").tolist() == list(row)


@MANY
@given(bits=st.integers(1, 32), data=st.data())
def test_numbers_of_up_to_32_bits_are_packed_as_by_hand_and_read_back(
    bits: int, data: st.DataObject
) -> None:
    half = 1 << (bits - 1)
    value = st.sampled_from([1, -1]) if bits == 1 else st.integers(-half, half - 1)
    row = [*data.draw(st.lists(value, max_size=9)), -half, max(half - 1, 1)]
    packed = pack(np.array(row, dtype=np.int64), bits)
    assert packed.dtype == np.uint8
    assert packed.tobytes() == packed_by_hand(row, bits)
    back = unpack(packed, len(row), bits, where="net")
    assert (back.dtype, back.tolist()) == (np.dtype(np.int64), row)


def test_twelve_ternary_numbers_take_three_bytes() -> None:
    assert packed_size(12, 2) == 3
    row = [1, 0, -1, 1] * 3
    assert pack(np.array(row), 2).tolist() == [0b01_11_00_01] * 3


@pytest.mark.parametrize("bits", range(1, 8))
def test_every_set_padding_bit_is_refused(bits: int) -> None:
    message = "net: padding bits are set; the file is damaged; write it again"
    clean = pack(np.ones(1, dtype=np.int64), bits)
    for place in range(bits, 8):
        with refused(NetworkFileError, message):
            _ = unpack(clean | np.uint8(1 << place), 1, bits, where="net")


@pytest.mark.parametrize(("count", "bits", "size", "needed"), [
    (12, 2, 2, 3), (12, 2, 4, 3), (0, 3, 1, 0), (1, 32, 3, 4), (1 << 62, 32, 3, 1 << 64),
])  # fmt: skip
def test_another_size_is_refused_before_memory_is_taken(
    count: int, bits: int, size: int, needed: int
) -> None:
    with refused(
        NetworkFileError,
        f"net: {count} numbers of {bits} bits take {needed} bytes, got {size}; "
        "the file is damaged; write it again",
    ):
        _ = unpack(np.zeros(size, dtype=np.uint8), count, bits, where="net")


@pytest.mark.parametrize(("bits", "value"), [
    (1, 0), (1, 2), (1, -2), (2, 2), (2, -3), (3, 4), (3, -5), (8, 128), (32, 1 << 31),
])  # fmt: skip
def test_a_number_that_does_not_fit_its_bits_is_refused(bits: int, value: int) -> None:
    """Packing it would write another number into the file."""
    size = "1 bit" if bits == 1 else f"{bits} bits"
    message = f"tensor: a value is not representable in {size}; take more bits"
    with refused(NetworkError, message):
        _ = Packed(np.array([1, value, 1]), bits)
    kept = [-1, 1] if bits == 1 else [-(1 << (bits - 1)), (1 << (bits - 1)) - 1]
    assert Packed(np.array(kept), bits).numbers.tolist() == kept


# --- limbs, which old files hold -----------------------------------------------------------------


@FEW
@given(values=st.lists(st.integers(-(1 << 200), 1 << 200), max_size=4), extra=st.integers(0, 3))
def test_limbs_are_two_complement_little_endian(values: list[int], extra: int) -> None:
    size = max(map(size_of, values), default=1) + extra
    total = sum(v % (1 << 8 * size) << (8 * size * place) for place, v in enumerate(values))
    data = np.frombuffer(total.to_bytes(size * len(values), "little"), dtype=np.uint8)
    kept = from_limbs(data, len(values), size, where="net")
    assert kept.codebook.tolist() == sorted(set(values))
    assert kept.codebook[kept.codes].tolist() == values


@pytest.mark.parametrize(
    ("count", "size", "got"), [(2, 3, 5), (2, 3, 7), (0, 9, 1), (1 << 60, 8, 8)]
)
def test_another_number_of_limbs_is_refused_before_memory_is_taken(
    count: int, size: int, got: int
) -> None:
    with refused(
        NetworkFileError,
        f"net: {count} limbs of {size} bytes take {count * size}, got {got}; "
        "the file is damaged; write it again",
    ):
        _ = from_limbs(np.zeros(got, dtype=np.uint8), count, size, where="net")
