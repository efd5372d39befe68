"""Truth tables: which rows are shown, and what is said of the others."""

from __future__ import annotations

import numpy as np

from adderlab.building import printed_network
from adderlab.nets import network
from adderlab.nets.truth import rows_to_show, truth_rows
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
    shown = rows_to_show(net, task_named("adder:8"))
    wrong = sum(
        not row.is_right
        for row, _ in zip(truth_rows(net, task_named("adder:8")), range(1024), strict=False)
    )
    assert (len(shown.rows), shown.wrong, shown.scanned, shown.total) == (8, wrong, 1024, 65536)
    assert not any(row.is_right for row in shown.rows)
    assert (
        shown.note == f"the first 8 wrong rows; {wrong} of the first 1024 of 65536 rows are wrong"
    )
    small = rows_to_show(printed_network(), HALF_ADDER)
    assert (len(small.rows), small.note) == (4, "4 of 4 rows right")
