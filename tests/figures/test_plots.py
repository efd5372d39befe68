"""Every ``plot_…``: nothing in it is unreadable, and its axes hold what was to be shown."""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from figures.layout import faults_of, luminance
from figures.samples import (
    FAILURES,
    GRAPHS,
    HALF_ADDER,
    LECTURE,
    NETS,
    QUANTILES,
    RATES,
    RUNS,
    STEPS,
    random_net,
    view_of,
)
from matplotlib import pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from adderlab.blocks.numbers import compact
from adderlab.figures import (
    PALETTE,
    MapAxis,
    map_png,
    plot_activations,
    plot_failure,
    plot_loss_quantiles,
    plot_losses,
    plot_map,
    plot_network,
    plot_operations,
    plot_success_rates,
    plot_surface,
    plot_truth_table,
    styled,
)
from adderlab.figures.style import written
from adderlab.figures.surface import _values
from adderlab.nets import Readout, network
from adderlab.nets.walk import nameless_task
from adderlab.tasks import task_named


@pytest.fixture(autouse=True)
def closed():
    """Close every figure that a plot opens."""
    yield
    plt.close("all")


def plots_of(net):
    """Yield every drawing of a network, each on axes of its own."""
    yield from network_plots_of(net)
    yield from other_plots_of(net)


def network_plots_of(net):
    task = net.task or nameless_task(net)
    yield plot_network(net, task)
    yield plot_network(net, task, row=task.row(task.rows - 1).inputs)


def other_plots_of(net):
    task = net.task or nameless_task(net)
    yield plot_truth_table(net, task)
    if net.hidden:
        yield plot_activations(net, task)
    if net.n_in == 2:
        yield from (plot_surface(net, task, output=bit) for bit in task.output_bits)


PLOTS = {
    **{name: lambda net=net: plots_of(net) for name, net in NETS.items()},
    **{name: lambda net=net: network_plots_of(net) for name, net in GRAPHS.items()},
    "other plots of a graph": lambda: other_plots_of(GRAPHS["read twice"]),
    **{
        f"{name} without a task": lambda net=NETS[name]: plots_of(replace(net, task=None))
        for name in ("printed", "affine", "large", "wide outputs")
    },
    "losses": lambda: map(plot_losses, RUNS.values()),
    "rates": lambda: (
        plot_success_rates(points, "hidden units", is_log=is_log)
        for points, is_log in RATES.values()
    ),
    "quantiles": lambda: (plot_loss_quantiles(STEPS, q) for q in QUANTILES.values()),
    "failures": lambda: map(plot_failure, FAILURES.values()),
    "maps": lambda: (
        plot_map(view_of(*size, shows))
        for size in ((8, 8), (256, 256), (64, 640), (900, 300))
        for shows in ("convergence", "success")
    ),
}


@pytest.mark.parametrize("name", PLOTS)
def test_no_text_is_cut_off_small_or_over_other_text(name):
    for ax in PLOTS[name]():
        with styled():
            assert faults_of(ax.figure) == []


def test_the_check_of_drawings_finds_what_is_wrong():
    """Its negative twin: text over text, text off the paper, small text."""
    with styled():
        ax = Figure(figsize=(100 / 72, 60 / 72)).add_axes((0, 0, 1, 1))
        _ = ax.set(xlim=(0, 100), ylim=(60, 0))
        ax.set_axis_off()
        for x, y, text, size in (
            (50, 20, "first", 11), (52, 24, "second", 11), (99, 50, "off", 11), (30, 50, "small", 9)
        ):  # fmt: skip
            _ = ax.text(x, y, text, fontsize=size)
        assert faults_of(ax.figure) == [
            "'off' is off the paper",
            "'small' is 9.0 points",
            "'first' and 'second' overlap",
        ]


def test_a_network_can_be_read_on_small_axes_too():
    """Its text shrinks with the drawing, so that nothing comes to lie over anything."""
    figure = Figure(figsize=(4, 4), dpi=300)
    _ = plot_network(NETS["printed"], row={"a": 1, "b": 1}, ax=figure.add_axes((0, 0, 1, 1)))
    assert [fault for fault in faults_of(figure) if not fault.endswith("points")] == []


