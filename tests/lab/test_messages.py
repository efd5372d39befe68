"""Every message has one answer, whatever it holds; a verdict is ``prove``'s own."""

from __future__ import annotations

import base64
import io
import json

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import adderlab
from adderlab.building import lecture_network, printed_network
from adderlab.errors import AdderlabError
from adderlab.lab import messages
from adderlab.nets import Activation, network
from adderlab.page_data import networks, tasks
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table

HALF_ADDER = task_named("half-adder")
LECTURE = lecture_network(HALF_ADDER)
TABLE = parse_table("in x:1,in y:1,out z:1\n0,0,0\n0,1,1\n1,0,1\n1,1,*\n", where="t.csv")


def answer(text, known=None):
    """Return the answer to a message."""
    text = text if isinstance(text, str | bytes) else json.dumps(text)
    try:
        request = messages.parse(text)
    except messages.Refused as refused:
        return refused.answer
    return json.loads(json.dumps(request.answer(known or {}), allow_nan=False))


def asking(kind, **fields):
    return {"type": kind, "id": 7, **fields}


def without_seconds(verdict):
    return {key: value for key, value in verdict.items() if key != "seconds"}


TANH = network(
    [[[2.0, -1.5], [0.5, 3.0]], [[1.0, 0.25]]],
    [[0.5, -0.25], [0.125]],
    activation=Activation("tanh"),
)


@pytest.mark.parametrize(
    ("net", "task"),
    [
        (LECTURE, HALF_ADDER),
        (printed_network(), HALF_ADDER),
        (adderlab.build("full-adder").network, task_named("full-adder")),
        (adderlab.build("adder:2", method="one-layer").network, task_named("adder:2")),
        (TANH, task_named("parity:2")),
        (network([[[0.5, 0.75]]], [[-0.25]], format="fp16"), TABLE),
    ],
)
def test_a_verdict_is_the_one_of_prove(net, task):
    message = asking("prove", network=networks.to_page(net), task=tasks.to_page(task))
    got = answer(message)
    assert (got["type"], got["id"]) == ("verdict", 7)
    proved = adderlab.prove(networks.from_page(message["network"]).for_task(task))
    assert without_seconds(got["verdict"]) == without_seconds(
        json.loads(json.dumps(proved.to_dict()))
    )
    named = answer({**message, "task": task.name}, {task.name: task})
    assert without_seconds(named["verdict"]) == without_seconds(got["verdict"])


def test_a_verdict_is_about_the_file_that_is_saved(tmp_path):
    page = {"network": networks.to_page(LECTURE), "task": "half-adder"}
    file = answer(asking("save", **page))
    assert (file["type"], file["id"], file["name"]) == ("file", 7, "half-adder.safetensors")
    path = tmp_path / file["name"]
    _ = path.write_bytes(base64.b64decode(file["data"]))
    assert adderlab.prove(path).sha256 == answer(asking("prove", **page))["verdict"]["sha256"]


def test_a_proof_that_takes_too_long_is_unknown(monkeypatch):
    monkeypatch.setattr(messages, "PROOF_S", 1e-9)
    got = answer(asking("prove", network=networks.to_page(LECTURE), task="half-adder"))
    assert got["verdict"]["verdict"] == "unknown"
    assert "the time was up" in got["verdict"]["reason"]


def file_of(net, task=None):
    return answer(asking("save", network=networks.to_page(net), task=task and tasks.to_page(task)))


@pytest.mark.parametrize("task", [HALF_ADDER, TABLE, None], ids=lambda task: task and task.name)
def test_a_file_that_was_saved_is_opened(task):
    net = LECTURE if task is HALF_ADDER else network([[[0.5, 0.75]]], [None])
    file = file_of(net, task)
    got = answer(asking("open", name=file["name"], data=file["data"]))
    assert got["type"] == "network"
    assert got["network"] == networks.to_page(net)
    if task is None:
        assert got["task"] is None
    else:
        assert got["task"]["rows"] == tasks.to_page(task)["rows"]
        again = asking("save", network=got["network"], task=got["task"])
        assert answer(again)["data"] == file["data"]


def test_the_pages_own_json_and_weights_alone_are_opened():
    page = networks.to_page(LECTURE)
    text = json.dumps({"task": "half-adder", **page}).encode()
    archive, checkpoint = io.BytesIO(), io.BytesIO()
    arrays = {name: tensor.numbers for name, tensor in LECTURE.tensors()}
    np.savez(archive, **arrays)
    torch.save({name: torch.tensor(array) for name, array in arrays.items()}, checkpoint)
    for name, data in (
        ("net.json", text),
        ("net.npz", archive.getvalue()),
        ("net.pt", checkpoint.getvalue()),
    ):
        got = answer(asking("open", name=name, data=base64.b64encode(data).decode()))
        assert got["type"] == "network", got
        assert got["network"]["layers"] == page["layers"]


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("net.safetensors", b"", "the file is empty"),
        ("net.safetensors", b"garbage", "it is a text file"),
        ("net.onnx", b"\x08\x08\x12\x00", "it is an ONNX model"),
        ("net.pkl", b"\x80\x04N.", "pickle"),
        ("page.html", b"<script>", "it is an HTML page"),
        ("../../../etc/passwd", b"x", "text file"),
        ("C:\\net\\<b>\x00\x1b[2J.csv", b"a,b\n", "CSV table"),
        ("x" * 255, b"{}", "text file"),
        ("net.json", b"[" * 100_000, "nested"),
        ("net.json", b'{"layers": [{"weight": [[NaN]], "bias": null}]}', "NaN"),
        ("net.json", b'{"layers": [{"weight": [[1e999]], "bias": null}]}', "number"),
    ],
)
def test_a_file_that_is_no_network_is_refused_in_one_line(name, data, what):
    got = answer(asking("open", name=name, data=base64.b64encode(data).decode()))
    assert (got["type"], got["id"]) == ("refused", 7)
    assert what in got["what"]
    assert all(got[key].isprintable() for key in ("what", "where", "remedy"))
    assert "/" not in got["where"]
    assert got["remedy"]


