"""Certificates and network files that are made to deceive the checker, or to make it stumble."""

from __future__ import annotations

import base64
import hashlib
import json
import struct

import pytest
from sealing import certified, claims_of, network_file, sealed

from adderlab import checker
from adderlab.errors import AdderlabError
from adderlab.nets.files import from_bytes
from adderlab.proving.decide import decide
from adderlab.tasks import task_named
from adderlab.verbs.build import build

XOR = "parity:2"


def f32(*values):
    return struct.pack(f"<{len(values)}f", *values)


def one_layer(weight=(1.0, 1.0), activation=None, **record):
    """Return the file of one unit that reads two bits."""
    return network_file(
        [{"weight": "w", **(activation or {"activation": "identity"})}],
        {"w": ("F32", [1, 2], f32(*weight))},
        **record,
    )


def a_table(columns, rows, **other):
    """Return a certificate's entry of a table that has these words and packed rows."""
    text = json.dumps(columns, separators=(",", ":")).encode()
    digest = hashlib.sha256(text + rows).hexdigest()
    table = {**columns, "rows": base64.b64encode(rows).decode(), "sha256": digest}
    return {
        "name": checker.TABLE + digest, "inputs": columns["in"], "outputs": columns["out"],
        "order": {"inputs": None, "outputs": None}, "table": table, **other,
    }  # fmt: skip


# -- what is false -----------------------------------------------------------------------------


def test_an_output_of_minus_2_is_no_bit():
    """Where all outputs are even, they are whole numbers over 2, and -2 is -1 of them."""
    levels = {"activation": "where", "convention": ">", "threshold": 0.5, "above": -2, "below": 0}
    data = one_layer((1.0, 0.0), levels)
    net = from_bytes(data)
    table = a_table({"in": [["a", 1, None], ["b", 1, None]], "out": [["y", 1]]}, b"\x30\xf0")
    assert decide(net, task_named("parity:2"), formats="exact").verdict == "refuted"
    assert checker.check(claims_of(data, table), data)[0] is False
    right = one_layer((1.0, 0.0), {**levels, "above": 1})
    assert checker.check(claims_of(right, table), right)[0] is True


@pytest.mark.parametrize(
    ("name", "weight", "constant", "is_right"),
    [
        ("binary", (1.0, -1.0), 1, True),
        ("binary", (1.0, 0.0), 1, False),  # no 0 in one bit
        ("ternary", (1.0, 0.0), 1, True),
        ("int8", (1.0, 0.0), (1 << 31) - 1, True),
        ("int8", (1.0, 0.0), 1 << 31, False),  # none of int32
        ("wide", (1.0, 0.0), 1 << 31, True),
        ("fp32", (1.0, 0.0), 1 << 31, True),
        ("fp16", (1.0, 0.0), 1 << 31, False),
    ],
)
def test_a_format_is_claimed_only_of_what_it_holds(name, weight, constant, is_right):
    levels = {
        "activation": "where", "convention": ">", "threshold": 0, "above": constant, "below": 0,
    }  # fmt: skip
    readout = {"kind": "threshold", "threshold": 0.0, "convention": ">"}
    data = one_layer(weight, levels, readout=readout)
    claim = claims_of(data, a_table(
        {"in": [["a", 1, None], ["b", 1, None]], "out": [["y", 1]]},
        b"\x20\xf0" if weight[1] else b"\x30\xf0",
    ), readout={**readout, "threshold": "0"})  # fmt: skip
    assert checker.check(claim, data)[0] is True
    claim = sealed(claim, semantics=["exact", name])
    assert checker.check(claim, data)[0] is is_right


def test_no_other_json_stands_for_a_number():
    net = build("full-adder").network
    data, certificate, answer = certified(net, task_named("full-adder"))
    assert answer[0] is True
    for changes in (
        {"task__inputs": [["a", True, None], ["b", 1, None], ["cin", 1, None]]},
        {"task__inputs": [["a", 1.0, None], ["b", 1, None], ["cin", 1, None]]},
        {"task__outputs": [["c", 2.0]]},
        {"network__bytes": float(len(data))},
        {"adderlab_certificate": True},
        {"adderlab_certificate": 1.0},
    ):
        assert not checker.check(sealed(certificate, **changes), data)[0], changes


# -- what is malformed -------------------------------------------------------------------------

ONE_WORD = {"in": [["a", 1, None], ["b", 1, None]], "out": [["y", 1]]}


def refused(data, claim):
    valid, reason = checker.check(claim, data)
    assert valid is False, reason
    assert reason.isascii()
    assert reason.isprintable()
    return reason


