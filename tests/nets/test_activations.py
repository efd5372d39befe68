"""Every entry of the table of activations, against its own exact values."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import torch

from adderlab.errors import NetworkError
from adderlab.nets import Activation
from adderlab.nets.activation_modules import module_of
from adderlab.nets.activations import RULES, Rounding
from adderlab.nets.dyadic import Dyadic
from adderlab.nets.tracing.operations import OPERATIONS

ALL = [
    Activation("relu"),
    Activation("identity"),
    Activation("step", convention=">"),
    Activation("step", convention=">="),
    Activation("leaky", slope=0.375),
    Activation("leaky", slope=-1.5),
    Activation("tanh"),
]
SUMS = Dyadic(np.arange(-40, 41), -3)


def values_of(activation: Activation) -> list[Any]:
    """Return the values on ``SUMS``: fractions, or mpmath's numbers of 60 digits."""
    if activation.is_exact:
        exact = activation.exact(SUMS)
        return [exact.at(i) for i in range(exact.shape[0])]
    with mpmath.workdps(60):
        return [mpmath.tanh(mpmath.mpf(float(value))) for value in SUMS.to_floats()]


def test_every_kind_is_listed_here() -> None:
    assert {activation.kind for activation in ALL} == set(RULES)


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_the_plain_values_are_the_exact_ones_rounded(activation: Activation) -> None:
    plain = activation.plain(SUMS.to_floats()).tolist()
    tolerance = 0 if activation.is_exact else 2.0**-52
    expected = [float(value) for value in values_of(activation)]
    assert plain == pytest.approx(expected, abs=tolerance, rel=0)


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_enclosures_hold_the_values_of_every_sum_within_the_error(activation: Activation) -> None:
    sums = SUMS.to_floats()
    for shift in (0.0, 0.125, 1.0):
        errors = np.full_like(sums, shift)
        values, bounds = activation.enclosed(sums, errors, Rounding())
        every = values_of(activation)
        step = int(shift * 8)
        for i in range(step, len(sums) - step):
            for near in every[i - step : i + step + 1]:
                distance = abs(mpmath.mpf(values[i]) - _mp(near))
                assert distance <= bounds[i], (sums[i], shift)


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_intervals_hold_the_values_at_their_ends_and_between(activation: Activation) -> None:
    every = [_mp(value) for value in values_of(activation)]
    iv = mpmath.iv
    iv.prec = 120
    for first in range(0, len(every), 7):
        last = min(first + 11, len(every) - 1)
        low, high = (float(SUMS.to_floats()[i]) for i in (first, last))
        held = activation.interval(iv, iv.mpf([low, high]))
        with mpmath.workdps(60):
            for value in every[first : last + 1]:
                assert mpmath.mpf(held.a) <= value <= mpmath.mpf(held.b)
        least, most = activation.image(np.array(low), np.array(high))
        assert float(least) <= float(min(every[first : last + 1])) + 2.0**-50
        assert float(most) >= float(max(every[first : last + 1])) - 2.0**-50


@pytest.mark.parametrize("activation", [a for a in ALL if a.has_gradient], ids=str)
def test_derivatives_are_those_of_autograd(activation: Activation) -> None:
    sums = torch.tensor(SUMS.to_floats(), requires_grad=True)
    module_of(activation)(sums).sum().backward()
    assert sums.grad is not None
    expected = activation.derivative(SUMS.to_floats())
    assert sums.grad.tolist() == pytest.approx(expected.tolist(), abs=2.0**-51, rel=0)


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_modules_give_the_plain_values(activation: Activation) -> None:
    sums = SUMS.to_floats()
    given = module_of(activation)(torch.tensor(sums))
    assert given.tolist() == pytest.approx(activation.plain(sums).tolist(), abs=2.0**-51, rel=0)
    assert activation.has_gradient == (activation.kind != "step")


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_slopes_and_kinks_are_those_of_the_values(activation: Activation) -> None:
    """Straight lines on both sides go through 0, unless there is a jump."""
    at = {x: float(activation.plain(np.array(float(x)))) for x in (-2, -1, -0.0, 1, 2)}
    below, above = at[-1] - at[-2], at[2] - at[1]
    if activation.slopes is None:
        assert not activation.is_exact
        assert below != -at[-1]
        return
    assert activation.slopes == (below, above)
    jumps = (at[-1] + below, at[1] - above) != (0, 0)
    assert activation.rule.kink == ("jump" if jumps else "bend" if below != above else "")
    assert activation.rule.can_die == ((below, above, at[-1]) == (0, 1, 0))


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_options_are_what_values_depend_on(activation: Activation) -> None:
    other = ">=" if activation.convention == ">" else ">"
    others = {
        "slope": replace(activation, slope=activation.slope + 1),
        "convention": replace(activation, convention=other),
    }
    sums = SUMS.to_floats()
    depends = {
        name for name, other in others.items()
        if (other.plain(sums) != activation.plain(sums)).any()
    }  # fmt: skip
    assert depends == set(activation.rule.options)


def test_every_spelling_is_read() -> None:
    for rule in RULES.values():
        for name in rule.spellings:
            assert getattr(torch.nn.functional, name) in OPERATIONS


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_odd_activations_are_those_that_negating_passes(activation: Activation) -> None:
    sums = SUMS.to_floats()
    is_odd = (activation.plain(-sums) == -activation.plain(sums)).all()
    assert activation.rule.is_odd == is_odd


@pytest.mark.parametrize("activation", ALL, ids=str)
def test_the_nearest_values_are_exact_or_plain(activation: Activation) -> None:
    nearest = activation.nearest(SUMS)
    assert nearest.to_floats().tolist() == activation.plain(SUMS.to_floats()).tolist()
    assert nearest.at(47) == Fraction(float(activation.plain(SUMS.to_floats())[47]))


def test_values_that_are_no_fractions_are_refused_as_exact_ones() -> None:
    with pytest.raises(NetworkError, match="the values of tanh are no fractions"):
        _ = Activation("tanh").exact(SUMS)


def _mp(value: Any) -> Any:
    return mpmath.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else value
