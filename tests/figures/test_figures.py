"""Every figure can be read, says in words what it shows, and has the same bytes everywhere."""

from __future__ import annotations

import hashlib
import io
import math
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from figures.layout import faults_of
from figures.population import population_pictures
from PIL import Image

from adderlab.building import lecture_network, printed_network
from adderlab.figures import (
    PALETTE,
    PNG_SCALE,
    Picture,
    activations_picture,
    losses_picture,
    network_picture,
    operations_picture,
    plot_activations,
    plot_losses,
    plot_network,
    plot_operations,
    plot_surface,
    plot_truth_table,
    styled,
    surface,
    surface_pictures,
    truth_table,
    truth_table_picture,
)
from adderlab.figures.activations import activations_of, size_of
from adderlab.figures.graph import is_drawn, lay_out
from adderlab.figures.network import network_size
from adderlab.figures.picture import drawn
from adderlab.figures.style import shortened
from adderlab.nets import EXACT, Activation, Network, Readout, network
from adderlab.nets.truth import rows_to_show
from adderlab.nets.walk import nameless_task
from adderlab.tasks import Task, task_named
from adderlab.tasks.table import parse_table

HALF_ADDER = task_named("half-adder")
SVG = "{http://www.w3.org/2000/svg}"
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def random_net(sizes: tuple[int, ...], task: Task, seed: int = 1, **options: Any) -> Network:
    """A network with weights from a generator, many digits each."""
    generator = np.random.default_rng(seed)
    weights = [generator.normal(size=(n, m)) for m, n in pairwise(sizes)]
    biases = [generator.normal(size=n) for n in sizes[1:]]
    return network(
        [weight.astype(np.float32) for weight in weights],
        [bias.astype(np.float32) for bias in biases],
        task=task,
        **options,
    )


def long_numbers() -> Network:
    """Weights of every size: what is tiny, what is huge, what has many digits."""
    return network(
        [[[1e-9, -123456.789], [98765.4321, -1.17519999], [3e30, -2e-30]]],
        [[-99999.99, 1e12, 0.000123456]],
        task=parse_table("in a:1,in b:1,out s:3\n0,0,*\n0,1,1\n1,0,2\n1,1,7\n", where="t.csv"),
        readout=Readout("threshold", 123.456789, ">="),
        format="fp64",
    )


def long_names() -> Network:
    """A task whose words have long names."""
    header = "in operand_on_the_left_hand_side:1,in WWWWWWWWWWWWWWWWWWWWWW:1"
    text = f"{header},out the_carry_that_comes_out:1,out s:1\n0,0,0,0\n0,1,0,1\n1,0,0,1\n1,1,1,0\n"
    return random_net((2, 3, 2), parse_table(text, where="names.csv"), 4)


NETS: dict[str, Callable[[], Network]] = {
    "lecture": lambda: lecture_network(HALF_ADDER),
    "printed": printed_network,
    "2-8-2": lambda: random_net((2, 8, 2), HALF_ADDER),
    "2-64-2": lambda: random_net((2, 64, 2), HALF_ADDER),
    "4-16-3": lambda: random_net((4, 16, 3), task_named("adder:2")),
    "deep": lambda: random_net((2, 3, 4, 2), HALF_ADDER, 3),
    "full-adder": lambda: random_net((3, 3, 2), task_named("full-adder"), 5),
    "tanh": lambda: random_net((2, 3, 2), HALF_ADDER, 7, activation=Activation("tanh")),
    "exact": lambda: replace(random_net((2, 2, 2), HALF_ADDER, 8), readout=EXACT),
    "step": lambda: random_net((2, 3, 2), HALF_ADDER, 9, activation=Activation("step")),
    "one word": lambda: random_net((2, 2, 1), task_named("parity:2"), 2),
    "affine": lambda: random_net((2, 2), HALF_ADDER),
    "large": lambda: random_net((16, 80, 9), task_named("adder:8")),
    "many layers": lambda: random_net((2, *[3] * 12, 2), HALF_ADDER),
    "many outputs": lambda: random_net((8, 21, 5), task_named("adder:4")),
    "wide outputs": lambda: random_net((40, 3, 21), task_named("adder:20")),
    "long numbers": long_numbers,
    "long names": long_names,
}