def test_a_file_beyond_the_page_is_refused():
    large = base64.b64encode(bytes(messages.MOST_FILE_BYTES + 1)).decode()
    assert len(large) <= messages.MOST_BASE64  # by its padding it is the bytes that are counted
    assert "1048577 bytes" in answer(asking("open", name="x", data=large))["what"]
    wide = adderlab.build("adder:16", method="one-layer").network
    data = base64.b64encode(adderlab.nets.files.to_bytes(wide)).decode()
    assert "32 inputs" in answer(asking("open", name="x", data=data))["what"]


NETWORK = networks.to_page(LECTURE)


@pytest.mark.parametrize(
    ("message", "number", "what"),
    [
        (b"\x00\xff", None, "this is binary"),
        ("", None, "is not valid JSON"),
        ("{", None, "is not valid JSON"),
        ("[1]", None, "a JSON object"),
        ("7", None, "a JSON object"),
        ("[" * 100_000, None, "nested"),
        ('{"a":' * 101 + "1" + "}" * 101, None, "nested"),
        ('{"type": "task", "id": 1, "id": 2, "task": "half-adder"}', None, "names 'id' twice"),
        ('{"type": "task", "id": NaN, "task": "half-adder"}', None, "NaN"),
        ('{"type": "task", "id": 1e999, "task": "half-adder"}', None, "1e999"),
        (f'{{"type": "task", "id": {"1" * 5000}}}', None, "is not valid JSON"),
        ("x" * (messages.MOST_CHARACTERS + 1), None, "up to 1572864 characters"),
        ({}, None, "a text"),
        ({"id": 3}, 3, "a text"),
        ({"id": 3, "type": None}, 3, "a text"),
        ({"id": 3, "type": ["prove"]}, 3, "a text"),
        ({"id": 3, "type": "__class__"}, 3, "no message of type '__class__'"),
        ({"id": 3, "type": "Prove"}, 3, "no message of type 'Prove'"),
        ({"id": 3, "type": "y" * 10_000}, 3, "no message of type"),
        ({"type": "task", "task": "half-adder"}, None, "id: Field required"),
        ({"type": "task", "id": "1", "task": "half-adder"}, None, "id: "),
        ({"type": "task", "id": True, "task": "half-adder"}, None, "id: "),
        ({"type": "task", "id": -1, "task": "half-adder"}, None, "id: "),
        ({"type": "task", "id": 2**53, "task": "half-adder"}, None, "id: "),
        ({"type": "task", "id": 1.5, "task": "half-adder"}, None, "id: "),
        (asking("task"), 7, "task: Field required"),
        (asking("task", task=None), 7, "task: "),
        (asking("task", task="t" * 5001), 7, "task: "),
        (asking("task", task="half-adder", more=1), 7, "more: Extra inputs"),
        (asking("task", **{f"k{n}": n for n in range(5000)}), 7, "5002 keys"),
        (asking("prove", network=NETWORK), 7, "task: Field required"),
        (asking("prove", network=NETWORK, task=None), 7, "task."),
        (asking("prove", network=[], task="half-adder"), 7, "network: "),
        (asking("prove", network={**NETWORK, "layers": ["x"] * 300_000}, task="x"), 7, "300000"),
        (asking("open", name="x"), 7, "data: Field required"),
        (asking("open", name="x" * 256, data=""), 7, "name: "),
        (asking("open", name="x", data="*"), 7, "base64"),
        (asking("open", name="x", data=5), 7, "data: "),
        (asking("open", name="x", data="A" * 1_500_000), 7, "data: "),
        (asking("save", network=NETWORK, task="parity:3"), 7, "parity:3 has 3 input"),
        (asking("save", network=NETWORK, task="table:/etc/passwd"), 7, "unknown task"),
        (asking("open", path="/etc/passwd"), 7, "name: Field required"),
    ],
)
def test_a_message_that_is_not_understood_is_refused(message, number, what):
    got = answer(message)
    assert set(got) == {"type", "id", "what", "where", "remedy"}
    assert (got["type"], got["id"]) == ("refused", number)
    assert what in got["what"]
    assert got["remedy"]
    assert all(got[key].isprintable() for key in ("what", "where", "remedy"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["type", "id", "task", "network", "layers", "x"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(messages.KINDS)), st.dictionaries(st.text(max_size=3), JSON), JSON, JSON
)
def test_any_json_has_an_answer(kind, more, network, task):
    got = answer(
        {"network": network, "task": task, "name": task, "data": network} | more | asking(kind)
    )
    assert got["type"] in {"refused", "task"}


def test_a_fault_of_ours_ends_one_answer_and_is_written_down(monkeypatch, caplog):
    def fails(message, known):
        raise ZeroDivisionError

    kind = messages.KINDS["task"]
    monkeypatch.setitem(messages.KINDS, "task", messages.Kind(kind.schema, fails))
    got = answer(asking("task", task="half-adder"))
    assert (got["type"], got["id"]) == ("refused", 7)
    assert "ZeroDivisionError" in caplog.text


def test_a_refusal_is_the_error_of_the_command_line():
    got = answer(asking("task", task="adder:4"))
    with pytest.raises(AdderlabError) as refused:
        _ = tasks.to_page(task_named("adder:4"))
    assert got == {"type": "refused", "id": 7, **refused.value.to_dict()}
