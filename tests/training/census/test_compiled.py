"""Findings by the kernel are those of the usual way, member by member."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from adderlab.tasks import as_task, task_named
from adderlab.training import make_settings
from adderlab.training.census.compiled import can_compile, compiled_findings
from adderlab.training.census.findings import findings_of
from adderlab.training.choice import ENSEMBLE
from adderlab.training.judging import judge
from adderlab.training.members import train_members

CASES = {
    "the lecture's shape": ("half-adder", {"steps": 300}),
    "diverged": ("half-adder", {"steps": 100, "lr": 3.0}),
    "two hidden layers": ("half-adder", {"hidden": (4, 3), "steps": 100}),
    "leaky": ("half-adder", {"activation": "leaky:0.125", "steps": 100}),
    "patterns of over 64 bits": ("full-adder", {"hidden": 12, "steps": 60}),
    "units of over 64 bits": ("adder:2", {"hidden": 40, "steps": 10}),
    "one output": ("parity:3", {"hidden": 4, "steps": 50}),
}


def settings_of(**options):
    return make_settings("train_many", frozenset(), **options)


def trained_members(task, settings, count):
    """Train by the engine that compiles nothing."""
    return train_members(task, settings, np.arange(count, dtype=np.uint64), path=ENSEMBLE)


def assert_same(trained):
    usual = findings_of(trained, tables=True, start=True)
    quick = compiled_findings(trained, tables=True, start=True)
    for field in fields(usual):
        own, other = getattr(quick, field.name), getattr(usual, field.name)
        if field.name == "margin":
            np.testing.assert_allclose(own, other, rtol=1e-14, atol=1e-14)
        else:
            np.testing.assert_array_equal(own, other, err_msg=field.name)
    return usual


@pytest.mark.parametrize("case", CASES)
def test_every_member_has_the_same_findings(case):
    task, options = CASES[case]
    settings = settings_of(**options)
    assert can_compile(task_named(task), settings)
    _ = assert_same(trained_members(task_named(task), settings, 300))


def test_any_value_will_do_where_the_table_says_so(tmp_path):
    file = tmp_path / "free.csv"
    _ = file.write_text("in a:1,in b:1,out c:1\n0,0,0\n0,1,*\n1,0,1\n1,1,*\n")
    task = as_task(f"table:{file}")
    trained = trained_members(task, settings_of(steps=60), 300)
    assert assert_same(trained).is_right.any()


@pytest.mark.parametrize("grid", [1.0, 0.25, 2.0**-30])
@pytest.mark.parametrize("hidden", [3, (3, 2)])
def test_sums_at_the_edge_are_decided_exactly(grid, hidden):
    """Weights on a grid, so that sums are 0 and outputs at the threshold, or a hair beside them."""
    task, settings = task_named("half-adder"), settings_of(steps=1, hidden=hidden)
    trained = trained_members(task, settings, 500)
    draw = np.random.default_rng(5)
    arrays = tuple(
        (draw.integers(-2, 3, array.shape) / 4 + grid * draw.integers(-1, 2, array.shape)).astype(
            np.float32
        )
        for array in trained.arrays
    )
    assert judge(task, settings, arrays).is_close.any()
    _ = assert_same(replace(trained, arrays=arrays, start=arrays))


def test_what_the_kernel_does_not_know_goes_the_usual_way():
    half_adder = task_named("half-adder")
    assert not can_compile(half_adder, settings_of(activation="tanh"))
    assert not can_compile(task_named("adder:3"), settings_of(hidden=8))
    assert can_compile(half_adder, settings_of())
