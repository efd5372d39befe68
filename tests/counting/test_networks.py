"""Networks counted: layers that add up, values told apart, the entropy bound, stored bytes."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, fractions_of, graphs, networks

from adderlab.building import construct, lecture_network
from adderlab.nets import Layer, Network, save, to_bytes
from adderlab.nets.tensors import Packed
from adderlab.tasks import task_named
from adderlab.verbs.count import count

LECTURE = lecture_network(task_named("half-adder"))


def test_the_notebooks_questions_are_answered():
    """How many parameters does fc1 have? 6 + 3 = 9; how many bytes? 9 * 4."""
    counts = count(LECTURE)
    assert [layer.arithmetic for layer in counts.layers] == ["2*3 + 3 = 9", "3*2 + 2 = 8"]
    assert [layer.to_dict()["bytes"]["fp32"] for layer in counts.layers] == [36, 32]
    walk = ("fp32", "fp16", "int6", "int4", "int3", "int2")
    assert [counts.bytes[name] for name in walk] == [68, 34, 13, 9, 7, 5]


def test_a_two_unit_adder_takes_three_bytes():
    counts = count(construct(task_named("half-adder"), "one-layer", format="int2"))
    assert (counts.raw, counts.bytes["int2"]) == (10, 3)


@FEW
@given(networks(max_depth=3) | graphs())
def test_counts_are_those_of_the_values_one_by_one(net):
    counts = count(net)
    values = [
        value for _, tensor in net.tensors() for value in np.ravel(fractions_of(tensor)).tolist()
    ]
    values += [Fraction(slope) for _, slopes in net.slopes() for slope in slopes]
    assert counts.raw == len(values)
    assert counts.unique == len(set(values))
    assert counts.nonzero == sum(value != 0 for value in values)
    often = Counter(map(Fraction, values))
    bits = sum(-size * math.log2(size / len(values)) for size in often.values())
    assert counts.entropy_bits == pytest.approx(bits, abs=1e-9)
    assert counts.stored_bytes == sum(tensor.stored_bytes for _, tensor in net.tensors())
    assert counts.file_bytes == len(to_bytes(net))
    assert counts.macs == sum(layer.n_in * layer.n_out for layer in net.layers)
    biases = sum(layer.n_out for layer in net.layers if layer.bias is not None)
    assert counts.flops == 2 * counts.macs + biases


def test_one_value_alone_has_no_entropy():
    net = Network((Layer(Packed(np.ones((3, 4), dtype=np.int64), 2)),), format="int2")
    counts = count(net)
    assert (counts.entropy_bits, counts.entropy_bytes, counts.unique) == (0, 0, 1)


@pytest.mark.parametrize("bits", range(1, 33))
def test_packed_files_count_their_bits_and_come_back(tmp_path, bits):
    """17 numbers of each width, the extremes among them, take the bytes that arithmetic gives."""
    half = 1 << (bits - 1)
    values = np.array([-half, half - 1, 0, 1, -1, *list(range(12))], dtype=np.int64)
    values = np.clip(values, -half, half - 1)
    if bits == 1:
        values = np.where(values < 0, -1, 1)
    net = Network((Layer(Packed(values.reshape(1, 17), bits)),), format="int32")
    path = save(net, tmp_path / "net.safetensors")
    counts = count(path)
    assert counts.stored_bytes == -(-17 * bits // 8)
    assert counts.file_bytes == path.stat().st_size
    from adderlab.nets import load

    assert (load(path).layers[0].weight.numbers == values).all()


@FEW
@given(st.sampled_from(["adder:2", "full-adder", "half-adder"]), st.sampled_from(["sgd", "adam"]))
def test_training_is_counted_for_networks_too(name, optimizer):
    net = construct(task_named(name), "one-layer") if name != "full-adder" else LECTURE
    counts = count(net, training=optimizer)
    assert (
        counts.to_dict()["training"]["bytes"]["fp32"]
        == 4 * counts.raw * ({"sgd": 2, "adam": 4}[optimizer])
    )
