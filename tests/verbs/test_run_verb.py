"""``run``: words in and out, exactly and in a format's arithmetic."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from strategies import refused

import adderlab
from adderlab.building import construct, lecture_network
from adderlab.errors import FormatError, TaskError
from adderlab.nets import Activation, network
from adderlab.tasks import task_named

HALF_ADDER = task_named("half-adder")
LECTURE = lecture_network(HALF_ADDER)


def test_inputs_may_be_given_in_every_way_and_the_raw_outputs_are_exact():
    computed = adderlab.run(LECTURE, "1,1", (1, 1), {"b": 1, "a": 1})
    assert [row.got for row in computed.rows] == [{"c": 3}] * 3
    assert computed.rows[0].outputs == (Fraction(1, 2), Fraction(1, 2))
    assert list(computed.lines()) == ["3"] * 3
    assert list(computed.lines(raw=True)) == ["0.5,0.5"] * 3
    assert computed.to_dict()["results"][2] == {
        "input": {"a": 1, "b": 1},
        "got": {"c": 3},
        "output": [0.5, 0.5],
        "output_exact": ["1/2", "1/2"],
    }
    assert "exact arithmetic" in computed._repr_html_()


def test_a_module_and_a_taskless_network_run_too():
    net = replace(LECTURE, task=None)
    assert adderlab.run(net, "1,0").to_dict()["task"] is None
    assert adderlab.run(net, "1,0").rows[0].got == {"y": 1}
    assert adderlab.run(net, "1,0", task="half-adder").rows[0].got == {"c": 1}
    module = torch.nn.Sequential(torch.nn.Linear(2, 2))
    assert adderlab.run(module, "1,1", task=HALF_ADDER).notes


def test_a_counterexample_in_a_format_is_what_the_format_gives():
    """The row that refutes a format is run in it, and gives the words that refuted it."""
    net = network([[[1, 0.25], [1, 1]]], [[-1, 0]], readout=1, task=HALF_ADDER, format="fp8-e5m2")
    verdict = adderlab.prove(net, formats="fp8-e5m2")
    example = verdict.formats["fp8-e5m2"].counterexample
    (row,) = adderlab.run(net, example.input, format="fp8-e5m2").rows
    assert (row.got, row.outputs) == (example.got, example.output)


@pytest.mark.parametrize(("name", "dtype"), [("fp32", np.float32), ("fp16", np.float16)])
def test_each_product_and_sum_is_rounded_as_numpy_rounds_it(name, dtype):
    """NumPy's scalars round each operation by itself."""
    random = np.random.default_rng(5)
    first, second = (random.normal(size=(2, 2)).astype(dtype) for _ in range(2))
    net = network([first, second], [None, None], task=HALF_ADDER, format=name)
    for bits in ((0, 1), (1, 0), (1, 1)):
        (row,) = adderlab.run(net, bits, format=name).rows
        values = [dtype(bit) for bit in bits]
        for weight in (first, second):
            sums = [w[0] * values[0] + w[1] * values[1] for w in weight]
            values = [max(total, dtype(0)) for total in sums]
        assert [float(value) for value in row.outputs] == [float(total) for total in sums]


def test_overflow_and_integers():
    large = network([[[60000, 60000]] * 2], [None], task=HALF_ADDER, format="fp16")
    assert list(adderlab.run(large, "1,1", format="fp16").lines(raw=True)) == ["inf,inf"]
    row = adderlab.run(large, "1,1", format="fp16").rows[0].to_dict()
    assert (row["output"], row["output_exact"]) == ([None, None], ["inf", "inf"])
    assert adderlab.run(large, "1,1").rows[0].outputs == (120000, 120000)
    whole = construct(task_named("adder:4"), "prefix")
    computed = adderlab.run(whole, "7,9", format="int2")
    assert (computed.rows[0].got, computed.semantics) == ({"c": 16}, "int2, no sum is rounded")
    scaled = adderlab.quantize(
        adderlab.train("half-adder", seed=0).network, "int8", scale="free"
    ).network
    assert adderlab.run(scaled, "1,1", format="int8").semantics.startswith(
        "int8 weights, the rest in fp32, "
    )


def test_tanh_is_the_middle_of_two_bounds_and_not_called_exact():
    tanh = network(
        [[[1, 1]], [[1], [1]]], [[0], [0, 0]], activation=Activation("tanh"), task=HALF_ADDER
    )
    (row,) = adderlab.run(tanh, "1,1").to_dict()["results"]
    assert row["output_exact"] == [None, None]
    assert row["output"] == pytest.approx([0.9640275800758169] * 2)
    assert adderlab.run(tanh, "1,1", format="fp32").semantics.endswith(", tanh rounded once")


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: adderlab.run(LECTURE, "1"), TaskError, ("input 1: half-adder takes 2 numbers, got "
         "1; give the values of a:1, b:1")),
        (lambda: adderlab.run(LECTURE, (1,)), TaskError, ("input: half-adder takes 2 numbers, got "
         "1; give the values of a:1, b:1")),
        (lambda: adderlab.run(LECTURE, "1,1", format="posit"), FormatError, ("format: unknown "
         "number format 'posit'; choose from exact, fp64, fp32, fp16, bf16, fp8-e4m3, fp8-e5m2, "
         "int32, "
         "int16, int8, int7, int6, int5, int4, int3, int2, ternary, binary, wide")),
        (lambda: adderlab.run(LECTURE, "1,1", format="int8"), FormatError, ("format: int8: not "
         "representable: fc1.bias holds -1.5, which int8 does not; take exact arithmetic")),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused(call, kind, message):
    with refused(kind, message):
        _ = call()
