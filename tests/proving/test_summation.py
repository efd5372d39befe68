"""Sums of few terms in every order, against every permutation and every grouping in fractions."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from proving.reference import all_sums, plus

from adderlab.formats import FORMATS
from adderlab.proving.summation import least_in_order, least_sum, order_of


def drawn(seed: int, name: str, count: int) -> np.ndarray:
    """Return terms of a format whose sums round, and sometimes overflow."""
    rng = np.random.default_rng([seed, count])
    form = FORMATS[name]
    reach = 3 if seed % 3 else 14
    values = rng.normal(size=(count, 1)) * 2.0 ** rng.integers(-3, reach, (count, 1))
    return form.round(np.clip(values, -float(form.largest), float(form.largest)))


def in_turn(terms: list[float], order: tuple[int, ...], name: str) -> Fraction | float | None:
    """Return the sum of the terms in an order, each partial sum rounded; ``None`` for NaN."""
    total: Fraction | float | None = Fraction(terms[order[0]])
    for term in order[1:]:
        total = plus(total, Fraction(terms[term]), name)
    return total


@pytest.mark.parametrize("name", ["fp16", "bf16", "fp8-e4m3", "fp8-e5m2"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_least_sum_in_order_is_that_of_all_permutations(name: str, count: int) -> None:
    for seed in range(12):
        terms = drawn(seed, name, count)
        plain = terms[:, 0].tolist()
        sums = [in_turn(plain, order, name) for order in itertools.permutations(range(count))]
        table = least_in_order(terms, FORMATS[name])
        order = tuple(order_of(table[:, 0], terms[:, 0], FORMATS[name]))
        assert sorted(order) == list(range(count))
        if None in sums or any(isinstance(value, float) for value in sums):
            continue  # an overflow on the way: what the least is then does not matter
        assert table[-1, 0] == min(sums) == in_turn(plain, order, name), seed


@pytest.mark.parametrize("name", ["fp16", "fp8-e4m3"])
def test_the_bound_is_below_every_grouping_and_every_wider_accumulator(name: str) -> None:
    for seed in range(40):
        terms = drawn(seed, name, 4)
        exact = [Fraction(value) for value in terms[:, 0].tolist()]
        bound = float(least_sum(terms, FORMATS[name])[0])
        reached = [*all_sums(list(exact), name), sum(exact), *all_sums(list(exact), "fp32")]
        if any(value is None or isinstance(value, float) for value in reached):
            continue
        assert bound <= min(reached), seed
        assert bound >= float(min(reached)) - 4 * max(map(abs, terms[:, 0])) * 2.0**-2, seed


def test_an_order_is_given_where_sums_overflow_to_nan() -> None:
    form = FORMATS["fp8-e4m3"]  # it has no infinity
    terms = np.array([[448.0], [448.0], [-448.0], [-448.0]])
    table = least_in_order(terms, form)
    assert math.isnan(table[-1, 0])
    assert sorted(order_of(table[:, 0], terms[:, 0], form)) == [0, 1, 2, 3]
