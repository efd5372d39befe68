"""Intervals of rates and of their differences, against published numbers."""

from __future__ import annotations

import math
from statistics import NormalDist

import pytest

from adderlab.training.census.rates import Rate, difference_interval, wilson_interval

Z = NormalDist().inv_cdf(0.975)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_the_published_one(successes, trials, low, high):
    """Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3."""
    interval = wilson_interval(successes, trials)
    assert tuple(round(end, 4) for end in interval) == (low, high)


@pytest.mark.parametrize(("successes", "trials"), [(1, 2), (3, 7), (513, 1000), (9999, 10000)])
def test_the_rate_is_one_quantile_away_from_both_ends_of_the_interval(successes, trials):
    """Wilson's definition: |rate - p| = z * sqrt(p (1 - p) / n) at either end p."""
    rate = successes / trials
    ends = wilson_interval(successes, trials)
    assert ends[0] < rate < ends[1]
    for end in ends:
        assert abs(rate - end) == pytest.approx(Z * math.sqrt(end * (1 - end) / trials), rel=2**-30)


@pytest.mark.parametrize("trials", [1, 17, 10**6])
def test_none_and_all_end_the_interval_at_0_and_1(trials):
    reach = Z * Z / (trials + Z * Z)
    assert wilson_interval(0, trials) == (0.0, pytest.approx(reach, rel=2**-40))
    assert wilson_interval(trials, trials) == (pytest.approx(1 - reach, rel=2**-40), 1.0)


def test_the_interval_of_failures_mirrors_that_of_successes():
    low, high = wilson_interval(5, 19)
    assert wilson_interval(14, 19) == pytest.approx((1 - high, 1 - low), rel=2**-40)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(first, second, low, high):
    """Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10."""
    interval = difference_interval(Rate(*first), Rate(*second))
    assert tuple(round(end, 4) for end in interval) == (low, high)


def test_a_rate_is_above_another_only_beyond_chance():
    assert Rate(50, 100).is_above(Rate(20, 100))
    assert not Rate(30, 100).is_above(Rate(20, 100))
    assert not Rate(20, 100).is_above(Rate(50, 100))
    assert not Rate(0, 0).is_above(Rate(0, 10))


def test_a_rate_in_words_and_for_json():
    assert str(Rate(1, 4)) == "25.0% of 4 (4.6% to 69.9%)"
    assert str(Rate(0, 0)) == "none tried"
    assert Rate(0, 0).to_dict() == {"count": 0, "of": 0, "share": None, "interval": [0.0, 1.0]}
