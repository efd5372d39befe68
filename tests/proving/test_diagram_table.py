"""The table of nodes: functions have the values they were made of, under every operation."""

from __future__ import annotations

import itertools
from collections import Counter

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from proving.noisy import noisy_majority
from strategies import MANY

from adderlab.limits import CapReached
from adderlab.proving.diagrams import Diagrams, Function
from adderlab.proving.diagrams.table import ZERO

Values = tuple[int, ...]
DEEP = 3000


def function_of(diagrams: Diagrams, values: Values, variable: int = 0) -> Function:
    """Return the function of these values; the first variable is the highest bit of the index."""
    if len(values) == 1:
        return values[0], 0
    half = len(values) // 2
    low = function_of(diagrams, values[:half], variable + 1)
    high = function_of(diagrams, values[half:], variable + 1)
    return diagrams.node(variable, low, high)


def input_of(index: int, count: int) -> dict[int, int]:
    return {variable: index >> (count - 1 - variable) & 1 for variable in range(count)}


def values_of(diagrams: Diagrams, function: Function, count: int) -> Values:
    return tuple(diagrams.value(function, input_of(index, count)) for index in range(1 << count))


@st.composite
def tables(draw: st.DrawFn, *, how_many: int = 1) -> tuple[int, tuple[Values, ...]]:
    """Value tables of functions of the same 1 to 8 variables: small values, wide ones, repeats."""
    count = draw(st.integers(1, 8))
    number = st.integers(-3, 3) | st.sampled_from([-(1 << 70), 1 << 70, 1 << 63, 0])
    result: list[Values] = []
    for _ in range(how_many):
        few = draw(st.lists(number, min_size=1, max_size=4))
        rng = np.random.default_rng(draw(st.integers(0, 1 << 32)))
        picks = rng.integers(0, len(few), 1 << count)
        if draw(st.booleans()):  # a variable that does not matter
            at = 1 << int(rng.integers(count))
            picks = np.array([picks[index | at] for index in range(1 << count)])
        result.append(tuple(few[pick] for pick in picks))
    return count, tuple(result)


@given(tables())
@MANY
def test_a_function_has_the_values_it_was_made_of(drawn: tuple[int, tuple[Values, ...]]) -> None:
    """And its bounds, and inputs that reach them, and the values nearest to any limit."""
    count, (values,) = drawn
    diagrams = Diagrams()
    function = function_of(diagrams, values)
    assert values_of(diagrams, function, count) == values
    assert diagrams.bounds(function) == (min(values), max(values))
    assert diagrams.value(function, diagrams.reaching(function, largest=True)) == max(values)
    assert diagrams.value(function, diagrams.reaching(function, largest=False)) == min(values)
    for limit in {*values, min(values) - 1, max(values) + 1, 0}:
        under = [value for value in values if value <= limit]
        over = [value for value in values if value > limit]
        assert diagrams.nearest(function, limit) == (
            max(under, default=None),
            min(over, default=None),
        )


@given(tables(how_many=2), st.integers(-3, 3), st.integers(-3, 3) | st.just(1 << 65))
@MANY
def test_arithmetic_is_that_of_the_values(
    drawn: tuple[int, tuple[Values, ...]], a: int, b: int
) -> None:
    """Sums, multiples, relu and steps; each is the very function that the values make."""
    count, (left, right) = drawn
    diagrams = Diagrams()
    f, g = function_of(diagrams, left), function_of(diagrams, right)
    for result, expected in (
        (diagrams.combine(f, a, g, b), [a * x + b * y for x, y in zip(left, right, strict=True)]),
        (diagrams.combine(f, a, f, b), [(a + b) * x for x in left]),
        (diagrams.combine(g, b, f, a), [a * x + b * y for x, y in zip(left, right, strict=True)]),
        (diagrams.combine(f, 1, f, -1), [0] * len(left)),
        (diagrams.scaled(f, b), [b * x for x in left]),
        (diagrams.relu(f), [max(x, 0) for x in left]),
        *((diagrams.above(f, t), [int(x > t) for x in left]) for t in {*left, -1, 0}),
    ):
        assert result == function_of(diagrams, tuple(expected))
        assert values_of(diagrams, result, count) == tuple(expected)


