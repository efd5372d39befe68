"""``compare`` as a verb: equality, then size, format and margin side by side."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adderlab.building.adders.one_layer import one_layer_adder
from adderlab.building.adders.ripple import ripple_adder
from adderlab.building.lecture import lecture_network
from adderlab.nets import Activation, Readout, network, save, sha256
from adderlab.tasks import task_named
from adderlab.verbs.compare import compare
from adderlab.verbs.prove import prove
from adderlab.verbs.repair import repair


@pytest.fixture
def files(tmp_path):
    lecture = save(lecture_network(task_named("half-adder")), tmp_path / "lecture.safetensors")
    out = tmp_path / "repaired.safetensors"
    _ = repair(lecture, out=out)
    return lecture, out


def test_the_differences_of_the_lecture_and_the_repaired_network(files):
    result = compare(*files)
    assert not result
    assert result.comparison.counterexample.input == {"a": 1, "b": 1}
    for path, side in zip(files, (result.first, result.second), strict=True):
        verdict = prove(path)
        assert (side.verdict.verdict, side.verdict.margin) == (verdict.verdict, verdict.margin)
        assert (side.file_bytes, side.sha256) == (len(path.read_bytes()), verdict.sha256)
        assert side.format_bytes == 17 * 4
    data = result.to_dict()
    assert data["counterexample"]["first"]["words"] == {"c": 3}
    assert data["counterexample"]["second"]["words"] == {"c": 2}
    assert data["first"]["sha256"] == sha256(files[0].read_bytes())
    assert (data["first"]["margin"]["min"], data["second"]["verdict"]) == ("-1/2", "proved")


def test_it_reads_well_in_a_terminal_and_a_notebook(files):
    result = compare(*files)
    assert repr(result).startswith(f"{result.comparison!r}; they differ in ")
    assert "verdict" in repr(result)
    html = result._repr_html_()
    assert "<strong>refuted</strong> in exact arithmetic: different on 1 of 4" in html
    assert html.count(">differs<") == sum(first != second for _, first, second in result.rows())
    same = compare(files[0], files[0])
    assert same
    assert repr(same).endswith("they differ in nothing else")


def test_what_could_not_be_decided_says_which_rows():
    options = {"readout": Readout(threshold=0.0)}
    tie = network([[[1], [1]], [[1, -1]]], [None, None], activation=Activation("tanh"), **options)
    data = compare(tie, network([[[0]]], [[0]], **options)).to_dict()
    assert (data["verdict"], data["counterexample"]) == ("unknown", None)
    assert data["reason"] == "1 row could not be decided, the first x1 = 1"


def test_wide_networks_without_a_task_are_summarized_without_a_verdict():
    task = task_named("adder:3")
    first, second = (
        replace(build(task, "wide"), task=None) for build in (one_layer_adder, ripple_adder)
    )
    result = compare(first, second)
    assert result
    assert (result.first.verdict, result.first.format_bytes) == (None, None)
    assert {"task", "verdict", "margin of ones", "bytes in it"}.isdisjoint(
        name for name, *_ in result.rows()
    )
    with_task = compare(first, second, "adder:3")
    assert with_task.first.verdict
    assert with_task.second.verdict
    assert with_task.first.to_dict()["margin"] is None  # an exact readout has none


def test_networks_of_two_tasks_are_each_held_against_their_own():
    majority = network([[[1, 1, 1]]], [[-1]], task=task_named("majority:3"))
    parity = network([[[1, 1, 1]]], [[0]], task=task_named("parity:3"))
    result = compare(majority, parity)
    assert {name: pair for name, *pair in result.rows()}["task"] == ["majority:3", "parity:3"]
    assert len(result.comparison.notes) == 1
