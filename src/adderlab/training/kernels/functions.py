"""Activations and losses on lanes: tanh, the sigmoid, and the cross entropy of a logit.

Accuracy, measured over all exponents by ``tests/training/test_simd.py``: each is within a few
units in the last place of the true value.

References:
    Moshier, Cephes (1992), ``expf`` and ``tanhf``: the polynomials and where they change over.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba.extending import register_jitable

from adderlab.kernels.simd import above, fma, power_of_2, size, splat, where

LOG2_E: Final = np.float32(1.44269504088896341)
LN2_HIGH: Final = np.float32(0.693359375)
LN2_LOW: Final = np.float32(-2.12194440e-4)
ROUND: Final = np.float32(1.5 * 2**23)
"""Added and taken off again, it leaves the nearest whole number."""

LARGEST: Final = np.float32(88.0)


@register_jitable
def exp_below_0(x: Any) -> Any:
    """Return e**x for x of at most 0; below -88 it is taken for -88 (some 6e-39)."""
    x = where(above(splat(-LARGEST), x), splat(-LARGEST), x)
    shift = splat(ROUND)
    n = fma(x, splat(LOG2_E), shift) - shift
    n = where(above(splat(np.float32(-126)), n), splat(np.float32(-126)), n)
    r = fma(n, splat(-LN2_HIGH), x)
    r = fma(n, splat(-LN2_LOW), r)
    p = splat(np.float32(1.9875691500e-4))
    p = fma(p, r, splat(np.float32(1.3981999507e-3)))
    p = fma(p, r, splat(np.float32(8.3334519073e-3)))
    p = fma(p, r, splat(np.float32(4.1665795894e-2)))
    p = fma(p, r, splat(np.float32(1.6666665459e-1)))
    p = fma(p, r, splat(np.float32(5.0000001201e-1)))
    ones = splat(np.float32(1))
    return fma(p, r * r, r + ones) * power_of_2(n)


@register_jitable
def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    ones = splat(np.float32(1))
    two = splat(np.float32(2))
    zero = splat(np.float32(0))
    magnitude = size(x)
    small = exp_below_0(zero - two * magnitude)
    large = (ones - small) / (ones + small)
    large = where(above(zero, x), zero - large, large)
    z = x * x
    p = splat(np.float32(-5.70498872745e-3))
    p = fma(p, z, splat(np.float32(2.06390887954e-2)))
    p = fma(p, z, splat(np.float32(-5.37397155531e-2)))
    p = fma(p, z, splat(np.float32(1.33314422036e-1)))
    p = fma(p, z, splat(np.float32(-3.33332819422e-1)))
    near = fma(p * z, x, x)
    return where(above(magnitude, splat(np.float32(0.625))), large, near)


@register_jitable
def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + e**-x)."""
    ones = splat(np.float32(1))
    zero = splat(np.float32(0))
    small = exp_below_0(zero - size(x))
    share = ones / (ones + small)
    return where(above(zero, x), small * share, share)


@register_jitable
def log1p(x: Any) -> Any:
    """Return log(1 + x) for x in [0, 1]: 2 artanh(x / (2 + x)), as a series in s squared."""
    s = x / (splat(np.float32(2)) + x)  # at most 1/3, so nine terms reach the last bit
    z = s * s
    p = splat(np.float32(2 / 17))
    p = fma(p, z, splat(np.float32(2 / 15)))
    p = fma(p, z, splat(np.float32(2 / 13)))
    p = fma(p, z, splat(np.float32(2 / 11)))
    p = fma(p, z, splat(np.float32(2 / 9)))
    p = fma(p, z, splat(np.float32(2 / 7)))
    p = fma(p, z, splat(np.float32(2 / 5)))
    p = fma(p, z, splat(np.float32(2 / 3)))
    return fma(p * z, s, s + s)


@register_jitable
def cross_entropy(y: Any, target: Any) -> Any:
    """Return what a logit loses against a 0 or 1: max(y, 0) - y t + log(1 + e**-|y|)."""
    zero = splat(np.float32(0))
    positive = where(above(y, zero), y, zero)
    return (positive - y * target) + log1p(exp_below_0(zero - size(y)))