@given(tables(how_many=2), st.booleans())
@MANY
def test_functions_are_equal_exactly_if_offset_and_node_are(
    drawn: tuple[int, tuple[Values, ...]], same: bool
) -> None:
    """Canonical: also when the one is built by adding up single points, in any order."""
    count, (left, right) = drawn
    right = left if same else right
    diagrams = Diagrams()
    f = function_of(diagrams, left)
    g = ZERO
    rng = np.random.default_rng(count)
    for index in rng.permutation(1 << count).tolist():
        point = tuple(right[index] if i == index else 0 for i in range(1 << count))
        g = diagrams.combine(g, 1, function_of(diagrams, point), 1)
    assert (f == g) == (left == right)
    assert (diagrams.combine(f, 1, g, -1) == ZERO) == (left == right)


@given(st.integers(-5, 5), st.lists(st.integers(-4, 4) | st.just(1 << 80), max_size=8))
@MANY
def test_linear_is_the_weighted_sum(offset: int, weights: list[int]) -> None:
    """In any order of terms, with weights that are 0 or repeat; and no bigger than need be."""
    diagrams = Diagrams()
    terms = list(enumerate(weights))
    diagram = diagrams.linear(offset, terms)
    assert len(diagrams) == 1 + sum(weight != 0 for weight in weights)
    assert diagram == diagrams.linear(offset, reversed(terms))
    count = max(len(weights), 1)
    expected = tuple(
        offset + sum(w * (index >> (count - 1 - i) & 1) for i, w in terms)
        for index in range(1 << count)
    )
    assert values_of(diagrams, diagram, count) == expected
    assert diagram == function_of(diagrams, expected)


@given(tables(how_many=4), st.sets(st.integers(0, 3)))
@MANY
def test_keep_only_keeps_values_and_frees_the_rest(
    drawn: tuple[int, tuple[Values, ...]], places: set[int]
) -> None:
    """What is kept stays canonical: the same values built again are the same function."""
    count, values = drawn
    diagrams = Diagrams()
    functions = [function_of(diagrams, entry) for entry in values]
    _ = diagrams.combine(functions[0], 2, functions[1], -3), diagrams.relu(functions[2])
    chosen = sorted(places)
    kept = diagrams.keep_only([functions[i] for i in chosen])
    alone = Diagrams()
    for i in chosen:
        _ = function_of(alone, values[i])
    assert len(diagrams) <= len(alone)  # what is left is what these need; not a node more
    assert diagrams.results == 0
    for i, function in zip(chosen, kept, strict=True):
        assert values_of(diagrams, function, count) == values[i]
        assert diagrams.bounds(function) == (min(values[i]), max(values[i]))
        assert function_of(diagrams, values[i]) == function
        doubled = diagrams.combine(function, 1, function, 1)
        assert values_of(diagrams, doubled, count) == tuple(2 * value for value in values[i])