@pytest.mark.parametrize(
    "columns",
    [
        {"in": [["a", 0, 1], ["a", 1, None], ["b", 1, None]], "out": [["y", 1]]},
        {"in": [["a", 1, None], ["b", 1, None]], "out": [["a", 1]]},
        {"in": [["a", 1, 0], ["b", 1, None]], "out": [["y", 1]]},
        {"in": [["a", 1, 3], ["b", 1, None]], "out": [["y", 1]]},
        {"in": [["a", 1, 1.0], ["b", 1, None]], "out": [["y", 1]]},
        {"in": [["a", True, None], ["b", 1, None]], "out": [["y", 1]]},
        {"in": [["a", 10**9, None], ["b", 1, None]], "out": [["y", 1]]},
        {"in": [["a", 10**999, 2]], "out": [["y", 1]]},
        {"in": [["a", -1, 2]], "out": [["y", 1]]},
        {"in": [["a\nvalid: adder:64", 1, None], ["b", 1, None]], "out": [["y", 1]]},
        {"in": [["\ud800", 1, None], ["b", 1, None]], "out": [["y", 1]]},
        {"in": [[["a"], 1, None], ["b", 1, None]], "out": [["y", 1]]},
        {"in": ["a2b", "b11"], "out": ["y1"]},
        {"in": [], "out": [["y", 1]]},
        {"in": [["a", 1, None], ["b", 1, None]], "out": []},
        {"in": {"a": 1}, "out": 3},
    ],
)
def test_words_of_a_table_that_are_none(columns):
    data = one_layer()
    refused(data, claims_of(data, a_table(columns, b"\x30\xf0")))


@pytest.mark.parametrize(
    "changes",
    [
        {"task__name": "comparator:any", "method": "diagram"},
        {"task__name": "parity:any", "method": "diagram"},
        {"task__order__inputs": [1, "x1"]},
        {"task__order__inputs": [["x0"], "x1"]},
        {"task__name": ""},
        {"task__name": "parity:9999999"},
        {"semantics": ["exact", [1]]},
        {"readout": []},
        {"verdict": ["proved"]},
        {"margin": {"of_0": "1", "of_1": None}},
        {"method": "diagram", "evidence": {"order": [1, "x1"], "nodes": [], "layers": []}},
        {"method": "diagram", "evidence": {"order": [["x"]], "nodes": [], "layers": []}},
        {"method": "diagram", "evidence": {
            "order": ["x1", "x0"], "nodes": [[1 << 62, 0, 0, 1]], "layers": []}},
        {"verdict": "refuted", "counterexample": {
            "input": {"x": True}, "expected": {"p": 1}, "got": {"p": 1}, "output": ["1"]}},
    ],
)  # fmt: skip
def test_claims_of_other_types(changes):
    data = one_layer()
    claim = sealed(claims_of(data, XOR), **changes)
    if changes.get("task__name") == "parity:9999999":
        assert checker.check(claim, data)[0] is None
        return
    refused(data, claim)


@pytest.mark.parametrize(
    ("layer", "weight"),
    [
        ({"weight": "w", "activation": "prelu", "slopes": []}, None),
        ({"weight": "w", "activation": "prelu", "slopes": [1, 2]}, None),
        ({"weight": "w", "activation": "leaky", "slope": [1]}, None),
        ({"weight": "w", "activation": "leaky", "slope": 10**400}, None),
        ({"weight": "w", "activation": "leaky", "slope": True}, None),
        ({"weight": "w", "activation": "hardtanh", "min": None, "max": 1}, None),
        ({"weight": "w", "activation": "step", "convention": "<"}, None),
        ({"weight": "w", "activation": "step", "convention": [">"]}, None),
        ({"weight": "w", "activation": ["step"]}, None),
        ({"weight": ["w"], "activation": "identity"}, None),
        ({"weight": "w", "activation": "identity", "inputs": []}, None),
        ({"weight": "w", "activation": "identity", "inputs": ["fc1"]}, None),
        ({"weight": "w", "activation": "identity", "inputs": ["input", "input"]}, None),
        ({"weight": "w", "activation": "identity"}, ("F32", [0, 1 << 40], b"")),
        ({"weight": "w", "activation": "identity"}, ("F32", [1 << 40, 0], b"")),
        ({"weight": "w", "activation": "identity"}, ("F32", [0, 10**999], b"")),
        ({"weight": "w", "activation": "identity"}, ("F32", [2], bytes(8))),
        ({"weight": "w", "activation": "identity"}, ("F32", [1, 2.0], bytes(8))),
        ({"weight": "w", "activation": "identity"}, ("F32", [1, True], bytes(4))),
        ({"weight": "w", "activation": "identity"}, (["F32"], [1, 2], bytes(8))),
        ({"weight": "w", "activation": "identity"}, ("BOOL", [1, 2], bytes(2))),
        ({"weight": "w", "activation": "identity"}, ("F16", [1, 2], b"\0\x7c\0\0")),
        ({"weight": "w", "activation": "identity"}, ("F8_E4M3", [1, 2], b"\x7f\0")),
        ({"weight": {"packed": 1, "shape": [0, 1 << 40], "data": "w"}, "activation": "identity"},
         ("U8", [0], b"")),
        ({"weight": {"packed": 2, "shape": [1, 2], "data": "w"}, "activation": "identity"},
         ("U8", [1], b"\xff")),
    ],
)  # fmt: skip
def test_layers_that_are_none(layer, weight):
    data = network_file([layer], {"w": weight or ("F32", [1, 2], f32(1, 1))})
    refused(data, claims_of(data, XOR))
    with pytest.raises(AdderlabError):
        from_bytes(data)


