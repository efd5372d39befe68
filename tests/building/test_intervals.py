"""Intervals, lines and envelopes, compared with their values at many numbers."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adderlab.building.repair.intervals import (
    Interval,
    Intervals,
    Line,
    is_unbounded,
    lowest,
    sign,
    where_sign,
)

F = Fraction

ENDS = st.none() | st.integers(-3, 3).map(F)
POINTS = [F(n, 2) for n in range(-9, 10)]


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = draw(ENDS), draw(ENDS)
    if low is not None and high is not None and low > high:
        low, high = high, low
    is_point = low is not None and low == high
    low_closed = low is not None and (is_point or draw(st.booleans()))
    high_closed = high is not None and (is_point or draw(st.booleans()))
    return Interval(low, high, low_closed, high_closed)


@given(st.lists(intervals(), max_size=5))
@example([Interval(None, F(0)), Interval(F(0), None)])
@example([Interval(F(0), F(1)), Interval(F(1), F(2), low_closed=True)])
def test_a_union_holds_what_its_parts_hold(parts: list[Interval]) -> None:
    union = Intervals.of(parts)
    assert bool(union) == bool(parts)
    for value in POINTS:
        assert union.contains(value) == any(part.contains(value) for part in parts)
    for lower, upper in pairwise(union.parts):
        assert lower.high is not None
        assert upper.low is not None
        assert lower.high <= upper.low
        assert lower.high < upper.low or not union.contains(lower.high)
    assert Intervals.of(reversed(union.parts)) == union


@given(intervals(), intervals())
def test_an_intersection_holds_what_both_hold(first: Interval, second: Interval) -> None:
    both = first.intersect(second)
    assert both == second.intersect(first)
    for value in POINTS:
        inside = first.contains(value) and second.contains(value)
        assert inside == (both is not None and both.contains(value))
    assert both is None or both.contains(both.sample)


@given(intervals(), st.lists(st.integers(-4, 4).map(F), max_size=4))
def test_a_split_interval_is_whole_and_cut(whole: Interval, cuts: list[Fraction]) -> None:
    parts = list(whole.split(cuts))
    for value in POINTS:
        assert sum(part.contains(value) for part in parts) == whole.contains(value)
        if value in cuts and whole.contains(value):
            assert Interval(value, value, low_closed=True, high_closed=True) in parts
    assert [part.sample for part in parts] == sorted(part.sample for part in parts)


def test_intervals_as_people_write_them() -> None:
    third = F(1, 3)
    union = Intervals.of(
        [
            Interval(third, third, low_closed=True, high_closed=True),
            Interval(None, F(-3), high_closed=True),
            Interval(F(2), F(5, 2), low_closed=True),
            Interval(F(7), None),
        ]
    )
    assert str(union) == "(-inf, -3] or {1/3} or [2, 5/2) or (7, inf)"
    assert union.describe(lambda value: f"{float(value):.1f}") == (
        "(-inf, -3.0] or {0.3} or [2.0, 2.5) or (7.0, inf)"
    )
    assert str(Intervals()) == "none"
    assert union.to_list()[0] == {
        "low": None,
        "low_closed": False,
        "high": "-3",
        "high_closed": True,
        "text": "(-inf, -3]",
    }


LINES = st.builds(Line, st.integers(-3, 3).map(F), st.integers(-3, 3).map(F))
JUMPS = st.tuples(st.integers(-3, 3).map(F), LINES, LINES)


@given(st.lists(intervals(), min_size=1, max_size=3), st.lists(JUMPS, min_size=1, max_size=5))
@example([Interval(F(0), F(1)), Interval(F(2), None)], [(F(5), *[Line(F(0), F(1))] * 2)] * 2)
def test_the_lowest_of_several_functions(parts: list[Interval], drawn: Any) -> None:
    """Each function is one line up to a number and another beyond it, so that it may jump."""
    within = Intervals.of(parts)
    functions = [
        [
            (common, line)
            for part in within.parts
            for half, line in (
                (Interval(None, cut, high_closed=True), below),
                (Interval(cut, None), above),
            )
            if (common := half.intersect(part)) is not None
        ]
        for cut, below, above in drawn
    ]
    envelope = lowest(functions)
    for value in [F(n, 12) for n in range(-60, 60)]:
        here = [line.at(value) for piece, line in envelope if piece.contains(value)]
        if not within.contains(value):
            assert here == []
            continue
        assert here == [min(b.at(value) if value <= cut else a.at(value) for cut, b, a in drawn)]
    far = [value for value in (F(10**6), F(-(10**6))) if within.contains(value)]
    highest = [line.at(v) for v in far for piece, line in envelope if piece.contains(v)]
    assert is_unbounded(envelope) == any(value > 1000 for value in highest)


@pytest.mark.parametrize("signs", [(-1,), (0,), (1,), (-1, 0), (0, 1)])
@given(LINES, intervals())
def test_where_a_line_has_a_sign(signs: tuple[int, ...], line: Line, within: Interval) -> None:
    where = where_sign(line, within, signs)
    for value in {F(n, d) for n in range(-9, 10) for d in (1, 2, 3)}:
        is_inside = within.contains(value) and sign(line.at(value)) in signs
        assert is_inside == (where is not None and where.contains(value))


@given(LINES, LINES)
def test_a_line_of_a_line(outer: Line, inner: Line) -> None:
    for value in POINTS:
        assert outer.of(inner).at(value) == outer.at(inner.at(value))
