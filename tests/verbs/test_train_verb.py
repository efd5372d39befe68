"""Training workflows: one network with its proof, and the folder of a population."""

from __future__ import annotations

import pytest

from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.verbs import train as workflow
from adderlab.verbs.prove import prove
from adderlab.verbs.train import heading, success_rates, train, what_helps


def test_a_network_that_fails_is_written_with_the_verdict_that_its_file_gets(tmp_path):
    path = tmp_path / "net.safetensors"
    trained = train("half-adder", seed=1, out=path, steps=50)
    assert not trained  # as bool(verdict): refuted, and written all the same
    verdict, data = prove(path), trained.to_dict()
    assert verdict.verdict == "refuted"
    assert data["rows_right"] == verdict.rows_right
    assert data["proof"]["counterexample"] == verdict.counterexample.to_dict()
    assert data["file"] == str(path)


def test_a_run_that_diverged_writes_nothing_and_has_no_proof(tmp_path):
    trained = train("half-adder", lr=1e30, steps=100, out=tmp_path / "net.safetensors")
    assert not trained
    assert trained.network is trained.proof is trained.file is None
    data = trained.to_dict()
    assert data["diverged"] is True
    assert (data["loss"], data["losses"], data["rows_right"]) == (None, [[100, None]], 0)
    assert data["proof"] is None
    assert list(tmp_path.iterdir()) == []
    assert repr(trained) == "Trained with seed 0, loss nan: diverged: non-finite weights"


RATES = [
    {"change": "another seed and nothing else", "option": "", "successes": 1, "networks": 2},
    {"change": "4 hidden units", "option": "--hidden 4", "successes": 3, "networks": 4},
]


MAY_HELP = "what may help: more hidden units, another seed"
MEASURE = "measure how often with adderlab train full-adder --seeds 1000"


def test_what_helps_is_told_of_the_lectures_settings_alone(monkeypatch):
    monkeypatch.setattr(workflow, "success_rates", lambda: {"rates": RATES})
    helps = what_helps(task_named("half-adder"), Settings(seed=9))
    assert [(help.change, help.rate.share, help.base.share) for help in helps] == [
        ("4 hidden units", 0.75, 0.5)
    ]
    assert what_helps(task_named("adder:1"), Settings()) == helps
    assert what_helps(task_named("half-adder"), Settings(lr=0.2)) == ()
    assert what_helps(task_named("full-adder"), Settings()) == ()
    assert what_helps(task_named("adder:2"), Settings()) == ()


@pytest.mark.parametrize(
    ("task", "settings", "says_why"),
    [
        ("half-adder", {}, True),
        ("adder:1", {}, True),
        ("half-adder", {"seed": 1}, False),
        ("half-adder", {"member": 0}, False),
        ("half-adder", {"hidden": 8}, False),
        ("full-adder", {}, False),
        ("parity:2", {}, False),
        ("majority:3", {}, False),
    ],
)
def test_why_the_default_seed_was_chosen_is_said_where_it_was_measured_alone(
    task, settings, says_why
):
    text = heading(task_named(task), Settings(**settings))
    assert ("about half the seeds do not" in text) == says_why
    assert text.startswith(f"seed {settings.get('seed', 0)}")


@pytest.mark.parametrize(
    ("task", "settings", "text"),
    [
        (
            "full-adder",
            {"hidden": (4, 3), "seed": 5},
            f"{MAY_HELP}, tanh; {MEASURE} --hidden 4x3 --steps 20",
        ),
        (
            "full-adder",
            {"activation": "tanh", "batch": 2},
            f"{MAY_HELP}; {MEASURE} --steps 20 --batch 2 --activation tanh",
        ),
        ("parity:13", {}, f"{MAY_HELP}, tanh"),
    ],
)
def test_where_nothing_was_measured_the_command_measures_these_settings(task, settings, text):
    assert train(task, **settings, steps=20).helps_text() == text


def test_only_a_network_that_failed_is_told_what_helps(monkeypatch):
    monkeypatch.setattr(workflow, "success_rates", lambda: {"rates": RATES})
    assert len(train("half-adder", seed=1).helps) == 1
    assert train("half-adder", seed=0).helps == ()


def test_the_measured_rates_name_their_script_and_hold_counts():
    data = success_rates()
    assert data["script"] == "benchmarks/success_rates.py"
    for entry in data["rates"]:
        assert set(entry) == {"change", "option", "successes", "networks"}
        assert 0 <= entry["successes"] <= entry["networks"]
