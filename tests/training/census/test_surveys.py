"""What helps: small populations with one setting changed, on the same members."""

from __future__ import annotations

import numpy as np
import pytest

from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.training.census import surveys
from adderlab.training.census.findings import findings_of
from adderlab.training.census.rates import Rate
from adderlab.training.choice import ENSEMBLE, LANES, Choice, choose
from adderlab.training.members import train_members

HALF_ADDER = task_named("half-adder")
SETTINGS = Settings(lr=0.4, steps=60, data="table")


@pytest.fixture(scope="module")
def survey_and_stages():
    stages: list[str] = []
    survey = surveys.survey(HALF_ADDER, SETTINGS, Rate(9, 12), on_stage=stages.append)
    return survey, stages


def test_every_change_is_one_setting_and_has_its_option(survey_and_stages):
    survey, stages = survey_and_stages
    assert [(entry.change, entry.option) for entry in survey.helps] == [
        ("4 hidden units", "--hidden 4"),
        ("8 hidden units", "--hidden 8"),
        ("tanh", "--activation tanh"),
        ("Adam at 0.01", "--optimizer adam --lr 0.01"),
        ("a start twice as large", "--init-scale 2"),
        ("a start half as large", "--init-scale 0.5"),
    ]
    assert all(entry.rate.of == 12 for entry in survey.helps)
    assert "tanh" in stages


def test_a_rate_is_that_of_the_first_members(survey_and_stages):
    survey, _ = survey_and_stages
    by_option = {entry.option: entry.rate for entry in survey.helps}
    wide = Settings(lr=0.4, steps=60, data="table", hidden=8)
    trained = train_members(HALF_ADDER, wide, np.arange(12), path=ENSEMBLE)
    assert by_option["--hidden 8"].count == findings_of(trained).is_right.sum()
    large = Settings(lr=0.4, steps=60, data="table", init_scale=2.0)
    trained = train_members(HALF_ADDER, large, np.arange(12))
    assert by_option["--init-scale 2"].count == findings_of(trained).is_right.sum()


def test_the_runs_own_width_and_learning_rate_are_among_those_measured(survey_and_stages):
    survey, _ = survey_and_stages
    assert dict(survey.by_width)[3] == Rate(9, 12)
    assert [width for width, _ in survey.by_width] == [2, 3, 4, 8]
    rates = [lr for lr, _ in survey.by_lr]
    assert 0.4 in rates
    assert rates == sorted(rates)
    assert rates[-1] / rates[0] == pytest.approx(1e4)


def test_what_a_run_has_already_is_no_change(monkeypatch):
    monkeypatch.setattr(surveys, "choose", lambda task, settings: Choice(ENSEMBLE, "no wait"))
    settings = Settings(activation="tanh", optimizer="adam", lr=0.01, hidden=(3, 3), steps=1)
    survey = surveys.survey(HALF_ADDER, settings, Rate(0, 2))
    options = [entry.option for entry in survey.helps]
    assert options == ["--init-scale 2", "--init-scale 0.5"]
    assert survey.by_width == ()


def test_a_kernel_is_compiled_only_for_what_pytorch_takes_longer_for():
    settings = Settings(hidden=5)
    assert surveys.path_of(HALF_ADDER, settings, 50) == ENSEMBLE
    assert surveys.path_of(HALF_ADDER, settings, 10**6) == choose(HALF_ADDER, settings).path
    assert surveys.surveyed(HALF_ADDER, settings, 30) == 30
    assert surveys.surveyed(HALF_ADDER, settings, 10**6) == 1000
    assert surveys.surveyed(task_named("adder:4"), Settings(hidden=64), 10**6) == 50
    wide = Settings(hidden=16)  # PyTorch would train a block of 1024 of them
    assert (
        surveys.path_of(task_named("adder:2"), wide, 50) == choose(task_named("adder:2"), wide).path
    )


def test_the_survey_of_a_long_run_takes_kernels_whatever_is_compiled(monkeypatch):
    paths: dict[int, list[str | None]] = {}

    def trained(task, settings, networks, on_compile, *, path):
        taken.append(path or surveys.path_of(task, settings, networks))
        return Rate(1, networks)

    monkeypatch.setattr(surveys, "success_rate", trained)
    for grid in ("_by_scale", "_by_lr"):
        monkeypatch.setattr(surveys, grid, lambda *arguments: ())
    settings = Settings()
    least = -(-surveys.LONG_RUN // surveys._work(HALF_ADDER, settings))
    for networks in (least - 1, least):
        taken = paths.setdefault(networks, [])
        _ = surveys.survey(HALF_ADDER, settings, Rate(1, 2), networks=networks)
    kernels = [choose(HALF_ADDER, change.settings).path for change in surveys.changes_of(settings)]
    assert paths == {least - 1: [ENSEMBLE] * 5, least: kernels}
    assert ENSEMBLE not in kernels


def test_a_long_runs_kernels_are_begun_beside_its_training(monkeypatch):
    begun: list[tuple[tuple[int, ...], str, str, str]] = []

    def begin(shapes, on_compile):
        begun.extend((s.sizes, s.activation, s.optimizer, path) for s, path in shapes)

    monkeypatch.setattr("adderlab.training.kernels.engine.compile_shapes", begin)
    surveys.prepare(HALF_ADDER, Settings(), 10**5, print)
    assert not begun
    surveys.prepare(HALF_ADDER, Settings(), 10**6, print)
    assert begun == [
        ((2, 2, 2), "relu", "sgd", LANES),
        ((2, 4, 2), "relu", "sgd", LANES),
        ((2, 8, 2), "relu", "sgd", LANES),
        ((2, 3, 2), "tanh", "sgd", LANES),
        ((2, 3, 2), "relu", "adam", LANES),
    ]
