"""The readout argmax: against PyTorch's own, on every row, ties included."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from strategies import refused
from torch import nn

import adderlab
from adderlab.cli.main import main
from adderlab.errors import NetworkError
from adderlab.nets import network, save
from adderlab.nets.argmax import by_argmax
from adderlab.nets.files import from_bytes, to_bytes
from adderlab.tasks import table, task_named

ROWS = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])


@pytest.mark.parametrize("count", [2, 3, 4, 7])
@pytest.mark.parametrize("is_one_hot", [False, True])
def test_the_bits_are_those_of_the_first_largest(count, is_one_hot):
    random = np.random.default_rng(count)
    weights, biases = random.integers(-1, 2, (count, 3)), random.integers(-1, 2, count)  # ties
    logits = ROWS @ weights.T + biases
    assert any((row == row.max()).sum() > 1 for row in logits)
    largest = torch.tensor(logits).argmax(1).numpy()
    width = (count - 1).bit_length()
    values = 1 << (count - 1 - largest) if is_one_hot else largest
    outputs = count if is_one_hot else width
    task = table({"in x:3": range(8), f"out y:{outputs}": values.tolist()})
    net = network([weights], [biases])
    read = by_argmax(net, task)
    bits = [[value >> place & 1 for place in reversed(range(outputs))] for value in values]
    assert np.array_equal(read.run(ROWS), bits)
    for engine in ("enumeration", "auto"):
        verdict = adderlab.prove(net, task, readout="argmax", engine=engine)
        assert (verdict.verdict, verdict.formats["fp32"].verdict) == ("proved", "proved")
    values[5] ^= 1
    wrong = table({"in x:3": range(8), f"out y:{outputs}": values.tolist()})
    assert adderlab.prove(net, wrong, readout="argmax").rows_right == 7


def test_two_logits_of_a_classifier_are_one_bit_and_the_margin_is_their_distance():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    with torch.no_grad():
        model[0].weight[:] = torch.tensor([[1.0, 1.0], [1.0, 1.0]])
        model[0].bias[:] = torch.tensor([0.0, -1.0])
        model[2].weight[:] = torch.tensor([[-1.0, 2.0], [1.0, -2.0]])
        model[2].bias[:] = torch.tensor([0.75, -0.75])
    verdict = adderlab.prove(model, "parity:2", readout="argmax")
    assert verdict
    assert (verdict.margin.of_0, verdict.margin.of_1) == (1.5, 0.5)
    assert adderlab.prove(model, "majority:2", readout="argmax").verdict == "refuted"


def test_wide_classifiers_are_decided_by_diagrams():
    net = network([[[1] * 40, [0] * 40]], [[0, 20]])
    flipped = network([[[0] * 40, [1] * 40]], [[20, 0]])
    assert adderlab.prove(flipped, "majority:40", readout="argmax").method == "diagram"
    assert adderlab.prove(flipped, "majority:40", readout="argmax")
    assert not adderlab.prove(net, "majority:40", readout="argmax")


def test_a_file_says_argmax_and_every_command_reads_it(tmp_path, capsys):
    data = to_bytes(network([[[0, 0], [1, 1]]], [[0.5, 0]], readout=0.25))
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    record = json.loads(header["__metadata__"]["adderlab"])
    record |= {"readout": {"kind": "argmax"}, "task": {"table": task_record()}}
    header["__metadata__"]["adderlab"] = json.dumps(record)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path = tmp_path / "net.safetensors"
    _ = path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])
    net = from_bytes(path.read_bytes())
    assert (net.run([[0, 0], [0, 1], [1, 1]]).tolist(), net.n_out) == ([[0], [1], [1]], 1)
    for command in ("prove {}", "show {}", "run {} 1,1", "explain {} --input 1,1", "compare {} {}"):
        assert main(command.format(path, path).split()) == 0
    _ = capsys.readouterr()
    plain = save(network([[[0, 0], [1, 1]]], [[0.5, 0]]), tmp_path / "plain.safetensors")
    assert main(["prove", str(plain), "--task", "y = a or b", "--readout", "argmax"]) == 0


def task_record():
    return task_named("y = a or b").record["table"]


def test_a_single_output_has_no_argmax():
    fault = "readout: argmax is of 2 to 64 outputs, and the network has 1; give a threshold"
    with refused(NetworkError, fault):
        adderlab.prove(network([[[1, 1]]], [[0]]), "parity:2", readout="argmax")
