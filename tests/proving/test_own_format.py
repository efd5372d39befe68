"""What a verdict promises of a module: where it is true, PyTorch gives the right bits."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import adderlab
from adderlab.building import construct
from adderlab.errors import ModelError
from adderlab.formats import FORMATS
from adderlab.nets import Activation, Layer, Network, Readout, network
from adderlab.nets.tensors import Dense, Packed, Scaled
from adderlab.nets.tracing.checks import check_agrees
from adderlab.proving.decide import BEFORE_SIGMOID
from adderlab.quantizing.rounding import round_to_nearest
from adderlab.quantizing.scheme import Scheme
from adderlab.tasks import Task, task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

MODULES = 100
DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def random_module(rng: np.random.Generator, dtype: torch.dtype) -> nn.Sequential:
    """Return a small module whose numbers are small integers, or of any size."""
    n_in, hidden, n_out = (int(rng.integers(1, most)) for most in (4, 6, 3))
    activation = [nn.ReLU(), nn.Tanh(), nn.LeakyReLU(0.01)][int(rng.integers(3))]
    module = nn.Sequential(nn.Linear(n_in, hidden), activation, nn.Linear(hidden, n_out))
    for parameter in module.parameters():
        shape = tuple(parameter.shape)
        values = rng.integers(-3, 4, shape).astype(float)
        if rng.random() < 0.7:
            values = rng.normal(size=shape) * 2.0 ** rng.integers(-6, 6, shape)
        parameter.data = torch.tensor(values).to(dtype)
    return module


def table_of(bits: torch.Tensor) -> Task:
    """Return the task whose rows are the given bits."""
    n_in = int(math.log2(len(bits)))
    rows = [f"{row},{int(''.join(map(str, line)), 2)}" for row, line in enumerate(bits.tolist())]
    return parse_table("\n".join([f"in x:{n_in},out y:{bits.shape[1]}", *rows]), where="test")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_of_a_module_that_is_proved_pytorch_gives_the_right_bits(dtype: torch.dtype) -> None:
    """All rows at once and one by one; thresholds lie on values that occur in every other case."""
    seen: Counter[str] = Counter()
    rng = np.random.default_rng(DTYPES.index(dtype))
    for seed in range(MODULES):
        module = random_module(rng, dtype)
        n_in = module[0].in_features
        rows = torch.tensor(list(itertools.product((0, 1), repeat=n_in)), dtype=dtype)
        with torch.no_grad():
            exact = nn.Sequential(*module).double()(rows.double())
            threshold = float(exact[-1, 0]) if seed % 2 else 0.5
            expected = (exact > threshold).int()
            module = module.to(dtype)
            verdict = prove(module, table_of(expected), readout=threshold)
            seen[verdict.verdict] += 1
            if verdict:
                one_by_one = torch.stack([module(row) for row in rows])
                for outputs in (module(rows), one_by_one):
                    assert torch.equal((outputs > threshold).int(), expected), (seed, verdict)
    print(dtype, dict(seen))
    assert seen["proved"] >= MODULES // 3
    assert seen["refuted"] >= MODULES // 20


def wrong_in_fp32() -> adderlab.AdderNN:
    """Return a module that adds in exact arithmetic: 2**24 + 1 is no fp32 number."""
    module = adderlab.AdderNN()
    big = 2.0**24
    module.fc1.weight.data = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    module.fc1.bias.data = torch.tensor([big, -1.0, big])
    module.fc2.weight.data = torch.tensor([[0.0, 1.0, 0.0], [1.0, -2.0, -1.0]])
    module.fc2.bias.data = torch.zeros(2)
    return module


def test_a_module_that_pytorch_evaluates_wrongly_is_not_true() -> None:
    verdict = prove(wrong_in_fp32(), "half-adder")
    assert (verdict.exact, verdict.verdict, bool(verdict)) == ("proved", "refuted", False)
    assert verdict.semantics == "fp32"
    assert verdict.counterexample is not None
    assert verdict.counterexample.replays == {"exact": False, "fp32": True}
    data = verdict.to_dict()
    assert (data["verdict"], data["exact"], data["formats"]) == (
        "refuted",
        "proved",
        {"fp32": "refuted"},
    )
    assert prove(wrong_in_fp32(), "half-adder", formats="exact")


def test_what_no_parameter_repairs_in_its_own_format_is_not_called_right() -> None:
    result = adderlab.repair(wrong_in_fp32(), "half-adder")
    assert (result.network, result.already_right) == (None, False)
    assert "right already" not in repr(result)


def overflowing() -> adderlab.AdderNN:
    """Return an fp16 module whose first unit is infinite on 1 + 1, times a weight of 0."""
    module = adderlab.AdderNN()
    module.fc1.weight.data = torch.tensor([[60000.0, 60000.0], [1.0, 1.0], [1.0, 1.0]])
    module.fc1.bias.data = torch.tensor([0.0, -1.0, 0.0])
    module.fc2.weight.data = torch.tensor([[0.0, 1.0, 0.0], [0.0, -2.0, 1.0]])
    module.fc2.bias.data = torch.zeros(2)
    return module.half()


def test_an_overflow_is_no_reason_to_call_a_module_right() -> None:
    verdict = prove(overflowing(), "half-adder")
    assert (verdict.exact, bool(verdict)) == ("proved", False)
    assert any("overflows" in note for note in verdict.notes)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_output_that_is_not_finite_without_an_overflow_is_refused(value: float) -> None:
    """The layers that were read give 0 to 2, so no arithmetic overflows on the way."""
    net = network([[[1.0, 1.0]]], [[0.0]])
    rows = np.array(list(itertools.product((0, 1), repeat=2)), dtype=np.uint8)
    sums = torch.from_numpy(rows).sum(dim=1, keepdim=True).double()
    assert check_agrees(nn.Identity(), net, rows, sums, "values") == ()
    sums[2] = value
    with pytest.raises(ModelError, match="on input bits 1,0 it gives"):
        _ = check_agrees(nn.Identity(), net, rows, sums, "values")


@pytest.mark.parametrize("scale", ["free", "power-of-two"])
@pytest.mark.parametrize("per", ["tensor", "channel"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_scaled_integers_are_decided_in_their_own_format(
    scale: str, per: str, *, symmetric: bool
) -> None:
    net = construct(task_named("half-adder"), "one-layer", format="fp32")
    result = adderlab.quantize(
        net, "int8", "half-adder", method="nearest", scale=scale, per=per, symmetric=symmetric
    )
    judged = result.verdict.formats["int8"]
    assert judged.verdict in ("proved", "refuted")
    assert "integer weights, the rest in fp32" in judged.reason


def by_hand(net: Network, rows: np.ndarray) -> np.ndarray:
    """Return the bits by the stated arithmetic: integer sums, one scale a row, then the bias."""
    values = rows.astype(np.float32)
    for layer in net.layers:
        q = layer.weight.q.exact().to_floats().astype(np.float32)
        sums = np.zeros((len(rows), layer.n_out), dtype=np.float32)
        for column in range(layer.n_in):
            sums += values[:, column : column + 1] * q[:, column]
        sums *= layer.weight.scale.exact().to_floats().astype(np.float32)
        if layer.bias is not None:
            sums += layer.bias.exact().to_floats().astype(np.float32)
        values = layer.activation.plain(sums).astype(np.float32)
    return (values > net.readout.threshold).astype(np.int64)


@pytest.mark.parametrize("seed", range(12))
def test_a_scaled_network_is_judged_by_its_stated_arithmetic(seed: int) -> None:
    """On the table of its own bits it is proved or unknown, on any other one refuted."""
    rng = np.random.default_rng(seed)
    weights = [rng.normal(size=shape).tolist() for shape in ((3, 3), (2, 3))]
    net = network(weights, [rng.normal(size=3).tolist(), None], format="fp64")
    rows = np.array(list(itertools.product((0, 1), repeat=3)))
    task = table_of(torch.tensor(by_hand(scaled := quantized(net), rows)))
    assert prove(scaled, task, formats="int4").verdict != "refuted"
    wrong = by_hand(scaled, rows)
    wrong[seed % 8, seed % 2] ^= 1
    verdict = prove(scaled, table_of(torch.tensor(wrong)), formats="int4")
    assert verdict.verdict == "refuted"
    assert verdict.counterexample is not None
    assert verdict.counterexample.semantics == "int4"


def quantized(net: Network) -> Network:
    """Return the network in int4 with a scale for each row."""
    return round_to_nearest(net, FORMATS["int4"], Scheme("free", "channel")).network


def test_tanh_is_decided_under_its_assumption() -> None:
    net = network([[[2, 2]], [[1]]], [[-1], [0]], activation=Activation("tanh"), readout=0.0)
    task = parse_table("in x:2,out y:1\n0,0\n1,1\n2,1\n3,1", where="test")
    verdict = prove(net, task)
    assert bool(verdict)
    assert verdict.formats["fp32"].reason.endswith("tanh within 2 units in the last place")


def test_a_tanh_exactly_on_the_threshold_is_not_proved() -> None:
    value = float(np.float32(np.tanh(1.0)))
    net = network([[[1]], [[1]]], [[0], [0]], activation=Activation("tanh"), readout=value)
    task = parse_table("in x:1,out y:1\n0,0\n1,1", where="test")
    assert not prove(net, task, formats="fp32")


@pytest.mark.parametrize("readout", [0, 0.0, "> 0", ">0", Readout("threshold", 0.0)])
def test_a_readout_of_0_is_no_missing_readout(readout: object) -> None:
    values = {"fc1.weight": [[1.0, 1.0]], "fc1.bias": [-1.5]}
    net = adderlab.from_state_dict(values, readout=readout, task="majority:2")
    assert (net.readout.threshold, net.readout.convention) == (0.0, ">")
    assert prove(net)
    assert not prove(adderlab.from_lists(values, task="majority:2"))
    assert prove(adderlab.from_lists(values, task="majority:2"), readout=readout)


def test_a_bias_that_is_rounded_is_not_taken_for_the_exact_one() -> None:
    """5 * (1 + 2**-23) is no fp32 number: exactly above a threshold that fp32 rounds it to."""
    scale = np.float32(1 + 2.0**-23)
    bias = Scaled(Packed(np.array([5]), 8), Dense(np.array(scale)))
    weight = Scaled(Packed(np.array([[0]]), 8), Dense(np.array(1.0, dtype=np.float32)))
    exact = bias.exact().at(0)
    rounded = Fraction(float(np.float32(float(exact))))
    assert exact > rounded
    threshold = Readout("threshold", float(rounded), ">")
    net = Network((Layer(weight, bias),), threshold, format="int8")
    task = parse_table("in x:1,out y:1\n0,1\n1,1", where="test")
    assert prove(net, task, formats="exact")
    assert prove(net, task, formats="int8").verdict == "refuted"


def test_a_network_that_ends_in_a_sigmoid_is_judged_by_what_goes_into_it() -> None:
    """The smallest positive sum counts in exact arithmetic; in fp32 its sigmoid is 0.5."""
    module = nn.Sequential(nn.Linear(1, 1), nn.Sigmoid())
    for weight, own in ((1.0, "proved"), (2.0**-40, "refuted")):
        module[0].weight.data = torch.tensor([[2 * weight]])
        module[0].bias.data = torch.tensor([-weight])
        verdict = prove(module, "parity:1")
        assert (verdict.exact, verdict.formats["fp32"].verdict) == ("proved", own)
        assert verdict.margin is not None
        assert verdict.margin.of_1 == Fraction(weight)
        assert BEFORE_SIGMOID in verdict.notes