def test_3000_variables_need_no_recursion() -> None:
    """Sums, relu, steps, nearest, bounds, inputs, housekeeping: three times as deep as calls go."""
    diagrams = Diagrams()
    terms = [(variable, 1 << (DEEP - 1 - variable)) for variable in range(DEEP)]
    number = diagrams.linear(0, terms)
    most = (1 << DEEP) - 1
    twice = diagrams.combine(number, 3, number, -1)
    assert twice == diagrams.scaled(number, 2) == diagrams.linear(0, [(v, 2 * w) for v, w in terms])
    assert diagrams.bounds(twice) == (0, 2 * most)
    limit = most // 3
    step = diagrams.above(number, limit)
    rest = diagrams.relu((number[0] - limit, number[1]))
    assert diagrams.bounds(rest) == (0, most - limit)
    assert diagrams.nearest(number, limit) == (limit, limit + 1)
    first = diagrams.combine(rest, 1, diagrams.relu((rest[0] - 1, rest[1])), -1)
    assert first == step
    number, step = diagrams.keep_only([number, step])
    at = {v: (limit + 1) >> (DEEP - 1 - v) & 1 for v in range(DEEP)}
    assert diagrams.value(number, at) == limit + 1
    assert diagrams.value(step, at) == 1
    at[DEEP - 1] ^= 1
    assert diagrams.value(step, at) == limit % 2  # one below is the limit itself, if that is even
    diagram = diagrams.reaching(number, largest=True)
    assert diagram == dict.fromkeys(range(DEEP), 1)


def test_the_cap_on_nodes_raises_and_holds() -> None:
    """At the cap nothing is added, and what there was is as before."""
    diagrams = Diagrams(most_nodes=50)
    number = diagrams.linear(0, [(v, 1 << (29 - v)) for v in range(30)])
    other = diagrams.linear(0, [(v, 3**v) for v in range(15)])
    with pytest.raises(CapReached, match=r"^the cap of 50 nodes was reached$"):
        _ = diagrams.combine(number, 1, other, 1)
    assert len(diagrams) == 51  # and the terminal
    with pytest.raises(CapReached):
        _ = diagrams.linear(0, [(0, 5)])
    assert len(diagrams) == 51
    assert diagrams.bounds(number) == (0, (1 << 30) - 1)
    number, other = diagrams.keep_only([number, other])
    assert len(diagrams) == 46
    assert diagrams.linear(0, [(v, 3**v) for v in range(15)]) == other


def test_work_that_makes_few_nodes_is_capped_and_timed_too() -> None:
    """Parts of a sum by the million, for a step of fewer than 300 nodes."""
    ticks = Counter[str]()
    diagrams = Diagrams(most_nodes=10_000, on_tick=lambda: ticks.update(["tick"]))
    function = diagrams.linear(*noisy_majority(31))
    for work in (
        lambda: diagrams.above(function, 0),
        lambda: diagrams.nearest(function, 0),
    ):
        ticks.clear()
        with pytest.raises(CapReached, match=r"^the cap of 4 results for each of 10000 nodes was"):
            _ = work()
        assert ticks["tick"] >= 5
        assert len(diagrams) < 300
        diagrams.forget_work()
    small = Diagrams(most_nodes=10_000)
    majority = small.above(small.linear(*noisy_majority(13)), 0)
    assert majority == small.above(small.linear(0, [(v, 1) for v in range(13)]), 6)


def test_ticks_come_while_nodes_are_made_and_may_stop_the_work() -> None:
    """As often as every few thousand nodes; what it raises passes through."""
    ticks = Counter[str]()
    diagrams = Diagrams(on_tick=lambda: ticks.update(["tick"]))
    _ = diagrams.linear(0, ((v, 1) for v in range(20_000)))
    assert ticks["tick"] == 20_000 // 4096

    def stop() -> None:
        raise CapReached("the time was up")

    with pytest.raises(CapReached, match=r"^the time was up$"):
        _ = Diagrams(on_tick=stop).linear(0, ((v, 1) for v in range(20_000)))


def test_where_is_a_function_times_a_bit() -> None:
    """Of a variable above, below and among the function's own."""
    diagrams = Diagrams()
    function = diagrams.relu(diagrams.linear(-3, [(1, 5), (3, 4), (5, -2)]))
    for variable in (0, 1, 2, 3, 4, 5, 6):
        chosen = diagrams.where(variable, function)
        for bits in itertools.product((0, 1), repeat=7):
            input = dict(enumerate(bits))
            assert diagrams.value(chosen, input) == bits[variable] * diagrams.value(function, input)
