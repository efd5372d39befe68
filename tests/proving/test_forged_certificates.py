"""Certificates and network files that are made to deceive the checker, or to make it stumble."""

from __future__ import annotations

import base64
import hashlib
import json
import struct

import numpy as np
import pytest
from sealing import bound_to, certified, claims_of, network_file, sealed

from adderlab import checker
from adderlab.nets import Activation, Layer, Network, Readout
from adderlab.nets.files import from_bytes, to_bytes
from adderlab.nets.tensors import Dense
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
