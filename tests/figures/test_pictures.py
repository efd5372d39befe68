"""Every picture says in words what it shows, fetches nothing, and has the same bytes everywhere."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from figures.layout import luminance
from figures.samples import (
    FAILURES,
    GRAPHS,
    HALF_ADDER,
    LECTURE,
    NETS,
    QUANTILES,
    RUNS,
    STEPS,
    WIDTHS,
    random_net,
    view_of,
)
from PIL import Image

from adderlab.figures import (
    PALETTE,
    PNG_SCALE,
    activations_picture,
    failure_picture,
    loss_quantiles_picture,
    losses_picture,
    map_picture,
    network_picture,
    operations_picture,
    success_rates_picture,
    surface_pictures,
    truth_table_picture,
)
from adderlab.tasks import task_named

SVG = "{http://www.w3.org/2000/svg}"
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
ROOT = Path(__file__).parents[2]


def make_pictures():
    """Return every kind of figure, once."""
    return [
        network_picture(LECTURE),
        network_picture(LECTURE, row={"a": 1, "b": 1}, name="way"),
        network_picture(NETS["large"], name="blocks"),
        truth_table_picture(LECTURE, HALF_ADDER),
        *surface_pictures(LECTURE, HALF_ADDER),
        activations_picture(NETS["printed"], HALF_ADDER),
        losses_picture(RUNS["diverged"]),
        operations_picture({"without": [(1, 4), (2, 11)], "with reuse": [(1, 4), (2, 7)]}),
        success_rates_picture(WIDTHS, "hidden units", name="rates"),
        loss_quantiles_picture(STEPS, QUANTILES["some diverge"], name="quantiles"),
        failure_picture(FAILURES["half adder"], name="failure"),
    ]


@pytest.fixture(scope="module")
def pictures():
    return make_pictures()


def digest(pictures):
    data = b"".join(picture.svg.encode() + picture.png for picture in pictures)
    return hashlib.sha256(data).hexdigest()


def test_the_bytes_are_the_same_in_every_process(pictures, tmp_path):
    """Another hash seed, the user's own settings, another time: none of it shows."""
    assert digest([network_picture(LECTURE)]) == digest(pictures[:1])
    settings = tmp_path / "matplotlibrc"
    _ = settings.write_text(
        "font.size: 31\nsvg.fonttype: none\naxes.facecolor: red\nbackend: svg\n"
    )
    code = (
        "import sys; from figures.test_pictures import digest, make_pictures; "
        "digest = digest(make_pictures()); "
        "assert 'matplotlib.pyplot' not in sys.modules; print(digest)"
    )
    env = {**os.environ, "PYTHONHASHSEED": "17", "MATPLOTLIBRC": str(settings), "TZ": "Asia/Tokyo"}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests"), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip(), done.returncode) == (digest(pictures), 0), done.stderr


