"""``quantize``: what is taken, what is claimed, what is kept, and its keys."""

from __future__ import annotations

import itertools
import json
import re

import numpy as np
import pytest
import torch

import adderlab
from adderlab.blocks import Table
from adderlab.building import construct, lecture_network, printed_network
from adderlab.nets import Activation, Readout, load, network, to_bytes
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove
from adderlab.verbs.quantize import TABLE_FORMATS, quantization_table, quantize

HALF = task_named("half-adder")
PRINTED = printed_network().for_task(HALF)


@pytest.mark.parametrize(
    ("name", "size", "method"),
    [("fp16", 34, "nearest"), ("int8", 17, "nearest"), ("int4", 9, "nearest"),
     ("INT3", 7, "nearest"), ("int2", 5, "exact"), ("ternary", 5, "exact")],
)  # fmt: skip
def test_the_printed_weights_survive_down_to_two_bits(name, size, method):
    """68 bytes in fp32; the first method that is proved is taken."""
    result = quantize(PRINTED, name)
    assert bool(result)
    assert (result.bytes, result.rounded.method, result.rows_lost) == (size, method, 0)
    assert bool(prove(result.network, HALF))
    assert [attempt.rounded.method for attempt in result.attempts][-1] == method


def test_a_network_of_whole_numbers_takes_three_bytes():
    result = quantize(construct(HALF, "one-layer"), "smallest")
    assert (result.form.name, result.bytes, result.stored_bytes, bool(result)) == (
        "int2",
        3,
        3,
        True,
    )
    assert result.changed == 0
    assert result.claim.startswith("none of ")
    assert "attempts in fewer bits holds" in result.claim


def test_one_bit_is_the_end():
    result = quantize(PRINTED, "smallest", method="exact")
    assert (result.form.name, result.bytes) == ("binary", 3)
    assert result.claim == "one bit a parameter: there is nothing below"
    assert result.verdict.formats["binary"].verdict == "proved"


def test_a_network_that_is_wrong_stays_wrong_when_rounded_and_is_written(tmp_path):
    out = tmp_path / "net.safetensors"
    result = quantize(lecture_network(HALF), "int8", method="nearest", out=out)
    assert not result
    assert (result.verdict.verdict, result.before.verdict) == ("refuted", "refuted")
    assert (prove(out).verdict, load(out).format) == ("refuted", "int8")


def test_of_many_attempts_the_best_of_each_format_and_method_are_shown():
    result = quantize(construct(HALF, "one-layer"), "smallest")
    tables = [block for block in result.blocks() if isinstance(block, Table)]
    pairs = [tuple(map(str, row[:2])) for row in tables[0].rows]
    assert len(pairs) == len(set(pairs)) < len(result.attempts)


def test_rows_lost_are_rows_that_were_right():
    result = quantize(PRINTED, "int2", method="nearest")
    assert result.verdict.rows_right == 1
    assert result.rows_lost == 3


def test_a_scaled_network_is_judged_as_it_would_be_run():
    result = quantize(PRINTED, "int4", scale="free")
    judged = result.verdict.formats["int4"]
    assert judged.verdict == "proved"
    assert judged.reason.endswith("integer weights, the rest in fp32")
    plain = quantize(PRINTED, "int4", method="snap")
    assert plain.verdict.formats["int4"].verdict == "proved"


def test_what_is_written_is_what_was_judged(tmp_path):
    out = tmp_path / "net.safetensors"
    result = quantize(
        PRINTED, "int3", scale="power-of-two", per="channel", symmetric=False, out=out
    )
    assert result.file == out
    assert result.to_dict()["file_bytes"] == out.stat().st_size
    assert prove(load(out), HALF).sha256 == result.verdict.sha256
    assert load(out).task == HALF


def test_the_table_has_every_format_by_every_method_that_makes_sense():
    result = quantization_table(PRINTED)
    pairs = [(attempt.form.name, attempt.rounded.method) for attempt in result.attempts]
    floats = [name for name in TABLE_FORMATS if "fp" in name or "bf" in name]
    whole = [name for name in TABLE_FORMATS if name not in floats]
    expected = [(f, m) for f in floats for m in ("nearest", "exact", "fine-tune")]
    expected += [(f, m) for f in whole for m in ("nearest", "exact", "snap", "fine-tune")]
    assert sorted(pairs) == sorted(expected)
    table = result.blocks()[1]
    for cells, attempt in zip(table.rows, result.attempts, strict=True):
        assert cells[3] == attempt.verdict.verdict.verdict
        assert bool(attempt.verdict.verdict) == bool(prove(attempt.rounded.network, HALF))
    assert json.dumps(result.to_dict())


