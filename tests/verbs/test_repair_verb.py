"""``repair`` from the model to the file: what is written was proved, and nothing else is."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from adderlab.building.lecture import lecture_network
from adderlab.errors import NetworkError, OutputError, ResourceError, TaskError
from adderlab.nets import Activation, Layer, Network, load, network, save
from adderlab.nets.tensors import Dense, Sparse
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove
from adderlab.verbs.repair import repair

HALF = task_named("half-adder")
NOTHING = network([[[1, 1], [1, 1]], [[0, 0], [0, 0]]], [[0, 0], [0, 0]])


def whole(message: str) -> str:
    return f"^{re.escape(message)}$"


def test_the_lectures_network_is_repaired_and_written(tmp_path: Path) -> None:
    given = save(lecture_network(HALF), tmp_path / "lecture.safetensors")
    bytes_before = given.read_bytes()
    made = repair(given, out=tmp_path / "repaired.safetensors")
    assert bool(made.verdict)
    assert made.verdict.semantics == "exact"
    assert not made.already_right
    assert made.taken is made.repairs.repairs[0]
    assert made.taken.name == "fc1.weight[2,0]"
    assert made.file == tmp_path / "repaired.safetensors"
    again = load(made.file)
    assert prove(again)
    assert again.task is not None
    assert again.task.name == "half-adder"
    assert again.layers[0].weight.exact().at(2, 0) == Fraction(3, 2)
    assert prove(made.file).sha256 == made.verdict.sha256
    assert given.read_bytes() == bytes_before


def test_its_json_lists_the_one_taken_and_the_others(tmp_path: Path) -> None:
    made = repair(lecture_network(HALF))
    found = made.to_dict()
    assert json.loads(json.dumps(found)) == found
    assert found["verdict"] == "proved"
    assert found["wrong_rows"] == [{"a": 1, "b": 1}]
    assert [change["to"] for change in found["changes"]] == [1.5]
    assert [one["to"] for one in found["alternatives"]] == [1.5, -1, 0.5, -2, -4]
    assert (found["file"], found["already_right"], found["unstorable"]) == (None, False, [])
    assert found["proof"] == made.verdict.to_dict()
    assert repr(made) == (
        "Repair: fc1.weight[2,0] from 1 to 1.5, works in [5/4, 7/4); proved in exact arithmetic: "
        "half-adder is right on all 4 inputs"
    )
    shown = made.blocks()
    assert set(made.repairs.blocks()) <= set(shown)
    assert set(made.verdict.blocks()) <= set(shown)


def test_every_repair_on_its_own_is_right() -> None:
    for one in repair(lecture_network(HALF)).repairs.repairs:
        assert one.network.task == HALF
        again = repair(one.network)
        assert again.already_right
        assert again.verdict.rows_right == 4


def test_none_with_one_parameter_writes_nothing(tmp_path: Path) -> None:
    made = repair(NOTHING, "half-adder", out=tmp_path / "net.safetensors")
    assert made.network is None
    assert made.taken is None
    assert made.verdict.verdict == "refuted"
    assert made.verdict.counterexample is not None
    assert list(tmp_path.iterdir()) == []
    found = made.to_dict()
    assert (found["verdict"], found["changes"], found["alternatives"]) == ("refuted", [], [])
    assert len(found["wrong_rows"]) == 3
    assert repr(made).startswith("none with one parameter; refuted in exact arithmetic")


def test_a_network_that_is_right_is_written_unchanged(tmp_path: Path) -> None:
    right = repair(lecture_network(HALF)).network
    assert right is not None
    given = save(right, tmp_path / "right.safetensors")
    made = repair(given)
    assert (made.already_right, made.file, made.taken) == (True, None, None)
    assert made.verdict.verdict == "proved"
    made = repair(given, out=tmp_path / "copy.safetensors")
    assert (tmp_path / "copy.safetensors").read_bytes() == given.read_bytes()
    assert made.to_dict()["already_right"] is True
    assert made.to_dict()["wrong_rows"] == []
    assert repr(made).startswith("right already; proved in exact arithmetic")


def test_a_right_network_of_any_kind_needs_no_repair() -> None:
    """tanh and sparse tensors can't be repaired, but a right network is not refused for it."""
    sparse = Sparse((1, 2), np.array([0, 2]), np.array([0, 1]), Dense(np.array([1.0, 1.0])))
    net = Network((Layer(sparse, None, Activation("tanh")),), task=task_named("majority:2"))
    wrong = repair_error(net)
    assert wrong == (
        "fc1: the layer has tanh, whose values are no fractions: the weights that work can't be "
        "said exactly; repair a network of relu, leaky, step and identity"
    )
    assert repair(Network((Layer(sparse, Dense(np.array([-1.0])), Activation("tanh")),)),
                  "majority:2").already_right  # fmt: skip


def repair_error(net: Network) -> str:
    with pytest.raises(NetworkError) as caught:
        _ = repair(net)
    return str(caught.value)


def test_the_task_named_is_the_one_held_against_and_kept(tmp_path: Path) -> None:
    """The carry network: c1 alone is asked for, and the file names that task."""
    net = network([[[1, 1]], [[1]]], [[-2], [0]], task=task_named("parity:2"))
    made = repair(net, "majority:2", out=tmp_path / "net.safetensors")
    assert made.network is not None
    assert made.network.task is not None
    assert made.network.task.name == "majority:2"
    assert prove(tmp_path / "net.safetensors", "majority:2")


def test_the_notes_of_reading_a_module_stay(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.ReLU(), torch.nn.Linear(1, 1))
    for parameter in module.parameters():
        torch.nn.init.ones_(parameter)
    made = repair(module, "majority:2")
    assert made.verdict.notes == prove(module, "majority:2").notes != ()


def test_the_place_is_checked_before_the_work(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    message = f"{folder / 'net'}: the folder {str(folder)!r} does not exist; make it first"
    with pytest.raises(OutputError, match=whole(message)):
        _ = repair(tmp_path / "missing.safetensors", out=folder / "net")


def test_what_is_too_large_is_refused_unless_right() -> None:
    ones = Dense(np.ones((1, 13)))
    message = (
        "repair: the task has 8192 rows, more than 4096; "
        "repair a smaller network, or train it again"
    )
    with pytest.raises(ResourceError, match=whole(message)):
        _ = repair(Network((Layer(ones),)), "majority:13")
    bias = Dense(np.array([-6.0]))
    assert repair(Network((Layer(ones, bias),)), "majority:13").already_right


def test_a_network_without_a_task_needs_one() -> None:
    message = "task: the network names no task; name one: `task` half-adder"
    with pytest.raises(TaskError, match=whole(message)):
        _ = repair(NOTHING)