def test_a_bias_is_a_vector():
    """Not a sparse matrix, whose other columns nothing would read."""
    bias = {"shape": [1, 2], "indptr": "p", "indices": "i", "values": "v"}
    data = network_file(
        [{"weight": "w", "bias": bias, "activation": "identity"}],
        {"w": ("F32", [1, 2], f32(1, 1)), "p": ("U8", [2], b"\0\1"), "i": ("U8", [1], b"\1"),
         "v": ("F32", [1], f32(5))},
    )  # fmt: skip
    assert refused(data, claims_of(data, XOR)) == "a weight is no matrix, or a bias no vector"


def test_a_header_in_another_encoding_is_refused():
    data = one_layer()
    length = int.from_bytes(data[:8], "little")
    text = data[8 : 8 + length].decode().encode("utf-16-le")
    other = len(text).to_bytes(8, "little") + text + data[8 + length :]
    refused(other, claims_of(other, XOR))


# -- what is large -----------------------------------------------------------------------------


def sparse(rows, columns):
    """Return a layer of units that read nothing of what they could, and its tensors."""
    layer = {"weight": {"shape": [rows, columns], "indptr": "p", "indices": "i", "values": "v"},
             "activation": "identity"}  # fmt: skip
    tensors = {"p": ("U8", [rows + 1], bytes(rows + 1)), "i": ("U8", [0], b""),
               "v": ("F32", [0], b"")}  # fmt: skip
    return network_file([layer], tensors)


def test_small_files_of_large_things_end_with_an_answer():
    for columns in (1 << 17, 1 << 40, 10**999):
        data = sparse(1, columns)
        valid, reason = checker.check(claims_of(data, XOR), data)
        assert (valid, "input bits" in reason) == (None, True)
    layer = {"weight": {"codes": "w", "sizes": "s", "codebook": "b"}, "activation": "identity"}
    wide = b"\0" * 9000 + b"\1"
    data = network_file([layer], {
        "w": ("U8", [1, 2], b"\0\0"), "s": ("U16", [1], struct.pack("<H", len(wide))),
        "b": ("U8", [len(wide)], wide),
    })  # fmt: skip
    valid, reason = checker.check(claims_of(data, XOR), data)
    assert (valid, reason) == (None, "a number has over 65536 bits")


def test_numbers_that_python_does_not_write_are_beyond_the_checker():
    """Of over 4300 digits: the margin, and the outputs of a counterexample."""
    number = b"\0" * 2000 + b"\1"
    layer = {"weight": {"codes": "w", "sizes": "s", "codebook": "b"}, "activation": "identity"}
    readout = {"kind": "threshold", "threshold": 0.5, "convention": ">"}
    data = network_file([layer], {
        "w": ("U8", [1, 2], b"\0\0"), "s": ("U16", [1], struct.pack("<H", len(number))),
        "b": ("U8", [len(number)], number),
    }, readout=readout)  # fmt: skip
    readout = {**readout, "threshold": "1/2"}
    proof = claims_of(data, a_table(ONE_WORD, b"\x70\xf0"), readout=readout)
    assert checker.check(proof, data)[0] is True
    margin = {"of_0": "1/2", "of_1": "1"}
    assert checker.check(sealed(proof, margin=margin), data)[0] is None
    example = {"input": {"a": 1, "b": 1}, "expected": {"y": 0}, "got": {"y": 1}, "output": ["1"]}
    claim = sealed(proof, verdict="refuted", counterexample=example)
    assert checker.check(claim, data)[0] is None


