"""Networks that look the rows of a task up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adderlab.building.methods import construct
from adderlab.building.truth_table import table_network
from adderlab.errors import ResourceError
from adderlab.proving.decide import decide
from adderlab.tasks import Task, Word, task_named


@pytest.mark.parametrize(
    ("name", "shape", "format"),
    [
        ("half-adder", "2-3-2", "int2"),
        ("full-adder", "3-7-2", "int2"),
        ("parity:4", "4-8-1", "int3"),
        ("majority:3", "3-3-1", "int2"),
        ("comparator:2", "4-10-3", "int3"),
        ("multiplier:2", "4-9-4", "int3"),
        ("cell:decimal-adder", "9-199-5", "int4"),
        ("y = a and b", "2-1-1", "int2"),
        ("y = a and not a", "1-1-1", "int2"),
    ],
)
def test_a_small_task_is_looked_up_and_proved(name, shape, format):
    task = task_named(name)
    net = construct(task, "table")
    assert (net.shape, net.format) == (shape, format)
    assert decide(net, task)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-1, 3), min_size=12, max_size=12))
def test_rows_in_which_any_output_will_do_are_free(outputs):
    def rule(words):
        values = [outputs[int(a) * 4 + int(b)] for a, b in zip(words["a"], words["b"], strict=True)]
        return {"c": np.array(values)}

    words = (Word("a", 2, 3), Word("b", 2))
    task = Task(
        "drawn",
        words,
        (Word("c", 2),),
        lambda numbers: rule({name: np.atleast_1d(value) for name, value in numbers.items()}),
        any_value=-1,
    )
    assert decide(table_network(task, "int4"), task)


def test_a_large_task_is_refused():
    with pytest.raises(ResourceError, match="more than 4096 rows"):
        _ = table_network(task_named("adder:7"), "int8")
