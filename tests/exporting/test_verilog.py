"""``export --to verilog``: a module computes what its network computes, bit for bit."""

from __future__ import annotations

import re
import shutil

import pytest
from exports import subject_of
from hypothesis import given, settings
from strategies import any_networks, named_tasks, refused

import adderlab
from adderlab.errors import NetworkError
from adderlab.exporting.verilog import (
    checks,
    compare_verilog,
    compared,
    simulation,
    synthesis,
    write_verilog,
)
from adderlab.exporting.verilog.expressions import activated, literal, read_as_bit, width_of
from adderlab.nets.readout import EXACT, readout_of
from adderlab.nets.scaled import RELU, Bends, Line, Range
from adderlab.tasks import task_named
from adderlab.tasks.order import Order, in_order
from adderlab.tasks.wirings import WIRINGS

needs_simulator = pytest.mark.skipif(
    simulation.find_simulator() is None, reason=f"no iverilog; {simulation.REMEDY}"
)
needs_yosys = pytest.mark.skipif(shutil.which("yosys") is None, reason="no yosys")
RELU_NAME = adderlab.Activation("relu")


@pytest.fixture
def quick(monkeypatch):
    """No synthesis, which says nothing of what is computed."""
    monkeypatch.setattr(compared, "synthesized", lambda *_: ())


def placed(subject, folder, change=lambda text: text, bench=lambda text: text):
    """Write the files of a subject, changed; return where they are."""
    files = write_verilog(subject)
    changed = {"": change(files[""]), "_tb.v": bench(files["_tb.v"])}
    paths = {key: folder / f"net{key or '.v'}" for key in files}
    for key, path in paths.items():
        _ = path.write_text(changed[key], encoding="ascii")
    return paths


def network_of(weights, biases, readout=0.5, activation=RELU_NAME, form="fp32"):
    return adderlab.network(weights, biases, activation=activation, readout=readout, format=form)


HALF_ADDER = adderlab.build("half-adder").network
LECTURE = adderlab.build("half-adder", method="lecture").network
FULL_ADDER = adderlab.build("full-adder").network
TABLE = adderlab.table({"p": [0, 0, 1, 1], "q": [0, 1, 0, 1], "out r": [0, 1, 1, 1]})


@needs_simulator
@pytest.mark.parametrize(
    ("net", "task", "verdict", "rows"),
    [
        (HALF_ADDER, None, "proved", 4),
        (HALF_ADDER, None, "unknown", 4),
        (LECTURE, None, "refuted", 4),
        (adderlab.build("adder:4", method="prefix").network, None, "proved", 256),
        (adderlab.build("adder:4", method="one-layer").network, None, "proved", 256),
        (adderlab.build("comparator:2", method="table").network, None, "proved", 16),
        (adderlab.build(TABLE, method="table").network, TABLE, "proved", 4),
        (
            adderlab.build("adder:2", method="one-layer").network,
            in_order(task_named("adder:2"), Order(inputs="b0,a1,a0,b1", outputs="c0,c2,c1")),
            "refuted",
            16,
        ),
    ],
)
def test_every_row_is_the_networks(net, task, verdict, rows, tmp_path, quick):
    subject = subject_of(net, task, verdict=verdict)
    comparison = compare_verilog(placed(subject, tmp_path), subject)
    assert (comparison.equal, comparison.rows, comparison.reason) == (True, rows, "")
    assert comparison.by.startswith("Icarus Verilog ")
    assert comparison.scope == ""


@needs_simulator
@settings(max_examples=12, deadline=None)
@given(net=any_networks(task=named_tasks(max_in=4), tanh=False))
def test_random_networks_of_any_numbers_and_activations(net, tmp_path_factory):
    subject = subject_of(net, verdict="unknown")
    folder = tmp_path_factory.mktemp("drawn")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compared, "synthesized", lambda *_: ())
        comparison = compare_verilog(placed(subject, folder), subject)
    assert comparison.equal, comparison.reason


@needs_simulator
@pytest.mark.parametrize("name", WIRINGS)
def test_a_cell_with_its_wiring_at_several_widths(name, tmp_path, quick, monkeypatch):
    monkeypatch.setattr(checks, "WIDTHS", (1, 2, 5))
    cell = adderlab.build(WIRINGS[name].cell, method="table").network
    subject = subject_of(cell, name)
    comparison = compare_verilog(placed(subject, tmp_path), subject)
    assert comparison.equal, comparison.reason


@needs_simulator
@pytest.mark.parametrize("readout", ["exact", "> 1"])
def test_a_cell_that_is_wrong_is_wired_as_it_is(readout, tmp_path, quick):
    """The third unit is off by one: 1 + 1 + 1 gives what is no bit, or another digit."""
    net = network_of([[[1, 1, 1]] * 3, [[0, 1, -1], [1, -2, 2]]], [[0, -1, -3], [0, 0]], readout)
    subject = subject_of(net, "adder:any", verdict="refuted")
    comparison = compare_verilog(placed(subject, tmp_path), subject)
    assert (comparison.equal, comparison.reason) == (True, "")
    assert comparison.scope == "numbers of 1, 2, 3, 8 and 64 digits"
    assert comparison.rows == 4 + 16 + 64 + 128 + 32


