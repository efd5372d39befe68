"""Certificates: each that is written is valid, and nothing else is, whoever sealed it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from sealing import bound_to, certified, sealed
from strategies import MANY, any_networks, named_tasks, tasks

from adderlab import checker
from adderlab.building.lecture import lecture_network
from adderlab.errors import AdderlabError
from adderlab.formats import FORMATS
from adderlab.limits import Budget
from adderlab.nets import Activation, Layer, Network, Readout
from adderlab.nets.files import from_bytes, to_bytes
from adderlab.nets.tensors import Dense
from adderlab.proving.certificates import Certificate, certificate_of, rows_hash, task_claims
from adderlab.proving.decide import decide
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table
from adderlab.tasks.wirings import WIRINGS
from adderlab.verbs.build import build
from adderlab.verbs.prove import prove


def table_of(net):
    """Return the task of what a network gives on every row; any value where it is no bit."""
    rows = np.array(list(np.ndindex(*[2] * net.n_in)), dtype=np.uint8)
    read = checker.read_network(to_bytes(net))
    machine, outputs = checker.Machine(read), checker.Reader(read)
    header = [f"in x{i}:1" for i in range(net.n_in)] + [f"out y{i}:1" for i in range(net.n_out)]
    lines = [",".join(header)]
    for row in rows.tolist():
        for place, bit in enumerate(row):
            machine.set(place, bit)
        bits = outputs.bits(machine.outputs())
        lines.append(
            ",".join([*map(str, row), *("*" if bit is None else str(bit) for bit in bits)])
        )
    return parse_table("\n".join(lines), where="own.csv")


# -- what is written is valid ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "method", "engine", "how"),
    [
        ("adder:2", "one-layer", "enumeration", "enumerated"),
        ("adder:3", "ripple", "diagram", "diagram"),
        ("adder:16", "prefix", "auto", "diagram"),
        ("adder:64", "one-layer", "auto", "diagram"),
        ("subtractor:5", "one-layer", "diagram", "diagram"),
        ("comparator:5", "one-layer", "diagram", "diagram"),
        ("parity:9", "one-layer", "diagram", "diagram"),
        ("majority:9", "one-layer", "diagram", "diagram"),
        ("majority:4", "one-layer", "diagram", "diagram"),
        ("popcount:7", "one-layer", "diagram", "diagram"),
    ],
)
def test_a_proof_of_every_method_is_valid(name, method, engine, how):
    task = task_named(name)
    try:
        net = build(name, method=method).network
    except AdderlabError:
        net = build(name, method="auto").network
    _, certificate, answer = certified(net, task, engine=engine)
    claims = json.loads(certificate)
    assert (claims["method"], claims["verdict"]) == (how, "proved")
    assert claims["semantics"] == ["exact", net.format]
    assert answer[0] is True, answer
    assert name in answer[1]
    other = to_bytes(lecture_network(task_named("half-adder")))
    assert checker.check(certificate, other) == (
        False, "the certificate is about another network file",
    )  # fmt: skip


@given(any_networks(tanh=False, tame=True))
@MANY
def test_a_network_is_right_on_its_own_table(net):
    task = table_of(net)
    _, certificate, answer = certified(net, task)
    if answer is None:  # refuted in its own format alone
        assert "number format alone" in certificate
        answer = certified(net, task, formats="exact")[2]
    assert answer[0] is True, (answer, certificate)


@given(any_networks(tanh=False))
@MANY
def test_so_is_one_with_numbers_of_any_size(net):
    task = table_of(net)
    _, certificate, answer = certified(net, task, formats="exact")
    assert answer[0] is True, (answer, certificate)


@given(any_networks(task=tasks(max_in=6), tanh=False, tame=True))
@MANY
def test_refuted_ones_are_valid_with_their_counterexample(net):
    _, certificate, answer = certified(net, net.task, formats="exact")
    assert answer[0] is True, (answer, certificate)
    claims = json.loads(certificate)
    if claims["verdict"] == "refuted":
        wrong = sealed(
            certificate, verdict="proved", counterexample=None, evidence={"rows_sha256": ""}
        )
        assert checker.check(wrong, to_bytes(net))[0] is False


@given(any_networks(task=named_tasks(max_in=5), tanh=False, tame=True))
@MANY
def test_a_format_that_the_checker_derives_is_never_refuted(net):
    task = table_of(net)
    exact = decide(net, task, formats="exact")
    assume(exact.verdict == "proved")
    margins = None
    if exact.margin is not None:
        sides = {"of_0": exact.margin.of_0, "of_1": exact.margin.of_1}
        margins = {name: None if side is None else str(side) for name, side in sides.items()}
    read = checker.read_network(to_bytes(net))
    for name in FORMATS:
        if checker.is_right_in(read, name, margins):
            verdict = decide(net, task, formats=name).verdict
            assert verdict != "refuted", name


@pytest.mark.parametrize("name", WIRINGS)
def test_a_composed_proof_is_valid(name, tmp_path):
    wiring = WIRINGS[name]
    net = build(wiring.cell, method="table").network
    verdict = prove(net, name, out=tmp_path / "cell.cert")
    assert (verdict.verdict, verdict.certificate) == ("proved", str(tmp_path / "cell.cert"))
    certificate = (tmp_path / "cell.cert").read_bytes()
    valid, reason = checker.check(certificate, to_bytes(net), name)
    assert valid, reason
    assert "at every width" in reason
    for changes in (
        {"evidence__wiring": "parity:any" if name != "parity:any" else "adder:any"},
        {"evidence__cell": json.loads(certificate)["evidence"]["cell"][::-1]},
        {"evidence__rows_sha256": "0" * 64},
        {"task__name": "parity:2"},
        {"method": "enumerated"},
    ):
        assert checker.check(sealed(certificate, **changes), to_bytes(net))[0] is False, changes


@pytest.mark.parametrize("name", WIRINGS)
def test_a_cell_is_also_right_on_its_own_rows(name):
    """A claim of a cell alone is ``enumerated``, and says nothing of any width."""
    own = f"cell:{name.removesuffix(':any')}"
    net = build(own, method="table").network
    data, certificate, answer = certified(net, net.task)
    assert json.loads(certificate)["method"] == "enumerated"
    assert answer[0] is True, answer
    assert checker.check(certificate, data, net.task.name)[0] is True
    assert checker.check(certificate, data, name)[0] is False
    claims = sealed(certificate, task__name=own)
    valid, reason = checker.check(claims, data, own)
    assert valid, reason
    assert "at every width" not in reason
    for changes in (
        {"method": "composed"},
        {"task__name": name},
        {"task__name": f"cell:{name}"},
        {"task__name": "cell:"},
    ):
        assert checker.check(sealed(claims, **changes), data)[0] is False, changes
    assert checker.check(sealed(claims, method="diagram"), data)[0] is False  # no diagrams


def test_a_refuted_cell_is_valid_with_its_counterexample():
    net = build("cell:adder", method="table").network  # gives carry and digit
    _, certificate, answer = certified(net, task_named("cell:subtractor"))
    assert json.loads(certificate)["verdict"] == "refuted"
    assert answer[0] is True, answer


def test_trained_weights_are_certified_in_their_own_format_by_the_bound():
    weight = [[0.9637, 1.0133], [1.1021, 1.0894]], [[-0.0511, 0.9], [0.97, -1.83]]
    bias = [[0.011, -0.97], [0.003, 0.02]]
    layers = [
        Layer(Dense(np.array(w, np.float32)), Dense(np.array(b, np.float32)), Activation(kind))
        for w, b, kind in zip(weight, bias, ("relu", "identity"), strict=True)
    ]
    net = Network(tuple(layers), Readout("threshold", 0.5, ">"))
    _, certificate, answer = certified(net, table_of(net))
    assert json.loads(certificate)["semantics"] == ["exact", "fp32"]
    assert answer[0] is True
    # a threshold that nothing but luck keeps apart from an output
    near = Network(net.layers, Readout("threshold", float(np.nextafter(np.float32(0.02), 1)), ">"))
    assert json.loads(certified(near, table_of(near), formats=("exact", "fp32"))[1]) is not None


def test_a_bounded_domain_and_an_order_are_part_of_the_claim():
    text = "in d:2<3,in e:1,out s:2\n" + "".join(
        f"{d},{e},{d + e}\n" for d in range(3) for e in (0, 1)
    )
    task = parse_table(text, where="sum.csv")
    net = build(task, method="table").network
    data, certificate, answer = certified(net, task)
    assert answer[0] is True, answer
    assert checker.check(certificate, data, json.loads(certificate)["task"]["name"])[0] is True
    for changes in (
        {"task__inputs": [["d", 2, None], ["e", 1, None]]},
        {"task__order": {"inputs": None, "outputs": ["s0", "s1"]}},
        {"task__order": {"inputs": ["e", "d1", "d0"], "outputs": None}},
        {"task__order": {"inputs": ["e", "d1", "d1"], "outputs": None}},
        {"task__table__rows": base64.b64encode(b"\0\0\0\0").decode()},
        {"task__table": None},
        {"task__name": "adder:1"},
    ):
        assert checker.check(sealed(certificate, **changes), data)[0] is False, changes
    assert checker.check(certificate, data, "half-adder")[0] is False


# -- nothing else is -------------------------------------------------------------------------------

SMALL = {
    "enumerated": ("half-adder", "one-layer", "enumeration"),
    "diagram": ("half-adder", "one-layer", "diagram"),
    "refuted": ("half-adder", "lecture", "auto"),
}


def small(name):
    task, method, engine = SMALL[name]
    net = build(task, method=method).network
    return *certified(net, task_named(task), engine=engine)[:2], task_named(task)


@pytest.mark.parametrize("name", SMALL)
def test_a_flipped_bit_in_either_file_is_refused(name):
    data, certificate, _ = small(name)
    assert checker.check(certificate, data)[0] is True
    for place in range(len(certificate)):
        for bit in (1, 32):
            flipped = bytearray(certificate)
            flipped[place] ^= bit
            try:
                valid, _ = checker.check(bytes(flipped), data)
            except checker.UnusableError:
                continue
            assert not valid, place
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1
        assert checker.check(certificate, bytes(flipped))[0] is False, place


@pytest.mark.parametrize("name", SMALL)
def test_a_changed_network_that_is_sealed_again_is_valid_only_where_it_is_true(name):
    data, certificate, task = small(name)
    claimed = json.loads(certificate)["verdict"]
    valid_ones = 0
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        changed = bytes(flipped)
        try:
            net = from_bytes(changed)
            verdict = decide(net, net.task or task, formats="exact").verdict
        except AdderlabError:
            verdict = "refused"
        valid, reason = checker.check(bound_to(certificate, changed), changed)
        valid_ones += valid is True
        if valid and verdict != claimed:
            # one that is stricter than the checker: the format's name, a task of the record
            assert verdict == "refused", (place, reason)
            assert b"fc1.weight" in changed
    assert valid_ones < len(data) // 2


def test_claims_that_are_not_true_are_refused():
    data, certificate, _ = small("enumerated")
    for changes in (
        {"margin": {"of_0": "1/4", "of_1": "1/4"}},
        {"semantics": ["exact", "int2", "int2"]},
        {"semantics": ["exact", "fp4"]},
        {"semantics": ["exact", 3]},
        {"semantics": ["fp32"]},
        {"semantics": []},
        {"semantics": "exact"},
        {"verdict": "unknown"},
        {"verdict": "refuted"},
        {"verdict": "refuted", "evidence": {}, "counterexample": {
            "input": {"a": 1, "b": 1}, "expected": {"c": 2}, "got": {"c": 3}, "output": ["1", "1"],
        }},
        {"evidence": {}},
        {"evidence": None},
        {"evidence": {"rows_sha256": "0" * 64}},
        {"evidence__more": 1},
        {"method": "composed"},
        {"readout": {"kind": "threshold", "threshold": "1/2", "convention": ">"}},
        {"task": task_claims(task_named("adder:2"))},
        {"task": task_claims(task_named("parity:2"))},
        {"task__inputs": [["b", 1, None], ["a", 1, None]]},
        {"task__name": "adder:01"},
        {"task__name": ["adder:1"]},
        {"task": None},
        {"network": None},
        {"network__bytes": 3},
        {"counterexample": {}},
    ):  # fmt: skip
        assert checker.check(sealed(certificate, **changes), data)[0] is False, changes
    claims = json.loads(certificate)
    assert checker.check(checker.seal({**claims, "more": 1}), data)[0] is False
    assert checker.check(certificate.replace(b",", b", ", 1), data)[0] is False
    twice = certificate.replace(b'"method"', b'"method":"diagram","method"')
    assert checker.check(twice, data)[0] is False
    assert checker.check(sealed(certificate, adderlab_certificate=2), data)[0] is None
    assert checker.check(sealed(certificate, method="by hand"), data)[0] is None
    for nothing in (b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000, data):
        with pytest.raises(checker.UnusableError):
            checker.check(nothing, data)


def test_a_certificate_forged_for_a_wrong_network_is_refused():
    """By someone who knows the format and has the diagrams of a right network."""
    task = task_named("adder:3")
    right = build("adder:3", method="ripple").network
    _, certificate, _ = certified(right, task, engine="diagram")
    wrong_weight = right.layers[-1].weight
    for method in ("one-layer", "prefix", "lecture"):
        try:
            other = build("adder:3", method=method).network
        except AdderlabError:
            continue
        assert checker.check(bound_to(certificate, to_bytes(other)), to_bytes(other))[0] is False
    for number, layer in enumerate(right.layers):
        dense = np.array(layer.weight.exact().integers, dtype=np.float32)
        if layer.weight.exact().exponent:
            continue
        dense[0, 0] += 1
        changed = Layer(Dense(dense), layer.bias, layer.activation)
        layers = (*right.layers[:number], changed, *right.layers[number + 1 :])
        mutant = Network(layers, right.readout, task, "fp32")
        data = to_bytes(mutant)
        forged = sealed(bound_to(certificate, data), semantics=["exact"])
        own = checker.check(forged, data)
        if decide(mutant, task, formats="exact").verdict != "proved":
            assert own[0] is False, number
        honest = certified(mutant, task, engine="diagram", formats="exact")
        if json.loads(honest[1])["verdict"] == "refuted":
            lie = sealed(honest[1], verdict="proved", counterexample=None, method="diagram",
                         evidence=json.loads(certificate)["evidence"])  # fmt: skip
            assert checker.check(lie, data)[0] is False
            lie = sealed(honest[1], verdict="proved", counterexample=None, method="enumerated",
                         evidence={"rows_sha256": rows_hash(task, Budget.of())})  # fmt: skip
            assert checker.check(lie, data)[0] is False
            lie = sealed(honest[1], verdict="proved", counterexample=None, method="solver")
            assert checker.check(lie, data)[0] is False
    assert wrong_weight is right.layers[-1].weight


def test_diagrams_that_are_changed_are_refused():
    data, certificate, _ = small("diagram")
    evidence = json.loads(certificate)["evidence"]
    changes = [
        {**evidence, "order": evidence["order"][:1]},
        {**evidence, "order": ["a", "a"]},
        {**evidence, "layers": evidence["layers"][1:]},
        {**evidence, "nodes": evidence["nodes"][:-1]},
        {**evidence, "nodes": [[0, 9, 9, 1]]},
        {**evidence, "nodes": [*evidence["nodes"][:1], [0, 1, 1, 1]]},
        {**evidence, "more": 1},
        {**evidence, "nodes": {}},
        {**evidence, "layers": [{"exponent": 0, "units": [[0, -1]]}] * 2},
        {**evidence, "layers": [{"exponent": "0", "units": []}] * 2},
        {**evidence, "layers": [{"exponent": 0, "units": [7, 7]}] * 2},
    ]
    for number, node in enumerate(evidence["nodes"]):
        nodes = list(evidence["nodes"])
        nodes[number] = [*node[:3], node[3] + 1]
        changes.append({**evidence, "nodes": nodes})
    for change in changes:
        assert checker.check(sealed(certificate, evidence=change), data)[0] is False, change


def test_evidence_that_cannot_be_rechecked_is_neither_valid_nor_invalid():
    task = task_named("adder:11")
    net = build("adder:11").network
    data, certificate, _ = certified(net, task)
    for claims in (
        {"method": "solver", "evidence": {}},
        {"method": "enumerated", "evidence": {"rows_sha256": "0" * 64}},
    ):
        valid, reason = checker.check(sealed(certificate, margin=None, **claims), data)
        assert valid is None, reason
        assert "22 input bits" in reason


def test_what_has_no_certificate_says_why():
    task = task_named("half-adder")
    layers = (
        Layer(Dense(np.ones((2, 2), np.float32)), None, Activation("tanh")),
        Layer(Dense(np.ones((2, 2), np.float32)), None, Activation()),
    )
    net = Network(layers, Readout("threshold", 0.5, ">"), task)
    verdict = decide(net, task)
    assert "'tanh' is not evaluated here" in certificate_of(net, task, verdict, to_bytes(net))
    lecture = lecture_network(task)
    verdict = decide(lecture, task)
    assert "network file" in certificate_of(lecture, task, verdict, b"PK\3\4 of another kind")
    assert isinstance(certificate_of(lecture, task, verdict, to_bytes(lecture)), Certificate)


# -- the file by itself ----------------------------------------------------------------------------


def test_the_one_file_needs_nothing_but_python(tmp_path):
    data, certificate, _ = small("enumerated")
    (tmp_path / "net.safetensors").write_bytes(data)
    (tmp_path / "net.cert").write_bytes(certificate)

    def run(*arguments):
        script = Path(checker.__file__).resolve()
        done = subprocess.run(
            [sys.executable, "-I", "-S", script, *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert "Traceback" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    code, text = run("net.safetensors", "net.cert", "--task", "half-adder")
    assert code == 0
    assert text.startswith("valid: half-adder is right on all 4 inputs; in exact arithmetic")
    code, text = run("net.safetensors", "net.cert", "--task", "parity:2", "--json")
    assert (code, json.loads(text)["valid"]) == (1, False)
    (tmp_path / "other.cert").write_bytes(sealed(certificate, method="by hand"))
    assert run("net.safetensors", "other.cert")[0] == 3
    assert run("net.safetensors", "missing.cert") == (
        2, "checker: missing.cert: there is no such file\n",
    )  # fmt: skip
    assert run("net.safetensors", "net.safetensors")[0] == 2
    assert run("net.safetensors")[0] == 2
    with (tmp_path / "huge.cert").open("wb") as file:
        file.truncate(1 << 30)
    code, text = run("net.safetensors", "huge.cert")
    assert (code, "has over" in text) == (2, True)
