"""``adderlab show`` as it is typed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from adderlab.building import lecture_network, printed_network
from adderlab.cli.main import main
from adderlab.nets import Activation, network, save
from adderlab.tasks import task_named

HALF_ADDER = task_named("half-adder")

LECTURE = """\
Network 2-3-2 for half-adder: relu, readout > 0, 17 parameters in fp32

layer  unit  w1  w2  w3  bias
─────────────────────────────
fc1       1   1   1      -1.5
fc1       2   1   1      -0.5
fc1       3   1   1      -1.5
fc2       1   1   0   0     0
fc2       2   0   1  -2     0

refuted in exact arithmetic: half-adder is wrong on 1 of 4 inputs
  counterexample: 1 + 1 gives c = 3, expected c = 2
  raw outputs there: 0.5, 0.5
  margin: zeros -0.5 = -1/2, ones 0.5 = 1/2
"""

TABLE = """\
a  b  expected  got      c1      c0  distance
──────────────────────────────────────────────────────
0  0        00   00  0.0000  0.0000         0  ✓
0  1        01   01  0.0000  0.5000         0  ✓
1  0        01   01  0.0000  0.5000         0  ✓
1  1        10   11  0.5000  0.5000      -0.5  ✗ wrong
"""

WALK = """\
1 + 1, step by step

fc1, relu
unit  weight * input       products     sum  relu
─────────────────────────────────────────────────
h1    1 * 1 + 1 * 1 - 1.5  1 + 1 - 1.5  0.5   0.5
h2    1 * 1 + 1 * 1 - 0.5  1 + 1 - 0.5  1.5   1.5
h3    1 * 1 + 1 * 1 - 1.5  1 + 1 - 1.5  0.5   0.5

fc2
unit  weight * input                   products         sum
───────────────────────────────────────────────────────────
c1    1 * 0.5 + 0 * 1.5 + 0 * 0.5 + 0  0.5 + 0 + 0 + 0  0.5
c0    0 * 0.5 + 1 * 1.5 - 2 * 0.5 + 0  0 + 1.5 - 1 + 0  0.5

output  readout      expected
──────────────────────────────────────
c1      0.5 > 0 → 1         1  ✓
c0      0.5 > 0 → 1         0  ✗ wrong
got c = 3, expected c = 2
"""


@pytest.fixture
def lecture(tmp_path: Path) -> str:
    return str(save(lecture_network(HALF_ADDER), tmp_path / "lecture.safetensors"))


def lines(text: str) -> str:
    """The text without blanks at the ends of lines."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_network_table_and_walk_are_printed(
    lecture: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", lecture, "--input", "1,1"]) == 0
    said = lines(capsys.readouterr().out)
    assert said.startswith(LECTURE)
    assert TABLE in said
    assert said.endswith(f"\n{WALK}")
    assert main(["show", lecture]) == 0
    said = lines(capsys.readouterr().out)
    assert said.endswith(f"\n{TABLE}")


def test_rounded_numbers_are_said_to_be_rounded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(save(printed_network(), tmp_path / "printed.safetensors"))
    assert main(["show", path, "--input", "1,0"]) == 0
    said = lines(capsys.readouterr().out)
    rows = [line.split("  ") for line in said.splitlines()]
    products = ["h3", "", "0.1733 * 1 - 0.6872 * 0 - 0.1736", "0.1733 + 0 - 0.1736", "-0.0003"]
    assert products in [row[:5] for row in rows]
    assert ["c0", "1.00136 > 0.5 → 1"] in [[row[0], row[3]] for row in rows if len(row) > 3]
    assert "rounded to 6 decimals here; computed and decided exactly" in said


def test_tanh_is_marked_as_approximate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net = network(
        [[[1, 0], [0, 1]], [[1, 1], [1, -1]]],
        [[-0.5, 0.25], None],
        activation=Activation("tanh"),
        task=HALF_ADDER,
    )
    path = str(save(net, tmp_path / "tanh.safetensors"))
    assert main(["show", path, "--input", "1,1"]) == 0
    said = lines(capsys.readouterr().out)
    assert "h1    1 * 1 + 0 * 1 - 0.5   1 + 0 - 0.5    0.5  ≈0.462117\n" in said
    assert "  ≈1.310401\n" in said
    assert "c1      ≈1.310401 > 0.5 → 1 " in said


def test_figures_are_written(
    lecture: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures"
    assert main(["show", lecture, "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert said.count("written to ") == 10
    assert {path.suffix for path in out.iterdir()} == {".svg", ".png"}


def test_json_is_one_object(lecture: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", lecture, "--input", "1,1", "--json"]) == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert {"task", "network", "rows", "verdict", "walk", "files"} <= set(found)
    assert (found["task"], found["verdict"], found["files"]) == ("half-adder", "refuted", [])
    assert [row["right"] for row in found["rows"]] == [True, True, True, False]
    c0 = found["walk"]["layers"][1]["units"][1]
    assert [one["product"]["exact"] for one in c0["products"]] == ["0", "3/2", "-1"]
    assert c0["sum"] == {"value": 0.5, "exact": "1/2"}
    assert "step by step" in printed.err


def test_without_a_task_nothing_is_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(save(replace(printed_network(), task=None), tmp_path / "net.safetensors"))
    assert main(["show", path, "--input", "1,0"]) == 0
    said = lines(capsys.readouterr().out)
    assert "no task is known, so nothing is expected\n" in said
    assert "x1  x2  got       y1       y0\n" in said
    assert "expected " not in said.partition("is expected\n")[2]
    assert main(["show", path, "--task", "half-adder"]) == 0
    assert "proved in exact arithmetic" in capsys.readouterr().out


def test_a_large_network_is_folded_and_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terms that are 0 are left out and counted, lines stay within the terminal's width."""
    task = task_named("adder:8")
    weights = [[[(row + column) % 5 - 2.5 for column in range(16)] for row in range(70)]]
    weights.append([[row - column % 7 for column in range(70)] for row in range(9)])
    path = str(save(network(weights, [[0.5] * 70, None], task=task), tmp_path / "big.safetensors"))
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["show", path, "--input", "3,200"]) == 0
    said = capsys.readouterr().out
    assert "terms are 0)" in said
    assert "… 6 more units" in said
    assert "the first 8 wrong rows; " in said
    assert max(map(len, said.partition("step by step")[2].splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--input", "1,2"], "b = 2 is outside 0..1"),
        (["--input", "1"], "half-adder takes 2 numbers, got 1"),
        (["--task", "full-adder"], "full-adder has 3 input and 2 output bits"),
        (["-o", "{file}"], "a file stands there"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], complaint: str, lecture: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", lecture, *(one.format(file=lecture) for one in arguments)]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert complaint in printed.err
    assert len(printed.err.splitlines()) == 1
