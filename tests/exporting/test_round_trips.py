"""Read, export, read: the network is what it was, for every target that can be read.

To the bytes of its file, so that every exact value, scale, format, readout and task is the same;
and it gets the same verdict.
"""

from __future__ import annotations

import runpy
from functools import cache

import numpy as np
import pytest
from exports import subject_of
from strategies import fractions_of

import adderlab
from adderlab.nets import EXACT, Layer, Network, network
from adderlab.nets.files import to_bytes
from adderlab.nets.sources import read_source
from adderlab.nets.tensors import Dense, Packed, Scaled, Wide
from adderlab.tasks import task_named
from adderlab.verbs.export_targets import TARGETS

READ = ("json", "onnx")
"""Targets whose files give the network back as it was, to the bytes of its file."""

MODULES = ("torch",)
"""Targets that are modules, which give back every value; how it is stored may differ."""

UNREAD = ("c", "html", "verilog", "vnnlib")
"""Targets whose files no command reads."""


def half_adder(**options):
    weights = [[[1, 1], [1, 1]], [[0, 1], [1, -2]]]
    return network(weights, [[0, -1], [0, 0]], task="half-adder", **options)


def scaled_int8():
    """Scales for each row and for all, and zero points."""
    layers = (
        Layer(
            Scaled(
                Dense(np.int8([[5, 5], [101, 101]])),
                Dense(np.float32([0.5, 0.0625])),
                Dense(np.int8([3, 85])),
            ),
            Scaled(Dense(np.int8([0, -16])), Dense(np.float32(0.0625))),
            adderlab.Activation("relu"),
        ),
        Layer(Scaled(Dense(np.int8([[0, 3], [3, -6]])), Dense(np.float32(1 / 3)))),
    )
    return Network(layers, task=task_named("half-adder"), format="int8")


def wide(large):
    """Outputs are a number times what they stand for, and its square."""
    layers = (
        Layer(Wide.of([[large, large], [large, large]]), Wide.of([0, -large]),
              adderlab.Activation("relu")),
        Layer(Wide.of([[0, large], [large, -2 * large]])),
    )  # fmt: skip
    return Network(layers, task=task_named("half-adder"), format="wide")


def packed(bits):
    layers = (
        Layer(Packed(np.array([[1, 1], [1, 1]]), bits), Packed(np.array([0, -1]), bits),
              adderlab.Activation("relu")),
        Layer(Packed(np.array([[0, 1], [1, -2]]), bits)),
    )  # fmt: skip
    return Network(layers, EXACT, task_named("half-adder"), f"int{bits}")


def graph():
    """The last layer reads the input past the first."""
    layers = (
        Layer(Dense(np.float32([[1, 1]])), Dense(np.float32([-1])), adderlab.Activation("relu")),
        Layer(Dense(np.float32([[0, 0, 1], [1, 1, -2]])), inputs=("input", "fc1")),
    )
    return Network(layers, task=task_named("half-adder"))


