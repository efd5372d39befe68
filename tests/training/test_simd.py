"""Functions on lanes: a few units in the last place from the truth, each lane by itself."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from adderlab.kernels.simd import LANES, aligned, bit_at, load, numbers_at, store
from adderlab.training.kernels import functions

SPREAD = np.concatenate(
    [np.linspace(-90, 90, 1 << 15), np.geomspace(1e-30, 87, 1 << 14)], dtype=np.float32
)
BOTH = np.concatenate([SPREAD, -SPREAD])
BELOW_0 = -np.abs(BOTH[np.abs(BOTH) <= 87])[: 1 << 15]
UNIT = np.linspace(0, 1, 1 << 14, dtype=np.float32)


def on_lanes(function, *arrays):
    """Return a function of lanes, applied to arrays whose length is a multiple of 16."""
    if len(arrays) == 1:

        @numba.njit
        def run(x, _, out):
            for i in range(0, out.size, 16):
                store(out, i, function(load(x, i)))
    else:

        @numba.njit
        def run(x, y, out):
            for i in range(0, out.size, 16):
                store(out, i, function(load(x, i), load(y, i)))

    out = np.empty_like(arrays[0])
    run(arrays[0], arrays[-1], out)
    return out


def error_in_ulps(result, truth):
    """Return how many units in the last place of fp32 each number is off."""
    unit = np.spacing(np.maximum(np.abs(truth), 2.0**-126).astype(np.float32)).astype(float)
    return np.abs(result.astype(float) - truth) / unit


@pytest.mark.parametrize(
    ("name", "inputs", "truth", "most"),
    [
        ("tanh", BOTH, np.tanh, 2),
        ("sigmoid", BOTH[BOTH > -80], lambda x: np.exp(-np.logaddexp(0, -x)), 4),
        ("exp_below_0", BELOW_0, np.exp, 2),
        ("log1p", UNIT, np.log1p, 2),
    ],
)
def test_a_function_is_within_a_few_units_of_the_truth(name, inputs, truth, most):
    x = inputs[: inputs.size // LANES * LANES]
    lanes = on_lanes(getattr(functions, name), x)
    assert error_in_ulps(lanes, truth(x.astype(float))).max() <= most


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_the_cross_entropy_of_a_logit_is_never_off_by_more_than_its_rounding(label):
    y = BOTH[np.abs(BOTH) <= 85][: 1 << 15]
    target = np.full_like(y, label)
    wide = y.astype(float)
    exact = np.maximum(wide, 0) - wide * label + np.log1p(np.exp(-np.abs(wide)))
    assert error_in_ulps(on_lanes(functions.cross_entropy, y, target), exact).max() <= 4


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_what_is_no_number_stays_so_and_in_its_lane(name):
    x = np.linspace(-3, 3, LANES, dtype=np.float32)
    plain = on_lanes(getattr(functions, name), x)
    for lane, bad in ((3, np.nan), (11, np.inf), (15, -np.inf)):
        y = x.copy()
        y[lane] = bad
        lanes = on_lanes(getattr(functions, name), y)
        assert np.isnan(lanes[lane]) == np.isnan(bad)
        others = np.arange(LANES) != lane
        assert (lanes[others] == plain[others]).all()


def test_whole_numbers_are_read_as_bits_and_as_numbers():
    @numba.njit
    def run(packed, out):
        for bit in range(3):
            store(out, bit * 16, bit_at(packed, 16, bit))
        store(out, 48, numbers_at(packed, 16))

    packed = np.arange(32, dtype=np.int32) % 8
    out = np.empty(64, dtype=np.float32)
    run(packed, out)
    for bit in range(3):
        assert (out[16 * bit : 16 * bit + 16] == (packed[16:] >> bit & 1)).all()
    assert (out[48:] == packed[16:]).all()


def test_scratch_begins_on_a_cache_line():
    for count in (1, 17, 1000):
        for dtype in (np.float32, np.int32):
            array = aligned(count, dtype)
            assert (array.size, array.dtype, array.ctypes.data % 64) == (count, dtype, 0)
