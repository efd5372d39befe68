"""A task goes to the page and comes back as it was; rows that are no task's are refused."""

from __future__ import annotations

import copy
import json

import pytest

from adderlab.errors import TaskError
from adderlab.page_data import tasks
from adderlab.page_data.beginning import TASKS
from adderlab.tasks import formula_task, task_named
from adderlab.tasks.order import Order, in_order
from adderlab.tasks.tables import parse_table

TABLE = parse_table(
    "in a:2<3,in b:1,out c:2,out d:1\n0,0,3,1\n0,1,*,0\n1,0,1,*\n1,1,2,1\n2,0,0,0\n2,1,*,*\n",
    where="t.csv",
)
REVERSED = in_order(task_named("adder:2"), Order("lsb-first", outputs="c1,c2,c0"))


def of_page(task):
    return json.loads(json.dumps(tasks.to_page(task), allow_nan=False))


@pytest.mark.parametrize(
    "task",
    [
        *map(task_named, (*TASKS, "adder:3", "popcount:6")),
        REVERSED,
        TABLE,
        formula_task("y = a & b"),
    ],
    ids=lambda task: task.name,
)
def test_a_task_comes_back_row_by_row(task):
    page = of_page(task)
    back = tasks.from_page(page)
    assert tasks.to_page(back) == page
    assert back.name == task.name
    assert (back.inputs, back.outputs) == (task.inputs, task.outputs)
    assert [back.row(i) for i in range(back.rows)] == [task.row(i) for i in range(task.rows)]
    if not task.name.startswith("y"):  # a formula's rows are a table's
        assert back.record == task.record


def test_the_page_of_a_task_is_what_was_agreed_on():
    page = of_page(TABLE)
    assert page["name"] == "table:t.csv"
    assert page["inputs"] == [["a", 2], ["b", 1]]
    assert page["outputs"] == [["c", 2], ["d", 1]]
    assert page["input_names"] == ["a1", "a0", "b"]
    assert page["output_names"] == ["c1", "c0", "d"]
    assert page["rows"][1:3] == [
        {
            "inputs": [0, 0, 1],
            "expected": [None, None, 0],
            "words": {"a": 0, "b": 1},
            "result": {"c": None, "d": 0},
        },
        {
            "inputs": [0, 1, 0],
            "expected": [0, 1, None],
            "words": {"a": 1, "b": 0},
            "result": {"c": 1, "d": None},
        },
    ]


@pytest.mark.parametrize("name", ["adder:4", "parity:7", "multiplier:4"])
def test_a_task_with_too_many_rows_is_refused(name):
    with pytest.raises(TaskError, match="up to 64 rows"):
        _ = tasks.to_page(task_named(name))


@pytest.mark.parametrize(
    "name",
    ["", "table:/etc/passwd", "table:t.csv", "cell:/etc/passwd", "y = a xor b", "adder:any",
     "adder:0", "adder:-1", "adder:4", "adder:1000000", "half-adder:1", "formula:y = a", "../x"],
)  # fmt: skip
def test_a_name_means_a_task_of_the_catalog_that_the_page_shows(name):
    with pytest.raises(TaskError) as refused:
        _ = tasks.to_page(tasks.from_page(name))
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ((), None),
        ((), 3),
        ((), []),
        ((), {}),
        (("more",), 1),
        (("name",), ""),
        (("name",), None),
        (("name",), "full-adder"),
        (("name",), "adder:any"),
        (("name",), "adder:30"),
        (("inputs",), []),
        (("inputs",), [["a", 1]]),
        (("inputs",), [["b", 1], ["a", 2]]),
        (("inputs",), [["a", 99], ["b", 1]]),
        (("inputs", 0), ["a"]),
        (("inputs", 0), ["b", 2]),
        (("inputs", 0), ["<b>", 2]),
        (("inputs", 0), ["c", 2]),
        (("outputs", 0, 1), 1),
        (("input_names",), ["a1", "a0"]),
        (("input_names",), ["a1", "a0", "a0"]),
        (("input_names",), ["a0", "a1", "b"]),
        (("output_names", 0), "c2"),
        (("rows",), []),
        (("rows",), [{}] * 6),
        (("rows", 0, "inputs", 0), 1),
        (("rows", 0, "inputs", 0), 2),
        (("rows", 0, "expected", 0), None),
        (("rows", 0, "expected", 2), 0),
        (("rows", 0, "words", "a"), 2),
        (("rows", 0, "words", "a"), 2**70),
        (("rows", 0, "words"), {}),
        (("rows", 0, "words", "z"), 0),
        (("rows", 0, "result", "c"), 4),
        (("rows", 0, "result", "c"), -1),
        (("rows", 0, "result", "c"), 2),
        (("rows", 0, "result"), {}),
    ],
)
def test_what_is_no_task_of_the_page_is_refused(place, value):
    page = copy.deepcopy(of_page(TABLE))
    if place:
        target = page
        for key in place[:-1]:
            target = target[key]
        target[place[-1]] = value
    else:
        page = value
    with pytest.raises(TaskError) as refused:
        _ = tasks.from_page(page)
    assert refused.value.what


def test_a_row_that_is_missing_or_there_twice_is_refused():
    page = of_page(TABLE)
    for rows in (page["rows"][:-1], [*page["rows"], page["rows"][0]], page["rows"][::-1]):
        with pytest.raises(TaskError):
            _ = tasks.from_page({**page, "rows": rows})