def test_settings_of_others_are_left_alone_and_threads_do_not_meet():
    """Four threads draw at once; afterwards matplotlib is as it was."""
    import matplotlib

    before, drawings = dict(matplotlib.rcParams), []
    threads = [
        threading.Thread(target=lambda: drawings.append(truth_table_picture(LECTURE, HALF_ADDER)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawings == [truth_table_picture(LECTURE, HALF_ADDER)] * 4
    assert dict(matplotlib.rcParams) == before


def test_the_svg_is_valid_and_says_what_it_is(pictures):
    for picture in pictures:
        for svg in (picture.svg, picture.themed_svg):
            root = ElementTree.fromstring(svg)
            assert (root.tag, root.attrib["role"]) == (f"{SVG}svg", "img")
            texts = {element.attrib.get("id"): element.text for element in root}
            labels = root.attrib["aria-labelledby"].split()
            assert [texts[label] for label in labels] == [picture.title, picture.alt]
            assert not root.findall(f".//{SVG}style") + root.findall(f".//{SVG}metadata")
            sizes = [float(root.attrib[side]) for side in ("width", "height")]
            box = [float(value) for value in root.attrib["viewBox"].split()]
            assert box[:2] == [0, 0]
            assert sizes == pytest.approx([value * 4 / 3 for value in box[2:]], rel=1e-5)


def test_several_pictures_fit_into_one_page_and_nothing_is_fetched(pictures):
    """No id occurs twice, and each reference leads to an id of its own picture."""
    seen = set()
    for picture in pictures:
        root = ElementTree.fromstring(picture.themed_svg)
        ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
        assert len(ids) == len(set(ids))
        assert seen.isdisjoint(ids)
        seen.update(ids)
        assert set(re.findall(r'(?:href="|url\()#([^")]*)', picture.themed_svg)) <= set(ids)
        assert all(name.startswith(f"{picture.name}-") for name in ids)
        assert set(re.findall(r"https?://[^\s\"'<)]*", picture.svg)) <= NAMESPACES
        assert not re.search(r"<(image|script|foreignObject|!DOCTYPE|!ENTITY)", picture.svg)


def test_every_color_is_one_of_the_palette_and_a_variable_in_a_page(pictures):
    assert len(set(PALETTE.values())) == len(PALETTE)
    for picture in pictures:
        assert set(re.findall(r"#[0-9a-f]{6}\b", picture.svg)) <= set(PALETTE.values())
        variable = r"var\(--fig-([a-z]+), (#[0-9a-f]{6})\)"
        assert set(re.findall(variable, picture.themed_svg)) <= set(PALETTE.items())
        assert not re.search(r": #[0-9a-f]{6}\b", re.sub(variable, "", picture.themed_svg))
        assert "var(--fig-paper" in picture.themed_svg
        assert "var(" not in picture.svg


def test_colors_differ_in_lightness_and_text_stands_out():
    """In gray, positive from negative, below from above; against paper, every ink of text."""

    def contrast(first, second):
        low, high = sorted((luminance(PALETTE[first]), luminance(PALETTE[second])))
        return (high + 0.05) / (low + 0.05)

    assert contrast("positive", "negative") > 1.8
    assert contrast("below", "above") > 2.5
    assert all(contrast("paper", name) > 4.5 for name in ("ink", "muted", "right", "wrong"))
    assert all(contrast("paper", name) > 3 for name in ("positive", "negative"))


def test_the_png_has_the_stated_size_and_the_same_drawing(pictures):
    for picture in pictures:
        root = ElementTree.fromstring(picture.svg)
        width, height = (float(root.attrib[side]) for side in ("width", "height"))
        with Image.open(io.BytesIO(picture.png)) as image:
            assert image.size == (round(PNG_SCALE * width), round(PNG_SCALE * height))
            assert image.info.keys() <= {"dpi"}
            gray = np.asarray(image.convert("L"))
        assert (gray < 100).any()
        assert (gray == 255).mean() > 0.2


def test_a_picture_writes_both_files(tmp_path, pictures):
    svg, png = pictures[0].write(tmp_path)
    assert (svg.name, png.name) == ("network.svg", "network.png")
    assert svg.read_text(encoding="utf-8") == pictures[0].svg + "\n"
    assert png.read_bytes() == pictures[0].png


def test_names_from_outside_are_escaped():
    """A run may be called anything."""
    runs = {'</title><script>&"\x00\ud800': [(1, 0.5)], "$x_1$ #ffffff": [(1, 0.2)]}
    picture = losses_picture(runs)
    assert not ElementTree.fromstring(picture.themed_svg).findall(f".//{SVG}script")
    assert "#ffffff" in picture.alt


WORDS = {
    "way": ["h2 = relu(1 a + 1 b - 0.5).", "c0 = 1 h2 - 2 h3.", "c0: 0.5 > 0 → 1, expected 0."],
    "truth-table": [
        "3 of 4 rows right. a 0, b 0: expected 00, got 00, right, outputs 0, 0.",
        "a 1, b 1: expected 10, got 11, wrong, outputs 0.5, 0.5.",
    ],
    "surface-c0": ["At a 1, b 1 it is 0.5, expected 0, wrong."],
    "activations": ["a 0, b 0: h1 0, h2 0.4568, h3 0.", "Off on every row: h3."],
    "losses": [
        "good: loss 0.5000 at step 1, 0.2500 at step 9.",
        "bad: loss 0.5000 at step 1, then diverged.",
    ],
    "rates": ["by hidden units, with 95 % intervals. 2: 24.0% (20.0% to 29.0%); 3: 51.0%", "own"],
    "quantiles": ["25% of the networks end below 0; 50%", "75% of the networks end below ∞."],
    "failure": [
        "for example member 5 of seed 0. a 0, b 0: expected 0, got 1, wrong, units on: none. ",
        "changed, 52% are right (control group 12%): a cause.",
    ],
}


@pytest.mark.parametrize("name", WORDS)
def test_descriptions_say_the_content(name, pictures):
    (picture,) = (picture for picture in pictures if picture.name == name)
    assert [words for words in WORDS[name] if words not in picture.alt] == []


def test_titles_name_what_is_drawn(pictures):
    titles = {picture.name: picture.title for picture in pictures}
    assert titles["surface-c0"] == "Output c0 over the unit square"
    assert titles["way"] == "Network 2-3-2, half-adder, on a = 1, b = 1"


def test_the_words_of_a_graph_say_each_sum_by_what_it_reads():
    picture = network_picture(GRAPHS["residual sum"], row={"a": 1, "b": 0})
    assert "c1 = 1 h2.1 + 1 a. c0 = 1 h2.2 + 1 b." in picture.alt
    assert picture.title == "Network 2-2-2-2, half-adder, on a = 1, b = 0"
    picture = activations_picture(GRAPHS["two heads"], HALF_ADDER)
    assert picture is not None
    assert re.search(r"h1\.3 \S+, h2\.1 \S+, h3\.1 \S+, h3\.2 \S+\.", picture.alt)
    assert activations_picture(GRAPHS["read twice"], HALF_ADDER) is None


def test_a_map_has_its_pixels_within_it_and_says_its_ranges():
    picture = map_picture(view_of(8, 8))
    assert picture.themed_svg.count('xlink:href="data:image/png;base64,') >= 1
    assert picture.alt.startswith("learning rate from 0.01 to 10 to the right, scale of the start")


def test_there_is_no_picture_where_there_is_nothing_to_draw():
    """Surfaces need two inputs, activations a hidden unit."""
    full_adder = task_named("full-adder")
    assert surface_pictures(NETS["full-adder"], full_adder) == ()
    assert activations_picture(random_net((2, 2), HALF_ADDER), HALF_ADDER) is None
    pictures = surface_pictures(NETS["printed"], HALF_ADDER, name="s")
    assert [picture.name for picture in pictures] == ["s-c1", "s-c0"]
