"""Counter-based random numbers: the published answers, by NumPy and by both compiled kinds."""

from __future__ import annotations

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adderlab.kernels.simd import LANES, counting_from, keep, spread
from adderlab.training.philox import philox, words

KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
"""Random123's kat_vectors of philox4x32 with 10 rounds: counter, key, answer."""

WORD = st.integers(0, (1 << 32) - 1)


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_the_published_answers_come_out(counter, key, answer):
    numbers = [np.uint64(word) for word in (*counter, *key)]
    assert tuple(int(word) for word in philox(*numbers)) == answer
    arrays = [np.full(3, word) for word in numbers]
    assert [word.tolist() for word in philox(*arrays)] == [[word] * 3 for word in answer]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_compiled_they_come_out_in_every_lane(in_lanes, counter, key, answer):
    lanes = in_lanes(np.array(counter, dtype=np.uint64), np.array(key, dtype=np.uint64))
    assert lanes.tolist() == [[word] * LANES for word in answer]


@given(counter=st.tuples(WORD, WORD, WORD, WORD), key=st.tuples(WORD, WORD))
def test_lanes_agree_with_numpy_everywhere(in_lanes, counter, key):
    lanes = in_lanes(np.array(counter, dtype=np.uint64), np.array(key, dtype=np.uint64))
    plain = philox(*(np.uint64(word) for word in (*counter, *key)))
    assert lanes[:, 0].tolist() == [int(word) for word in plain]


@pytest.fixture(scope="module")
def in_lanes():
    """Return the four words of a counter and a key, computed in 16 lanes."""
    compiled = numba.njit(philox)

    @numba.njit
    def run(counter, key, out):
        c0, c1 = spread(counter[0]), spread(counter[1])
        c2, c3 = spread(counter[2]), spread(counter[3])
        w0, w1, w2, w3 = compiled(c0, c1, c2, c3, key[0], key[1])
        keep(out, 0, w0)
        keep(out, 16, w1)
        keep(out, 32, w2)
        keep(out, 48, w3)

    def drawn(counter, key):
        out = np.empty(4 * LANES, dtype=np.int32)
        run(counter, key, out)
        return out.view(np.uint32).reshape(4, LANES)

    return drawn


def test_lanes_count_on():
    @numba.njit
    def run(out):
        keep(out, 0, counting_from(np.uint64(40)))

    out = np.empty(LANES, dtype=np.int32)
    run(out)
    assert out.tolist() == list(range(40, 40 + LANES))


def test_a_words_place_alone_says_what_it_is():
    members = np.array([3, 1 << 40, 3], dtype=np.uint64)
    whole = words(7, 1, members, 0, 40)
    assert (whole[0] == whole[2]).all()
    assert (whole[0] != whole[1]).any()
    for first, count in ((0, 1), (5, 9), (38, 2), (4, 4)):
        assert (words(7, 1, members, first, count) == whole[:, first : first + count]).all()
    assert (words(7, 2, members, 0, 40) != whole).any()
    assert (words(8, 1, members, 0, 40) != whole).any()


def test_a_words_counter_is_its_number_over_four_then_the_member():
    """Position 6 of member 2**33 + 5: counter (1, 0, 5, 2), key (seed, stream), third word."""
    member = np.array([(2 << 32) + 5], dtype=np.uint64)
    plain = philox(*(np.uint64(word) for word in (1, 0, 5, 2, 11, 3)))
    assert words(11, 3, member, 6, 1).tolist() == [[int(plain[2])]]
