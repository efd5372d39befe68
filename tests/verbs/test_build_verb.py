"""Building: a network from a method or a formula, its verdict, and its file."""

from __future__ import annotations

import pytest
from strategies import refused

from adderlab.errors import LimitError
from adderlab.formats import FORMATS
from adderlab.nets import load, outputs
from adderlab.nets.files import to_bytes
from adderlab.tasks import task_named
from adderlab.verbs.build import build
from adderlab.verbs.prove import prove

LECTURE = """\
c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))
c0 = 1 ( a + b = 1 ) = step(ReLU( a + b - 0.5 ) - 2 * ReLU( a + b - 1.5))
"""
REPAIRED = LECTURE.replace("- 2 *", "- 4 *")


@pytest.fixture
def formula(tmp_path):
    """Return a function that writes a formula into a file."""

    def write(text):
        path = tmp_path / "formula.txt"
        _ = path.write_bytes(text.encode())
        return path

    return write


def test_the_lectures_method_gives_the_lectures_numbers_and_is_refuted():
    built = build("half-adder", method="lecture")
    numbers = {name: tensor.numbers.tolist() for name, tensor in built.network.tensors()}
    assert numbers == {
        "fc1.weight": [[1, 1], [1, 1], [1, 1]],
        "fc1.bias": [-1.5, -0.5, -1.5],
        "fc2.weight": [[1, 0, 0], [0, 1, -2]],
        "fc2.bias": [0, 0],
    }
    assert built.verdict.verdict == "refuted"
    assert built.verdict.counterexample.input == {"a": 1, "b": 1}
    assert built.verdict.counterexample.got == {"c": 3}


def test_the_lectures_formula_gives_the_same_network_and_finds_the_fault_first(formula):
    built = build("half-adder", formula=formula(LECTURE))
    rows = next(task_named("half-adder").blocks()).inputs
    lecture = build("half-adder", method="lecture").network
    assert (outputs(built.network, rows).to_floats() == outputs(lecture, rows).to_floats()).all()
    assert [(check.output, check.holds) for check in built.checks] == [("c1", True), ("c0", False)]
    assert built.verdict.verdict == "refuted"


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "byte order mark"])
def test_a_formula_that_is_right_is_proved_and_its_file_too(formula, tmp_path, mark):
    built = build("half-adder", formula=formula(mark + REPAIRED), out=tmp_path / "net.safetensors")
    assert [check.holds for check in built.checks] == [True, True]
    assert built.verdict.verdict == "proved"
    assert prove(tmp_path / "net.safetensors").verdict == "proved"
    assert load(tmp_path / "net.safetensors").task.name == "half-adder"


def test_terms_are_shared_and_stored_in_the_format_asked_for(formula):
    text = formula(REPAIRED.replace("1.5", "1.3"))
    apart = build("half-adder", formula=text)
    shared = build("half-adder", formula=text, share=True, format="FP16")
    assert (apart.network.hidden, shared.network.hidden) == (3, 2)
    assert (apart.network.format, shared.network.format) == ("fp32", "fp16")
    (rounded,) = shared.rounded
    assert (rounded.name, float(rounded.exact)) == ("fc1.bias[0]", -1.3)
    assert rounded.stored == -1.2998046875  # to 11 significant bits


@pytest.mark.parametrize(
    ("wishes", "method", "fp32"), [({}, "one-layer", 22), ({"max_weight": 2}, "prefix", None)]
)
def test_auto_names_the_method_it_took_and_up_to_which_width_formats_are_exact(
    wishes, method, fp32
):
    data = build("adder:12", method="auto", **wishes).to_dict()
    assert (data["method"], data["verdict"]) == (method, "proved")
    widths = data["safe_widths"]
    assert list(widths) == list(FORMATS)
    assert (widths["fp32"], widths["binary"], widths["wide"]) == (fp32, 0, None)


@pytest.mark.parametrize("task", ["half-adder", "adder:8", "adder:64", "full-adder"])
def test_without_a_method_auto_is_taken(task):
    built, by_name = build(task), build(task, method="auto")
    assert (built.method, to_bytes(built.network)) == (by_name.method, to_bytes(by_name.network))
    assert built.verdict.verdict == "proved"
    assert bool(built.safe_widths) == (task != "full-adder")


def test_a_notebook_shows_the_safe_widths_of_an_adder_of_any_width_alone():
    html = build("adder:5", method="one-layer")._repr_html_()
    assert "one-layer is exact up to width" in html
    assert "int8 7, int7 6" in html
    assert "exact up to" not in build("half-adder", method="lecture")._repr_html_()


def test_the_time_is_for_building_too(tmp_path):
    path = tmp_path / "net.safetensors"
    message = "build: the time was up while adder:512 was built; give more time"
    with refused(LimitError, message):
        _ = build("adder:512", method="ripple", timeout_s=0.001, out=path)
    assert not path.exists()


def test_past_the_time_limit_the_network_is_kept_and_unknown(tmp_path, monkeypatch):
    path = tmp_path / "net.safetensors"
    net = build("adder:256", method="ripple").network
    monkeypatch.setattr("adderlab.verbs.build.construct", lambda *args, **options: net)
    built = build("adder:256", method="ripple", timeout_s=0.001, out=path)
    assert built.verdict.verdict == "unknown"
    assert built.verdict.reason.partition("the time was up")[1]
    assert path.is_file()


def test_24_bits_in_one_layer_are_exact_in_fp64_and_fail_in_fp32():
    net = build("adder:24", method="one-layer").network
    verdict = prove(net, formats=["fp64", "fp32"])
    assert {name: verdict.formats[name].verdict for name in verdict.formats} == {
        "fp64": "proved",
        "fp32": "refuted",
    }