def scenes(net: Network) -> Iterator[tuple[str, Any]]:
    """Every drawing of a network."""
    task = net.task or nameless_task(net)
    row = task.row(task.rows - 1).inputs
    for name, inputs in (("network", None), ("way", row)):
        if inputs is None or is_drawn(net):
            size = network_size(net, task, inputs)
            plot = partial(plot_network, net, task, row=inputs)
            yield name, drawn(lambda ax, plot=plot: plot(ax=ax), size=size, fills=True)
    shown = rows_to_show(net, task)
    size = truth_table.size_of(shown, task)
    yield "truth table", drawn(lambda ax: plot_truth_table(net, task, ax=ax), size=size, fills=True)
    if net.hidden:
        size = size_of(activations_of(net, task))
        yield "activations", drawn(lambda ax: plot_activations(net, task, ax=ax), size=size)
    if net.n_in == 2:
        for bit in task.output_bits:
            plot = partial(plot_surface, net, task, output=bit)
            yield "surface", drawn(lambda ax, plot=plot: plot(ax=ax), size=surface.SIZE)


@pytest.mark.parametrize("name", NETS)
def test_no_text_is_cut_off_small_or_over_other_text(name: str) -> None:
    """Whatever the network, and with a row's values or without."""
    with styled():
        faults = {scene: faults_of(figure) for scene, figure in scenes(NETS[name]())}
    assert not any(faults.values()), faults


@pytest.mark.parametrize("name", ["printed", "affine", "large", "wide outputs"])
def test_networks_without_a_task_can_be_drawn_too(name: str) -> None:
    with styled():
        faults = {
            scene: faults_of(figure) for scene, figure in scenes(replace(NETS[name](), task=None))
        }
    assert not any(faults.values()), faults


def test_weights_find_a_place_in_small_networks() -> None:
    """Up to 8 units a layer every weight that is not 0 is written, once."""
    for seed in range(3):
        for hidden in (2, 3, 5, 8):
            graph = lay_out(random_net((2, hidden, 2), HALF_ADDER, seed))
            assert graph.labels is not None, (seed, hidden)
            assert [len(layer) for layer in graph.labels] == [2 * hidden, 2 * hidden]
    zeros = lay_out(lecture_network(HALF_ADDER))
    assert zeros.labels is not None
    assert [len(layer) for layer in zeros.labels] == [6, 3]
    assert lay_out(random_net((2, 9, 2), HALF_ADDER)).labels is None


RUNS: dict[str, dict[str, list[tuple[int, float]]]] = {
    "single": {"seed 0": [(100, 0.1303), (200, 0.0863), (300, 0.041)]},
    "alike": {f"seed {s}": [(100, 0.2), (200, 0.1 + s * 1e-5)] for s in range(12)},
    "many": {f"seed {s}": [(100, 0.2), (200, 0.1 + s * 1e-3)] for s in range(40)},
    "falling": {"a": [(n, math.exp(-n)) for n in range(1, 30)], "b": [(1, 1.0), (29, 0.9)]},
    "diverged": {
        "good": [(1, 0.5), (9, 0.25)],
        "bad": [(1, 0.5), (2, math.inf)],
        "lost": [(1, math.nan)],
    },
    "short": {"x" * 60: [(7, 0.0)], "negative": [(1, -1.5), (7, 2e9)]},
    "none": {},
}


@pytest.mark.parametrize("name", RUNS)
def test_loss_curves_can_be_read_and_hold_every_finite_loss(name: str) -> None:
    with styled():
        figure = drawn(lambda ax: plot_losses(RUNS[name], ax=ax))
        assert faults_of(figure) == []
    lines = [line for line in figure.axes[0].get_lines() if line.get_marker() != "x"]
    points = [line.get_xydata().tolist() for line in lines]
    finite = [[list(p) for p in run if math.isfinite(p[1])] for run in RUNS[name].values()]
    assert points == [run for run in finite if run]


def test_a_run_that_diverged_ends_in_a_cross() -> None:
    """Its end is marked by a shape, in any color."""
    with styled():
        ax = drawn(lambda ax: plot_losses(RUNS["diverged"], ax=ax)).axes[0]
    crosses = [line.get_xydata().tolist() for line in ax.get_lines() if line.get_marker() == "x"]
    assert crosses == [[[1.0, 0.5]]]


def test_a_figure_is_drawn_on_the_axes_of_its_user() -> None:
    """Every kind goes into a figure with others, in the user's own style."""
    from matplotlib.colors import to_hex
    from matplotlib.figure import Figure

    net = lecture_network(HALF_ADDER)
    axes = Figure(figsize=(12, 8)).subplots(2, 3).ravel()
    assert plot_network(net, ax=axes[0]) is axes[0]
    assert plot_truth_table(net, HALF_ADDER, ax=axes[1]) is axes[1]
    assert plot_activations(net, HALF_ADDER, ax=axes[2]) is axes[2]
    assert plot_surface(net, HALF_ADDER, output="c0", ax=axes[3]) is axes[3]
    assert plot_losses(RUNS["single"], ax=axes[4]) is axes[4]
    assert plot_operations({"with reuse": [(1, 4), (2, 7)]}, ax=axes[5]) is axes[5]
    assert to_hex(axes[4].get_lines()[0].get_color()) == "#1f77b4"  # matplotlib's first, not ours


