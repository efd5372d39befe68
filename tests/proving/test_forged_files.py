"""One fault in a file or a claim at a time: each check of the checker is what refuses it."""

from __future__ import annotations

import base64
import hashlib
import json
import struct

import numpy as np
import pytest
from sealing import bound_to, certified, claims_of, network_file, sealed

from adderlab import checker
from adderlab.limits import Budget
from adderlab.nets import EXACT, Activation, Layer, Network, Readout
from adderlab.nets.files import to_bytes
from adderlab.nets.tensors import Dense
from adderlab.proving.certificates import diagram_evidence
from adderlab.tasks import task_named
from adderlab.tasks.tables import parse_table
from adderlab.verbs.build import build

FIRST = parse_table("in a:1,in b:1,out y:1\n0,0,0\n0,1,0\n1,0,1\n1,1,1\n", where="first.csv")
"""The output is the first input."""

IDENTITY = {"weight": "w", "activation": "identity"}


def floats(*values):
    return struct.pack(f"<{len(values)}f", *values)


def claim_of(data):
    """Return the claim that a file is right on the table."""
    words = {"in": [["a", 1, None], ["b", 1, None]], "out": [["y", 1]]}
    task = {
        "name": checker.TABLE + FIRST.record["table"]["sha256"], "inputs": words["in"],
        "outputs": words["out"], "order": {"inputs": None, "outputs": None},
        "table": FIRST.record["table"],
    }  # fmt: skip
    return claims_of(data, task)


def with_header(change, tensors=None):
    """Return a file whose header's JSON was changed as text."""
    data = network_file([IDENTITY], tensors or {"w": ("F32", [1, 2], floats(1, 0))})
    length = int.from_bytes(data[:8], "little")
    text = data[8 : 8 + length].decode()
    changed = change(text)
    assert changed != text
    return len(changed.encode()).to_bytes(8, "little") + changed.encode() + data[8 + length :]


def sparse(indptr=("U8", b"\0\1"), indices=("U8", b"\0"), values=(1,)):
    entry = {"shape": [1, 2], "indptr": "p", "indices": "i", "values": "v"}
    return network_file(
        [{"weight": entry, "activation": "identity"}],
        {
            "p": (indptr[0], [len(indptr[1])], indptr[1]),
            "i": (indices[0], [len(indices[1])], indices[1]),
            "v": ("F32", [len(values)], floats(*values)),
        },
    )


def packed(byte):
    entry = {"packed": 2, "shape": [1, 2], "data": "w"}
    return network_file(
        [{"weight": entry, "activation": "identity"}], {"w": ("U8", [1], bytes([byte]))}
    )


def scaled(shape, *values):
    entry = {"scale": "s", "q": "w"}
    return network_file(
        [{"weight": entry, "activation": "identity"}],
        {"w": ("F32", [1, 2], floats(1, 0)), "s": ("F32", shape, floats(*values))},
    )


def coded(kind, codes):
    entry = {"codes": "c", "sizes": "s", "codebook": "b"}
    return network_file(
        [{"weight": entry, "activation": "identity"}],
        {"c": (kind, [1, 2], codes), "s": ("U8", [2], b"\1\1"), "b": ("U8", [2], b"\0\1")},
    )


RIGHT = {
    "dense": network_file([IDENTITY], {"w": ("F32", [1, 2], floats(1, 0))}),
    "sparse": sparse(),
    "packed": packed(0b0001),
    "scaled": scaled([], 1.0),
    "coded": coded("U8", b"\1\0"),
}

WEIGHT = '"w": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}'

