"""JSON of layers: what is written is run by its text alone, and read back to the same bytes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from exports import subject_of
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, MANY, any_networks, refused, tasks

import adderlab
from adderlab.errors import NetworkError
from adderlab.exporting import check_json, json_layers
from adderlab.exporting.check_json import compare_json
from adderlab.exporting.json_layers import write_json
from adderlab.nets import EXACT, Activation, Layer, Network, network
from adderlab.nets.files import to_bytes
from adderlab.nets.tensors import Dense, Packed, Scaled, Wide
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table


def written(folder: Path, text: str | bytes) -> dict[str, Path]:
    path = folder / "net.json"
    _ = path.write_bytes(text.encode() if isinstance(text, str) else text)
    return {"": path}


def scaled_net(format: str = "int4") -> Network:
    """A half adder of codes with a scale for each row, a zero point and a shared scale."""
    layers = (
        Layer(
            Scaled(
                Packed(np.array([[3, 3], [7, 7]]), 4),
                Dense(np.array([0.5, 0.25], np.float16)),
                Dense(np.array([1, 3], np.int8)),
            ),
            Scaled(Packed(np.array([0, -4]), 4), Dense(np.array(0.25, np.float16))),
            Activation("relu"),
        ),
        Layer(Packed(np.array([[0, 1], [1, -2]]), 4)),
    )
    return Network(layers, EXACT, task_named("half-adder"), format)


@given(any_networks(task=tasks(max_in=4)))
@MANY
def test_any_network_is_run_and_read_back_to_the_same_bytes(tmp_path_factory, net) -> None:
    subject = subject_of(net)
    folder = tmp_path_factory.mktemp("json")
    paths = written(folder, write_json(subject)[""])
    comparison = compare_json(paths, subject)
    assert comparison.equal is True, comparison.reason
    assert comparison.rows == net.task.rows
    assert to_bytes(adderlab.load(paths[""])) == to_bytes(net)


@given(any_networks(task=tasks(max_in=3), tame=True), st.data())
@FEW
def test_a_changed_number_is_noticed(tmp_path_factory, net, data) -> None:
    subject = subject_of(net)
    record = json.loads(write_json(subject)[""])
    number = data.draw(st.integers(0, net.depth - 1))
    entry = record["layers"][number]
    parts = [part for part in ("weight", "bias") if part in entry]
    part = data.draw(st.sampled_from(parts))
    holder, key = entry, part
    while isinstance(holder[key], dict):
        names = [name for name in ("codes", "numbers", "values") if name in holder[key]]
        holder, key = holder[key], names[0]
    while isinstance(holder[key], list) and holder[key]:
        holder, key = holder[key], 0
    if isinstance(holder[key], list):  # a sparse matrix without entries
        return
    holder[key] = -holder[key] if holder[key] else 1
    paths = written(tmp_path_factory.mktemp("json"), json.dumps(record))
    comparison = compare_json(paths, subject)
    assert comparison.equal is False
    assert comparison.reason


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('"threshold": 0.5', '"threshold": 0.25', "its readout is > 0.25, and the network's > 0.5"),
        ('"relu"', '"abs"', "it gives something else for a = 0, b = 0"),
        ('"half-adder"', '"parity:2"', "it is not read back"),
        ('"fp32"', '"fp64"', "its format is fp64, and the network's fp32"),
        ('"format"', '"formats"', "it is not read back"),
        ("[", "", "its text can't be run"),
    ],
)
def test_what_else_differs_is_said(old: str, new: str, reason: str, tmp_path: Path) -> None:
    net = network(
        [[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0.125, -1], [0, -0.125]], task="half-adder"
    )
    net = replace(
        net, layers=(replace(net.layers[0], bias=Dense(np.float32([-0.25, -1]))), net.layers[1])
    )
    subject = subject_of(net)
    text = write_json(subject)[""]
    assert compare_json(written(tmp_path, text), subject).equal is True
    changed = text.replace(old, new, 1)
    assert changed != text
    comparison = compare_json(written(tmp_path, changed), subject)
    assert comparison.equal is False
    assert comparison.reason.startswith(reason)


def test_codes_stand_with_their_scales_and_zero_points(tmp_path: Path) -> None:
    net = scaled_net()
    out = tmp_path / "half.json"
    exported = adderlab.export(net, to="json", out=out)
    assert exported.equal is True
    record = json.loads(out.read_text())
    assert record["format"] == "int4"
    assert record["layers"][0] == {
        "weight": {
            "codes": [[3, 3], [7, 7]],
            "scale": [0.5, 0.25],
            "scale_type": "F16",
            "zero": [1, 3],
        },
        "bias": {"codes": [0, -4], "scale": 0.25, "scale_type": "F16"},
        "activation": "relu",
    }  # fmt: skip
    assert record["layers"][1] == {"weight": [[0, 1], [1, -2]], "activation": "identity"}
    assert record["adderlab"]["verdict"] == "proved"
    assert record["adderlab"]["network_sha256"] == adderlab.prove(net).sha256
    again, verdict = adderlab.prove(out), adderlab.prove(net)
    assert (again.verdict, again.formats) == (verdict.verdict, verdict.formats)
    assert again.margin == verdict.margin


def test_a_table_stands_in_the_file(tmp_path: Path) -> None:
    task = parse_table("in x:1<1,in def:1,out while:1\n0,0,*\n0,1,1\n", where="t.csv")
    net = network([[[0, 1]]], [[0]], task=task, format="ternary")
    subject = subject_of(net)
    paths = written(tmp_path, write_json(subject)[""])
    assert compare_json(paths, subject).equal is True
    assert adderlab.load(paths[""]).task.record == task.record


def test_whole_numbers_of_any_length_are_written_and_read(tmp_path: Path) -> None:
    large = 10**5000 + 7
    layer = Layer(Wide.of([[large, -large]]), Wide.of([-1]))
    net = Network((layer,), task=task_named("parity:2"), format="wide")
    subject = subject_of(net)
    text = write_json(subject)[""]
    paths = written(tmp_path, text)
    comparison = compare_json(paths, subject)
    assert (comparison.equal, comparison.rows) == (True, 4)
    assert to_bytes(adderlab.load(paths[""])) == to_bytes(net)
    wrong = written(tmp_path, text.replace("0007", "0006", 1))
    assert compare_json(wrong, subject).reason == "it gives something else for x = 2"


def test_fractions_are_taken_on_fewer_rows_where_they_are_many(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(check_json, "MOST_PRODUCTS", 1)
    layer = Layer(Wide.of([[1 << 1100] * 5]))
    net = Network((layer,), task=task_named("parity:5"), format="wide")
    subject = subject_of(net)
    comparison = compare_json(written(tmp_path, write_json(subject)[""]), subject)
    assert (comparison.rows, comparison.scope) == (16, "the first of all 32")


def test_a_file_that_would_not_be_read_is_not_written(monkeypatch) -> None:
    monkeypatch.setattr(json_layers, "LARGEST_BYTES", 10)
    net = network([[[1, 1]]], [[0]], task="parity:2")
    message = (
        "network: its numbers take 37 bytes of JSON, over the limit of 10; export it to onnx, or "
        "keep the network file, which holds it in less"
    )
    with refused(NetworkError, message):
        _ = write_json(subject_of(net))