def test_a_network_can_be_read_on_small_axes_too() -> None:
    """Its text shrinks with the drawing, so that nothing comes to lie over anything."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4, 4), dpi=300)
    _ = plot_network(printed_network(), row={"a": 1, "b": 1}, ax=figure.add_axes((0, 0, 1, 1)))
    faults = [fault for fault in faults_of(figure) if not fault.endswith("points")]
    assert faults == []


def test_the_threshold_line_of_a_surface_says_its_height() -> None:
    with styled():
        ax = drawn(lambda ax: plot_surface(printed_network(), HALF_ADDER, ax=ax)).axes[0]
    bold = [text.get_text() for text in ax.texts if text.get_fontweight() == "bold"]
    assert "0.5" in bold


def test_positive_and_negative_weights_differ_in_dashes() -> None:
    with styled():
        ax = drawn(lambda ax: plot_network(lecture_network(HALF_ADDER), ax=ax)).axes[0]
    dashes = [line.get_linestyle() for line in ax.get_lines() if line.get_linewidth() > 0.7]
    assert (dashes.count("-"), dashes.count("--")) == (8 + 1, 1 + 1)  # edges, and the key


def test_the_check_of_drawings_finds_what_is_wrong() -> None:
    """Its negative twin: text over text, text off the paper, small text."""

    def plot(ax: Any) -> None:
        _ = ax.set(xlim=(0, 100), ylim=(60, 0))
        ax.set_axis_off()
        for x, y, text, size in (
            (50, 20, "first", 11),
            (52, 24, "second", 11),
            (99, 50, "off", 11),
            (30, 50, "small", 9),
        ):
            _ = ax.text(x, y, text, fontsize=size)

    with styled():
        assert faults_of(drawn(plot, size=(100 / 72, 60 / 72), fills=True)) == [
            "'off' is off the paper",
            "'small' is 9.0 points",
            "'first' and 'second' overlap",
        ]


# --- files --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    """Every kind of figure, once."""
    return make_pictures()


def make_pictures() -> list[Picture]:
    net, printed = lecture_network(HALF_ADDER), printed_network()
    activations = activations_picture(printed, HALF_ADDER)
    assert activations is not None
    return [
        network_picture(net),
        network_picture(net, row={"a": 1, "b": 1}, name="way"),
        network_picture(random_net((16, 80, 9), task_named("adder:8")), name="blocks"),
        truth_table_picture(net, HALF_ADDER),
        *surface_pictures(net, HALF_ADDER),
        activations,
        losses_picture(RUNS["diverged"]),
        operations_picture({"without": [(1, 4), (2, 11)], "with reuse": [(1, 4), (2, 7)]}),
        *population_pictures(),
    ]


def digest(pictures: list[Picture]) -> str:
    data = b"".join(picture.svg.encode() + picture.png for picture in pictures)
    return hashlib.sha256(data).hexdigest()


def test_the_bytes_are_the_same_in_every_process(pictures: list[Picture], tmp_path: Path) -> None:
    """Another hash seed, the user's own settings, another time: none of it shows."""
    again = network_picture(lecture_network(HALF_ADDER))
    assert digest([again]) == digest(pictures[:1])
    settings = tmp_path / "matplotlibrc"
    _ = settings.write_text(
        "font.size: 31\nsvg.fonttype: none\naxes.facecolor: red\nbackend: svg\n"
    )
    code = (
        "import sys; from figures.test_figures import digest, make_pictures; "
        "digest = digest(make_pictures()); "
        "assert 'matplotlib.pyplot' not in sys.modules; print(digest)"
    )
    env = {**os.environ, "PYTHONHASHSEED": "17", "MATPLOTLIBRC": str(settings), "TZ": "Asia/Tokyo"}
    env["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[1]), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.returncode) == (digest(pictures), 0), done.stderr


def test_settings_of_others_are_left_alone_and_threads_do_not_meet() -> None:
    """Four threads draw at once; afterwards matplotlib is as it was."""
    import matplotlib

    before = dict(matplotlib.rcParams)
    net = printed_network()
    expected = truth_table_picture(net, HALF_ADDER)
    drawings: list[Picture] = []
    threads = [
        threading.Thread(target=lambda: drawings.append(truth_table_picture(net, HALF_ADDER)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawings == [expected] * 4
    assert dict(matplotlib.rcParams) == before


def test_the_svg_is_valid_and_says_what_it_is(pictures: list[Picture]) -> None:
    for picture in pictures:
        for svg in (picture.svg, picture.themed_svg):
            root = ElementTree.fromstring(svg)
            assert root.tag == f"{SVG}svg"
            assert root.attrib["role"] == "img"
            texts = {
                element.attrib["id"]: element.text
                for element in root
                if element.tag in (f"{SVG}title", f"{SVG}desc")
            }
            labels = root.attrib["aria-labelledby"].split()
            assert [texts[label] for label in labels] == [picture.title, picture.alt]
            assert not root.findall(f".//{SVG}style") + root.findall(f".//{SVG}metadata")
            sizes = [float(root.attrib[side]) for side in ("width", "height")]
            box = [float(value) for value in root.attrib["viewBox"].split()]
            assert box[:2] == [0, 0]
            assert sizes == pytest.approx([value * 4 / 3 for value in box[2:]], rel=1e-5)


def test_several_pictures_fit_into_one_page(pictures: list[Picture]) -> None:
    """No id occurs twice, and each reference leads to an id of its own picture."""
    seen: set[str] = set()
    for picture in pictures:
        root = ElementTree.fromstring(picture.themed_svg)
        ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
        assert len(ids) == len(set(ids))
        assert seen.isdisjoint(ids)
        seen.update(ids)
        targets = re.findall(r'(?:href="|url\()#([^")]*)', picture.themed_svg)
        assert set(targets) <= set(ids)
        assert all(name.startswith(f"{picture.name}-") for name in ids)


def test_nothing_is_fetched(pictures: list[Picture]) -> None:
    for picture in pictures:
        assert set(re.findall(r"https?://[^\s\"'<)]*", picture.svg)) <= NAMESPACES
        assert not re.search(r"<(image|script|foreignObject|!DOCTYPE|!ENTITY)", picture.svg)


def test_every_color_is_one_of_the_palette_and_a_variable_in_a_page(
    pictures: list[Picture],
) -> None:
    assert len(set(PALETTE.values())) == len(PALETTE)
    for picture in pictures:
        assert set(re.findall(r"#[0-9a-f]{6}\b", picture.svg)) <= set(PALETTE.values())
        left = re.sub(r"var\(--fig-([a-z]+), (#[0-9a-f]{6})\)", _checked, picture.themed_svg)
        assert not re.search(r": #[0-9a-f]{6}\b", left)
        assert "var(--fig-paper" in picture.themed_svg
        assert "var(" not in picture.svg


def _checked(match: re.Match[str]) -> str:
    assert PALETTE[match[1]] == match[2]
    return ""


def test_colors_differ_in_lightness_and_text_stands_out() -> None:
    """In gray, positive from negative, below from above; against paper, every ink of text."""
    light = {name: _luminance(code) for name, code in PALETTE.items()}

    def contrast(first: str, second: str) -> float:
        low, high = sorted((light[first], light[second]))
        return (high + 0.05) / (low + 0.05)

    assert contrast("positive", "negative") > 1.8
    assert contrast("below", "above") > 2.5
    for name in ("ink", "muted", "right", "wrong"):
        assert contrast("paper", name) > 4.5
    for name in ("positive", "negative"):
        assert contrast("paper", name) > 3


def _luminance(code: str) -> float:
    parts = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_blue_of_a_surface_is_darker_than_every_orange() -> None:
    """So that in gray a 0 can't be taken for a 1."""
    for name in ("lecture", "printed", "exact", "tanh"):
        net = NETS[name]()
        for place in range(2):
            with styled():
                plot = partial(plot_surface, net, HALF_ADDER, output=place)
                bands = drawn(lambda ax, plot=plot: plot(ax=ax)).axes[0].collections[0]
            shades: dict[bool, list[float]] = {True: [0.0], False: [1.0]}
            for *color, alpha in bands.get_facecolor():
                mixed = [round(255 * (1 + alpha * (part - 1))) for part in color]
                code = "#" + "".join(f"{part:02x}" for part in mixed)
                shades[color[2] > color[0]].append(_luminance(code))
            assert max(shades[True]) < min(shades[False])


def test_the_png_has_the_stated_size_and_the_same_drawing(pictures: list[Picture]) -> None:
    for picture in pictures:
        root = ElementTree.fromstring(picture.svg)
        width, height = (float(root.attrib[side]) for side in ("width", "height"))
        with Image.open(io.BytesIO(picture.png)) as image:
            assert image.size == (round(PNG_SCALE * width), round(PNG_SCALE * height))
            assert image.info.keys() <= {"dpi"}
            gray = np.asarray(image.convert("L"))
        assert (gray < 100).any()
        assert (gray == 255).mean() > 0.2


def test_a_picture_writes_both_files(tmp_path: Path) -> None:
    picture = losses_picture(RUNS["single"])
    svg, png = picture.write(tmp_path)
    assert (svg.name, png.name) == ("losses.svg", "losses.png")
    assert svg.read_text(encoding="utf-8") == picture.svg + "\n"
    assert png.read_bytes() == picture.png


def test_names_from_outside_are_escaped() -> None:
    """A run may be called anything."""
    picture = losses_picture(
        {'</title><script>&"\x00\ud800': [(1, 0.5)], "$x_1$ #ffffff": [(1, 0.2)]}
    )
    root = ElementTree.fromstring(picture.themed_svg)
    assert not root.findall(f".//{SVG}script")
    assert "#ffffff" in picture.alt


# --- what they say ------------------------------------------------------------------------------


def test_descriptions_say_the_content(pictures: list[Picture]) -> None:
    alts = {picture.name: picture.alt for picture in pictures}
    assert "h2 = relu(1 a + 1 b - 0.5)." in alts["way"]
    assert "c0 = 1 h2 - 2 h3." in alts["way"]
    assert "c0: 0.5 > 0 → 1, expected 0." in alts["way"]
    first = "3 of 4 rows right. a 0, b 0: expected 00, got 00, right, outputs 0, 0."
    assert alts["truth-table"].startswith(first)
    last = "a 1, b 1: expected 10, got 11, wrong, outputs 0.5, 0.5."
    assert alts["truth-table"].endswith(last)
    assert alts["surface-c0"].endswith("At a 1, b 1 it is 0.5, expected 0, wrong.")
    assert "a 0, b 0: h1 0, h2 0.4568, h3 0." in alts["activations"]
    assert alts["activations"].endswith("Off on every row: h3.")
    assert "good: loss 0.5000 at step 1, 0.2500 at step 9." in alts["losses"]
    assert "bad: loss 0.5000 at step 1, then diverged." in alts["losses"]
    titles = {picture.name: picture.title for picture in pictures}
    assert titles["surface-c0"] == "Output c0 over the unit square"
    assert titles["way"] == "Network 2-3-2, half-adder, on a = 1, b = 1"


def test_right_and_wrong_differ_in_mark_and_word() -> None:
    with styled():
        plot = partial(plot_truth_table, lecture_network(HALF_ADDER), HALF_ADDER)
        table = drawn(lambda ax: plot(ax=ax), fills=True).axes[0].tables[0]
    marks = [table[row, 6].get_text().get_text() for row in range(1, 5)]
    assert marks == ["✔", "✔", "✔", "✘ wrong"]


def test_units_are_off_where_they_are_zero_on_every_row() -> None:
    assert activations_of(printed_network(), HALF_ADDER).off == ("h3",)
    assert activations_of(lecture_network(HALF_ADDER), HALF_ADDER).off == ()
    wide = task_named("adder:8")
    assert activations_of(random_net((16, 3, 9), wide), wide).off is None
    assert activations_picture(random_net((2, 2), HALF_ADDER), HALF_ADDER) is None


def test_surfaces_are_drawn_of_two_inputs_alone() -> None:
    full_adder = task_named("full-adder")
    assert surface_pictures(random_net((3, 3, 2), full_adder), full_adder) == ()
    pictures = surface_pictures(printed_network(), HALF_ADDER, name="s")
    assert [picture.name for picture in pictures] == ["s-c1", "s-c0"]


@pytest.mark.parametrize(("convention", "color"), [(">", "below"), (">=", "above")])
def test_a_plateau_at_the_threshold_has_the_color_of_its_bit(convention: Any, color: str) -> None:
    """The lecture's outputs are exactly 0 over half the square, and its threshold is 0."""
    net = replace(lecture_network(HALF_ADDER), readout=Readout("threshold", 0.0, convention))
    with styled():
        ax = drawn(lambda ax: plot_surface(net, HALF_ADDER, ax=ax)).axes[0]
    bands = ax.collections[0]
    colors = [
        tuple(round(255 * part) for part in face[:3])
        for path, face in zip(bands.get_paths(), bands.get_facecolor(), strict=True)
        if len(path.vertices) and path.contains_point((-0.1, -0.1))
    ]
    assert colors == [tuple(int(PALETTE[color][i : i + 2], 16) for i in (1, 3, 5))]


def test_a_long_name_loses_its_middle() -> None:
    assert shortened("x" * 30, 9) == "xxxx…xxxx"
    assert shortened("carry", 9) == "carry"
