"""Causes: one thing is changed and nothing else, and what it mends is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from adderlab.nets.layout import join
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.census.causes import LEAST_TRIED, _Retraining, is_cause, try_changes
from adderlab.training.census.findings import findings_of, units_on
from adderlab.training.census.rates import Rate
from adderlab.training.census.symptoms import PLACE
from adderlab.training.choice import ENSEMBLE
from adderlab.training.judging import judge
from adderlab.training.members import shaped, train_members

HALF_ADDER = task_named("half-adder")
SETTINGS = Settings(lr=0.4, steps=150, data="table")
"""Settings under which half the runs fail in a sixth of the notebook's steps."""


@pytest.fixture(scope="module")
def failed():
    """Return the numbers of some members that fail."""
    trained = train_members(HALF_ADDER, SETTINGS, np.arange(300), path=ENSEMBLE)
    findings = findings_of(trained)
    assert 0.3 < findings.is_right.mean() < 0.8
    return findings.members[~findings.is_right]


@pytest.fixture(scope="module")
def lab(failed):
    return _Retraining(HALF_ADDER, SETTINGS, failed.astype(np.uint64), ENSEMBLE)


@pytest.fixture(scope="module")
def trials(failed):
    return try_changes(HALF_ADDER, SETTINGS, failed, path=ENSEMBLE)


def test_trained_again_unchanged_every_failure_fails_again(lab):
    """What the changes are compared with where nothing else can be."""
    assert not lab._is_right(np.arange(len(lab.members))).any()
    assert not lab._is_right(np.arange(len(lab.members)), start=lab.start).any()


def test_a_reinitialized_unit_is_on_and_nothing_else_is_changed(lab):
    for unit in range(3):
        which = np.arange(len(lab.members))
        start, has_start = lab._reinitialized(which, np.full(len(which), unit))
        assert has_start.mean() > 0.9
        places = lab.layout.incoming(unit)
        others = [place for place in range(start.shape[1]) if place not in places]
        assert (start[:, others] == lab.start[:, others]).all()
        assert (start[has_start][:, places] != lab.start[has_start][:, places]).any(axis=1).all()
        assert (start[~has_start] == lab.start[~has_start]).all()
        arrays = shaped(start[has_start], HALF_ADDER, SETTINGS)
        (on,) = units_on(judge(HALF_ADDER, SETTINGS, arrays).on, SETTINGS)
        assert on[:, unit].any(axis=1).all()


def test_the_incoming_parameters_of_a_unit_are_its_row_and_its_bias(lab):
    w1, b1, w2, _ = shaped(np.arange(17)[None], HALF_ADDER, SETTINGS)
    for unit in range(3):
        assert lab.layout.incoming(unit) == [*w1[0, unit], b1[0, unit]]
    deep = replace(SETTINGS, hidden=(3, 4))
    lab_of_two = _Retraining(HALF_ADDER, deep, np.arange(2, dtype=np.uint64), ENSEMBLE)
    w1, b1, w2, b2, *_ = shaped(np.arange(deep.parameters(HALF_ADDER))[None], HALF_ADDER, deep)
    assert lab_of_two.layout.incoming(3 + 2) == [*w2[0, 2], b2[0, 2]]


def test_a_change_is_tried_on_those_that_have_the_symptom(lab, trials):
    for name in ("stuck", "still_falling", "diverged"):
        place = PLACE[name]
        assert (trials.tried[:, place] == trials.has_symptom[:, place]).all()
    for name in ("dead_at_start", "died"):
        place = PLACE[name]
        assert not (trials.tried[:, place] & ~trials.has_symptom[:, place]).any()
        assert trials.tried[:, place].sum() >= 0.9 * trials.has_symptom[:, place].sum() > 0
    assert not (trials.repaired & ~trials.tried).any()
    assert not (trials.control_repaired & ~trials.control_tried).any()


def test_a_dead_unit_is_shown_to_be_a_cause(trials):
    """Reviving a dead unit repairs far more than the same change to a unit that is not dead."""
    repaired, control = trials.of(None, "dead_at_start")
    assert repaired.of > 30
    assert is_cause(repaired, control) is True
    assert repaired.share > 2 * control.share


def test_trials_of_a_table_are_those_of_its_failures(trials):
    code = np.unique(trials.codes)[0]
    which = trials.codes == code
    repaired, control = trials.of(which, "stuck")
    place = PLACE["stuck"]
    assert repaired.of == (trials.tried[:, place] & which).sum()
    assert control.count == (trials.control_repaired[:, place] & which).sum()


def test_a_learning_rate_that_is_too_large_is_shown_to_be_a_cause():
    settings = replace(SETTINGS, lr=3.0, hidden=6)
    members = np.arange(40)
    trained = train_members(HALF_ADDER, settings, members, path=ENSEMBLE)
    findings = findings_of(trained)
    assert findings.symptoms[:, PLACE["diverged"]].sum() > 20
    trials = try_changes(HALF_ADDER, settings, members[~findings.is_right], path=ENSEMBLE)
    repaired, control = trials.of(None, "diverged")
    assert is_cause(repaired, control) is True
    assert repaired.share > 0.5


def test_without_steps_nothing_is_tried(failed):
    trials = try_changes(HALF_ADDER, replace(SETTINGS, steps=0), failed[:5], path=ENSEMBLE)
    assert not trials.tried.any()


def test_a_unit_of_tanh_is_never_called_dead(failed):
    settings = replace(SETTINGS, activation="tanh")
    trials = try_changes(HALF_ADDER, settings, failed[:5], path=ENSEMBLE)
    assert not trials.has_symptom[:, [PLACE["dead_at_start"], PLACE["died"]]].any()


@pytest.mark.parametrize(
    ("repaired", "control", "expected"),
    [
        (Rate(30, 60), Rate(10, 60), True),
        (Rate(12, 60), Rate(10, 60), False),
        (Rate(0, 60), Rate(0, 60), False),
        (Rate(20, 60), Rate(0, 0), True),  # an empty control group: no change repairs none
        (Rate(0, 60), Rate(0, 0), False),
        (Rate(LEAST_TRIED - 1, LEAST_TRIED - 1), Rate(0, 60), None),
    ],
)
def test_a_cause_is_what_repairs_beyond_chance(repaired, control, expected):
    assert is_cause(repaired, control) is expected


def test_findings_hold_the_start_that_training_began_with():
    trained = train_members(HALF_ADDER, SETTINGS, np.arange(4), path=ENSEMBLE)
    findings = findings_of(trained, start=True, tables=True)
    assert (findings.start == join(trained.start)).all()
    again = train_members(HALF_ADDER, SETTINGS, np.arange(4), start=findings.start, path=ENSEMBLE)
    assert (join(again.arrays) == join(trained.arrays)).all()
    assert findings.tables.shape == (4, 4)
