"""``adderlab compare``: what it prints and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adderlab.building.lecture import lecture_network
from adderlab.cli.main import main
from adderlab.nets import Activation, Readout, network, save
from adderlab.tasks import task_named
from adderlab.verbs.repair import repair


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    lecture = save(lecture_network(task_named("half-adder")), tmp_path / "lecture.safetensors")
    out = tmp_path / "repaired.safetensors"
    _ = repair(lecture, out=out)
    return str(lecture), str(out)


def test_it_prints_where_they_differ_and_exits_with_1(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files]) == 1
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = printed.out.splitlines()
    assert lines[0] == ("refuted in exact arithmetic: different on 1 of 4 inputs of half-adder")
    assert lines[1] == ("  counterexample: 1 + 1 gives c = 3 by the first, c = 2 by the second")
    raw = "0.5, 0.5 by the first; 0.5, -0.5 by the second"
    assert lines[2] == f"  raw outputs there: {raw}"
    assert lines[3].startswith("  enumerated, ")
    table = {line[:16].strip(): line[16:].split() for line in lines[7:]}
    assert lines[5].split() == ["first", "second", "differs?"]
    assert table["shape"] == ["2-3-2", "2-3-2"]
    assert table["format"] == ["fp32", "fp32"]
    assert table["verdict"] == ["refuted", "proved", "differs"]
    assert table["margin of zeros"] == ["-0.5", "0", "differs"]
    assert table["margin of ones"] == ["0.5", "0.5"]


def test_equal_networks_exit_with_0(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", files[0], files[0], "--task", "half-adder"]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == (
        "proved in exact arithmetic: equal on all 4 inputs of half-adder"
    )
    assert "differs" not in printed.split()


def test_json_is_one_object_and_text_goes_to_standard_error(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *files, "--json"]) == 1
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["verdict"] == "refuted"
    assert found["counterexample"]["input"] == {"a": 1, "b": 1}
    assert printed.err.startswith("refuted in exact arithmetic")


def test_what_could_not_be_decided_exits_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    readout = Readout(threshold=0.0)
    tanh = Activation("tanh")
    tie = network([[[1], [1]], [[1, -1]]], [None, None], activation=tanh, readout=readout)
    one = save(tie, tmp_path / "tie.safetensors")
    other = save(network([[[0]]], [[0]], readout=readout), tmp_path / "zero.safetensors")
    assert main(["compare", str(one), str(other), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["counterexample"]) == ("unknown", None)
    assert found["reason"] == "1 rows could not be decided, the first x1 = 1"


def test_unequal_shapes_exit_with_2(
    files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = save(network([[[1, 1, 1]]], [[0]]), tmp_path / "other.safetensors")
    assert main(["compare", files[0], str(other), "--json"]) == 2
    printed = capsys.readouterr()
    error = json.loads(printed.out)["error"]
    assert error["what"] == "2 inputs and 2 outputs there, 3 and 1 here"
    assert error["where"] == f"{files[0]} and {other}"
    assert printed.err.count("\n") == 1