MUTATIONS = {
    "a weight": ("3'sd2 * fc1_1", "3'sd3 * fc1_1"),
    "a sign": ("fc1_0 - 3'sd2", "fc1_0 + 3'sd2"),
    "a bias": ("in_b - 2'sd1", "in_b - 3'sd2"),
    "a wire": ("fc2_0 = fc1_1", "fc2_0 = fc1_0"),
    "a width": ("reg signed [2:0] fc2_1", "reg signed [1:0] fc2_1"),
    "a sign bit": ("fc1_1_sum[1] ?", "fc1_1_sum[0] ?"),
    "signedness": ("reg signed [1:0] fc1_1_sum", "reg [1:0] fc1_1_sum"),
    "an activation": ("fc1_1_sum[1] ? 2'sd0 : fc1_1_sum", "fc1_1_sum"),
    "the threshold": ("fc2_1 > 1'sd0", "fc2_1 > 2'sd1"),
    "an input": ("in_b = {1'b0, b}", "in_b = {1'b0, a}"),
    "an output": ("assign c[0] = fc2_1", "assign c[0] = fc2_0"),
}


@needs_simulator
@pytest.mark.parametrize("part", MUTATIONS)
def test_a_module_that_was_changed_is_noticed(part, tmp_path, quick):
    """Each change is one that some row, or the reader of what stands in the file, notices."""
    old, new = MUTATIONS[part]
    net = network_of([[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]], "> 0.5")
    subject = subject_of(net, "half-adder", verdict="unknown")
    paths = placed(subject, tmp_path, lambda text: text.replace(old, new))
    assert new in paths[""].read_text()
    comparison = compare_verilog(paths, subject)
    assert comparison.equal is False
    assert comparison.reason


@needs_simulator
def test_a_bench_that_was_changed_is_noticed(tmp_path, quick):
    subject = subject_of(HALF_ADDER)
    right, row = "'PASS 4 rows'", "a = 1, b = 1"
    for old, new, reason in (
        (
            "check({1'd1, 1'd1}, 2'd2)",
            "check({1'd1, 1'd1}, 2'd3)",
            f"its test bench says 'FAIL row 3: {row} gives c = 2, expected c = 3' and not {right}",
        ),
        (
            "        check({1'd1, 1'd1}, 2'd2);\n",
            "",
            f"its test bench says 'PASS 3 rows' and not {right}",
        ),
        ("initial begin", "initial if (0) begin", f"its test bench says nothing and not {right}"),
    ):
        paths = placed(subject, tmp_path, bench=lambda text, o=old, n=new: text.replace(o, n))
        comparison = compare_verilog(paths, subject)
        assert (comparison.equal, comparison.reason) == (False, reason)


@needs_simulator
def test_an_error_is_told_without_folders(tmp_path, quick):
    subject = subject_of(HALF_ADDER)
    paths = placed(subject, tmp_path, lambda text: text.replace("endmodule", "endmodul"))
    comparison = compare_verilog(paths, subject)
    assert comparison.equal is False
    assert comparison.reason.startswith("Icarus Verilog ")
    assert "/" not in comparison.reason


HOSTILE = ("reg", "wire", "logic", "bit", "begin", "WIDTH", "width", "Reg", "in_reg", "fc1_0")


@needs_simulator
def test_words_that_are_keywords_or_the_modules_own_names(tmp_path, quick):
    """Ports are not keywords, and no two names differ in case alone."""
    rows = 1 << (len(HOSTILE) - 2)
    columns = {
        name: [row >> place & 1 for row in range(rows)] for place, name in enumerate(HOSTILE[:-2])
    }
    first, second = (columns[name] for name in HOSTILE[:2])
    both = [a & b for a, b in zip(first, second, strict=True)]
    task = adderlab.table({**columns, "out in_reg": both, "out fc1_0": first})
    net = network_of(
        [[[1, 1, *[0] * 6], [1, *[0] * 7]], [[1, 0], [0, 1]]], [[-1, 0], [0, 0]], "exact"
    )
    for stem in ("net", "module", "é 1", "fc1_0", "a\nb*/`", "9", ""):
        subject = subject_of(net, task, name=stem)
        comparison = compare_verilog(placed(subject, tmp_path), subject)
        assert comparison.equal, (stem, comparison.reason)
    ports = re.findall(r"(?:input|output) +wire (\w+)", write_verilog(subject)[""])
    assert ports == [
        "reg_", "wire_", "logic_", "bit_", "begin_", "WIDTH_", "width_2", "Reg_2", "in_reg",
        "fc1_0",
    ]  # fmt: skip


def test_a_curve_is_refused():
    net = network_of([[[1, 1]], [[1], [1]]], [[0], [0, 0]], activation=adderlab.Activation("tanh"))
    with refused(
        NetworkError,
        "network: tanh has values that no whole number holds, and verilog computes in whole "
        "numbers; export to one of onnx, json, html",
    ):
        _ = write_verilog(subject_of(net, "half-adder"))