def test_a_figure_is_drawn_on_the_axes_of_its_user_in_the_users_style():
    axes = Figure(figsize=(12, 8)).subplots(2, 3).ravel()
    assert plot_network(LECTURE, ax=axes[0]) is axes[0]
    assert plot_truth_table(LECTURE, HALF_ADDER, ax=axes[1]) is axes[1]
    assert plot_activations(LECTURE, HALF_ADDER, ax=axes[2]) is axes[2]
    assert plot_surface(LECTURE, HALF_ADDER, output="c0", ax=axes[3]) is axes[3]
    assert plot_losses(RUNS["single"], ax=axes[4]) is axes[4]
    assert plot_operations({"with reuse": [(1, 4), (2, 7)]}, ax=axes[5]) is axes[5]
    assert to_hex(axes[4].get_lines()[0].get_color()) == "#1f77b4"  # matplotlib's first, not ours


# --- networks -----------------------------------------------------------------------------------


def texts_of(ax):
    return [text.get_text().replace("\N{MINUS SIGN}", "-") for text in ax.texts]


def numbers_of(ax):
    return [text for text in texts_of(ax) if re.fullmatch(r"-?[0-9.e+-]+", text)]


@pytest.mark.parametrize("hidden", [2, 3, 5, 8])
def test_up_to_8_units_a_layer_every_weight_is_written_once(hidden):
    for seed in range(3):
        net = random_net((2, hidden, 2), HALF_ADDER, seed)
        weights = [w for layer in net.layers for w in layer.weight.numbers.ravel()]
        shown = sorted(map(float, numbers_of(plot_network(net))))
        assert shown == pytest.approx(sorted(weights), abs=0.5e-2)


def test_weights_of_zero_and_of_large_networks_are_not_written_and_long_names_are_cut():
    assert sorted(numbers_of(plot_network(LECTURE))) == ["-2", *["1"] * 8]
    assert numbers_of(plot_network(random_net((2, 9, 2), HALF_ADDER))) == []
    assert "the_carry…omes_out" in texts_of(plot_network(NETS["long names"]))


def units_of(ax):
    """Return the middles and radii of the units, marks included, from left to right."""
    circles = [(patch.center, patch.radius) for patch in ax.patches if patch.get_zorder() == 3]
    return np.array([center for center, _ in circles]), np.array([radius for _, radius in circles])


DRAWN_GRAPHS = [name for name in GRAPHS if name != "graph of blocks"]


def edges_through_units(net):
    """Return how many units an edge runs through; each touches the two at its ends."""
    ax = plot_network(net, row={"a": 1, "b": 1})
    middles, radii = units_of(ax)
    count = 0
    for line in ax.get_lines():
        points = line.get_xydata()
        shares = np.linspace(0, 1, 60)[:, None]
        parts = [a + (b - a) * shares for a, b in pairwise(points)]
        away = np.linalg.norm(np.concatenate(parts)[:, None] - middles[None], axis=2)
        count += int((away.min(axis=0) < radii - 0.01).sum())
    return count


@pytest.mark.parametrize("name", DRAWN_GRAPHS)
def test_no_edge_of_a_graph_runs_through_a_unit(name):
    assert edges_through_units(GRAPHS[name]) == 0


def test_an_edge_that_skips_a_column_would_run_through_its_units(monkeypatch):
    """The negative twin: straight lines do."""
    monkeypatch.setattr(
        "adderlab.figures.graph.routes", lambda lines, walls, lane: [list(line) for line in lines]
    )
    assert edges_through_units(GRAPHS["residual sum"]) > 0


@pytest.mark.parametrize("name", DRAWN_GRAPHS)
def test_each_edge_of_a_graph_leads_from_what_its_layer_reads(name):
    """Between which columns, and how many: told by the wiring alone."""
    net = GRAPHS[name]
    columns = net.wiring.columns()
    column_of = {name: place for place, column in enumerate(columns) for name in column}
    sizes = {"input": net.n_in}
    expected = []
    for node, layer in zip(net.wiring.layers, net.layers, strict=True):
        sizes[node.name] = layer.n_out
        for read in node.reads:
            ends = column_of[read], column_of[node.name]
            expected += [ends] * (sizes[read] * layer.n_out)
    inner = {read for node in net.wiring.layers for read in node.reads}
    for read in net.wiring.output.reads:
        expected += [(column_of[read], len(columns) - 1)] * (sizes[read] if read in inner else 0)
    ax = plot_network(net)
    places = sorted({round(x, 3) for x, _ in units_of(ax)[0]})
    lines = [line.get_xydata() for line in ax.get_lines() if line.get_linewidth() != 2.0]
    result = [
        tuple(int(np.abs(np.array(places) - x).argmin()) for x in (line[0, 0], line[-1, 0]))
        for line in lines
    ]
    assert sorted(result) == sorted(expected)


