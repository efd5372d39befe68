"""Figures of populations: readable in every case, and saying in words what they show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from figures.layout import faults_of
from figures.population import FAILURES, QUANTILES, RATES, STEPS, WIDTHS

from adderlab.figures import (
    MapAxis,
    MapView,
    failure_picture,
    loss_quantiles_picture,
    map_png,
    plot_failure,
    plot_loss_quantiles,
    plot_map,
    plot_success_rates,
    styled,
    success_rates_picture,
)
from adderlab.figures.failure import shown_rows, size_of
from adderlab.figures.picture import drawn
from adderlab.figures.trainability_map import pixels_of


def view_of(rows, columns, shows="convergence"):
    random = np.random.default_rng(2)
    return MapView(
        random.normal(size=(rows, columns)),
        random.random((rows, columns)) < 0.5,
        MapAxis("learning rate", 0.01, 10, is_log=True),
        MapAxis("scale of the start", 0, 1),
        shows,
    )


@pytest.mark.parametrize("name", RATES)
def test_rates_can_be_read_and_stand_where_they_were_measured(name):
    points, is_log = RATES[name]
    with styled():
        figure = drawn(lambda ax: plot_success_rates(points, "hidden units", is_log=is_log, ax=ax))
        assert faults_of(figure) == []
    line = figure.axes[0].get_lines()[0]
    assert line.get_xydata().tolist() == [[point.x, point.share] for point in points]
    assert figure.axes[0].get_xscale() == ("log" if is_log else "linear")


@pytest.mark.parametrize("name", QUANTILES)
def test_quantiles_can_be_read(name):
    with styled():
        figure = drawn(lambda ax: plot_loss_quantiles(STEPS, QUANTILES[name], ax=ax))
        assert faults_of(figure) == []
    (median,) = figure.axes[0].get_lines()
    assert np.isfinite(median.get_ydata()).all()
    assert len(figure.axes[0].collections) == len(QUANTILES[name]) // 2


@pytest.mark.parametrize("name", FAILURES)
def test_failures_can_be_read(name):
    failure = FAILURES[name]
    with styled():
        figure = drawn(lambda ax: plot_failure(failure, ax=ax), size=size_of(failure), fills=True)
        assert faults_of(figure) == []


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (256, 256), (64, 640), (900, 300)])
@pytest.mark.parametrize("shows", ["convergence", "success"])
def test_maps_can_be_read(rows, columns, shows):
    view = view_of(rows, columns, shows)
    with styled():
        assert faults_of(drawn(lambda ax: plot_map(view, ax=ax), size=(5.0, 5.4))) == []


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (64, 200), (300, 90)])
@pytest.mark.parametrize("shows", ["convergence", "success"])
def test_each_network_of_a_maps_image_is_one_pixel(rows, columns, shows):
    import io

    from PIL import Image

    view = view_of(rows, columns, shows)
    with Image.open(io.BytesIO(map_png(view))) as image:
        shown = np.asarray(image.convert("RGB"))
    pixels = pixels_of(view)
    places = [
        (top, left)
        for top in range(shown.shape[0] - rows + 1)
        for left in range(shown.shape[1] - columns + 1)
        if (shown[top, left] == pixels[0, 0]).all()
        and (shown[top : top + rows, left : left + columns] == pixels).all()
    ]
    assert len(places) == 1


def test_the_sides_of_the_boundary_never_share_a_color():
    """Each side is darker toward the boundary, and no shade occurs on both."""
    distance = np.geomspace(1e-6, 1, 200)
    measure = np.concatenate([-distance, distance])[None]
    colors = [tuple(color) for color in pixels_of(replace(view_of(1, 400), measure=measure))[0]]
    assert not set(colors[:200]) & set(colors[200:])
    lightness = [sum(map(int, color)) for color in colors]
    assert lightness[:200] == sorted(lightness[:200], reverse=True)
    assert lightness[200:] == sorted(lightness[200:], reverse=True)


@pytest.mark.parametrize("is_log", [False, True])
def test_the_ticks_of_a_narrow_range_are_different_numbers_within_it(is_log):
    axis = MapAxis("learning rate", 1.2345671, 1.2345689, is_log)
    shares, texts = axis.ticks()
    assert len(set(texts)) == len(texts) >= 2
    assert all(axis.low <= float(text) <= axis.high for text in texts)
    assert all(0 <= share <= 1 for share in shares)


def test_rates_in_words():
    text = success_rates_picture(WIDTHS[:2], "hidden units", name="rates").alt
    assert text == (
        "How often a network is right, by hidden units, with 95 % intervals. 2: 24.0% (20.0% to "
        "29.0%); 3: 51.0% (48.0% to 55.0%), the run's own."
    )


def test_quantiles_in_words():
    text = loss_quantiles_picture(STEPS, QUANTILES["some diverge"], name="loss").alt
    assert text == (
        "The losses of all networks over the steps of training. 25% of the networks end below 0; "
        "50% of the networks end below 0.04; 75% of the networks end below ∞."
    )


def test_a_failure_in_words():
    text = failure_picture(FAILURES["half adder"], name="failure").alt
    assert text.startswith(
        "10.4% of the networks, for example member 5. a 0, b 0: expected 0, got 1, wrong, units "
        "on: none. a 0, b 1: expected 1, got 1, right, units on: 1."
    )
    assert text.endswith("changed, 52% are right (control group 12%): a cause.")


def test_of_many_rows_the_wrong_ones_are_shown():
    shown = shown_rows(FAILURES["wide"].rows)
    assert len(shown) == 16
    assert not any(row.is_right for row in shown)