FAULTY = {
    "a key of the record twice": with_header(
        lambda text: text.replace('\\"schema\\": 1', '\\"schema\\": 1, \\"schema\\": 1')
    ),
    "a tensor twice": with_header(lambda text: text.replace(WEIGHT, f"{WEIGHT}, {WEIGHT}")),
    "a tensor that overlaps": with_header(
        lambda text: text.replace(WEIGHT, f"{WEIGHT}, {WEIGHT.replace('w', 'v', 1)}")
    ),
    "bytes at the end": RIGHT["dense"] + b"\0",
    "bytes before the first": with_header(
        lambda text: text.replace("[0, 8]", "[4, 12]"), {"w": ("F32", [1, 2], floats(9, 1))}
    )
    + floats(0),
    "a tensor that nothing uses": network_file(
        [IDENTITY], {"w": ("F32", [1, 2], floats(1, 0)), "v": ("F32", [1], floats(1))}
    ),
    "a tensor used twice": network_file([IDENTITY, IDENTITY], {"w": ("F32", [1, 2], floats(1, 0))}),
    "padding that is set": packed(0b1_0001),
    "signed pointers": sparse(indptr=("I8", b"\0\1")),
    "signed indices": sparse(indices=("I8", b"\0")),
    "pointers that do not begin at 0": sparse(indptr=("U8", b"\1\1")),
    "columns that do not ascend": sparse(("U8", b"\0\2"), ("U8", b"\1\0"), (0, 1)),
    "a column twice": sparse(("U8", b"\0\2"), ("U8", b"\0\0"), (0.5, 0.5)),
    "a column beyond": sparse(indices=("U8", b"\2")),
    "scales of another shape": scaled([1, 1], 1.0),
    "signed codes": coded("I8", b"\1\0"),
    "codes beyond the codebook": coded("U8", b"\1\2"),
    "a value of the codebook unused": coded("U8", b"\1\1"),
    "inputs of another number": network_file([IDENTITY], {"w": ("F32", [1, 3], floats(1, 0, 0))}),
    "outputs of another number": network_file(
        [IDENTITY], {"w": ("F32", [2, 2], floats(1, 0, 1, 0))}
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_the_same_without_a_fault_is_valid(name):
    assert checker.check(claim_of(RIGHT[name]), RIGHT[name])[0] is True


@pytest.mark.parametrize("name", FAULTY)
def test_a_file_with_one_fault_is_refused(name):
    valid, reason = checker.check(claim_of(FAULTY[name]), FAULTY[name])
    assert valid is False, reason


def test_rows_that_do_not_fit_their_hash_are_refused():
    """The rows of another function, for which the network is right, under the old hash."""
    data = network_file([IDENTITY], {"w": ("F32", [1, 2], floats(0, 1))})
    second = base64.b64encode(b"\x50\xf0").decode()
    forged = sealed(claim_of(data), task__table__rows=second)
    assert checker.check(forged, data) == (False, "the table was changed")
    words = {"in": [["a", 1, None], ["b", 1, None]], "out": [["y", 1]]}
    rows = b"\x30\xf0\0"  # a byte too many, and hashed
    digest = hashlib.sha256(json.dumps(words, separators=(",", ":")).encode() + rows).hexdigest()
    longer = {**words, "rows": base64.b64encode(rows).decode(), "sha256": digest}
    forged = sealed(claim_of(RIGHT["dense"]), task__table=longer, task__name=checker.TABLE + digest)
    assert checker.check(forged, RIGHT["dense"]) == (False, "the table has another number of rows")


def test_a_claim_holds_nothing_that_its_method_does_not_derive():
    data = RIGHT["dense"]
    for changes in (
        {"evidence": {"rows_sha256": ""}},
        {"margin": {"of_0": "0", "of_1": "1"}},
        {"margin": {"of_0": None, "of_1": None}},
    ):
        assert checker.check(sealed(claim_of(data), **changes), data)[0] is False, changes


def test_diagrams_of_outputs_that_are_no_bits_are_refused():
    task = task_named("half-adder")
    net = build("half-adder", method="one-layer").network
    last = net.layers[-1]
    doubled = Dense(2 * np.array(last.weight.exact().to_floats(), np.float32))
    twice = Network((*net.layers[:-1], Layer(doubled, None, last.activation)), EXACT, task)
    _, certificate, answer = certified(net, task, engine="diagram")
    assert answer[0] is True
    data = to_bytes(twice)
    evidence = diagram_evidence(twice, task, Budget.of())
    forged = bound_to(certificate, data, evidence=evidence, semantics=["exact"])
    valid, reason = checker.check(forged, data)
    assert (valid, "not always a bit" in reason) == (False, True)


def test_a_counterexample_that_is_none_is_refused():
    task = parse_table("in a:1,out y:2\n0,*\n1,1\n", where="any.csv")
    weight = Dense(np.array([[0.0], [0.0]], np.float32))
    wrong = Network((Layer(weight, None, Activation()),), EXACT, task)
    data, certificate, answer = certified(wrong, task, formats="exact")
    assert answer[0] is True
    assert json.loads(certificate)["counterexample"]["input"] == {"a": 1}
    example = json.loads(certificate)["counterexample"]
    for changes in (
        {"counterexample": {**example, "input": {"a": 0}, "expected": {"y": None}}},
        {"counterexample": {**example, "input": {"a": 2}}},
        {"counterexample": {**example, "got": {"y": 2}}},
        {"counterexample": {**example, "output": ["0", "1"]}},
        {"counterexample": {**example, "expected": {"y": 3}}},
        {"semantics": ["exact", "fp32"]},
        {"margin": {"of_0": None, "of_1": None}},
    ):
        assert checker.check(sealed(certificate, **changes), data)[0] is False, changes
    right = Network(
        (Layer(Dense(np.array([[0.0], [1.0]], np.float32)), None, Activation()),), EXACT
    )
    data = to_bytes(right)
    shown = {**example, "got": {"y": 1}, "output": ["0", "1"]}
    assert checker.check(bound_to(certificate, data, counterexample=shown), data)[0] is False


def layer(weight, bias, kind="identity", **options):
    bias = Dense(np.array(bias, np.float32))
    return Layer(Dense(np.array(weight, np.float32)), bias, Activation(kind, **options))


def follows(*layers, margin="1/4", threshold=0.5):
    read = checker.read_network(to_bytes(Network(layers, Readout("threshold", threshold, ">"))))
    return checker.is_right_in(read, "fp32", {"of_0": margin, "of_1": margin})


def test_a_number_format_follows_only_where_the_bound_is_below_the_margin():
    rounded = layer([[0.1, 0.7]], [0.3])
    assert follows(rounded)
    assert not follows(rounded, margin="1/100000000")
    assert not follows(rounded, margin="0")
    assert not follows(rounded, threshold=0.1)  # which fp32 does not have
    assert not follows(rounded, threshold=2.0**-150)


def test_a_step_of_rounded_sums_follows_from_nothing():
    assert follows(layer([[1, 1]], [-1], "step"), layer([[1]], [0]))
    assert not follows(layer([[0.1, 0.7]], [-0.8], "step"), layer([[1]], [0]))


def test_sums_that_overflow_or_underflow_are_not_exact():
    assert follows(layer([[2.0**126, 2.0**126]], [0], "relu"), layer([[2.0**-126]], [0]))
    assert not follows(layer([[3e38, 3e38]], [0], "relu"), layer([[2.0**-126]], [0]))
    tiny = layer([[2.0**-100, 0]], [0], "relu")
    assert follows(tiny, layer([[2.0**-49]], [0]))
    assert not follows(tiny, layer([[2.0**-50]], [0]), margin=str(checker.Fraction(2) ** -151))


def test_whole_numbers_are_summed_below_2_to_the_31():
    def sums(bits):
        weight = Dense(np.full((1, 2), (1 << bits) - 1, np.int32))
        net = Network((Layer(weight, None, Activation()),), EXACT, None, "int32")
        return checker.is_right_in(checker.read_network(to_bytes(net)), "int32", None)

    assert sums(29)
    assert not sums(31)
