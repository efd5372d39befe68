"""``repair`` from the model to the file: what is written was proved, and nothing else is."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adderlab.building.lecture import lecture_network
from adderlab.nets import Activation, Layer, Network, load, network, save
from adderlab.nets.tensors import Dense, Sparse
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove
from adderlab.verbs.repair import repair

HALF = task_named("half-adder")
NOTHING = network([[[1, 1], [1, 1]], [[0, 0], [0, 0]]], [[0, 0], [0, 0]])


def test_the_lectures_network_is_repaired_and_written(tmp_path):
    path = save(lecture_network(HALF), tmp_path / "lecture.safetensors")
    bytes_before = path.read_bytes()
    result = repair(path, out=tmp_path / "repaired.safetensors")
    assert bool(result.verdict)
    assert result.verdict.semantics == "exact, fp32"
    assert not result.already_right
    assert result.taken is result.repairs.repairs[0]
    assert result.taken.name == "fc1.weight[2,0]"
    again = load(result.file)
    assert again.layers[0].weight.exact().at(2, 0) == Fraction(3, 2)
    assert prove(result.file).sha256 == result.verdict.sha256
    assert path.read_bytes() == bytes_before


def test_the_one_taken_stands_before_the_others_in_every_form():
    result = repair(lecture_network(HALF))
    data = result.to_dict()
    assert [change["to"] for change in data["changes"]] == [1.5]
    assert [change["works"][0]["text"] for change in data["changes"]] == ["[5/4, 7/4)"]
    assert [change["to"] for change in data["alternatives"]] == [1.5, -1, 0.5, -2, -4]
    assert data["proof"] == result.verdict.to_dict()
    assert repr(result).startswith("Repair: fc1.weight[2,0] from 1 to 1.5, works in [5/4, 7/4); ")
    shown = result.blocks()
    assert set(result.repairs.blocks()) <= set(shown)
    assert set(result.verdict.blocks()) <= set(shown)


def test_every_repair_on_its_own_is_right():
    for candidate in repair(lecture_network(HALF)).repairs.repairs:
        assert candidate.network.task == HALF
        again = repair(candidate.network)
        assert again.already_right
        assert again.verdict.rows_right == 4


def test_none_with_one_parameter_writes_nothing(tmp_path):
    result = repair(NOTHING, "half-adder", out=tmp_path / "net.safetensors")
    assert (result.network, result.taken, result.verdict.verdict) == (None, None, "refuted")
    assert result.verdict.counterexample is not None
    assert list(tmp_path.iterdir()) == []
    data = result.to_dict()
    assert (data["verdict"], data["changes"], data["alternatives"]) == ("refuted", [], [])
    assert len(data["wrong_rows"]) == 3
    assert repr(result).startswith("none with one parameter; refuted in exact arithmetic")


def test_a_network_that_is_right_is_written_unchanged(tmp_path):
    path = save(repair(lecture_network(HALF)).network, tmp_path / "right.safetensors")
    result = repair(path)
    assert (result.already_right, result.file, result.taken) == (True, None, None)
    assert result.verdict.verdict == "proved"
    result = repair(path, out=tmp_path / "copy.safetensors")
    assert (tmp_path / "copy.safetensors").read_bytes() == path.read_bytes()
    assert (result.to_dict()["already_right"], result.to_dict()["wrong_rows"]) == (True, [])
    assert repr(result).startswith("right already; proved in exact arithmetic")


def test_a_right_network_of_any_kind_and_size_needs_no_repair():
    """tanh, sparse tensors and many rows can't be repaired, but what is right is not refused."""
    sparse = Sparse((1, 2), np.array([0, 2]), np.array([0, 1]), Dense(np.array([1.0, 1.0])))
    right = Network((Layer(sparse, Dense(np.array([-1.0])), Activation("tanh")),))
    assert repair(right, "majority:2").already_right
    large = Network((Layer(Dense(np.ones((1, 13))), Dense(np.array([-6.0]))),))
    assert repair(large, "majority:13").already_right


def test_the_task_named_is_the_one_held_against_and_kept(tmp_path):
    """The carry network: c1 alone is asked for, and the file names that task."""
    net = network([[[1, 1]], [[1]]], [[-2], [0]], task=task_named("parity:2"))
    result = repair(net, "majority:2", out=tmp_path / "net.safetensors")
    assert result.network.task.name == "majority:2"
    assert prove(tmp_path / "net.safetensors", "majority:2")


def test_the_notes_of_reading_a_module_stay():
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU(), torch.nn.Linear(1, 1))
    for parameter in module.parameters():
        torch.nn.init.ones_(parameter)
    result = repair(module, "majority:2")
    assert result.verdict.notes == prove(module, "majority:2").notes != ()
