"""Training again from a file's record: the bytes agree, or what differs is said."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from adderlab.errors import NetworkFileError
from adderlab.nets import load, save
from adderlab.tasks import task_named
from adderlab.training import Settings
from adderlab.verbs.replay import replay
from adderlab.verbs.train import train

SHORT = {"steps": 120, "samples": 60}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the path of a trained network's file."""
    path = tmp_path_factory.mktemp("replay") / "net.safetensors"
    _ = train("half-adder", seed=5, out=path, **SHORT)
    return path


def altered(file, tmp_path, **changes):
    """Return a copy of the file whose training record says something else."""
    net = load(file)
    return save(
        replace(net, training={**net.training, **changes}), tmp_path / "altered.safetensors"
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"batch": 4},
        {"optimizer": "adam", "lr": 0.01},
        {"loss": "bce", "activation": "tanh"},
        {"activation": "leaky:0.1", "hidden": 5},
        {"member": 7},
        {"member": 7, "hidden": (3, 2), "data": "table", "init": "xavier", "stop_margin": 0.1},
        {"hidden": (3, 2), "init": "he", "init_scale": 0.5, "weight_decay": 0.01},
        {"optimizer": "momentum", "momentum": 0.5, "data": "table", "batch": 3},
    ],
)
def test_the_settings_are_in_the_record_and_the_bytes_agree(tmp_path, settings):
    path = tmp_path / "net.safetensors"
    _ = train("half-adder", seed=3, out=path, **SHORT, **settings)
    assert Settings.from_record(load(path).training) == Settings(seed=3, **SHORT, **settings)
    result = replay(path)
    assert result
    assert (result.agrees, result.weights_agree, result.first_difference) == (True, True, None)
    assert result.sha256[0] == result.sha256[1]


@pytest.mark.parametrize("path", ["numba-lanes", "numba-wide"])
def test_a_record_that_asks_too_much_of_a_kernel_is_refused(trained, tmp_path, path):
    asks = altered(trained, tmp_path, path=path, member=1, hidden=1000)
    with pytest.raises(NetworkFileError) as refused:
        _ = replay(asks)
    assert "can't train this shape; take torch-ensemble" in str(refused.value)


def test_a_table_task_is_replayed_from_its_own_rows(tmp_path):
    table = tmp_path / "t.csv"
    _ = table.write_text("in a:1,in b:1,out x:1\n0,0,0\n0,1,1\n1,0,1\n1,1,*\n")
    path = tmp_path / "net.safetensors"
    _ = train(task_named(f"table:{table}"), out=path, **SHORT)
    table.unlink()
    assert replay(path)


@pytest.mark.parametrize("changes", [{"seed": 6}, {"lr": 0.2}, {"steps": 119}, {"samples": 61}])
def test_an_altered_record_gives_other_weights(trained, tmp_path, changes):
    result = replay(altered(trained, tmp_path, **changes))
    assert not result
    assert not result.weights_agree
    name, then, now = result.first_difference
    assert name.startswith("fc1.weight[0, 0]")
    assert then != now
    assert result.largest_difference >= abs(then - now) > 0
    assert result.summary().startswith("the bytes differ: fc1.weight[0, 0] is ")


def test_an_altered_shape_is_named(trained, tmp_path):
    result = replay(altered(trained, tmp_path, hidden=4))
    assert result.first_difference[0] == "fc1.weight of shape [3, 2]"
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["largest_difference"] is None


def test_other_versions_in_the_record_leave_the_weights_alone(trained, tmp_path):
    result = replay(altered(trained, tmp_path, versions={"torch": "1.0", "numpy": "1.0"}))
    assert (result.agrees, result.weights_agree) == (False, True)
    assert set(result.changed) == {"versions"}
    assert result.summary().startswith(
        "the weights agree bit for bit, the record does not: versions"
    )