def test_a_bounded_word_of_many_bits_is_no_faulty_table():
    """The checker tries all combinations of 2^20 at most, whatever the bound."""
    columns = {"in": [["a", 27, 2]], "out": [["y", 5000]]}
    rows = bytes(2 * 5000 // 8) + b"\xc0"
    data = sparse(1, 27)
    valid, reason = checker.check(claims_of(data, a_table(columns, rows)), data)
    assert (valid, reason) == (False, "it gives another number of bits")


# -- bounds on time and memory -------------------------------------------------------------------


def test_where_the_time_is_up_it_says_how_far_it_came(monkeypatch):
    data = one_layer()
    claim = claims_of(data, XOR)
    assert checker.check(claim, data, timeout_s=0) == (
        None, "the time was up while the certificate was read",
    )  # fmt: skip
    net = build("adder:3", method="one-layer").network
    data, certificate, answer = certified(net, task_named("adder:3"), engine="diagram")
    assert answer[0] is True
    rows = sealed(certificate, method="solver", evidence={}, margin=None)
    stages = set()
    for claim in (certificate, rows):
        for looks in range(1, 130):
            ticks = iter(range(looks))
            clock = type("", (), {"perf_counter": lambda ticks=ticks: next(ticks, 1e9)})
            monkeypatch.setattr(checker, "time", clock)
            valid, reason = checker.check(claim, data, timeout_s=1e6)
            assert (valid, reason.startswith("the time was up ")) == (None, True), reason
            stages.add(reason.removeprefix("the time was up "))
    assert {
        "while the network file was read",
        "while the weights of fc2 of 2 layers were read",
        "at unit 1 of 8 in fc1",
        "after 5 of 64 combinations of input bits",
    } <= stages


BOUNDS = {
    "LARGEST_BYTES": "network files of over 1 bytes are not read here",
    "MOST_VALUES": "a file holds over 1 values of JSON",
    "MOST_NUMBERS": "the network has over 1 numbers",
    "MOST_NODES": "the diagrams have over 1 nodes and sums",
    "MOST_BITS": "6 input bits are more than the 1 that are tried",
    "MOST_INPUTS": "over 1 input bits are not evaluated here",
    "LONGEST": "values of fc1 may have over 1 bits",
}


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_beyond_a_bound_is_not_called_invalid(name, monkeypatch):
    net = build("adder:3", method="one-layer").network
    data, certificate, _ = certified(net, task_named("adder:3"), engine="diagram")
    if name == "MOST_BITS":
        certificate = sealed(certificate, method="solver", evidence={}, margin=None)
    monkeypatch.setattr(checker, name, 1)
    assert checker.check(certificate, data) == (None, BOUNDS[name])


def test_large_exponents_and_numbers_are_not_called_invalid():
    net = build("half-adder", method="one-layer").network
    data, certificate, answer = certified(net, task_named("half-adder"), engine="diagram")
    assert answer[0] is True
    layers = json.loads(certificate)["evidence"]["layers"]
    for exponent in (1 << 17, -(1 << 17)):
        changed = [{**layers[0], "exponent": exponent}, *layers[1:]]
        valid, reason = checker.check(sealed(certificate, evidence__layers=changed), data)
        assert (valid, reason) == (None, "an exponent is beyond 65536 in the evidence")
    long = certificate.replace(b'certificate":1,', b'certificate":' + b"1" * 5000 + b",")
    assert checker.check(long, data) == (None, "a number has more digits than Python reads")
    claim = sealed(claims_of(one_layer(), XOR), task__name="parity:" + "9" * 5000)
    assert checker.check(claim, one_layer())[0] is None


def test_numbers_that_grow_from_layer_to_layer_are_bounded():
    """Each layer multiplies by 2^60000: values of few bytes in the file have ever more bits."""
    layer = {"activation": "relu", "weight": {"codes": "w", "sizes": "s", "codebook": "b"}}
    number = b"\0" * 7500 + b"\1"
    tensors, layers = {}, []
    for at in range(3):
        names = {key: f"{name}{at}" for key, name in layer["weight"].items()}
        layers.append({**layer, "weight": names})
        tensors |= {
            f"w{at}": ("U8", [1, 1 if at else 2], bytes(1 if at else 2)),
            f"s{at}": ("U16", [1], struct.pack("<H", len(number))),
            f"b{at}": ("U8", [len(number)], number),
        }
    data = network_file(layers, tensors)
    assert checker.check(claims_of(data, XOR), data) == (
        None, "values of fc2 may have over 65536 bits",
    )  # fmt: skip
    data = network_file([{"weight": "w", "activation": "identity"}], {"w": ("U8", [1] * 9, b"\1")})
    assert refused(data, claims_of(data, XOR)).startswith("a shape or place")