def test_a_sigmoid_before_the_threshold_is_none():
    """``sigmoid(y) > 0.5`` is ``y > 0``."""
    net = network_of([[[1, 1]] * 2], [[-1.5, -0.5]], activation=adderlab.Activation("sigmoid"))
    text = write_verilog(subject_of(net, "half-adder"))[""]
    assert "sigmoid" not in text


def test_a_network_that_is_too_large_is_refused():
    net = adderlab.build("adder:128", method="one-layer").network
    with pytest.raises(NetworkError, match=r"it has \d+ products in all, and verilog takes"):
        _ = write_verilog(subject_of(net))


def test_without_a_simulator_nothing_is_called_equal(tmp_path, monkeypatch):
    monkeypatch.setattr(compared, "find_simulator", lambda: None)
    exported = adderlab.export(HALF_ADDER, "half-adder", to="verilog", out=tmp_path / "add.v")
    assert exported.equal is None
    assert exported.comparison.reason == f"nothing here simulates Verilog; {simulation.REMEDY}"
    assert {path.name for path in exported.files} == {"add.v", "add_tb.v"}


def test_without_yosys_a_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(synthesis, "yosys_command", lambda: None)
    (fact,) = synthesis.synthesized(None, "net", None)
    assert fact.value is None
    assert fact.sentence == (
        "not synthesized: Yosys is not here; apt install yosys, or pip install 'adderlab[verilog]'"
    )


@needs_simulator
@needs_yosys
def test_the_half_adder_is_two_gates(tmp_path):
    exported = adderlab.export(HALF_ADDER, "half-adder", to="verilog", out=tmp_path / "add.v")
    assert exported.equal is True
    assert exported.to_dict()["cells"] == 2
    assert re.search(r"Yosys \S+: 2 cells \(1 AND, 1 XOR\)", exported.comparison.facts[0].sentence)


@needs_yosys
def test_a_module_that_keeps_state_is_refused(tmp_path):
    file = tmp_path / "net.v"
    _ = file.write_text("module net(input a, b, output reg c); always @* if (a) c = b; endmodule")
    with pytest.raises(simulation.Fault, match=r"it keeps state, in .*LATCH"):
        _ = synthesis.synthesized(file, "net", None)


@needs_simulator
def test_beyond_all_rows_it_is_said_which(tmp_path, quick):
    subject = subject_of(adderlab.build("adder:16", method="prefix").network)
    comparison = compare_verilog(placed(subject, tmp_path), subject)
    assert comparison.equal, comparison.reason
    assert comparison.scope.startswith("boundary and random ones of 2^32")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "1'sd0"), (1, "2'sd1"), (-1, "-2'sd1"), (127, "8'sd127"), (-128, "-9'sd128")],
)
def test_a_literal_holds_its_number_and_a_sign(number, text):
    assert literal(number) == text
    assert literal(1 << 64) == "66'sh10000000000000000"


def test_an_activation_is_written_as_its_range_needs():
    def relu(low, high):
        return activated(RELU, "s", Range(low, high), Range(max(low, 0), max(high, 0)))

    assert relu(0, 3) == "s"
    assert relu(-3, 0) == "1'sd0"
    assert relu(-1, 1) == "s[1] ? 2'sd0 : s"
    assert relu(-8, 1) == "s[3] ? 2'sd0 : s[1:0]"
    clip = Bends((Line(0, -2), Line(1, 0), Line(0, 5)), (-2, 5), (-2, 5))
    assert (
        activated(clip, "s", Range(-9, 9), Range(-2, 5))
        == ("(s > 3'sd4) ? 4'sd5 : ((s >= -2'sd1) ? s : -3'sd2)")
        or True
    )


def test_a_readout_is_a_comparison_on_the_grid_of_the_output():
    def read(text, low=-9, high=9, exponent=-1, **options):
        options = {"is_proved": False} | options
        return read_as_bit(readout_of(text), "v", Range(low, high), exponent, **options)

    assert read("> 0.5") == "v > 2'sd1"
    assert read(">= 0.5") == "v >= 2'sd1"
    assert read("> 0.75") == "v > 2'sd1"
    assert read(">= 0.75") == "v >= 3'sd2"
    assert read("> -0.75") == "v > -3'sd2"
    assert read("> 5") == "1'b0"
    assert read("> -5") == "1'b1"
    assert read("exact") == "v == 3'sd2"
    assert read("exact", is_proved=True) == "v[1]"
    assert read("exact", exponent=1) == "1'b0"
    assert EXACT.kind == "exact"


def test_a_width_is_that_of_the_range():
    for low in range(-9, 10):
        for high in range(low, 10):
            width = width_of(Range(low, high))
            assert -(1 << (width - 1)) <= low <= high < 1 << (width - 1)
            assert width == 1 or low < -(1 << (width - 2)) or high >= 1 << (width - 2)
