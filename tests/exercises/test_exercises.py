"""Exercises: each has a solution that is proved and a near miss that is not."""

from __future__ import annotations

import json

import pytest
from exercises.cases import CASES, answer

from adderlab.building import lecture_network
from adderlab.errors import NetworkFileError, OptionError, TaskError
from adderlab.exercises import (
    answer_in,
    exercise_named,
    exercises,
    marks_of,
    read_answer,
)
from adderlab.exercises.conditions import FACTS, KINDS
from adderlab.explaining.graph import parameters_of
from adderlab.tasks import task_named


def read(name, value):
    exercise = exercise_named(name)
    entry = answer_in(json.dumps(answer(name, value)).encode(), "answer.json")
    return read_answer(entry, exercise, "answer.json")


@pytest.mark.parametrize(("name", "value", "states", "detail"), CASES)
def test_an_answer_is_judged_condition_by_condition(name, value, states, detail):
    response = read(name, value)
    marks = marks_of(exercise_named(name), network=response.network, numbers=response.numbers)
    assert [mark.state for mark in marks] == states
    unmet = [mark.detail for mark in marks if mark.state == "unmet"]
    assert (unmet or [""])[-1] == detail
    assert bool(unmet) is bool(detail)


def test_every_exercise_has_a_solution_and_a_near_miss():
    assert len(exercises()) >= 10
    for exercise in exercises():
        states = [set(states) for name, _, states, _ in CASES if name == exercise.id]
        assert {"met"} in states, exercise.id
        assert any("unmet" in each for each in states), exercise.id


def test_every_kind_of_condition_is_used_and_known():
    conditions = [condition for each in exercises() for condition in each.conditions]
    assert {condition["kind"] for condition in conditions} == set(KINDS)
    assert {condition.get("fact") for condition in conditions} - {None} == set(FACTS)
    for exercise in exercises():
        names = {field.name for field in exercise.fields}
        used = {
            each[key] for each in exercise.conditions for key in ("field", "seed") if key in each
        }
        assert used == names
        assert exercise.start is not None or {"seed", "hidden"} <= set(exercise.entry)


def test_the_start_of_a_repair_is_the_lectures_network():
    lecture = lecture_network(task_named("half-adder"))
    for name in ("repair", "fc1-size"):
        start = exercise_named(name).start
        assert marks_of(exercise_named("repair"), network=start)[1].state == "met"
        assert parameters_of(start) == parameters_of(lecture)
        assert start.readout == lecture.readout


def test_nothing_is_judged_before_it_is_there():
    for exercise in exercises():
        assert {mark.state for mark in marks_of(exercise)} == {"open"}


def test_a_network_of_another_size_is_refused():
    start = exercise_named("majority").start
    with pytest.raises(TaskError, match="2 input and 1 output bits, the network 3 and 1"):
        _ = marks_of(exercise_named("xor"), network=start)


def test_an_exercise_that_is_none_is_named_with_its_neighbor():
    with pytest.raises(OptionError, match="no exercise 'half-ader'; did you mean half-adder"):
        _ = exercise_named("half-ader")


NUMBERS = {"seed": 5, "unit": 1}


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"exercise": "xor", "numbers": NUMBERS}, "an answer to 'xor', not to 'failing-seed'"),
        ({"exercise": None, "numbers": NUMBERS}, "an answer to 'None'"),
        ({"exercise": "failing-seed"}, "holds no numbers"),
        ({"exercise": "failing-seed", "numbers": []}, "holds no numbers"),
        ({"exercise": "failing-seed", "numbers": {"seed": 5}}, "lacks unit"),
        ({"exercise": "failing-seed", "numbers": {**NUMBERS, "x": 1}}, "unknown key x"),
        ({"exercise": "failing-seed", "numbers": NUMBERS, "code": 1}, "unknown key code"),
        *(
            (
                {"exercise": "failing-seed", "numbers": {"seed": seed, "unit": 1}},
                "not a whole number",
            )
            for seed in (-1, 1 << 32, 10**400, 5.0, True, None, "5", [5])
        ),
        ({"exercise": "failing-seed", "numbers": {"seed": 5, "unit": 4}}, "in 1..3"),
    ],
)
def test_an_answer_that_is_none_is_refused(entry, fault):
    with pytest.raises(NetworkFileError, match=fault):
        _ = read_answer(entry, exercise_named("failing-seed"), "answer.json")


@pytest.mark.parametrize(
    "network", [None, [], {}, 7, {"layers": []}, {"layers": [{"weight": [[]]}]}]
)
def test_an_answer_without_a_network_is_refused(network):
    with pytest.raises(NetworkFileError):
        _ = read_answer({"exercise": "xor", "network": network}, exercise_named("xor"), "a.json")


def test_what_is_no_answer_file_is_left_to_others():
    for data in (b"", b"\x80\x02", b'{"layers": []}', b"[1]", b" " * (5 << 20)):
        assert answer_in(data, "a.json") is None
    assert answer_in(b'{"exercise": "xor"}', "a.txt") is None
    with pytest.raises(NetworkFileError, match="names 'exercise' twice"):
        _ = answer_in(b'{"exercise": "xor", "exercise": "and"}', "a.json")
