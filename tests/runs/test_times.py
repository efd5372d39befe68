"""How long work took: parts that add up to no more than the whole."""

from __future__ import annotations

import pytest

from adderlab.runs import times
from adderlab.runs.times import Stopwatch, Times


def test_a_part_may_come_several_times_and_is_counted_where_it_fails(monkeypatch):
    clock = iter([0.0, 1.0, 3.0, 4.0, 4.5, 5.0, 5.25, 10.0])
    monkeypatch.setattr(times.time, "perf_counter", lambda: next(clock))
    watch = Stopwatch()
    with watch.part("training"):
        pass
    with watch.part("judging"):
        pass
    with pytest.raises(ValueError, match="no"), watch.part("training"):
        raise ValueError("no")
    assert watch.seconds_of("training") == 2.25
    assert watch.times() == Times(10.0, (("training", 2.25), ("judging", 0.5)))


def test_what_takes_no_time_is_not_named():
    assert str(Times(2.0, (("training", 1.9), ("judging", 0.001)))) == (
        "2.0 s in all: training 1.9 s"
    )
    assert str(Times(0.25)) == "250 ms in all"
