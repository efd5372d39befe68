"""Levels and scales: rounding goes to the nearest of them, and files hold exactly these values."""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, MANY, fractions_of, refused

from adderlab.errors import FormatError, OptionError
from adderlab.formats import FORMATS
from adderlab.nets import Layer, Network, from_bytes, to_bytes
from adderlab.nets.tensors import FLOAT_DTYPES
from adderlab.quantizing import SCHEMES, Scheme, target_format
from adderlab.quantizing.grid import grid_for

SMALL = ("int2", "int3", "int4", "ternary", "binary")
TARGETS = [name for name in FORMATS if name not in ("wide", "int32", "fp64")]


@st.composite
def cases(draw: st.DrawFn, names=TARGETS):
    """A matrix, a format, and a scheme that makes sense there."""
    form = FORMATS[draw(st.sampled_from(names))]
    schemes = [
        entry
        for entry in SCHEMES
        if entry.symmetric or (form.kind == "integer" and form.name != "binary")
    ]
    scheme = draw(st.sampled_from(schemes))
    shape = draw(st.tuples(st.integers(1, 3), st.integers(1, 4)))
    numbers = st.floats(-200, 200).map(lambda value: value if abs(value) > 1e-6 else 0.0)
    count = shape[0] * shape[1]
    values = np.array(draw(st.lists(numbers, min_size=count, max_size=count))).reshape(shape)
    axes = (1,) if scheme.per == "channel" else (0, 1)
    return values, form, scheme, grid_for(values, form, scheme, axes=axes)


@MANY
@given(cases(SMALL))
def test_nearest_is_the_nearest_of_all_levels(case):
    values, form, _, grid = case
    levels = form.levels or range(form.least, form.largest + 1)
    off = np.abs(grid.values(grid.nearest(values)) - values)
    for level in levels:
        there = np.abs(grid.values(np.full(values.shape, float(level))) - values)
        assert (off <= there * (1 + 1e-12)).all()


@MANY
@given(cases(SMALL))
def test_up_and_down_are_the_two_levels_around(case):
    values, form, _, grid = case
    low, high = grid.around(values)
    nearest = grid.nearest(values)
    assert ((nearest == low) | (nearest == high)).all()
    if form.name == "binary":
        assert (low == -1).all()
        assert (high == 1).all()
        return
    assert (high - low <= 1).all()
    inside = (grid.values(low) <= values) & (values <= grid.values(high))
    place = values / grid.scale + grid.zero
    beyond = (place < form.least) | (place > form.largest)
    assert (inside | beyond | np.isclose(grid.values(nearest), values, rtol=1e-12)).all()


@MANY
@given(cases())
def test_files_hold_exactly_these_values(case):
    """Stored, written, read back: bit for bit what the grid said, in fractions."""
    values, form, _, grid = case
    q = grid.nearest(values)
    tensor = grid.store(q)
    net = Network((Layer(tensor),), format=form.name)
    again = from_bytes(to_bytes(net)).layers[0].weight
    scale = np.broadcast_to(grid.scale, q.shape)
    zero = np.broadcast_to(grid.zero, q.shape)
    for index in np.ndindex(q.shape):
        expected = Fraction(float(scale[index])) * (
            Fraction(float(q[index])) - Fraction(float(zero[index]))
        )
        assert fractions_of(again)[index] == expected
        if form.bits <= 8:  # then double loses nothing
            assert Fraction(float(grid.values(q)[index])) == expected


@MANY
@given(cases(["int2", "int3", "int4", "int8", "fp8-e4m3"]))
def test_a_scale_leaves_nothing_out_of_range(case):
    values, _, scheme, grid = case
    if scheme.scale != "none" and scheme.symmetric:
        assert grid.clipped(values) == 0
    if scheme.scale == "power-of-two":
        assert (np.frexp(grid.scale)[0] == 0.5).all()


@MANY
@given(
    st.sampled_from(["fp16", "bf16", "fp8-e4m3", "fp8-e5m2"]),
    st.lists(st.floats(-440, 440, width=32), min_size=1, max_size=8),
)
def test_floats_round_as_ml_dtypes_does(name, numbers):
    values = np.array(numbers, dtype=np.float32)
    grid = grid_for(values.astype(np.float64), FORMATS[name], Scheme(), axes=(0,))
    ours = grid.nearest(values.astype(np.float64))
    assert (ours == values.astype(FLOAT_DTYPES[name]).astype(np.float64)).all()
    low, high = grid.around(values.astype(np.float64))
    assert ((low <= values) & (values <= high)).all()
    for level in (low, high):
        assert (level.astype(FLOAT_DTYPES[name]).astype(np.float64) == level).all()
    assert ml_dtypes is not None


def test_three_bits_take_three_bits():
    """12 parameters in INT3 take 36 bits: 5 bytes, padded by 4 bits."""
    values = np.arange(12.0).reshape(3, 4) - 6
    form = FORMATS["int3"]
    tensor = grid_for(values, form, Scheme("power-of-two"), axes=(0, 1)).store(
        np.clip(values, -4, 3)
    )
    assert tensor.q.stored_bytes == 5
    assert tensor.stored_bytes == 6  # a power of two fits into one byte of fp8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("big", "tensor"), "scale: got 'big'; give one of none, power-of-two, free"),
        (("free", "row"), "per: got 'row'; give one of tensor, channel"),
        (("none", "channel"), ("scale: without a scale there is nothing to share, and no zero "
         "point; leave out `per` and `symmetric`, or take free or power-of-two")),
    ],
)  # fmt: skip
def test_a_scheme_that_makes_no_sense_is_refused(arguments, message):
    with refused(OptionError, message):
        _ = Scheme(*arguments)


@pytest.mark.parametrize(
    ("name", "why"), [("fp16", "floats have a sign"), ("binary", "it has two levels")]
)
def test_a_zero_point_where_none_makes_sense_is_refused(name, why):
    with refused(FormatError, f"symmetric: {name} takes no zero point: {why}; leave it out"):
        Scheme("free", symmetric=False).check(FORMATS[name])


@FEW
@given(st.sampled_from(list(FORMATS)), st.sampled_from([n for n in FORMATS if n != "wide"]))
def test_a_target_takes_no_more_bits_than_the_network(name, own):
    form = FORMATS[name]
    if form.kind == "wide":
        with pytest.raises(FormatError, match="never fewer"):
            _ = target_format(name, own)
    elif form.bits > FORMATS[own].bits:
        with refused(
            FormatError,
            f"to: {name} takes {form.bits} bits a parameter, the network's own {own} "
            f"{FORMATS[own].bits}; name a format of fewer bits",
        ):
            _ = target_format(name, own)
    else:
        assert target_format(name.upper(), own) is form