@pytest.mark.parametrize("name", ["two heads", "skip", "residual sum", "every layer reads all"])
def test_every_weight_of_a_small_graph_is_written_once(name):
    weights = [w for layer in GRAPHS[name].layers for w in layer.weight.numbers.ravel() if w]
    shown = sorted(map(float, numbers_of(plot_network(GRAPHS[name]))))
    assert shown == pytest.approx(sorted(weights), abs=0.5e-2)


def test_columns_of_a_graph_name_their_layers_and_an_output_that_is_read_has_a_mark():
    texts = texts_of(plot_network(GRAPHS["two heads"]))
    assert {"fc1, relu", "fc2, relu", "fc3, tanh", "fc5", "fc4", "outputs"} <= set(texts)
    assert "hidden" not in texts
    assert "read out" not in texts
    texts = texts_of(plot_network(GRAPHS["read twice"], row={"a": 1, "b": 1}))
    assert (texts.count("c1"), texts.count("c0"), texts.count("read out")) == (2, 1, 1)


def test_a_block_of_a_graph_says_what_it_reads_and_no_arrow_leads_to_what_it_does_not():
    ax = plot_network(GRAPHS["graph of blocks"])
    texts = texts_of(ax)
    assert {"reads input", "reads input, fc1", "reads fc3, input", "reads fc2"} <= set(texts)
    assert "2 outputs of fc5, fc4, 1 where > 0.5" in texts
    assert sum(hasattr(text, "arrow_patch") for text in ax.texts) == 4  # of 6 in a chain


def test_positive_and_negative_weights_differ_in_dashes():
    lines = plot_network(LECTURE).get_lines()
    dashes = [line.get_linestyle() for line in lines if line.get_linewidth() > 0.7]
    assert (dashes.count("-"), dashes.count("--")) == (8 + 1, 1 + 1)  # edges, and the key


def test_right_and_wrong_differ_in_mark_and_word():
    (table,) = plot_truth_table(LECTURE, HALF_ADDER).tables
    marks = [table[row, 6].get_text().get_text() for row in range(1, 5)]
    assert marks == ["✔", "✔", "✔", "✘ wrong"]


def test_units_are_off_where_they_are_zero_on_every_row():
    assert "off on every row" in texts_of(plot_activations(NETS["printed"], HALF_ADDER))
    assert "off on every row" not in texts_of(plot_activations(LECTURE, HALF_ADDER))
    wide = task_named("adder:8")  # too many rows to look at each
    assert "off on every row" not in texts_of(plot_activations(random_net((16, 3, 9), wide), wide))


# --- surfaces -----------------------------------------------------------------------------------


def test_the_threshold_line_of_a_surface_says_its_height():
    ax = plot_surface(NETS["printed"], HALF_ADDER)
    assert "0.5" in [text.get_text() for text in ax.texts if text.get_fontweight() == "bold"]


@pytest.mark.parametrize("name", ["lecture", "printed", "exact", "tanh"])
@pytest.mark.parametrize("output", [0, 1])
def test_every_blue_of_a_surface_is_darker_than_every_orange(name, output):
    """So that in gray a 0 can't be taken for a 1."""
    bands = plot_surface(NETS[name], HALF_ADDER, output=output).collections[0]
    shades = {True: [0.0], False: [1.0]}
    for *color, alpha in bands.get_facecolor():
        mixed = to_hex([1 + alpha * (part - 1) for part in color])
        shades[color[2] > color[0]].append(luminance(mixed))
    assert max(shades[True]) < min(shades[False])


@pytest.mark.parametrize(("convention", "color"), [(">", "below"), (">=", "above")])
def test_a_plateau_at_the_threshold_has_the_color_of_its_bit(convention, color):
    """The lecture's outputs are exactly 0 over half the square, and its threshold is 0."""
    net = replace(LECTURE, readout=Readout("threshold", 0.0, convention))
    bands = plot_surface(net, HALF_ADDER).collections[0]
    colors = [
        to_hex(face[:3])
        for path, face in zip(bands.get_paths(), bands.get_facecolor(), strict=True)
        if len(path.vertices) and path.contains_point((-0.1, -0.1))
    ]
    assert colors == [PALETTE[color]]


