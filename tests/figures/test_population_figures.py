"""Figures of populations: readable in every case, and saying in words what they show."""

from __future__ import annotations

import re

import numpy as np
import pytest
from figures.layout import faults_of
from figures.population import KINDS, QUANTILES, RATES, STEPS, WIDTHS

from adderlab.figures.charts import (
    draw_quantiles,
    draw_rates,
    quantiles_picture,
    rates_picture,
)
from adderlab.figures.failures import draw_kind, kind_picture, shown_rows
from adderlab.figures.losses import Axis
from adderlab.figures.maps import MapView, draw_map
from adderlab.figures.picture import drawing


@pytest.mark.parametrize("name", RATES)
def test_rates_can_be_read(name):
    points, is_log = RATES[name]
    with drawing():
        assert faults_of(draw_rates(points, "hidden units", is_log=is_log)) == []


@pytest.mark.parametrize("name", QUANTILES)
def test_quantiles_can_be_read(name):
    with drawing():
        assert faults_of(draw_quantiles(STEPS, QUANTILES[name])) == []


@pytest.mark.parametrize("name", KINDS)
def test_kinds_can_be_read(name):
    with drawing():
        assert faults_of(draw_kind(KINDS[name])) == []


@pytest.mark.parametrize(
    ("rows", "columns", "pixel"), [(8, 8, 33.0), (256, 256, 1.0), (64, 640, 1.0), (900, 300, 1.0)]
)
@pytest.mark.parametrize("shows", ["convergence", "success"])
def test_maps_can_be_read(rows, columns, pixel, shows):
    random = np.random.default_rng(2)
    view = MapView(
        random.normal(size=(rows, columns)),
        random.random((rows, columns)) < 0.5,
        "learning rate",
        Axis(0.01, 10, is_log=True),
        "scale of the start",
        Axis(0, 1),
        shows,
    )
    with drawing():
        assert faults_of(draw_map(view, pixel)) == []


def test_rates_in_words():
    text = rates_picture(WIDTHS[:2], "hidden units", name="rates").alt
    assert text == (
        "How often a network is right, by hidden units, with 95 % intervals. 2: 24.0% (20.0% to "
        "29.0%); 3: 51.0% (48.0% to 55.0%), the run's own."
    )


def test_quantiles_in_words():
    text = quantiles_picture(STEPS, QUANTILES["some diverge"], name="loss").alt
    assert text == (
        "The losses of all networks over the steps of training. 25% of the networks end below 0; "
        "50% of the networks end below 0.04; 75% of the networks end below ∞."
    )


def test_a_kind_in_words():
    text = kind_picture(KINDS["half adder"], name="kind").alt
    assert text.startswith(
        "10.4% of the networks, for example member 5. a 0, b 0: expected 0, got 1, wrong, units "
        "on: none. a 0, b 1: expected 1, got 1, right, units on: 1."
    )
    assert text.endswith("changed, 52% are right (beside it 12%): a cause.")


def test_of_many_rows_the_wrong_ones_are_shown():
    shown = shown_rows(KINDS["wide"].rows)
    assert len(shown) == 16
    assert not any(row.is_right for row in shown)


def test_right_and_wrong_are_told_apart_without_color():
    svg = kind_picture(KINDS["half adder"], name="kind").svg
    assert len(re.findall("#b2330f", svg)) >= 2  # the strokes of a cross, and its shade
