"""``prove``: what it takes, what it refuses, and what its verdict says of itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from fractions import Fraction
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from adderlab.building import construct
from adderlab.building.lecture import lecture_network
from adderlab.errors import LimitError
from adderlab.limits import TIME_UP, Budget, CapReached
from adderlab.nets import Activation, Readout, network, save, to_bytes
from adderlab.nets.files import from_bytes
from adderlab.nets.tensors import Dense
from adderlab.proving import Counterexample, Margin, Verdict, engines
from adderlab.tasks import Task, Word, task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.prove import prove

HALF_ADDER = task_named("half-adder")
LECTURE = lecture_network(HALF_ADDER)
RIGHT = network(
    [[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]], task=HALF_ADDER, format="int2"
)


def test_only_proved_is_true() -> None:
    """So that ``assert prove(...)`` is a test that can't lie."""
    assert prove(RIGHT)
    assert not prove(LECTURE)
    for verdict, truth in (("proved", True), ("refuted", False), ("unknown", False)):
        assert bool(Verdict(verdict, "enumerated", "exact", "t", 4)) is truth


def test_a_counterexample_has_words_and_exact_raw_outputs_a_proof_its_margin() -> None:
    example = prove(LECTURE).to_dict()["counterexample"]
    assert (example["input"], example["expected"]) == ({"a": 1, "b": 1}, {"c": 2})
    assert (example["got"], example["output"]) == ({"c": 3}, [0.5, 0.5])
    assert example["output_exact"] == ["1/2", "1/2"]
    data = prove(RIGHT, formats=("fp16", "int4")).to_dict()
    assert (data["counterexample"], list(data["formats"])) == (None, ["fp16", "int4"])
    assert data["margin"] == {"of_0": "1/2", "of_1": "1/2", "min": "1/2", "exact": True}
    assert Margin(Fraction(1, 3), Fraction(1, 4)).min == Fraction(1, 4)
    assert Margin(None, Fraction(1, 4)).min == Fraction(1, 4)
    assert Margin(None, None).to_dict()["min"] is None


def test_numbers_beyond_a_double_are_json_too() -> None:
    """2**1030 + 1/2 is the nearest whole number in ``output``, and exact beside it."""
    value = Fraction(2**1031 + 1, 2)
    example = Counterexample({"x": 1}, {"y": 0}, {"y": 1}, (value, Fraction(3)), "exact")
    data = json.loads(json.dumps(example.to_dict(), allow_nan=False))
    assert data["output"] == [2**1030, 3]
    assert Fraction(data["output_exact"][0]) == value
    assert str(example) == "x = 1 gives y = 1, expected y = 0"


