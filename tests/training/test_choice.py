"""Which engine trains what: by shape and settings alone, with the reason."""

from __future__ import annotations

import pytest

from adderlab.errors import OptionError
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.choice import check_path, choose

CASES = [
    ("half-adder", {}, "numba-lanes", "a step of 2-3-2 on 4 rows is 177 operations"),
    ("half-adder", {"hidden": 2}, "numba-lanes", "a step of 2-2-2 on 4 rows is 124 operations"),
    ("half-adder", {"hidden": 8}, "numba-lanes", "a step of 2-8-2 on 4 rows is 442 operations"),
    ("full-adder", {}, "numba-lanes", "a step of 3-3-2 on 8 rows is 340 operations"),
    ("half-adder", {"hidden": 32}, "numba-wide", "more than the 900 that are written out"),
    ("half-adder", {"activation": "tanh", "hidden": 8}, "numba-wide", "more than the 900"),
    ("adder:2", {"hidden": 16}, "numba-wide", "a step of 4-16-3 on 16 rows is 4067 operations"),
    ("adder:4", {"hidden": (64, 64)}, "numba-wide", "a step of 8-64-64-5 on 256 rows"),
    ("half-adder", {"hidden": (3,) * 9}, "torch-ensemble", "kernels of 9 hidden layers, over 8,"),
    ("adder:4", {"hidden": 257}, "torch-ensemble", "a layer of 8-257-5 is wider than the 256"),
    (
        "adder:2",
        {"batch": 5000, "samples": 5000},
        "torch-ensemble",
        "a batch of 5000 is larger than the 4096",
    ),
    (
        "adder:2",
        {"batch": 5, "samples": 10**6},
        "torch-ensemble",
        "kernels draw batches from at most 262144 samples",
    ),
    ("half-adder", {"samples": 10**6}, "numba-lanes", "written out whole"),
    ("half-adder", {"steps": 10**8}, "torch-ensemble", "kernels count at most 16777216 steps"),
]


@pytest.mark.parametrize(("task", "options", "path", "why"), CASES)
def test_a_shape_has_its_engine_and_a_reason(task, options, path, why):
    choice = choose(task_named(task), Settings(**options))
    assert choice.path == path
    assert why in choice.why
    assert str(choice) == f"{path}: {choice.why}"
    check_path(task_named(task), Settings(**options), path)


@pytest.mark.parametrize(
    "options", [{"seed": 4}, {"lr": 3.0}, {"steps": 7}, {"init": "he"}, {"member": 5}]
)
def test_what_is_no_shape_changes_no_engine(options):
    plain = choose(task_named("half-adder"), Settings())
    assert choose(task_named("half-adder"), Settings(**options)) == plain


@pytest.mark.parametrize(
    ("task", "options", "path", "message"),
    [
        (
            "half-adder",
            {},
            "cuda",
            "path: unknown path 'cuda'; give one of numba-lanes, numba-wide, torch-ensemble",
        ),
        (
            "half-adder",
            {"hidden": 10**9},
            "numba-lanes",
            (
                "path: numba-lanes can't train this shape; take torch-ensemble: a layer of "
                "2-1000000000-2 is wider than the 256 units of kernels"
            ),
        ),
        (
            "adder:4",
            {"hidden": 64},
            "numba-lanes",
            (
                "path: numba-lanes can't train this shape; take numba-wide: a step of 8-64-5 "
                "on 256 rows is 347525 operations, more than the 900 that are written out"
            ),
        ),
    ],
)
def test_an_engine_that_can_not_is_refused_by_name(task, options, path, message):
    with pytest.raises(OptionError) as refused:
        check_path(task_named(task), Settings(**options), path)
    assert str(refused.value) == message
