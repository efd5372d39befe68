"""Exact numbers, every operation against fractions."""

from __future__ import annotations

import math
import warnings
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, MANY, conventions

from adderlab.nets.dyadic import Dyadic, dyadic_of, from_floats, from_integers, to_fraction

LIMIT = 1 << 62
EDGES = [
    0,
    1,
    -1,
    3,
    LIMIT - 1,
    LIMIT,
    -LIMIT,
    LIMIT + 1,
    (1 << 53) + 1,
    1 << 53,
    1 << 200,
    -(1 << 1100),
]


def integers() -> st.SearchStrategy[int]:
    """Whole numbers on both sides of 62 bits."""
    return st.sampled_from(EDGES) | st.integers(-9, 9) | st.integers(-(1 << 64), 1 << 64)


def array(values: list[int], shape: tuple[int, ...]) -> Any:
    """``int64`` where that holds them and ``object`` elsewhere, as Dyadic's makers choose."""
    is_wide = any(abs(value) >= LIMIT for value in values)
    result = np.empty(len(values), dtype=object if is_wide else np.int64)
    result[:] = values
    return result.reshape(shape)


def dyadics(shape: tuple[int, ...]) -> st.SearchStrategy[Dyadic]:
    """Exact arrays with exponents near and far, some of them of small numbers in objects."""
    count = math.prod(shape)
    strategy = st.builds(
        lambda values, exponent, as_objects: Dyadic(
            array(values, shape).astype(object) if as_objects else array(values, shape), exponent
        ),
        st.lists(integers(), min_size=count, max_size=count),
        st.integers(-70, 70) | st.sampled_from([0, -1074, 971, -2000, 2000]),
        st.booleans(),
    )
    zeros = st.integers(-2000, 2000).map(lambda e: Dyadic(np.zeros(shape, dtype=np.int64), e))
    return strategy | zeros if count else zeros


def fractions(values: Dyadic) -> Any:
    """The values one by one, by the definition in the class's first line."""
    result = np.empty(values.shape, dtype=object)
    for index, integer in np.ndenumerate(np.asarray(values.integers)):
        result[index] = Fraction(int(integer)) * Fraction(2) ** values.exponent
    return result


def equal(got: Dyadic, expected: Any) -> bool:
    """Same shape, same values, and ``int64`` only for numbers of up to 62 bits."""
    expected = np.asarray(expected, dtype=object)
    assert got.integers.dtype == object or (got.integers.dtype == np.int64 and got.largest < LIMIT)
    return got.shape == expected.shape and bool(np.all(fractions(got) == expected))


SHAPES = [(3,), (2, 3), (1, 1), (0,), (0, 3)]
PAIRS = [
    ((2, 3), (2, 3)), ((2, 3), (3,)), ((2, 3), ()), ((), (3,)), ((2, 1), (1, 3)), ((0, 3), (3,))
]  # fmt: skip


# --- one array ----------------------------------------------------------------------------------


@MANY
@given(data=st.data(), shape=st.sampled_from(SHAPES))
def test_an_array_is_read_entry_by_entry(data: st.DataObject, shape: tuple[int, ...]) -> None:
    values = data.draw(dyadics(shape))
    expected = fractions(values)
    assert values.shape == shape
    assert all(values.at(*index) == expected[index] for index in np.ndindex(shape))
    whole = [abs(int(value)) for value in values.integers.ravel()]
    assert values.largest == max(whole, default=0)
    if shape[0]:
        assert equal(values.take(slice(0, 1)), expected[0:1])
        picked = [0, shape[0] - 1, 0]
        assert equal(values.take(picked), expected[picked])


@MANY
@given(data=st.data(), shape=st.sampled_from(SHAPES), down=st.sampled_from([0, 1, 7, 62, 63, 900]))
def test_rescaling_changes_no_value(data: st.DataObject, shape: tuple[int, ...], down: int) -> None:
    values = data.draw(dyadics(shape))
    finer = values.rescaled(values.exponent - down)
    assert finer.exponent == values.exponent - down
    assert equal(finer, fractions(values))


@MANY
@given(data=st.data(), shape=st.sampled_from(SHAPES))
def test_relu_is_the_larger_of_the_value_and_0(data: st.DataObject, shape: tuple[int, ...]) -> None:
    values = data.draw(dyadics(shape))
    expected = fractions(values)
    for index in np.ndindex(shape):
        expected[index] = max(expected[index], Fraction(0))
    assert equal(values.relu(), expected)


