"""``grade --exercise``: answer files and networks, each a row by the exercise's conditions."""

from __future__ import annotations

import json
import os

import pytest
from exercises.cases import CASES, TWO_UNITS, answer, lecture

import adderlab
from adderlab.errors import OptionError
from adderlab.verbs.grade import grade

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def write(folder, name, entry):
    _ = (folder / name).write_text(entry if isinstance(entry, str) else json.dumps(entry))


def test_a_network_is_graded_by_all_conditions(tmp_path):
    cases = [case for case in CASES if case[0] == "two-units"]
    for number, (name, value, _, _) in enumerate(cases):
        write(tmp_path, f"{number}.json", answer(name, value))
    write(tmp_path, "lecture.json", answer("two-units", lecture()))
    write(tmp_path, "plain.json", TWO_UNITS)
    write(tmp_path, "other.json", answer("xor", TWO_UNITS))
    write(tmp_path, "empty.json", {"exercise": "two-units"})
    write(tmp_path, "garbage.json", '{"exercise": "two-units", "network": {"layers": [')
    _ = adderlab.build("half-adder", out=tmp_path / "built.safetensors")
    graded = grade(tmp_path, exercise="two-units")
    rows = {entry.name: entry for entry in graded.entries}
    assert {name: row.verdict for name, row in rows.items()} == {
        "0.json": "proved",
        "plain.json": "proved",
        "built.safetensors": "proved",
        "1.json": "refuted",
        "lecture.json": "refuted",
        **dict.fromkeys(("other.json", "empty.json", "garbage.json"), "refused"),
    }
    assert rows["1.json"].reason == "not met: at most 2 hidden units (it has 3)"
    assert (rows["1.json"].rows_right, rows["1.json"].rows) == (4, 4)
    assert rows["lecture.json"].counterexample == "1 + 1 gives c = 3, expected c = 2"
    assert rows["lecture.json"].reason == "not met: at most 2 hidden units (it has 3)"
    assert rows["other.json"].reason == "it is an answer to 'xor', not to 'two-units'"
    assert rows["empty.json"].reason == "the answer holds no network"
    assert "is not valid JSON" in rows["garbage.json"].reason
    assert rows["plain.json"].same_as == "0.json"
    assert rows["0.json"].bytes == (tmp_path / "0.json").stat().st_size
    assert graded.to_dict()["exercise"] == "two-units"
    assert graded.summary().startswith("8 files for the exercise two-units: 3 proved")


def test_numbers_are_graded(tmp_path):
    write(tmp_path, "right.json", answer("fc1-size", {"parameters": 9, "bytes": 36}))
    write(tmp_path, "wrong.json", answer("fc1-size", {"parameters": 6, "bytes": 36}))
    write(tmp_path, "network.json", TWO_UNITS)
    graded = grade(tmp_path, exercise="fc1-size")
    rows = {entry.name: (entry.verdict, entry.reason) for entry in graded.entries}
    assert rows == {
        "right.json": ("proved", ""),
        "wrong.json": (
            "refuted",
            "not met: the parameters of fc1 (another number is right)",
        ),
        "network.json": (
            "refused",
            "this is no answer file, and the exercise asks for numbers: parameters, bytes",
        ),
    }


def test_a_run_is_trained_to_grade_its_seed(tmp_path):
    write(tmp_path, "a.json", answer("failing-seed", {"seed": 5, "unit": 3}))
    write(tmp_path, "b.json", answer("failing-seed", {"seed": 8, "unit": 2}))
    graded = grade(tmp_path, exercise="failing-seed", timeout_s=120.0)
    assert [entry.verdict for entry in graded.entries] == ["proved", "refuted"]


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({}, "task"),
        ({"exercise": "nothing"}, "exercise"),
        ({"exercise": "xor", "task": "half-adder"}, "task"),
        ({"exercise": "xor", "bits": "lsb-first"}, "bits"),
        ({"exercise": "xor", "readout": 0.5}, "readout"),
    ],
)
def test_there_is_one_task_or_one_exercise(tmp_path, options, where):
    write(tmp_path, "a.json", answer("xor", TWO_UNITS))
    with pytest.raises(OptionError) as caught:
        _ = grade(tmp_path, **options)
    assert caught.value.where == where
