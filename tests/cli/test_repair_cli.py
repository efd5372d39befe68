"""``adderlab repair``: what it prints, what it writes and its exit codes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer

from adderlab.building.lecture import lecture_network
from adderlab.cli import repair as command
from adderlab.errors import NetworkFileError
from adderlab.nets import EXACT, network, save
from adderlab.tasks import task_named
from adderlab.tasks.table import parse_table
from adderlab.verbs.prove import prove

app = typer.Typer()
_ = app.callback()(lambda: None)  # more than one command, so that `repair` is named
command.register(app)


def run(*arguments: object) -> int:
    code = app(["repair", *map(str, arguments)], standalone_mode=False)
    assert isinstance(code, int)
    return code


@pytest.fixture
def lecture(tmp_path: Path) -> Path:
    return save(lecture_network(task_named("half-adder")), tmp_path / "lecture.safetensors")


def test_it_prints_every_repair_and_writes_the_best(
    lecture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "repaired.safetensors"
    assert run(lecture, "-o", out) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert printed.err == ""
    assert lines[0] == "wrong on 1 of 4 inputs; parameters that repair it alone: 6"
    rows = [line.split() for line in lines[4:10]]
    assert lines[2].split() == ["parameter", "from", "to", "works", "margin", "repaired", "rows"]
    assert rows[0] == ["fc1.weight[2,0]", "1", "1.5", "[1.25,", "1.75)", "0", "0.5", "✓"]
    assert rows[3] == ["fc2.weight[1,1]", "1", "0.5", "(0,", "2/3]", "0", "0.25", "✓"]
    assert rows[5] == ["fc2.weight[1,2]", "-2", "-4", "(-inf,", "-3]", "0", "0.5", "✓"]
    assert "taken: fc1.weight[2,0] from 1 to 1.5" in lines
    assert "proved in exact arithmetic: half-adder is right on all 4 inputs" in lines
    assert lines[-1] == f"written to {out}"
    assert prove(out)


def test_without_a_place_nothing_is_written(
    lecture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lecture) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "not written (add -o NET to keep it)"
    assert list(tmp_path.iterdir()) == [lecture]


def test_json_is_one_object_and_text_goes_to_standard_error(
    lecture: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(lecture, "--json") == 0
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert found["verdict"] == "proved"
    assert [change["works"][0]["text"] for change in found["changes"]] == ["[5/4, 7/4)"]
    assert len(found["alternatives"]) == 5
    assert "taken: fc1.weight[2,0] from 1 to 1.5" in printed.err


def test_none_with_one_parameter_exits_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    net = network([[[1, 1], [1, 1]], [[0, 0], [0, 0]]], [[0, 0], [0, 0]])
    path, out = save(net, tmp_path / "net.safetensors"), tmp_path / "out.safetensors"
    assert run(path, "--task", "half-adder", "-o", out) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "wrong on 3 of 4 inputs; parameters that repair it alone: none"
    assert "refuted in exact arithmetic: half-adder is wrong on 3 of 4 inputs" in lines
    assert lines[-1] == "not written: no change of one parameter repairs it"
    assert not out.exists()
    assert run(path, "--task", "half-adder", "--json") == 1
    assert json.loads(capsys.readouterr().out)["changes"] == []


def test_a_right_network_is_said_to_be_right(
    lecture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    once, twice = tmp_path / "once.safetensors", tmp_path / "twice.safetensors"
    assert run(lecture, "-o", once) == 0
    _ = capsys.readouterr()
    assert run(once, "-o", twice) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "right already: nothing to repair"
    assert lines[-1] == f"written to {twice}"
    assert once.read_bytes() == twice.read_bytes()


def test_values_that_can_not_be_stored_are_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = parse_table("in x:1,out y:1\n0,0\n1,1", where="t.csv")
    net = network([[[1]], [[3]]], [[0], [0]], readout=EXACT, task=task)
    assert run(save(net, tmp_path / "net.safetensors")) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[4].split() == ["fc2.weight[0,0]", "3", "1", "{1}", "✓"]
    assert lines[5:7] == [
        "note: fc1.weight[0,0] would work in {1/3}, where its tensor can store no number",
        "note: fc1.bias[0] would work in {-2/3}, where its tensor can store no number",
    ]


def test_a_long_list_is_cut(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Any of 30 equal weights, and of their outputs', can make the sum large enough."""
    net = network([np.full((30, 2), 0.25), np.full((1, 30), 0.015625)], [np.zeros(30), [0.125]])
    path = save(net, tmp_path / "net.safetensors")
    assert run(path, "--task", "majority:2") == 0
    lines = capsys.readouterr().out.splitlines()
    total = int(lines[0].rsplit(" ", 1)[1])
    assert total > 20
    assert f"and {total - 20} more, in the JSON" in lines


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    message = f"{tmp_path / 'none'}: no such file; check the path"
    with pytest.raises(NetworkFileError, match=f"^{re.escape(message)}$"):
        _ = run(tmp_path / "none")