@MANY
@given(
    data=st.data(),
    shape=st.sampled_from(SHAPES),
    slope=st.sampled_from([0.0, 0.125, 0.01, -0.5, 5e-324, 1.7e308, -3.0]),
)
def test_leaky_multiplies_what_is_below_0(
    data: st.DataObject, shape: tuple[int, ...], slope: float
) -> None:
    values = data.draw(dyadics(shape))
    expected = fractions(values)
    for index in np.ndindex(shape):
        if expected[index] < 0:
            expected[index] *= Fraction(slope)
    assert equal(values.leaky(slope), expected)


@MANY
@given(
    data=st.data(),
    shape=st.sampled_from(SHAPES),
    threshold=st.sampled_from([0.0, -0.0, 0.5, -1.0, 5e-324, 1.7e308]),
    convention=conventions(),
)
def test_thresholds_are_compared_exactly_with_either_convention(
    data: st.DataObject, shape: tuple[int, ...], threshold: float, convention: str
) -> None:
    values = data.draw(dyadics(shape))
    exact = Fraction(threshold)
    expected = [v > exact or (v == exact and convention == ">=") for v in fractions(values).ravel()]
    got = values.exceeds(threshold, convention)
    assert (got.dtype, got.shape) == (np.dtype(bool), shape)
    assert got.ravel().tolist() == expected


@pytest.mark.parametrize("threshold", [0.5, -0.75, 3.0, 0.1, 5e-324])
def test_a_tie_counts_only_where_the_convention_says_so(threshold: float) -> None:
    """At the threshold, and 2**-1200 to each side of it."""
    hair = Dyadic(np.array([-1, 0, 1]), -1200)
    values = dyadic_of(threshold).plus(hair)
    assert values.exceeds(threshold, ">").tolist() == [False, False, True]
    assert values.exceeds(threshold, ">=").tolist() == [False, True, True]


@pytest.mark.parametrize("bits", range(1, 65))
def test_rescaling_is_exact_at_the_edge_of_a_machine_word(bits: int) -> None:
    top = (1 << bits) - 1
    values = Dyadic(array([top, -top, 1], (3,)), 5)
    for down in range(70 - bits):
        assert equal(values.rescaled(5 - down), fractions(values))


@pytest.mark.parametrize("shift", range(25))
def test_doubles_are_taken_exactly_at_the_edge_of_a_machine_word(shift: int) -> None:
    floats = [math.ldexp((1 << 53) - 1, shift), -math.ldexp((1 << 52) + 1, shift), 1.0, -3.0]
    assert equal(from_floats(floats), [Fraction(value) for value in floats])


# --- two arrays ---------------------------------------------------------------------------------


@MANY
@given(data=st.data(), shapes=st.sampled_from(PAIRS))
def test_sums_and_products_are_those_of_fractions(
    data: st.DataObject, shapes: tuple[tuple[int, ...], tuple[int, ...]]
) -> None:
    entry, other = data.draw(dyadics(shapes[0])), data.draw(dyadics(shapes[1]))
    left, right = fractions(entry), fractions(other)
    assert equal(entry.plus(other), left + right)
    assert equal(other.plus(entry), left + right)
    assert equal(entry.times(other), left * right)
    assert equal(other.times(entry), left * right)


@MANY
@given(data=st.data(), sizes=st.sampled_from([(2, 3, 4), (1, 1, 1), (0, 3, 2), (3, 2, 1)]))
def test_matrix_products_are_those_of_fractions(
    data: st.DataObject, sizes: tuple[int, int, int]
) -> None:
    n, k, m = sizes
    entry, other = data.draw(dyadics((n, k))), data.draw(dyadics((k, m)))
    left, right = fractions(entry), fractions(other)
    expected = np.empty((n, m), dtype=object)
    for i, j in np.ndindex(n, m):
        expected[i, j] = sum((left[i, at] * right[at, j] for at in range(k)), start=Fraction(0))
    assert equal(entry.matmul(other), expected)


@pytest.mark.parametrize("bits", [26, 27, 30, 31, 52, 61])
def test_products_are_exact_at_the_edge_of_each_way_of_multiplying(bits: int) -> None:
    """Doubles up to 2**53, machine words up to 2**62, whole numbers of any size beyond."""
    top = (1 << bits) - 1
    left = Dyadic(np.array([[top, top - 2], [-top, 5]]))
    right = Dyadic(np.array([[top, 3], [top - 4, -top]]))
    expected = [
        [top * top + (top - 2) * (top - 4), 3 * top - (top - 2) * top],
        [-top * top + 5 * (top - 4), -3 * top - 5 * top],
    ]
    assert left.matmul(right).integers.tolist() == expected
    assert left.matmul(right).integers.dtype == (object if 2 * bits + 1 > 62 else np.int64)
    assert left.times(right).integers.tolist()[0] == [top * top, 3 * (top - 2)]
    assert left.plus(right).integers.tolist()[0] == [2 * top, top + 1]


