"""``compare`` as a verb: equality, then size, format and margin side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from strategies import refused

from adderlab.building.adders.one_layer import one_layer_adder
from adderlab.building.adders.ripple import ripple_adder
from adderlab.building.lecture import lecture_network
from adderlab.errors import NetworkError
from adderlab.nets import network, save, sha256
from adderlab.tasks import task_named
from adderlab.verbs.compare import compare
from adderlab.verbs.prove import prove
from adderlab.verbs.repair import repair

HALF = task_named("half-adder")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    lecture = save(lecture_network(HALF), tmp_path / "lecture.safetensors")
    out = tmp_path / "repaired.safetensors"
    _ = repair(lecture, out=out)
    return lecture, out


def test_the_differences_of_the_lecture_and_the_repaired_network(
    files: tuple[Path, Path],
) -> None:
    found = compare(*files)
    assert not found
    example = found.comparison.counterexample
    assert example is not None
    assert example.input == {"a": 1, "b": 1}
    for path, side in zip(files, (found.first, found.second), strict=True):
        verdict = prove(path)
        assert side.verdict is not None
        assert (side.verdict.verdict, side.verdict.margin) == (verdict.verdict, verdict.margin)
        assert (side.file_bytes, side.sha256) == (len(path.read_bytes()), verdict.sha256)
        assert side.format_bytes == 17 * 4
    rows = {name: (one, two) for name, one, two in found.rows()}
    assert rows["shape"] == ("2-3-2", "2-3-2")
    assert rows["parameters"] == ("17", "17")
    assert rows["verdict"] == ("refuted", "proved")
    assert rows["margin of zeros"] == ("-0.5", "0")
    assert rows["margin of ones"] == ("0.5", "0.5")


def test_the_dictionary_holds_both_networks(files: tuple[Path, Path]) -> None:
    data = compare(*files).to_dict()
    assert data["verdict"] == "refuted"
    assert data["counterexample"]["input"] == {"a": 1, "b": 1}
    assert data["counterexample"]["first"]["words"] == {"c": 3}
    assert data["counterexample"]["second"]["words"] == {"c": 2}
    assert (data["rows"], data["rows_equal"], data["method"]) == (4, 3, "enumerated")
    assert data["first"]["sha256"] == sha256(files[0].read_bytes())
    assert data["first"]["margin"]["min"] == "-1/2"
    assert data["second"]["verdict"] == "proved"
    assert (data["second"]["depth"], data["second"]["bytes"]) == (2, 68)


def test_it_reads_well_in_a_terminal_and_a_notebook(files: tuple[Path, Path]) -> None:
    found = compare(*files)
    assert repr(found).startswith(f"{found.comparison!r}; they differ in ")
    assert "verdict" in repr(found)
    html = found._repr_html_()
    assert "<strong>refuted</strong> in exact arithmetic: different on 1 of 4" in html
    assert "1 + 1 gives c = 3 by the first, c = 2 by the second" in html
    assert html.count(">differs<") == sum(first != second for _, first, second in found.rows())
    same = compare(files[0], files[0])
    assert same
    assert repr(same).endswith("they differ in nothing else")


def test_wide_networks_without_a_task_are_summarized_without_a_verdict() -> None:
    task = task_named("adder:3")
    one, other = (
        replace(build(task, "wide"), task=None) for build in (one_layer_adder, ripple_adder)
    )
    found = compare(one, other)
    assert found
    assert (found.first.verdict, found.first.format_bytes) == (None, None)
    assert {"task", "verdict", "margin of ones", "bytes in it"}.isdisjoint(
        row[0] for row in found.rows()
    )
    held = compare(one, other, "adder:3")
    assert held.first.verdict
    assert held.second.verdict
    assert held.first.to_dict()["margin"] is None  # an exact readout has none


def test_networks_of_two_tasks_are_each_held_against_their_own() -> None:
    one = network([[[1, 1, 1]]], [[-1]], task=task_named("majority:3"))
    other = network([[[1, 1, 1]]], [[0]], task=task_named("parity:3"))
    found = compare(one, other)
    assert {name: pair for name, *pair in found.rows()}["task"] == ["majority:3", "parity:3"]
    assert len(found.comparison.notes) == 1


def test_the_files_of_unequal_shapes_are_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    other = save(network([[[1, 1, 1]]], [[0]]), tmp_path / "other.safetensors")
    message = (
        f"{files[0]} and {other}: 2 inputs and 2 outputs there, 3 and 1 here; "
        "only networks with as many inputs and outputs can be compared"
    )
    with refused(NetworkError, message):
        _ = compare(files[0], other)