def test_the_verdict_is_bound_to_the_bytes(tmp_path: Path) -> None:
    """The same for a file, its path as text, and the network in memory."""
    path = tmp_path / "net.safetensors"
    _ = save(LECTURE, path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert prove(path).sha256 == digest
    assert prove(str(path)).sha256 == digest
    assert prove(LECTURE).sha256 == digest
    assert prove(from_bytes(to_bytes(LECTURE), where="memory")).sha256 == digest
    assert prove(RIGHT).sha256 != digest


def test_a_module_is_proved_under_the_readout_that_is_said() -> None:
    """Without a comparison of its own it is read by > 0.5, and a note says so."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 2))
    with torch.no_grad():
        for number, layer in ((0, RIGHT.layers[0]), (2, RIGHT.layers[1])):
            model[number].weight.copy_(torch.tensor(layer.weight.numbers.astype(np.float32)))
            model[number].bias.copy_(torch.tensor(layer.bias.numbers.astype(np.float32)))
    result = prove(model, "half-adder")
    assert result
    assert result.notes == ("forward gives raw outputs; judged by > 0.5",)
    assert result.formats["fp32"].verdict == "proved"
    with torch.no_grad():
        model[2].weight[1, 1] = -1.25
    assert prove(model, "half-adder").verdict == "refuted"


def test_the_task_may_be_named_given_or_the_networks_own() -> None:
    """A task that is named wins over the network's own."""
    assert prove(RIGHT).task == "half-adder"
    assert prove(RIGHT, "adder:1").task == "adder:1"
    assert prove(RIGHT, HALF_ADDER).task == "half-adder"
    other = parse_table("in a:1,in b:1,out c:2\n0,0,0\n0,1,1\n1,0,1\n1,1,3", where="other")
    assert prove(RIGHT, other).verdict == "refuted"


def test_formats_make_the_headline() -> None:
    """Refuted if one is, else unknown if one is, proved if all are; by that format's reason."""
    net = network([[[2048, 1, 1]]], [None], readout=Readout("threshold", 2050.0, ">="))
    task = parse_table(
        "in x:3,out y:1\n" + "\n".join(f"{n},{int(n == 7)}" for n in range(8)), where="test"
    )
    whole = prove(net, task)
    assert (whole.verdict, whole.semantics, whole.rows_right) == ("proved", "exact, fp32", 8)
    proved = prove(net, task, formats=["fp32", "FP64", "fp64"])
    assert (proved.verdict, proved.semantics, proved.reason) == ("proved", "fp32, fp64", "")
    assert list(proved.formats) == ["fp32", "fp64"]
    assert proved.rows_right == 8
    unknown = prove(net, task, formats=["fp32", "fp8-e4m3"])
    assert (unknown.verdict, unknown.semantics) == ("unknown", "fp8-e4m3")
    assert unknown.reason == ("not representable: fc1.weight holds 2048, which fp8-e4m3 does not")
    assert unknown.rows_right is None
    refuted = prove(net, task, formats=["fp8-e4m3", "fp16", "fp32"])
    assert (refuted.verdict, refuted.semantics) == ("refuted", "fp16")
    assert refuted.reason == "in the order: products left to right, then the bias"
    assert refuted.rows_right is None
    assert refuted.counterexample is not None
    assert refuted.counterexample.replays == {"exact": False, "fp16": True}
    assert refuted.counterexample.output == (2048,)
    assert not refuted


def test_the_own_format_is_judged_beside_exact_arithmetic() -> None:
    """Each counterexample says in which arithmetic it replays."""
    net = network(
        [[[2048, 1, 1]]], [None], readout=Readout("threshold", 2050.0, ">="), format="fp16"
    )
    rows = [f"{n},{int(n == 7)}" for n in range(8)]
    task = parse_table("in x:3,out y:1\n" + "\n".join(rows), where="test")
    result = prove(net, task)
    assert (result.exact, result.verdict, bool(result)) == ("proved", "refuted", False)
    assert (result.own_format, result.semantics, result.rows_right) == ("fp16", "fp16", 8)
    assert repr(result) == (
        "Verdict: refuted in fp16, its own format: table:test is wrong; proved in exact "
        "arithmetic: x = 7 gives y = 0, expected y = 1"
    )
    assert bool(prove(net, task, formats="exact"))
    # now the table asks for what fp16 gives, so exact arithmetic alone is wrong
    rows[7] = "7,0"
    other = prove(net, parse_table("in x:3,out y:1\n" + "\n".join(rows), where="test"))
    assert other.verdict == "refuted"
    assert other.counterexample is not None
    assert other.counterexample.replays == {"exact": True, "fp16": False}


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        (task_named("parity:37"), "2^37 inputs are beyond enumeration, which stops at 2^36"),
        (task_named("parity:300"), "2^300 inputs are beyond enumeration, which stops at 2^26"),
        (
            Task(
                "pairs",
                (Word("d", 11, 1100), Word("e", 27)),
                (Word("y", 1),),
                lambda words: {"y": words["d"] * 0},
            ),
            "over 2^37 inputs are beyond enumeration, which stops at 2^36",
        ),
    ],
    ids=["one bit too many", "far too many", "no power of two"],
)
def test_too_many_rows_to_enumerate_are_unknown_at_once(
    task: Task, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row is looked at, and every format asked for says the same."""

    def refuse(*_: object) -> None:
        raise AssertionError("a row was enumerated")

    monkeypatch.setattr(engines, "enumerate_rows", refuse)
    net = network([[[1] * task.n_in]], [[0]])
    for formats in ((), ("fp16", "fp32")):
        result = prove(net, task, formats=formats, engine="enumeration")
        assert result.verdict == "unknown"
        assert not result
        assert result.reason == reason
        assert result.rows == task.rows
        assert result.rows_right is None
        assert {name: entry.verdict for name, entry in result.formats.items()} == dict.fromkeys(
            formats or ["fp32"], "unknown"
        )
        assert json.loads(json.dumps(result.to_dict()))["rows"] == task.rows


def test_a_verdict_reads_in_one_line() -> None:
    tanh = network([[[1, 1]], [[1], [1]]], [[0], [0, 0]], activation=Activation("tanh"))
    full = network([[[1, 1, 0]] * 2], [None], task=task_named("full-adder"))
    for verdict, text in (
        (
            prove(RIGHT),
            "in exact arithmetic and in int2, its own format: half-adder is right on all 4 inputs",
        ),
        (prove(LECTURE), "is wrong on 1 of 4 inputs: 1 + 1 gives c = 3, expected c = 2"),
        (prove(tanh, "half-adder", formats="wide"), "half-adder, wide does not define tanh"),
        (prove(full), "a = 0, b = 0, cin = 1 gives c = 0, expected c = 1"),
    ):
        assert repr(verdict).startswith("Verdict: ")
        assert repr(verdict).endswith(text)


def test_a_network_that_learned_nothing_is_refuted_at_its_first_corner() -> None:
    """Beyond enumeration a few extreme rows are looked at before any diagram is built."""
    net = network([[[0.25] * 80] * 3, [[1.0] * 3] * 41], [[0.5] * 3, [1.0] * 41], task=None)
    result = prove(net, "adder:40", timeout_s=30)
    assert (result.verdict, result.rows_right) == ("refuted", None)
    assert result.counterexample.input == {"a": 0, "b": 0}
    assert result.counterexample.expected == {"c": 0}


@pytest.mark.parametrize("engine", ["enumeration", "diagram"])
def test_a_wrong_row_whose_sums_may_leave_int32_is_unknown_in_int32(engine: str) -> None:
    """What int32 would make of it is not defined, whichever engine result the row."""
    base = construct(task_named("adder:2"), "one-layer", format="int32")
    first, last = base.layers
    weight = np.vstack([first.weight.exact().integers, [1] * 4])
    bias = np.append(first.bias.exact().integers, 0)
    out = np.hstack([last.weight.exact().integers, [[0], [0], [1 << 30]]])
    layers = (
        replace(first, weight=Dense(weight), bias=Dense(bias)),
        replace(last, weight=Dense(out)),
    )
    net = replace(base, layers=layers, readout=Readout("threshold", 0.5))
    result = prove(net, engine=engine)
    assert result.verdict == "refuted"
    assert result.formats["int32"].verdict == "unknown"
    assert result.formats["int32"].reason == "a sum may leave int32"


@pytest.mark.parametrize("engine", ["enumeration", "diagram"])
def test_a_wrong_row_that_a_format_rounds_right_says_so(engine: str) -> None:
    """Every engine replays it in both, and says where it is wrong."""
    net = network(
        [[[1.0, 1.0], [2.0**-14, 2.0**-14]], [[1.0, 1.0]]],
        [[0.0, 0.0], [0.0]],
        task=task_named("majority:2"),
        readout=Readout("threshold", 1.0, ">"),
        format="fp16",
    )
    result = prove(net, engine=engine)
    assert result.verdict == "refuted"
    assert result.counterexample is not None
    assert result.counterexample.input == {"x": 1}
    assert result.counterexample.replays == {"exact": True, "fp16": False}


def test_progress_says_the_engine_the_share_of_the_inputs_and_the_formats():
    reports: list[tuple[str, float]] = []
    net = construct(task_named("adder:8"), "ripple")
    _ = prove(net, formats=["fp16"], on_progress=lambda *report: reports.append(report))
    assert reports[0] == ("by enumeration", 0.0)
    assert reports[-2:] == [("trying 65536 inputs", 1.0), ("the same in fp16", 1.0)]
    shares = [share for _, share in reports]
    assert len(set(shares)) > 2 and shares == sorted(shares)


def test_a_limit_that_is_reached_while_a_table_is_read_is_said(tmp_path):
    path = tmp_path / "xor.csv"
    _ = path.write_text("a,b,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n")
    net = network([[[1, 1]]], [[0]])
    with pytest.raises(LimitError) as caught:
        _ = prove(net, f"table:{path}", timeout_s=1e-9)
    assert str(caught.value) == "prove: the time was up while the task was read; give more time"


@pytest.mark.parametrize("net", [LECTURE, RIGHT], ids=["refuted", "proved"])
def test_whenever_the_time_is_up_there_is_a_verdict(net, monkeypatch):
    """It is up at one look at the clock after another, up to one at which all is done."""
    looks, most = count(), 0

    def check(self: Budget, more_bytes: int = 0) -> None:
        if next(looks) >= most:
            raise CapReached(TIME_UP)

    monkeypatch.setattr(Budget, "check", check)
    whole = "proved" if net is RIGHT else "refuted"
    verdicts = []
    while not verdicts or next(looks) > most:
        looks, most = count(), most + 7
        verdicts.append(prove(net).verdict)
        assert most < 5000
    assert set(verdicts) == {"unknown", whole}
    assert verdicts == sorted(verdicts, key=lambda verdict: verdict == whole)