@pytest.mark.parametrize("name", ["lecture", "printed", "exact", "tanh"])
@pytest.mark.parametrize("output", [0, 1])
def test_a_color_bar_ends_where_the_values_end(name, output):
    """The ends are named, and the bands between them cover the whole surface."""
    ax = plot_surface(NETS[name], HALF_ADDER, output=output)
    values = _values(NETS[name])[..., output]
    (bar,) = (other for other in ax.figure.axes if other is not ax)
    assert bar.get_ylim() == (values.min(), values.max())
    texts = [text.get_text() for text in bar.get_yticklabels()]
    ends = [written(compact(float(end), 3)) for end in (values.min(), values.max())]
    assert [texts[0], texts[-1]] == ends
    assert len(texts) == len(set(texts))


@pytest.mark.parametrize("convention", [">", ">="])
@pytest.mark.parametrize("value", [0.0, 0.5, 2.0])
def test_a_surface_of_one_value_has_the_color_of_its_bit(value, convention):
    zeros = [[[0, 0]], [[0]]]
    net = network(zeros, [[0], [value]], readout=Readout("threshold", 0.5, convention))
    bands = plot_surface(net, task_named("parity:2")).collections[0]
    is_one = value > 0.5 or (value == 0.5 and convention == ">=")
    (color,) = (to_hex(face[:3]) for face in bands.get_facecolor())
    assert color == PALETTE["above" if is_one else "below"]


# --- runs and populations -----------------------------------------------------------------------


@pytest.mark.parametrize("name", RUNS)
def test_loss_curves_hold_every_finite_loss_and_end_in_a_cross_where_they_diverge(name):
    lines = plot_losses(RUNS[name]).get_lines()
    points = [line.get_xydata().tolist() for line in lines if line.get_marker() != "x"]
    finite = [[list(p) for p in run if math.isfinite(p[1])] for run in RUNS[name].values()]
    assert points == [run for run in finite if run]
    crosses = [line.get_xydata().tolist() for line in lines if line.get_marker() == "x"]
    assert crosses == ([[[1.0, 0.5]]] if name == "diverged" else [])


@pytest.mark.parametrize("name", RATES)
def test_rates_stand_where_they_were_measured(name):
    points, is_log = RATES[name]
    ax = plot_success_rates(points, "hidden units", is_log=is_log)
    assert ax.get_lines()[0].get_xydata().tolist() == [[point.x, point.share] for point in points]
    assert ax.get_xscale() == ("log" if is_log else "linear")


@pytest.mark.parametrize("name", QUANTILES)
def test_quantiles_are_a_finite_median_between_bands(name):
    ax = plot_loss_quantiles(STEPS, QUANTILES[name])
    (median,) = ax.get_lines()
    assert np.isfinite(median.get_ydata()).all()
    assert len(ax.collections) == len(QUANTILES[name]) // 2


def test_of_many_rows_of_a_failure_the_wrong_ones_are_shown():
    (table,) = plot_failure(FAILURES["wide"]).tables
    cells = {place: cell.get_text().get_text() for place, cell in table.get_celld().items()}
    rows = max(row for row, _ in cells)
    assert rows == 16
    assert all(any("✘" in cells[row, column] for column in range(5)) for row in range(1, 17))


@pytest.mark.parametrize(
    ("rows", "columns", "side"), [(8, 8, 64), (64, 200, 3), (300, 90, 2), (90, 600, 1)]
)
@pytest.mark.parametrize("shows", ["convergence", "success"])
def test_each_network_of_a_maps_image_is_a_square_of_pixels(rows, columns, side, shows):
    """Whole pixels, the same number for each, so that the longer side has 512 or more."""
    view = view_of(rows, columns, shows)
    with Image.open(io.BytesIO(map_png(view))) as image:
        shown = np.asarray(image.convert("RGB"))
        assert image.info["Pixels a network"] == f"{side} x {side}"
        assert "to the right" in image.info["Description"]
    pixels = np.asarray(plot_map(view).images[0].get_array())
    drawn = np.kron(pixels, np.ones((side, side, 1), dtype=np.uint8))
    height, width = drawn.shape[:2]
    assert max(height, width) >= 512
    tops, lefts = np.nonzero((shown == drawn[0, 0]).all(axis=2))
    places = [
        (top, left)
        for top, left in zip(tops, lefts, strict=True)
        if shown[top : top + height, left : left + width].shape == drawn.shape
        and (shown[top : top + height, left : left + width] == drawn).all()
    ]
    assert len(places) == 1


def test_the_sides_of_the_boundary_never_share_a_color():
    """Each side is darker toward the boundary, and no shade occurs on both."""
    distance = np.geomspace(1e-6, 1, 200)
    measure = np.concatenate([-distance, distance])[None]
    image = plot_map(replace(view_of(1, 400), measure=measure)).images[0].get_array()
    colors = [tuple(color) for color in image[0]]
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