def test_a_step_network_has_no_fine_tuning_in_its_table():
    step = network(
        [[[1, 1], [1, 1]], [[0, 1], [1, -1]]],
        [[-0.5, -1.5], [0, 0]],
        activation=Activation("step"),
        task=HALF,
    )
    result = quantization_table(step, formats=["int4", "fp64"])
    assert [attempt.rounded.method for attempt in result.attempts] == ["nearest", "exact", "snap"]


def test_tanh_is_judged_with_integer_weights_and_fp32_activations():
    trained = adderlab.train("half-adder", hidden=4, activation="tanh", seed=0).network
    result = quantize(trained, "int8")
    assert bool(result)
    assert "tanh within 2 units in the last place" in result.verdict.formats["int8"].reason


def test_a_wide_network_is_rounded_to_nearest_and_proved_by_diagrams():
    net = construct(task_named("adder:16"), "prefix", format="fp32")
    result = quantize(net, "int4")
    assert (bool(result), result.verdict.method, result.rows_lost) == (True, "diagram", None)
    assert [attempt.rounded.method for attempt in result.attempts] == ["nearest"]


def test_a_module_is_taken_as_it_stands():
    model = adderlab.AdderNN(threshold=0)
    with torch.no_grad():
        model.fc1.weight.copy_(torch.tensor([[1.0, 1], [1, 1], [1, 1]]))
        model.fc1.bias.copy_(torch.tensor([-1.5, -0.5, -1.5]))
        model.fc2.weight.copy_(torch.tensor([[1.0, 0, 0], [0, 1, -4]]))
        model.fc2.bias.zero_()
    assert adderlab.quantize(model, "fp8-e4m3", "half-adder")


def test_a_network_that_nothing_mends_is_returned_as_it_was():
    """A network of constant outputs, whose one unit no rounding wakes."""
    net = network([[[0, 0]], [[0], [0]]], [[0], [0, 0]], task=HALF, format="int2",
                  readout=Readout("threshold", 5.0, ">"))  # fmt: skip
    result = quantize(net, "smallest")
    assert result.claim == "no method found a network that holds in any format"
    assert (result.form.name, result.changed, result.verdict.verdict) == ("int2", 0, "refuted")


def test_it_is_readable_in_a_notebook():
    result = quantize(PRINTED, "int2")
    assert repr(result).startswith(
        "Quantized: int2 by exact (symmetric, free scale per tensor): 17 parameters in 5 bytes, "
        "14 as stored, proved"
    )
    assert "5 bytes" in result._repr_html_()
    table = quantization_table(PRINTED, formats=["int4"], methods=["nearest"])
    assert repr(table) == "QuantizationTable: 1 of 1 proved"
    assert "nearest" in table._repr_html_()


def large_network():
    """Return a network of 453 parameters, too many to be searched to the end."""
    draw = np.random.default_rng(7)
    sizes = (8, 32, 5)
    weights = [draw.normal(size=(n, m)) for m, n in itertools.pairwise(sizes)]
    biases = [draw.normal(size=n) for n in sizes[1:]]
    return network(weights, biases, activation=Activation("relu"), format="fp64").for_task(
        task_named("adder:4")
    )


@pytest.mark.parametrize("method", ["auto", "snap", "fine-tune"])
def test_at_the_limit_of_time_the_best_so_far_is_kept(method, tmp_path):
    out = tmp_path / "net.safetensors"
    result = quantize(large_network(), "int4", method=method, timeout_s=0.05, out=out)
    assert result.stopped.startswith("the limit of 0.05 s was reached: tried ")
    assert result.stopped.endswith("; the best is kept")
    assert result.to_dict()["stopped"] == result.stopped
    assert out.read_bytes() == to_bytes(result.network)
    best = max(attempt.verdict.verdict.rows_right or 0 for attempt in result.attempts)
    assert (result.verdict.rows_right or 0) == best


def test_a_table_ends_at_the_limit_of_time():
    result = quantization_table(large_network(), timeout_s=0.05)
    drawn, of = re.search(r"reached: (\d+) of (\d+) attempts made", result.stopped).groups()
    assert len(result.attempts) == int(drawn) < int(of)


def test_progress_goes_from_0_to_1_and_names_what_is_tried():
    reports: list[tuple[str, float]] = []
    result = quantize(PRINTED, "int2", on_progress=lambda *report: reports.append(report))
    shares = [share for _, share in reports]
    assert shares == sorted(shares) and shares[0] == 0 and shares[-1] == 1
    tried = list(dict.fromkeys(what for what, _ in reports))
    methods = [f"int2, {attempt.rounded.method}" for attempt in result.attempts]
    assert tried == [*methods, "the network as given"]
