"""Truth tables: which rows are shown, and what is said of the others."""

from __future__ import annotations

import numpy as np
import pytest

from adderlab.building import construct, printed_network
from adderlab.nets import network
from adderlab.nets.truth import rows_to_show, spread_rows, truth_rows
from adderlab.tasks import task_named

HALF_ADDER = task_named("half-adder")


def random_adder():
    """Return an 8-bit adder's network with random weights: nearly every row is wrong."""
    random = np.random.default_rng(1)
    weights = [random.normal(size=shape).astype(np.float32) for shape in ((80, 16), (9, 80))]
    biases = [random.normal(size=width).astype(np.float32) for width in (80, 9)]
    return network(weights, biases, task=task_named("adder:8"))


def test_large_tables_show_wrong_rows_and_count_them() -> None:
    net = random_adder()
    task = task_named("adder:8")
    shown = rows_to_show(net, task)
    rows = {row.index: row for row in truth_rows(net, task)}
    others = [index for index in spread_rows(task) if index >= 1024]
    wrong = sum(not rows[index].is_right for index in (*range(1024), *others))
    assert (len(shown.rows), shown.wrong, shown.scanned, shown.total) == (8, wrong, 1024, 65536)
    assert shown.elsewhere == len(others) == 6
    assert not any(row.is_right for row in shown.rows)
    assert shown.note == (
        f"the first 8 wrong rows; {wrong} of the first 1024 and 6 others of 65536 rows are wrong"
    )
    small = rows_to_show(printed_network(), HALF_ADDER)
    assert (len(small.rows), small.note) == (4, "4 of 4 rows right")


@pytest.mark.parametrize("name", ["adder:3", "adder:64", "full-adder", "parity:27", "popcount:3"])
def test_rows_spread_over_a_table_are_few_and_different_and_those_of_an_adder_carry(name):
    task = task_named(name)
    spread = spread_rows(task)
    assert spread == sorted(set(spread))
    assert len(spread) == min(8, task.rows)
    assert (spread[0], spread[-1]) == (0, task.rows - 1)
    if name.startswith("adder"):
        words = [tuple(task.row(index).inputs.values()) for index in spread]
        top = task.inputs[0].size - 1
        assert {(top, 1), (1, top), (top, top)} <= set(words)
        assert sum(bool(a & b) for a, b in words) >= 4


def test_rows_of_a_wide_network_that_is_right_are_not_its_first_ones():
    task = task_named("adder:16")
    shown = rows_to_show(construct(task, "prefix"), task)
    assert (shown.wrong, len(shown.rows)) == (0, 8)
    assert any(row.inputs == {"a": 65535, "b": 1} for row in shown.rows)
    assert shown.note == (
        "8 rows from all over the table; the first 1024 and 7 others of 2^32 rows are looked at, "
        "all right"
    )
