"""The number formats, against the casts of NumPy and ml_dtypes and against all their values."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MANY, refused

from adderlab.errors import FormatError
from adderlab.formats import FORMATS, FP64, format_named
from adderlab.nets.tensors import FLOAT_DTYPES

SMALL = ("fp16", "bf16", "fp8-e4m3", "fp8-e5m2")
FLOATS = ("fp64", "fp32", *SMALL)
INTEGERS = {"int32": 32, "int16": 16} | {f"int{bits}": bits for bits in range(2, 9)}


def all_values(name: str) -> Any:
    """Every finite value of a float format of at most 16 bits, ascending, as doubles."""
    dtype = FLOAT_DTYPES[name]
    patterns = np.arange(1 << 8 * dtype.itemsize, dtype=np.dtype(f"u{dtype.itemsize}"))
    values = patterns.view(dtype)
    with np.errstate(invalid="ignore"):
        return np.unique(values[np.isfinite(values)].astype(np.float64))


def rounded_by_search(name: str, values: Any) -> Any:
    """The nearest of all values, ties to the even pattern, infinite (e4m3: NaN) beyond.

    Neighbours' middles are doubles, so the search is exact. The step beyond the largest value
    counts as one more value, which is the even one of its pair if the largest is odd.
    """
    finite = all_values(name)
    beyond = finite[-1] + (finite[-1] - finite[-2])
    grid = np.concatenate([[-beyond], finite, [beyond]])
    middles = (grid[:-1] + grid[1:]) / 2
    is_even = np.abs(np.arange(len(grid)) - len(grid) // 2) % 2 == 0  # 0 stands in the middle
    left = np.searchsorted(middles, values, side="left")
    right = np.searchsorted(middles, values, side="right")
    result = grid[np.where(is_even[left], left, right)]
    past = np.nan if name == "fp8-e4m3" else np.inf
    result = np.where(result == beyond, past, np.where(result == -beyond, -past, result))
    return np.where(np.isnan(values), np.nan, result)


def probes(name: str) -> Any:
    """Doubles where rounding is decided: all values, their middles, and a hair to each side."""
    finite = all_values(name)
    beyond = finite[-1] + (finite[-1] - finite[-2])
    edges = np.concatenate([finite, (finite[:-1] + finite[1:]) / 2, [(finite[-1] + beyond) / 2]])
    far = [beyond, -beyond, 1e300, -1e300, 5e-324, np.inf, -np.inf, np.nan]
    near = [np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)]
    return np.concatenate([edges, -edges, *near, far])


def scattered(count: int) -> Any:
    """Doubles of every magnitude, by their bits."""
    patterns = np.random.default_rng(20).integers(0, 1 << 64, count, dtype=np.uint64)
    values = patterns.view(np.float64)
    return values[np.isfinite(values)]


def same(got: Any, expected: Any) -> bool:
    """Whether two arrays of doubles are equal, NaN with NaN and the signs of zeros too."""
    return np.array_equal(got, expected, equal_nan=True) and np.array_equal(
        np.signbit(got)[~np.isnan(got)], np.signbit(expected)[~np.isnan(got)]
    )


# --- rounding -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
def test_every_pattern_is_held_and_rounds_to_itself(name: str) -> None:
    values = all_values(name)
    form = FORMATS[name]
    assert np.array_equal(form.round(values), values)
    step = 1 if len(values) < 1000 else 37
    assert all(form.holds(Fraction(value)) for value in values[::step])
    assert Fraction(values[-1]) == form.largest == -form.least
    assert Fraction(values[values > 0][0]) == Fraction(2) ** form.smallest


@pytest.mark.parametrize("name", SMALL)
def test_every_middle_between_neighbours_rounds_to_the_even_one(name: str) -> None:
    values = probes(name)
    got, expected = FORMATS[name].round(values), rounded_by_search(name, values)
    assert np.array_equal(got, expected, equal_nan=True)


@pytest.mark.parametrize("name", SMALL)
def test_doubles_of_every_magnitude_round_to_the_nearest_value(name: str) -> None:
    values = np.concatenate([scattered(20_000), scattered(20_000) * 2.0**-1000])
    near = np.random.default_rng(3).normal(size=20_000) * 300
    for part in (values, near):
        expected = rounded_by_search(name, part)
        assert np.array_equal(FORMATS[name].round(part), expected, equal_nan=True)


@pytest.mark.parametrize("name", SMALL)
def test_rounding_is_the_cast_of_numpy_and_ml_dtypes(name: str) -> None:
    """From float32, from which ml_dtypes rounds once."""
    with np.errstate(over="ignore", invalid="ignore"):
        values = probes(name).astype(np.float32)
        cast = values.astype(FLOAT_DTYPES[name]).astype(np.float64)
    assert same(FORMATS[name].round(values.astype(np.float64)), cast)


def test_rounding_to_fp32_is_the_processors() -> None:
    singles = np.random.default_rng(7).integers(0, 1 << 32, 50_000, dtype=np.uint64)
    ones = singles.astype(np.uint32).view(np.float32)
    ones = ones[np.isfinite(ones)].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        nexts = np.nextafter(ones.astype(np.float32), np.float32(np.inf)).astype(np.float64)
        middles = (ones + nexts) / 2
        middles = middles[np.isfinite(middles)]
        tiny = np.arange(-40, 40) * 2.0**-151
        top = np.array([2.0**128 - 2.0**103, 2.0**128 - 2.0**104, 2.0**128 - 2.0**103 - 2.0**75])
        values = np.concatenate([
            ones, middles, np.nextafter(middles, np.inf), np.nextafter(middles, -np.inf),
            tiny, top, -top, scattered(20_000), [np.inf, -np.inf, np.nan, 0.0, -0.0],
        ])  # fmt: skip
        assert same(FORMATS["fp32"].round(values), values.astype(np.float32).astype(np.float64))


def test_fp64_rounds_nothing() -> None:
    values = scattered(1000)
    assert FP64.round(values) is values


@pytest.mark.parametrize("name", [*INTEGERS, "ternary", "binary", "wide"])
def test_whole_numbers_do_not_round(name: str) -> None:
    with refused(FormatError, f"format: {name} does not round; use a float format"):
        _ = FORMATS[name].round(np.array([0.3]))


@given(st.fractions(-500, 500), st.sampled_from(["fp8-e4m3", "fp8-e5m2"]))
def test_no_value_of_a_byte_is_nearer_to_a_fraction(value: Fraction, name: str) -> None:
    nearest = FORMATS[name].nearest(value)
    if nearest is None:
        assert name == "fp8-e4m3"
        assert abs(value) > 448
    else:
        values = [Fraction(float(held)) for held in all_values(name)]
        assert nearest in values
        assert abs(nearest - value) == min(abs(held - value) for held in values)


@given(st.fractions())
def test_the_nearest_double_of_a_fraction_is_pythons(value: Fraction) -> None:
    assert FP64.nearest(value) == Fraction(float(value))


def test_a_fraction_is_rounded_in_one_step() -> None:
    """Rounded to a double first, the first would tie and go to the even 1."""
    fp32, e4m3 = FORMATS["fp32"], FORMATS["fp8-e4m3"]
    value = 1 + Fraction(1, 2**24) + Fraction(1, 2**80)
    assert fp32.nearest(value) == 1 + Fraction(1, 2**23)
    assert fp32.nearest(-value) == -1 - Fraction(1, 2**23)
    assert fp32.nearest(1 + Fraction(1, 2**24)) == 1
    assert fp32.nearest(Fraction(1, 2**151)) == 0
    assert (e4m3.nearest(Fraction(460)), e4m3.nearest(Fraction(480))) == (448, None)
    assert (FORMATS["int8"].nearest(Fraction(3)), FORMATS["int8"].nearest(Fraction(5, 2))) == (
        3,
        None,
    )


# --- what a format holds ------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL)
def test_a_float_is_held_if_and_only_if_it_rounds_to_itself(name: str) -> None:
    form, values = FORMATS[name], probes(name)
    values = values[np.isfinite(values)][:: 1 if len(values) < 5000 else 97]
    expected = (form.round(values) == values).tolist()
    assert [form.holds(Fraction(value)) for value in values] == expected
    assert len(set(expected)) == 2


@MANY
@given(value=st.floats(allow_nan=False, allow_infinity=False), name=st.sampled_from(FLOATS))
def test_any_double_is_held_if_and_only_if_it_rounds_to_itself(value: float, name: str) -> None:
    form = FORMATS[name]
    rounded = float(form.round(np.array([value]))[0])
    assert form.holds(Fraction(value)) == (rounded == value)
    if np.isfinite(rounded):
        assert form.holds(Fraction(rounded))


@pytest.mark.parametrize("name", FLOATS)
def test_what_lies_just_outside_a_float_format_is_not_held(name: str) -> None:
    form = FORMATS[name]
    unit = Fraction(2) ** form.smallest
    odd = (1 << form.precision) + 1
    assert form.holds(0)
    assert form.holds(unit)
    assert form.holds(form.largest)
    assert form.holds(form.least)
    assert not form.holds(unit / 2)
    assert not form.holds(unit * 3 / 2)
    assert not form.holds(form.largest + 1)
    assert not form.holds(form.least - 1)
    assert not form.holds(odd)
    assert form.holds(odd - 1)
    assert not form.holds(Fraction(1, 3))


@pytest.mark.parametrize(("name", "bits"), INTEGERS.items())
def test_a_whole_number_is_held_where_twos_complement_has_it(name: str, bits: int) -> None:
    form, half = FORMATS[name], 1 << (bits - 1)
    near = range(-half - 3, half + 3) if bits <= 8 else (-half - 1, -half, half - 1, half)
    assert [form.holds(n) for n in near] == [-half <= n < half for n in near]
    assert not form.holds(Fraction(1, 2))
    assert form.bits == bits


def test_ternary_binary_and_wide_hold_what_their_names_say() -> None:
    near = [Fraction(n, 2) for n in range(-6, 7)]
    assert [v for v in near if FORMATS["ternary"].holds(v)] == [-1, 0, 1]
    assert [v for v in near if FORMATS["binary"].holds(v)] == [-1, 1]
    assert [v for v in near if FORMATS["wide"].holds(v)] == [-3, -2, -1, 0, 1, 2, 3]
    assert FORMATS["wide"].holds(-(1 << 5000))


@pytest.mark.parametrize("name", FLOATS)
def test_a_format_is_described_as_its_library_describes_it(name: str) -> None:
    form, dtype = FORMATS[name], FLOAT_DTYPES[name]
    info: Any = np.finfo(dtype) if issubclass(dtype.type, np.floating) else ml_dtypes.finfo(dtype)
    assert form.bits == info.bits
    assert form.precision == info.nmant + 1
    assert form.largest == Fraction(float(info.max))
    assert Fraction(2) ** form.smallest == Fraction(float(info.smallest_subnormal))


# --- neighbors ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fp8-e4m3", "fp8-e5m2", "int4", "ternary", "binary"])
def test_the_values_next_to_a_fraction(name: str) -> None:
    form = FORMATS[name]
    whole = form.levels or range(form.least, form.largest + 1)
    values = [Fraction(v) for v in (all_values(name) if form.kind == "float" else whole)]
    between = [(share * a + b) / (share + 1) for a, b in pairwise(values) for share in (1, 2)]
    for limit in [*values, *between, values[0] - 1, values[-1] + 1]:
        assert form.at_least(limit) == min((v for v in values if v >= limit), default=None)
        assert form.at_most(limit) == max((v for v in values if v <= limit), default=None)
        above = min((v for v in values if v > limit), default=None)
        assert form.at_least(limit, strictly=True) == above
        below = max((v for v in values if v < limit), default=None)
        assert form.at_most(limit, strictly=True) == below


@given(st.floats(-(2.0**100), 2.0**100, width=32))
def test_the_next_single_precision_value(value: float) -> None:
    fp32 = FORMATS["fp32"]
    after = Fraction(float(np.nextafter(np.float32(value), np.float32(np.inf))))
    assert fp32.at_least(Fraction(value), strictly=True) == after
    middle = (Fraction(value) + after) / 2
    assert (fp32.at_most(middle), fp32.at_least(middle)) == (Fraction(value), after)


def test_wide_has_every_whole_number() -> None:
    wide = FORMATS["wide"]
    half = Fraction(10**30) + Fraction(1, 2)
    assert (wide.at_most(half), wide.at_least(half)) == (10**30, 10**30 + 1)
    assert wide.at_least(Fraction(-3), strictly=True) == -2


# --- names and sizes ----------------------------------------------------------------------------


def test_the_formats_stand_in_order_of_their_width() -> None:
    assert list(FORMATS) == [
        "fp64", "fp32", "fp16", "bf16", "fp8-e4m3", "fp8-e5m2", "int32", "int16", "int8", "int7",
        "int6", "int5", "int4", "int3", "int2", "ternary", "binary", "wide",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "parameters", "expected"), [
    ("fp32", 17, 68), ("int2", 12, 3), ("ternary", 13, 4), ("binary", 9, 2), ("int3", 8, 3),
    ("int3", 3, 2), ("int7", 17, 15), ("fp64", 0, 0), ("bf16", 500_000_000_000, 1_000_000_000_000),
])  # fmt: skip
def test_packed_values_take_so_many_bytes(name: str, parameters: int, expected: int) -> None:
    assert FORMATS[name].bytes_of(parameters) == expected


def test_bytes_are_whole_bits_rounded_up_once() -> None:
    for form in FORMATS.values():
        for count in range(40):
            bits = form.bits * count
            assert form.bytes_of(count) == bits // 8 + (bits % 8 > 0)


def test_names_are_read_whatever_their_case() -> None:
    assert all(format_named(name.upper()) is form for name, form in FORMATS.items())


@pytest.mark.parametrize(("name", "remedy"), [
    ("pf32", "did you mean fp32?"),
    ("fp8-e4m", "did you mean fp8-e4m3?"),
    ("terenary", "did you mean ternary?"),
    ("zzz", f"choose from {', '.join(FORMATS)}"),
    ("", f"choose from {', '.join(FORMATS)}"),
])  # fmt: skip
def test_an_unknown_format_is_refused_with_the_nearest_name(name: str, remedy: str) -> None:
    with refused(FormatError, f"format: unknown number format {name!r}; {remedy}"):
        _ = format_named(name)