KINDS = {
    "int2": lambda: packed(2),
    "int4": lambda: packed(4),
    "scaled int8": scaled_int8,
    "trained fp32": lambda: adderlab.train("half-adder", seed=0).network,
    "fp16": lambda: half_adder(format="fp16"),
    "sparse": lambda: adderlab.build("adder:3", method="ripple").network,
    "a graph": graph,
    "one layer": lambda: adderlab.build("adder:3", method="one-layer").network,
    "exact readout": lambda: half_adder(readout="exact"),
    ">= readout": lambda: half_adder(readout=">= 1", format="fp64"),
    "a threshold between": lambda: half_adder(readout="> 0.3"),
    "a step": lambda: (
        adderlab.build(
            adderlab.table({"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "out y": [0, 1, 1, 0]}),
            method="table",
        ).network
    ),
    "wide": lambda: wide(3**12),
    "wider": lambda: wide(3**70),
    "refuted": lambda: adderlab.build("half-adder", method="lecture").network,
}

REFUSED = {("onnx", "wider"), ("torch", "wider")}
"""What a target can't hold, and says so."""


@cache
def kind(name):
    return KINDS[name]()


def test_every_target_is_read_here_or_is_one_that_nothing_reads():
    assert {*TARGETS} <= {*READ, *UNREAD, *MODULES}


def test_kinds_are_what_they_are_called():
    """Otherwise a change elsewhere would leave a kind untested."""
    assert kind("int2").format == "int2"
    assert kind("sparse").layers[0].weight.__class__.__name__ == "Sparse"
    assert any(layer.inputs for layer in kind("a graph").layers)
    assert kind("trained fp32").format == "fp32"
    assert kind("wide").format == "wide"
    assert kind("a step").layers[0].activation.kind in ("step", "relu")


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("to", [to for to in READ if to in TARGETS])
def test_a_network_is_read_back_as_it_was(to, name, tmp_path):
    own = kind(name)
    source = adderlab.save(own, tmp_path / "net.safetensors")
    net = adderlab.load(source)
    out = tmp_path / f"net{TARGETS[to].endings[0]}"
    if (to, name) in REFUSED:
        with pytest.raises(adderlab.AdderlabError) as caught:
            _ = adderlab.export(source, to=to, out=out, force=True)
        assert caught.value.remedy
        assert not out.exists()
        return
    exported = adderlab.export(source, to=to, out=out, force=True)
    assert exported.equal is True, exported
    again = adderlab.load(out)
    assert to_bytes(again) == to_bytes(net) == source.read_bytes()
    same_verdict(adderlab.prove(source), adderlab.prove(out))
    assert (exported.verdict == "refuted") is (name == "refuted")


def same_verdict(before, after):
    assert (after.verdict, after.exact, after.method, after.margin) == (
        before.verdict, before.exact, before.method, before.margin,
    )  # fmt: skip
    assert after.formats.keys() == before.formats.keys()
    assert [entry.verdict for entry in after.formats.values()] == [
        entry.verdict for entry in before.formats.values()
    ]
    assert after.to_dict()["counterexample"] == before.to_dict()["counterexample"]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("to", [to for to in MODULES if to in TARGETS])
def test_a_module_has_the_values_of_its_network(to, name, tmp_path):
    """The files are not run in a process of their own, which takes seconds and has its tests."""
    net, out = kind(name), tmp_path / f"net{TARGETS[to].endings[0]}"
    if (to, name) in REFUSED:
        with pytest.raises(adderlab.AdderlabError) as caught:
            _ = TARGETS[to].write(subject_of(net))
        assert caught.value.remedy
        return
    for key, content in TARGETS[to].write(subject_of(net)).items():
        _ = (out.with_name(out.stem + key) if key else out).write_text(content)
    module = runpy.run_path(str(out))["Net"]()
    again = read_source(module).network
    assert (again.format, again.readout, again.task.record) == (
        net.format, net.readout, net.task.record,
    )  # fmt: skip
    for layer, own in zip(again.layers, net.layers, strict=True):
        assert np.array_equal(values(layer.weight), values(own.weight))
        assert np.array_equal(values(layer.bias), values(own.bias))
        assert layer.activation == own.activation
    same_verdict(adderlab.prove(net), adderlab.prove(module))


def values(tensor):
    """Return exact values; of no bias none."""
    return [] if tensor is None else fractions_of(tensor)


@pytest.mark.parametrize("to", [to for to in READ if to in TARGETS])
def test_what_was_exported_is_exported_to_the_same_bytes(to, tmp_path):
    """Twice there and back, over each other target that is read."""
    ending = TARGETS[to].endings[0]
    first = adderlab.export(kind("scaled int8"), to=to, out=tmp_path / f"a{ending}").file
    for other in READ:
        if other in TARGETS and other != to:
            there = tmp_path / f"b{TARGETS[other].endings[0]}"
            _ = adderlab.export(first, to=other, out=there)
            assert to_bytes(adderlab.load(there)) == to_bytes(kind("scaled int8"))