def test_sums_of_sums_stay_exact() -> None:
    """A sum that leaves 62 bits leaves the machine words too, so that the next one may follow."""
    values = Dyadic(np.array([LIMIT - 1, 1 - LIMIT]))
    for times in range(2, 12):
        values = values.plus(Dyadic(np.array([LIMIT - 1, 1 - LIMIT])))
        assert equal(values, [times * (LIMIT - 1), times * (1 - LIMIT)])


# --- to and from doubles ------------------------------------------------------------------------


@MANY
@given(data=st.data(), shape=st.sampled_from(SHAPES))
def test_values_are_rounded_to_the_nearest_double(
    data: st.DataObject, shape: tuple[int, ...]
) -> None:
    values = data.draw(dyadics(shape))
    exact = fractions(values)
    got = values.to_floats()
    assert (got.dtype, got.shape) == (np.dtype(np.float64), shape)
    for index in np.ndindex(shape):
        try:
            expected = float(exact[index])
        except OverflowError:
            expected = math.inf if exact[index] > 0 else -math.inf
        assert got[index] == expected
    pairs = list(zip(got.ravel().tolist(), exact.ravel(), strict=True))
    assert values.is_double == all(math.isfinite(f) and Fraction(f) == value for f, value in pairs)


@pytest.mark.parametrize(("integer", "exponent", "expected"), [
    (1, 1024, math.inf), (-1, 1024, -math.inf), ((1 << 53) - 1, 971, 1.7976931348623157e308),
    (1 << 53, 971, math.inf), (1, -1074, 5e-324), (1, -1075, 0.0), (3, -1075, 1e-323),
    (3, -1076, 5e-324), ((1 << 54) + 2, 0, 2.0**54), ((1 << 54) + 6, 0, 2.0**54 + 8),
])  # fmt: skip
def test_doubles_at_the_edges(integer: int, exponent: int, expected: float) -> None:
    values = Dyadic(np.array([integer]), exponent)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert values.to_floats().tolist() == [expected]
        is_same = math.isfinite(expected) and to_fraction(integer, exponent) == Fraction(expected)
        assert values.is_double == is_same
    assert not caught


@pytest.mark.parametrize("dtype", [
    np.float64, np.float32, np.float16, ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn,
    ml_dtypes.float8_e5m2,
], ids=lambda dtype: dtype.__name__)  # fmt: skip
@FEW
@given(data=st.data(), shape=st.sampled_from([(), (3,), (2, 2), (0,)]))
def test_floats_of_every_pattern_are_taken_exactly(
    dtype: Any, data: st.DataObject, shape: tuple[int, ...]
) -> None:
    size, count = np.dtype(dtype).itemsize, math.prod(shape)
    raw = data.draw(st.binary(min_size=size * count, max_size=size * count))
    floats = np.frombuffer(raw, dtype=dtype).reshape(shape).copy()
    with np.errstate(invalid="ignore"):
        floats[~np.isfinite(floats)] = 0
    expected = np.empty(shape, dtype=object)
    for index, value in np.ndenumerate(floats):
        expected[index] = Fraction(float(value))
    assert equal(from_floats(floats), expected)


@FEW
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_one_double_is_taken_exactly(value: float) -> None:
    assert dyadic_of(value).shape == ()
    assert dyadic_of(value).at() == Fraction(value)


def test_doubles_that_span_the_whole_range_share_one_exponent() -> None:
    floats = [5e-324, 1.7976931348623157e308, -1.0, 0.0]
    values = from_floats(floats)
    assert values.exponent == -1074
    assert equal(values, [Fraction(value) for value in floats])


@FEW
@given(values=st.lists(integers(), max_size=4))
def test_whole_numbers_of_any_size_are_taken_exactly(values: list[int]) -> None:
    for numbers in (values, array(values, (len(values),)).astype(object)):
        got = from_integers(numbers)
        assert got.exponent == 0
        assert equal(got, [Fraction(value) for value in values])


@pytest.mark.parametrize("name", [f"{sign}{size}" for sign in "iu" for size in (1, 2, 4, 8)])
def test_machine_words_are_taken_exactly_to_their_ends(name: str) -> None:
    info = np.iinfo(name)
    values = [info.min, info.max, 1, info.max // 3]
    got = from_integers(np.array(values, dtype=name))
    assert got.integers.dtype == (object if info.bits == 64 else np.int64)
    assert equal(got, [Fraction(int(value)) for value in values])


def test_a_power_of_two_is_a_fraction_either_way() -> None:
    assert to_fraction(-3, 4) == -48
    assert to_fraction(-3, -4) == Fraction(-3, 16)
    assert to_fraction(0, -5000) == 0
