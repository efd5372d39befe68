"""Axes and sizes of maps: what they mean, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest

from adderlab.errors import OptionError
from adderlab.runs.maps.axes import Axis, parse_axis, parse_size

FORM = (
    "give NAME=LOW:HIGH or NAME=LOW:HIGH:log with a NAME of lr, init, hidden, steps, momentum, "
    "batch"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lr=0.01:10:log", Axis("lr", 0.01, 10, "log")),
        ("init=1e-1:2", Axis("init", 0.1, 2, "linear")),
        ("momentum=0:0.99:lin", Axis("momentum", 0, 0.99, "linear")),
        ("hidden=1:16:linear", Axis("hidden", 1, 16, "linear")),
        ("steps=1:1e3:log", Axis("steps", 1, 1000, "log")),
        ("batch=1:64", Axis("batch", 1, 64, "linear")),
    ],
)
def test_an_axis_is_a_name_and_a_range(text, expected):
    assert parse_axis(text, "x") == expected
    assert parse_axis(str(expected), "x") == expected


def test_a_linear_axis_has_equal_steps_and_a_logarithmic_one_equal_ratios():
    linear = Axis("lr", 0.5, 2.5).values(9)
    assert np.diff(linear) == pytest.approx(0.25)
    log = Axis("lr", 0.01, 10, "log").values(4)
    assert log[1:] / log[:-1] == pytest.approx(10)
    for values, ends in ((linear, (0.5, 2.5)), (log, (0.01, 10))):
        assert (values[0], values[-1]) == ends  # exactly, so that a zoom fits its map


def test_whole_settings_are_rounded_to_whole_numbers():
    assert list(Axis("hidden", 1, 4).values(7)) == [1, 2, 2, 2, 3, 4, 4]
    assert list(Axis("steps", 1, 1000, "log").values(4)) == [1, 10, 100, 1000]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        *(
            (text, FORM)
            for text in ("", "lr", "lr=1", "lr=1:2:log:3", "weight=1:2", "=1:2", "LR=1:2")
        ),
        ("lr=1:2:cubic", "end it with :linear or :log"),
        ("lr=a:b", "give two numbers, like 0.01:10"),
        ("lr=:", "give two numbers, like 0.01:10"),
        ("lr=2:1", "give two finite numbers, the smaller first"),
        ("lr=1:1", "give two finite numbers, the smaller first"),
        ("lr=1:inf", "give two finite numbers, the smaller first"),
        ("lr=nan:1", "give two finite numbers, the smaller first"),
        ("lr=-1:1", "give numbers from 0 to below 3.40282e+38"),
        ("lr=0:1", "begin above 0"),
        ("lr=0:1:log", "begin above 0"),
        ("init=0:1", "begin above 0"),
        ("momentum=0:1", "give numbers from 0 to below 1"),
        ("momentum=0:0.9:log", "begin above 0"),
        ("hidden=0:4", "give numbers from 1 to below 4096"),
        ("hidden=1:4096", "give numbers from 1 to below 4096"),
        ("steps=1.5:4", "give whole numbers"),
        ("batch=0:4", "give numbers from 1 to below 1.04858e+06"),
    ],
)  # fmt: skip
def test_what_is_no_axis_is_refused_with_what_is(text, remedy):
    with pytest.raises(OptionError) as refused:
        _ = parse_axis(text, "y")
    assert str(refused.value) == f"y: got {text!r}; {remedy}"


@pytest.mark.parametrize(
    ("text", "expected"), [("256", (256, 256)), (8, (8, 8)), ("640x480", (640, 480))]
)
def test_a_size_is_a_square_or_two_sides(text, expected):
    assert parse_size(text) == expected


@pytest.mark.parametrize("text", ["", "x", "3x", "1x2x3", "-4", "2.5", "a", "²"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(OptionError, match=r"\Asize: got .*; give "):
        _ = parse_size(text)


@pytest.mark.parametrize("text", ["0", "1", "1x9", "9x1"])
def test_a_map_has_at_least_two_pixels_on_a_side(text):
    with pytest.raises(OptionError) as refused:
        _ = parse_size(text)
    assert str(refused.value) == f"size: got {text}; give at least 2"


def test_values_are_finite_at_every_size():
    for count in (2, 3, 4096):
        assert all(map(math.isfinite, Axis("lr", 1e-30, 1e30, "log").values(count)))
