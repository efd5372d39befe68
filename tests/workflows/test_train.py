"""Training workflows: one network with its proof, and the folder of a population."""

from __future__ import annotations

import json
from dataclasses import asdict

import pandas as pd
import pytest

from adderlab.errors import OptionError, OutputError, ResourceError
from adderlab.nets import load, save
from adderlab.proving import prove
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.workflows import train as workflow
from adderlab.workflows.build import build
from adderlab.workflows.train import success_rates, train, train_many, what_helps

QUICK = {"optimizer": "momentum", "steps": 200, "samples": 200}
"""Settings that give right networks and wrong ones in a fraction of the notebook's steps."""
SEEDS = 30


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a population that was written into a folder, and the folder."""
    folder = tmp_path_factory.mktemp("workflow") / "below" / "run"
    return train_many("half-adder", seeds=SEEDS, seed=50, out=folder, **QUICK), folder


def test_the_folder_holds_these_files_and_no_others(run):
    _, folder = run
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["best.safetensors", "census.parquet", "run.json"]
    assert [path.name for path in folder.parent.iterdir()] == ["run"]  # no scratch folder


def test_run_json_is_what_the_census_says(run):
    census, folder = run
    text = (folder / "run.json").read_text(encoding="utf-8")
    found = json.loads(text)
    assert found == census.to_dict()
    assert found["networks"] == SEEDS
    assert 0 < found["successes"] < SEEDS
    assert found["success_rate"] == found["successes"] / SEEDS
    low, high = found["interval"]
    assert low < found["success_rate"] < high
    assert found["path"] == "torch-ensemble"
    assert found["seconds"] > 0
    assert found["settings"] == asdict(Settings(seed=50, **QUICK))
    assert found["task"] == "half-adder"
    assert sum(one["count"] for one in found["failures"]) == SEEDS - found["successes"]
    assert set(found["best"]) == {"member", "seed", "margin", "verdict", "file"}
    assert found["best"]["file"] == str(folder / "best.safetensors")
    assert found["folder"] == str(folder)


def test_the_census_is_a_table_that_agrees_with_run_json(run):
    _, folder = run
    table = pd.read_parquet(folder / "census.parquet")
    found = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert list(table.columns) == [
        "member",
        "seed",
        "loss",
        "is_right",
        "rows_right",
        "table",
        "margin",
        "dead_units",
    ]
    assert list(table["member"]) == list(range(SEEDS))
    assert list(table["seed"]) == list(range(50, 50 + SEEDS))
    assert int(table["is_right"].sum()) == found["successes"]
    assert ((table["rows_right"] == 4) == table["is_right"]).all()
    assert ((table["margin"] > 0) == table["is_right"]).all()
    wrong = table[~table["is_right"]]["table"].map(tuple).value_counts()
    assert {tuple(one["table"]): one["count"] for one in found["failures"]} == dict(wrong)
    best = table[table["is_right"]].sort_values("margin").iloc[-1]
    assert (best["member"], best["seed"]) == (found["best"]["member"], found["best"]["seed"])
    assert best["margin"] == found["best"]["margin"]


def test_the_best_network_is_proved_and_says_how_to_train_it_again(run):
    census, folder = run
    verdict = prove(folder / "best.safetensors")
    assert verdict.verdict == census.best_proof.verdict == "proved"
    assert verdict.margin == census.best_proof.margin
    best = json.loads((folder / "run.json").read_text(encoding="utf-8"))["best"]
    told = Settings.from_record(load(folder / "best.safetensors").training)
    assert told == Settings(seed=best["seed"], **QUICK)
    assert train("half-adder", **asdict(told)).proof.verdict == "proved"


def test_a_later_run_replaces_an_earlier_one(tmp_path):
    folder = tmp_path / "run"
    _ = train_many("half-adder", seeds=2, seed=50, out=folder, **QUICK)
    best = save(build("half-adder", method="lecture").network, folder / "best.safetensors")
    census = train_many("half-adder", seeds=2, steps=0, out=folder)
    assert census.population.best is None  # so no best network may stay from the run before
    assert not best.exists()
    assert json.loads((folder / "run.json").read_text(encoding="utf-8"))["best"] is None
    assert list(pd.read_parquet(folder / "census.parquet")["seed"]) == [0, 1]


def test_a_population_that_diverged_is_written_too(tmp_path):
    census = train_many("half-adder", seeds=3, steps=60, lr=1e30, out=tmp_path / "run")
    found = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert found["failures"] == [{"table": [], "count": 3}]
    assert (found["successes"], found["best"], found["interval"][0]) == (0, None, 0)
    assert census.best_proof is None
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "census.parquet",
        "run.json",
    ]
    table = pd.read_parquet(tmp_path / "run" / "census.parquet")
    assert table["loss"].isna().all()
    assert list(table["rows_right"]) == [0, 0, 0]


def refused_work(*_, **__):
    raise AssertionError("the work was done first")


def test_a_folder_with_other_files_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(workflow, "train_population", refused_work)
    _ = (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError) as refused:
        _ = train_many("half-adder", seeds=2, out=tmp_path)
    assert str(refused.value) == f"{tmp_path}: the folder holds other files; name a new folder"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_the_folders_place_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(workflow, "train_population", refused_work)
    place = tmp_path / "run"
    _ = place.write_text("")
    with pytest.raises(OutputError) as refused:
        _ = train_many("half-adder", seeds=2, out=place)
    assert str(refused.value) == f"{place}: a file stands there; name a folder"


def test_nothing_is_left_where_writing_fails(tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(workflow, "save", fail)
    with pytest.raises(RuntimeError, match=r"\Athe disk is gone\Z"):
        _ = train_many("half-adder", seeds=3, seed=50, out=tmp_path / "deep" / "run", **QUICK)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"seeds": 0}, OptionError, "--seeds: got 0; give a number in 1..1000000"),
        ({"seeds": 10**6 + 1}, OptionError, "--seeds: got 1000001; give a number in 1..1000000"),
        (
            {"seeds": 2, "seed": (1 << 32) - 1},
            OptionError,
            "--seed: seeds 4294967295 to 4294967296 leave 32 bits; take a smaller one",
        ),
        (
            {"seeds": 2, "hiden": 4},
            OptionError,
            (
                "train: unknown setting 'hiden'; one of hidden, seed, lr, steps, batch, samples, "
                "optimizer, loss, activation, init, member, data, momentum, weight_decay, "
                "init_scale, stop_margin"
            ),
        ),
        (
            {"seeds": 2, "task": "adder:9"},
            ResourceError,
            (
                "--seeds: adder:9 has 262144 rows, a population takes at most 4096; train one "
                "network, or take a narrower task"
            ),
        ),
    ],
)
def test_a_population_that_can_not_be_trained_is_refused(options, error, message, tmp_path):
    with pytest.raises(error) as refused:
        _ = train_many(out=tmp_path / "run", **options)
    assert str(refused.value) == message
    assert list(tmp_path.iterdir()) == []


def test_the_last_seed_of_all_is_trained():
    census = train_many("half-adder", seeds=2, seed=(1 << 32) - 2, steps=0)
    assert [member.seed for member in census.population.members] == [(1 << 32) - 2, (1 << 32) - 1]


def test_a_census_says_in_one_line_how_often_it_worked(run):
    census, _ = run
    rate = census.population.successes / SEEDS
    assert repr(census).startswith(f"Census: {rate:.1%} of {SEEDS} networks right (")


def test_one_network_is_written_with_the_verdict_that_its_file_gets(tmp_path):
    path = tmp_path / "net.safetensors"
    trained = train("half-adder", seed=1, out=path, steps=50)
    assert trained.file == path
    assert not trained  # as bool(verdict): refuted, and written all the same
    verdict = prove(path)
    assert verdict.verdict == trained.proof.verdict == "refuted"
    assert verdict.sha256 == trained.proof.sha256
    found = trained.to_dict()
    assert found["rows_right"] == verdict.rows_right
    assert found["proof"]["counterexample"] == verdict.counterexample.to_dict()
    assert found["file"] == str(path)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_run_that_diverged_writes_nothing_and_has_no_proof(tmp_path):
    trained = train("half-adder", lr=1e30, steps=100, out=tmp_path / "net.safetensors")
    assert not trained
    assert trained.network is trained.proof is trained.file is None
    found = trained.to_dict()
    assert found["diverged"] is True
    assert (found["loss"], found["losses"], found["rows_right"]) == (None, [[100, None]], 0)
    assert found["proof"] is None
    assert list(tmp_path.iterdir()) == []
    assert repr(trained).endswith("\ndiverged: weights left the numbers")


def test_one_networks_place_is_tried_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(workflow, "train_network", refused_work)
    with pytest.raises(OutputError) as refused:
        _ = train("half-adder", out=tmp_path)
    assert str(refused.value) == f"{tmp_path}: a folder stands there; name a file"


def test_an_unknown_setting_is_refused_by_name():
    with pytest.raises(OptionError) as refused:
        _ = train("half-adder", learning_rate=1)
    assert str(refused.value) == (
        "train: unknown setting 'learning_rate'; one of hidden, seed, lr, steps, batch, samples, "
        "optimizer, loss, activation, init, member, data, momentum, weight_decay, init_scale, "
        "stop_margin"
    )


RATES = [
    {"change": "4 hidden units", "option": "--hidden 4", "successes": 3, "networks": 4},
]


def test_what_helps_is_told_of_the_lectures_settings_alone(monkeypatch):
    monkeypatch.setattr(workflow, "success_rates", lambda: {"rates": RATES})
    told = what_helps(task_named("half-adder"), Settings(seed=9))
    assert [(one.change, one.rate) for one in told] == [("4 hidden units", 0.75)]
    assert what_helps(task_named("adder:1"), Settings()) == told
    assert what_helps(task_named("half-adder"), Settings(lr=0.2)) == ()
    assert what_helps(task_named("full-adder"), Settings()) == ()
    assert what_helps(task_named("adder:2"), Settings()) == ()


def test_only_a_network_that_failed_is_told_what_helps(monkeypatch):
    monkeypatch.setattr(workflow, "success_rates", lambda: {"rates": RATES})
    assert len(train("half-adder", seed=1).helps) == 1
    assert train("half-adder", seed=0).helps == ()


def test_the_measured_rates_name_their_script_and_hold_counts():
    found = success_rates()
    assert found["script"] == "benchmarks/success_rates.py"
    for entry in found["rates"]:
        assert set(entry) == {"change", "option", "successes", "networks"}
        assert 0 <= entry["successes"] <= entry["networks"]
