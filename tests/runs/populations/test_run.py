"""A population's run: its folder, its census, what it keeps, and what it refuses."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from runs.populations.shared import BLOCK, PLAIN, QUICK, SEEDS, refused_work, without_seconds

from adderlab.blocks.markdown import to_markdown
from adderlab.errors import AdderlabError, OptionError, OutputError, ResourceError
from adderlab.nets import load
from adderlab.runs.populations import blocks
from adderlab.runs.populations import plan as plans
from adderlab.runs.populations.census import Census
from adderlab.training import Settings
from adderlab.training.census import surveys
from adderlab.training.census.rates import Rate
from adderlab.training.choice import choose
from adderlab.training.members import train_members
from adderlab.verbs.prove import prove
from adderlab.verbs.train import train
from adderlab.verbs.train_many import train_many

pytestmark = pytest.mark.usefixtures("small_blocks")

COLUMNS = [
    *("member", "seed", "hidden", "lr", "init_scale", "steps", "batch", "optimizer", "activation"),
    *("loss", "is_right", "rows_right", "table_code", "margin", "pattern", "solution_class"),
    *("dead_units", "steps_to_solve", "dead_at_start", "died", "stuck", "still_falling"),
    *("diverged", "table", "start"),
]


def test_the_folder_holds_these_files_and_no_others(whole):
    _, folder = whole
    names = sorted(path.relative_to(folder).as_posix() for path in folder.iterdir())
    assert names == ["best.safetensors", "blocks", "census.parquet", "figures", "run.json"]
    blocks = sorted(path.name for path in (folder / "blocks").iterdir())
    assert blocks == [f"{number:06}.parquet" for number in range(-(-SEEDS // BLOCK))]
    figures = {path.name for path in (folder / "figures").iterdir()}
    assert {"loss-quantiles.svg", "success-by-hidden.png", "success-by-lr.svg"} <= figures
    assert {"failure-1.svg", "failure-2.png"} <= figures
    assert [path.name for path in folder.parent.iterdir()] == ["run"]


def test_run_json_is_what_the_census_says(whole):
    census, folder = whole
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    entries = census.to_dict()
    kept = {name: value for name, value in entries.items() if name not in ("folder", "was_done")}
    assert {**kept, "best": {**kept["best"], "file": "best.safetensors"}} == {
        name: record[name] for name in kept
    }
    assert (entries["networks"], entries["settings"]["lr"]) == (SEEDS, 0.4)
    assert 0 < entries["successes"] < SEEDS
    assert entries["success_rate"] == entries["successes"] / SEEDS
    low, high = entries["interval"]
    assert low < entries["success_rate"] < high
    assert entries["path"] == choose(census.task, census.settings).path
    assert sum(kind["count"] for kind in entries["failures"]) == SEEDS - entries["successes"]
    assert entries["best"]["file"] == str(folder / "best.safetensors")
    assert entries["folder"] == str(folder)
    assert json.loads(json.dumps(entries, allow_nan=False)) == entries


def test_a_census_is_read_back_from_run_json_field_by_field(whole):
    census, folder = whole
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    plan = plans.Plan(census.task, census.settings, SEEDS)
    again = Census.from_record(plan, record)
    for name in set(Census.__slots__) - {"best_proof", "folder", "times"}:
        assert getattr(again, name) == getattr(census, name), name
    assert any(kind.causes for kind in again.failures)
    assert any(symptom.trial for symptom in again.symptoms)


KEYS = [
    *("task", "settings", "networks", "successes", "success_rate", "interval", "seconds"),
    *("path", "why", "failures", "failure_tables", "diverged", "causes", "successes_by_step"),
    *("losses", "solutions", "helps", "by_hidden", "by_lr", "best", "keep", "folder", "was_done"),
]
"""What JSON output has, in this order; other programs read it."""
PARTS = {
    "failures": "table code count share member pattern causes",
    "causes": "cause text count share among_successes is_cause trial",
    "helps": "change option successes networks rate interval unchanged is_better",
    "by_hidden": "hidden count of share interval",
    "by_lr": "lr count of share interval",
}


def test_json_has_these_keys(whole):
    entries = whole[0].to_dict()
    assert list(entries) == KEYS
    for name, keys in PARTS.items():
        assert list(entries[name][0]) == keys.split()
    trial = next(symptom["trial"] for symptom in entries["causes"] if symptom["trial"])
    assert list(trial) == ["change", "mended", "control", "control_mended"]
    assert list(entries["losses"]) == ["steps", "quantiles"]
    assert list(entries["losses"]["quantiles"]) == ["0.05", "0.25", "0.5", "0.75", "0.95"]
    assert list(entries["solutions"]) == ["patterns", "classes", "commonest"]
    commonest = entries["solutions"]["commonest"][0]
    assert list(commonest) == ["class", "code", "count", "share", "member"]
    assert list(entries["best"]) == ["member", "seed", "margin", "verdict", "file"]


def test_one_network_with_one_sample_stands_in_the_singular():
    census = train_many("half-adder", seeds=1, steps=1, samples=1, explain=False)
    assert "0 of 1 network is right on every row" in to_markdown(census.blocks())
    trained = train("half-adder", steps=1, samples=1)
    assert "(over the 1 sample)" in to_markdown(trained.blocks())
    alone = train_members(census.task, census.settings, [0])
    assert repr(alone) == f"Members: 1 network 2-3-2 by {census.path}"


def test_a_count_of_1_stands_in_the_singular(whole):
    census = replace(
        whole[0],
        networks=1,
        successes=1,
        solutions=replace(whole[0].solutions, patterns=1, classes=1),
        symptoms=tuple(
            replace(symptom, trial=replace(symptom.trial, repaired=Rate(1, 1)))
            for symptom in whole[0].symptoms
            if symptom.trial
        ),
    )
    text = to_markdown(census.blocks())
    assert "1 of 1 network is right on every row" in text
    assert "solutions: 1 on/off pattern, 1 class up to permutation" in text
    assert " in 1 failure; control group" in text
    assert "1 networks" not in text


def test_what_helps_is_compared_on_the_same_members(monkeypatch):
    monkeypatch.setattr(surveys, "MOST_NETWORKS", 20)
    record = train_many("half-adder", seeds=SEEDS, **QUICK).to_dict()
    alone = train_many("half-adder", seeds=20, **PLAIN).to_dict()
    own = {"count": alone["successes"], "of": 20}
    assert record["successes"] / SEEDS != alone["successes"] / 20
    for entry in record["helps"]:
        assert {name: entry["unchanged"][name] for name in own} == own
    for key, value in (("by_hidden", 3), ("by_lr", 0.4)):
        name = key.removeprefix("by_")
        row = next(entry for entry in record[key] if entry[name] == value)
        assert {name: row[name] for name in own} == own


def test_the_census_is_a_table_that_agrees_with_run_json(whole):
    census, folder = whole
    table = pd.read_parquet(folder / "census.parquet")
    assert list(table.columns) == COLUMNS
    assert list(table["member"]) == list(range(SEEDS))
    assert int(table["is_right"].sum()) == census.successes
    assert ((table["margin"] > 0) == table["is_right"]).all()
    wrong = table[~table["is_right"]]["table"].map(tuple).value_counts()
    assert {kind.table: kind.count for kind in census.failures} == dict(wrong)
    best = table[table["is_right"]].sort_values("margin").iloc[-1]
    assert best["margin"] == census.best.margin
    assert best["member"] == census.best.member
    for symptom in census.symptoms:
        failures = table[~table["is_right"]]
        assert symptom.count == failures[symptom.name].sum()
        assert symptom.among_successes == table[table["is_right"]][symptom.name].mean()
    solved = table[table["is_right"]]["steps_to_solve"]
    for step, count in census.successes_by_step:
        assert count == (solved <= step).sum()
    solutions = census.solutions
    right = table[table["is_right"]]
    assert solutions.patterns == right["pattern"].nunique()
    assert solutions.classes == right["solution_class"].nunique()
    most = right["solution_class"].value_counts()
    assert [solution.count for solution in solutions.commonest] == list(most[:10])


def test_each_failure_names_a_member_that_ends_in_it(whole):
    census, folder = whole
    table = pd.read_parquet(folder / "census.parquet").set_index("member")
    for kind in census.failures:
        member = table.loc[kind.member]
        assert tuple(member["table"]) == kind.table
        assert member["table_code"] == kind.code
        assert member["pattern"] == kind.pattern


def test_the_best_network_is_proved_and_says_how_to_train_it_alone(whole):
    census, folder = whole
    verdict = prove(folder / "best.safetensors")
    assert verdict.verdict == census.best_proof.verdict == "proved"
    best = census.best
    read_settings = Settings.from_record(load(folder / "best.safetensors").training)
    assert read_settings == Settings(member=best.member, **QUICK)
    assert train("half-adder", member=best.member, **QUICK).proof.verdict == "proved"


def test_a_member_has_the_same_bits_in_any_population(whole):
    census, folder = whole
    table = pd.read_parquet(folder / "census.parquet").set_index("member")
    members = [3, 40, 119]
    alone = train_members(census.task, census.settings, members)
    for row, member in enumerate(members):
        assert table.loc[member, "loss"] == float(alone.loss[row])
        start = np.concatenate([part[row].ravel() for part in alone.start])
        assert (np.array(table.loc[member, "start"]) == start).all()


# --- what is kept --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keep", "columns"),
    [
        ("none", {"losses"}),
        ("start", {"losses", "start"}),
        ("weights", {"losses", "start", "weights"}),
        ("every:70", {"losses", "start", "snapshots"}),
    ],
)
def test_the_tensors_that_were_asked_for_are_in_the_blocks(tmp_path, keep, columns):
    out = tmp_path / "run"
    census = train_many("half-adder", seeds=40, keep=keep, out=out, explain=False, **QUICK)
    blocks = pd.read_parquet(out / "blocks").set_index("member")  # both files as one table
    assert len(blocks) == 40
    tensors = {"losses", "start", "weights", "snapshots"}
    assert tensors & set(blocks.columns) == columns
    table = pd.read_parquet(out / "census.parquet")
    assert tensors & set(table.columns) == columns & {"start"}
    again = train_members(census.task, census.settings, [38], keep_every=70)
    flat = np.concatenate([part[0].ravel() for part in again.arrays])
    row = blocks.loc[38]
    if keep == "weights":
        assert (np.array(row["weights"]) == flat).all()
    if keep == "every:70":
        kept = np.stack([np.array(entry) for entry in row["snapshots"]])
        assert kept.shape == (4, 17)  # at 0, 70, 140 and 150 steps
        assert (kept[0] == np.array(row["start"])).all()
        assert (kept[-1] == flat).all()


def test_without_a_folder_the_result_is_the_same(whole):
    census, _ = whole
    again = train_many("half-adder", seeds=SEEDS, **QUICK)
    assert again.folder is None
    first, second = again.to_dict(), census.to_dict()
    for result in (first, second):
        del result["folder"], result["best"]["file"]
    assert without_seconds(first) == without_seconds(second)


def test_progress_counts_every_step_of_every_network():
    done: list[int] = []
    stages: list[str] = []
    _ = train_many(
        "half-adder",
        seeds=50,
        explain=False,
        on_progress=done.append,
        on_stage=stages.append,
        **QUICK,
    )
    assert sum(done) == 50 * 150
    assert stages == ["training"]


def test_progress_covers_causes_and_what_helps_too():
    """As much as was announced, neither more nor less, whatever work it turned out to be."""
    done: list[int] = []
    totals: list[int] = []
    census = train_many(
        "half-adder", seeds=40, on_progress=done.append, on_total=totals.append, **QUICK
    )
    assert totals == [sum(done)]
    assert totals[0] > 40 * 150
    assert min(done) >= 0
    names = [name for name, _ in census.times.parts]
    assert {"training", "judging", "causes", "what helps"} <= set(names)
    assert sum(seconds for _, seconds in census.times.parts) <= census.times.seconds


def test_a_population_that_diverged_is_written_too(tmp_path):
    census = train_many(
        "half-adder", seeds=6, steps=60, lr=1e30, out=tmp_path / "run", explain=False
    )
    assert census.failures[0].table == ()
    assert (census.successes, census.diverged, census.best) == (0, 6, None)
    assert census.best_proof is None
    assert not (tmp_path / "run" / "best.safetensors").exists()
    assert census.losses.by_share[0.5][-1] == float("inf")
    assert census.to_dict()["losses"]["quantiles"]["0.5"][-1] is None
    again = train_many(
        "half-adder", seeds=6, steps=60, lr=1e30, out=tmp_path / "run", explain=False
    )
    assert again.was_done
    assert again.best_proof is None


def test_untrained_networks_are_counted_as_they_start(tmp_path):
    census = train_many("half-adder", seeds=8, steps=0, out=tmp_path / "run")
    assert census.networks == 8
    assert not any(symptom.trial for symptom in census.symptoms)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"seeds": 0}, OptionError, "seeds: got 0; give a number in 1..100000000"),
        ({"seeds": True}, OptionError, "seeds: got True; give a whole number"),
        (
            {"seeds": 10**8 + 1},
            OptionError,
            "seeds: got 100000001; give a number in 1..100000000",
        ),
        (
            {"seeds": 2, "member": 1},
            OptionError,
            ("member: got 1 beside `seeds`; give one of them: a population trains every member"),
        ),
        (
            {"seeds": 2, "keep": "all"},
            OptionError,
            "keep: got 'all'; give one of none, start, weights, every:K",
        ),
        (
            {"seeds": 2, "keep": "every:0"},
            OptionError,
            "keep: got 'every:0'; give every:K with K of at least 1",
        ),
        ({"seeds": 2, "lr": float("nan")}, OptionError, None),
        ({"seeds": 2, "lr": -1.0}, OptionError, None),
        (
            {"seeds": 2, "task": "adder:9"},
            ResourceError,
            (
                "seeds: adder:9 has 262144 rows, a population takes at most 4096; train one "
                "network, or take a narrower task"
            ),
        ),
        ({"seeds": 2, "hidden": 10**9}, ResourceError, None),
    ],
)
def test_a_population_that_can_not_be_trained_is_refused(options, error, message, tmp_path):
    with pytest.raises(error) as refused:
        _ = train_many(out=tmp_path / "run", **options)
    if message is not None:
        assert str(refused.value) == message
    assert isinstance(refused.value, AdderlabError)
    assert list(tmp_path.iterdir()) == []


def test_tensors_without_a_folder_are_refused():
    with pytest.raises(OptionError) as refused:
        _ = train_many("half-adder", seeds=2, keep="weights")
    assert str(refused.value) == ("keep: got 'weights' without a folder; name a folder with `out`")


def test_a_run_beyond_the_disk_is_refused_with_its_estimate(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 10**6})
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    with pytest.raises(ResourceError) as refused:
        _ = train_many("half-adder", seeds=10**6, out=tmp_path / "run")
    assert str(refused.value) == (
        f"{tmp_path / 'run'}: the run would take about 0.364 GB, 0.001 GB are free; take fewer "
        "`seeds`, `keep` none, or another disk"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_estimate_of_the_disk_is_near_what_is_written(whole):
    census, folder = whole
    plan = plans.Plan(census.task, census.settings, SEEDS)
    rows = pd.read_parquet(folder / "census.parquet")
    assert len(rows) == SEEDS
    estimate = plan.disk_bytes / SEEDS
    # of many rows, where the files' own heads do not count: 310 bytes each (100,000 half adders)
    assert 200 < estimate < 600


def test_a_place_that_is_taken_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(blocks, "train_members", refused_work)
    place = tmp_path / "run"
    _ = place.write_text("")
    with pytest.raises(OutputError) as refused:
        _ = train_many("half-adder", seeds=2, out=place)
    assert str(refused.value) == f"{place}: a file stands there; name a folder"


def test_a_census_says_in_one_line_how_often_it_worked(whole):
    census, _ = whole
    rate = census.successes / SEEDS
    assert repr(census).startswith(f"Census: {rate:.1%} of {SEEDS} networks right (")
    assert f"{census.successes} of {SEEDS} networks are right" in census._repr_html_()
