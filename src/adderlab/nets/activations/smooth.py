"""Curved activations, enclosed by Arb's balls, and in double by what Arb says of each sum.

Rule: Arb proves its own bounds, at any precision; nothing here trusts a library's function but the
plain values, which no verdict is made of. In double, the ends of a value are Arb's ball on the sum,
rounded outward; only tanh has a formula with a proved bound instead (:func:`tanh`), because it is
computed for many networks at once. Sums that are equal are evaluated once.

References:
    Johansson, "Arb: Efficient Arbitrary-Precision Midpoint-Radius Interval Arithmetic", IEEE
    Transactions on Computers 66(8) (2017); used through python-flint.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from adderlab.errors import NetworkError
from adderlab.nets.activations.precision import ball_precision
from adderlab.nets.activations.rounding import NO_GRID, SLACK, Rounding
from adderlab.nets.activations.rule import Rule

if TYPE_CHECKING:
    from jaxtyping import Float64

    from adderlab.nets.activations.activation import Activation

TANH_ERROR: Final = 2.0**-46
BALL_BITS: Final = 80
"""Bits that balls carry whose ends become doubles."""


@dataclass(frozen=True, slots=True)
class Library:
    """How far a library's function is assumed to be from the curve.

    Attributes:
        ulps: in units in the last place of the format.
        of: of what the unit is: of the ``value``; of the ``argument`` where that is larger; or of
            1 where that is larger (``alpha`` of elu, 1/``beta`` of softplus). Tails have errors
            that are large beside their own value: PyTorch's fp32 sigmoid is 0 below -88.8.
        is_rounded: whether it is one operation of IEEE 754, which is rounded correctly where the
            format holds what it is given.
    """

    ulps: int
    of: Literal["value", "argument", "1"] = "value"
    is_rounded: bool = False

    def error(self, activation: Activation, sums: Any, values: Any, rounding: Rounding) -> Any:
        """Return a bound on the error, from magnitudes of sums and values."""
        if not rounding.ulp:
            return 0.0
        return self.ulps * (rounding.ulp * self.scale(activation, sums, values) + rounding.tiny)

    def scale(self, activation: Activation, sums: Any, values: Any) -> Any:
        """Return the magnitudes of which the error is counted in units in the last place."""
        if self.of == "argument":
            return np.maximum(values, sums)
        if self.of == "1":
            return np.maximum(values, abs(activation.alpha or 1.0) / (activation.beta or 1.0))
        return values

    def __str__(self) -> str:
        if self.is_rounded:
            return "rounded correctly"
        place = {"value": "", "argument": " of its argument", "1": " of 1"}[self.of]
        return f"within {self.ulps} units in the last place{place}"


def smooth(
    ball: Callable[[Activation, Any], Any],
    plain: Callable[[Activation, Any], Any],
    derivative: Callable[[Activation, Any], Any],
    module: str,
    *,
    steepest: Callable[[Activation], float],
    dip: Callable[[Activation], tuple[float, float] | None] = lambda activation: None,
    **about: Any,
) -> Rule:
    """Return the table entry of a curve.

    Args:
        ball: the values on an Arb ball.
        plain: in double.
        derivative: in double.
        module: its class in ``torch.nn``.
        steepest: a bound on the magnitude of the derivative.
        dip: where the only minimum of a curve that is not monotonic is, and a bound below it.
        **about: as :class:`Rule`.
    """

    def ends(activation: Activation, sums: Any) -> tuple[Any, Any]:
        return ball_ends(lambda x: ball(activation, x), sums)

    def enclosed(
        activation: Activation, sums: Any, errors: Any, rounding: Rounding
    ) -> tuple[Any, Any]:
        low, high = ends(activation, sums)
        is_known = np.isfinite(low) & np.isfinite(high)
        values = np.where(is_known, low / 2 + high / 2, 0.0)
        spread = np.maximum(high - values, values - low) + steepest(activation) * errors
        gap = activation.rule.gap
        if gap is not None:
            spread = spread + gap(activation, sums - errors, sums + errors, rounding.unit)
        size = np.abs(values) + spread
        library = activation.rule.library
        assert library is not None
        bound = spread + library.error(activation, np.abs(sums) + errors, size, rounding)
        bound = np.where(spread + rounding.ulp == 0, 0.0, bound * SLACK)
        is_known &= (size + bound) * SLACK <= rounding.largest
        return values, np.where(is_known & np.isfinite(errors), bound, np.inf)

    def image(activation: Activation, low: Any, high: Any) -> tuple[Any, Any]:
        at = plain(activation, low), plain(activation, high)
        least, most = np.minimum(*at), np.maximum(*at)
        lowest = dip(activation)
        if lowest is not None:
            is_in = (low <= lowest[0] + 0.01) & (high >= lowest[0] - 0.01)
            least = np.where(is_in, np.minimum(least, lowest[1]), least)
        return least, most

    return Rule(
        exact=None,
        ball=ball,
        plain=plain,
        enclosed=enclosed,
        ends=ends,
        image=image,
        derivative=derivative,
        grid=no_grid,
        module=module,
        rounds=True,
        **about,
    )


def no_grid(activation: Activation, grids: Any) -> Any:
    """Return the grid of numbers that lie on none."""
    del activation
    return np.full_like(grids, -NO_GRID)


def ball_ends(ball: Callable[[Any], Any], sums: Any) -> tuple[Any, Any]:
    """Return doubles between which values lie, equal ones where a value is a double."""
    from flint import arb

    numbers, places = np.unique(sums, return_inverse=True)
    low, high = np.empty_like(numbers), np.empty_like(numbers)
    with ball_precision(BALL_BITS):
        for place, number in enumerate(numbers.tolist()):
            value = ball(arb(number))
            if value.is_exact() and arb(float(value)) == value:
                low[place] = high[place] = float(value)
            else:  # the conversion to double is faithful, so the next double is beyond
                low[place] = np.nextafter(float(value.lower()), -np.inf)
                high[place] = np.nextafter(float(value.upper()), np.inf)
    shape = np.shape(sums)
    return low[places].reshape(shape), high[places].reshape(shape)


# -- balls ---------------------------------------------------------------------------------------


def _pick(x: Any, left: Callable[[Any], Any], right: Callable[[Any], Any]) -> Any:
    """Return the value of the function that holds for ``x`` below 0, or of that for 0 and above."""
    if x >= 0:
        return right(x)
    if x < 0:
        return left(x)
    return left(x.min(0)).union(right(x.max(0)))


def tanh_ball(activation: Activation, x: Any) -> Any:
    """Tanh x."""
    del activation
    return x.tanh()


def sigmoid_ball(activation: Activation, x: Any) -> Any:
    """1 / (1 + e^-x)."""
    del activation
    return _sigmoid(x)


def _sigmoid(x: Any) -> Any:
    """The same, by an exponential that does not overflow."""
    return _pick(x, lambda x: x.exp() / (1 + x.exp()), lambda x: 1 / (1 + (-x).exp()))


def softplus_ball(activation: Activation, x: Any) -> Any:
    """log(1 + e^(beta x)) / beta, and x beyond the threshold."""
    from flint import arb

    beta, threshold = arb(activation.number("beta")), arb(activation.number("threshold"))
    scaled = x * beta

    def curve() -> Any:
        return _pick(
            scaled, lambda t: t.exp().log1p() / beta, lambda t: (t + (-t).exp().log1p()) / beta
        )

    if scaled <= threshold:
        return curve()
    return x if scaled > threshold else curve().union(x)


def elu_ball(activation: Activation, x: Any) -> Any:
    """X above 0, alpha (e^x - 1) elsewhere."""
    from flint import arb

    alpha = arb(activation.number("alpha"))
    return _pick(x, lambda x: alpha * x.expm1(), lambda x: x)


def selu_ball(activation: Activation, x: Any) -> Any:
    """Elu with the constants of the paper, as PyTorch has them in double, times a scale."""
    from flint import arb

    del activation
    alpha, scale = arb(SELU_ALPHA), arb(SELU_SCALE)
    return _pick(x, lambda x: scale * alpha * x.expm1(), lambda x: scale * x)


def gelu_ball(activation: Activation, x: Any) -> Any:
    """X times the normal distribution function, or its approximation by tanh."""
    from flint import arb

    if activation.approximate == "none":
        return x * (-x / arb(2).sqrt()).erfc() / 2
    inner = (2 / arb.pi()).sqrt() * (x + arb(44715) / 1000000 * x**3)
    return x * _sigmoid(2 * inner)  # (1 + tanh u) / 2 is sigmoid 2u


def silu_ball(activation: Activation, x: Any) -> Any:
    """X sigmoid x."""
    del activation
    return x * _sigmoid(x)


def mish_ball(activation: Activation, x: Any) -> Any:
    """X tanh(softplus x), in which tanh is ((1 + e^x)^2 - 1) / ((1 + e^x)^2 + 1)."""
    del activation

    def below(x: Any) -> Any:
        e = x.exp()
        return x * (e * (e + 2)) / (e * (e + 2) + 2)

    def above(x: Any) -> Any:
        e = (-x).exp()
        return x * (1 + 2 * e) / (1 + 2 * e + 2 * e * e)

    return _pick(x, below, above)


def softsign_ball(activation: Activation, x: Any) -> Any:
    """X / (1 + |x|)."""
    del activation
    return _pick(x, lambda x: x / (1 - x), lambda x: x / (1 + x))


def quotient_ball(activation: Activation, x: Any) -> Any:
    """X divided by a constant, exactly where the quotient is a dyadic fraction."""
    from flint import arb

    return x / arb(activation.number("divisor"))


def hardsigmoid_ball(activation: Activation, x: Any) -> Any:
    """X + 3 between 0 and 6, divided by 6: no dyadic fraction, but for 0, 1/2, 1 and their like."""
    del activation
    return (x + 3).max(0).min(6) / 6


# -- in double -----------------------------------------------------------------------------------

SELU_ALPHA: Final = 1.6732632423543772848170429916717
SELU_SCALE: Final = 1.0507009873554804934193349852946


def tanh(values: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    """Return tanh with an error below ``2**-46``, by correctly rounded operations only.

    The bound is relative for arguments of at least ``2**-1016`` in magnitude; dividing smaller
    ones by 64 leaves the normal doubles, and the bound is then absolute, ``2**-1068``.

    Library functions promise no bound, so: halve the argument six times, take Lambert's
    continued fraction y / (1 + y² / (3 + y² / (5 + …))) to depth ten, whose terms are all
    positive (each level adds at most three roundings, 2**-53 each, and at depth ten with
    y <= 5/16 two successive convergents differ by less than 2**-60), then double six times by
    tanh 2y = 2t / (1 + t²), which never enlarges a relative error and adds four roundings.
    That is fewer than 60 roundings. Beyond 20, tanh differs from 1 by less than 2**-56.

    References:
        Lambert (1761), as in Abramowitz and Stegun, 4.5.70.
    """
    reduced = np.clip(values, -20, 20) / 64
    square = reduced * reduced
    fraction = np.full_like(reduced, 19.0)
    for odd in range(17, 0, -2):
        fraction = odd + square / fraction
    result = reduced / fraction
    for _ in range(6):
        result = 2 * result / (1 + result * result)
    return result


def tanh_ends(activation: Activation, sums: Any) -> tuple[Any, Any]:
    """Return doubles on both sides of tanh, by its own formula."""
    del activation
    values = tanh(sums)
    error = np.abs(values) * 2.0**-45 + 2.0**-1060
    return np.nextafter(values - error, -np.inf), np.nextafter(values + error, np.inf)


def tanh_enclosed(
    activation: Activation, sums: Any, errors: Any, rounding: Rounding
) -> tuple[Any, Any]:
    """Return tanh by its own formula; below 1 a unit in the last place is half of that of 1."""
    library = activation.rule.library
    assert library is not None
    bound = np.minimum((errors + TANH_ERROR + library.ulps * rounding.ulp / 2) * SLACK, 2.0)
    return tanh(sums), np.where(np.isfinite(errors), bound, np.inf)  # an overflow may be NaN


def sigmoid(sums: Any) -> Any:
    """Return 1 / (1 + e^-x) as NumPy rounds it."""
    tail = np.exp(-np.abs(sums))
    return np.where(sums >= 0, 1 / (1 + tail), tail / (1 + tail))


def softplus(activation: Activation, sums: Any) -> Any:
    """Return log(1 + e^(beta x)) / beta, and x beyond the threshold."""
    scaled = sums * activation.number("beta")
    curve = np.maximum(scaled, 0) + np.log1p(np.exp(-np.abs(scaled)))
    is_large = scaled > activation.number("threshold")
    return np.where(is_large, sums, curve / activation.number("beta"))


def softplus_derivative(activation: Activation, sums: Any) -> Any:
    """Return sigmoid(beta x), and 1 beyond the threshold."""
    scaled = sums * activation.number("beta")
    return np.where(scaled > activation.number("threshold"), 1.0, sigmoid(scaled))


def softplus_gap(activation: Activation, low: Any, high: Any, unit: float) -> Any:
    """Return the jump at the threshold, log(1 + e^-t) / beta, where the sums may reach it."""
    beta, threshold = activation.number("beta"), activation.number("threshold")
    room = 4 * unit * abs(threshold) + 2.0**-1000
    reaches = (low * beta <= threshold + room) & (high * beta >= threshold - room)
    jump = (max(-threshold, 0.0) + math.log1p(math.exp(-abs(threshold)))) / beta * (1 + 2.0**-20)
    return np.where(reaches, jump, 0.0)


def check_softplus(activation: Activation) -> None:
    """Raise unless beta is above 0."""
    if activation.number("beta") <= 0:
        raise NetworkError(
            f"the beta is {activation.beta:g}", where="beta", remedy="give a number above 0"
        )


def check_divisor(activation: Activation) -> None:
    """Raise where the divisor is 0."""
    if not activation.number("divisor"):
        raise NetworkError("the divisor is 0", where="divisor", remedy="give another number")


def elu(sums: Any, alpha: float, scale: float = 1.0) -> Any:
    """Return x above 0, alpha (e^x - 1) elsewhere, times a scale."""
    return scale * np.where(sums > 0, sums, alpha * np.expm1(np.minimum(sums, 0)))


def elu_derivative(sums: Any, alpha: float, scale: float = 1.0) -> Any:
    """Return the scale above 0, and scale alpha e^x elsewhere."""
    return scale * np.where(sums > 0, 1.0, alpha * np.exp(np.minimum(sums, 0)))


def _normal(sums: Any) -> Any:
    """Return the normal distribution function."""
    tails = np.frompyfunc(lambda x: math.erfc(-x / math.sqrt(2)) / 2, 1, 1)
    return np.asarray(tails(sums), dtype=np.float64)


def _inner(sums: Any) -> Any:
    return 2 * math.sqrt(2 / math.pi) * (sums + 0.044715 * sums**3)


def gelu(activation: Activation, sums: Any) -> Any:
    """Return x times the normal distribution function, or its approximation by tanh."""
    if activation.approximate == "none":
        return sums * _normal(sums)
    return sums * sigmoid(_inner(sums))


def gelu_derivative(activation: Activation, sums: Any) -> Any:
    """Return the derivative of either kind."""
    if activation.approximate == "none":
        return _normal(sums) + sums * np.exp(-sums * sums / 2) / math.sqrt(2 * math.pi)
    share = sigmoid(_inner(sums))
    slope = 2 * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * sums * sums)
    return share + sums * slope * share * (1 - share)


def mish(sums: Any) -> Any:
    """Return x tanh(log(1 + e^x))."""
    tail = np.exp(-np.abs(sums))
    share = np.where(
        sums >= 0,
        (1 + 2 * tail) / (1 + 2 * tail + 2 * tail * tail),
        tail * (tail + 2) / (tail * (tail + 2) + 2),
    )
    return sums * share


def mish_derivative(sums: Any) -> Any:
    """Return tanh(softplus x) + x sigmoid(x) (1 - tanh(softplus x)^2)."""
    tail = np.exp(-np.abs(sums))
    share = np.where(
        sums >= 0,
        (1 + 2 * tail) / (1 + 2 * tail + 2 * tail * tail),
        tail * (tail + 2) / (tail * (tail + 2) + 2),
    )
    return share + sums * sigmoid(sums) * (1 - share * share)
