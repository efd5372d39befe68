"""Where each check of the checker ends: what just holds is valid, what just does not is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from itertools import pairwise

import pytest
from sealing import (
    answer,
    certified,
    claims_of,
    f64,
    network,
    network_file,
    sealed,
    table,
    threshold,
)

from adderlab import checker
from adderlab.tasks import task_named
from adderlab.verbs.build import build

SAME = table("in x:1,out y:1|0,0|1,1")


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pointers", "indices", "is_valid"),
    [(b"\0\1\1\2", b"\0\0", True), (b"\0\1\0\1", b"\0", False)],
)
def test_pointers_of_sparse_rows_do_not_descend(pointers, indices, is_valid):
    """The second pointers would read the only entry twice: as the first row and as the third."""
    weight = {"shape": [3, 1], "indptr": "p", "indices": "i", "values": "v"}
    data = network_file(
        [{"weight": weight, "activation": "identity"}],
        {"p": ("U8", [4], pointers), "i": ("U8", [len(indices)], indices),
         "v": ("F64", [len(indices)], f64(*[1] * len(indices)))},
    )  # fmt: skip
    assert answer(data, table("in x:1,out y:3|0,0|1,5")) is is_valid


# -- activations -----------------------------------------------------------------------------------


def where(convention, above, below):
    return {"activation": "where", "convention": convention, "threshold": 0.5, "above": above,
            "below": below}  # fmt: skip


def limits(kind, low, high):
    return {"activation": kind, "min": low, "max": high}


ACTIVATIONS = [
    ({"activation": "identity"}, {-1: -1, 1: 1}),
    ({"activation": "logit"}, {-1: -1, 1: 1}),
    ({"activation": "relu"}, {-0.5: 0, 0: 0, 0.5: 0.5}),
    ({"activation": "step", "convention": ">"}, {-0.25: 0, 0: 0, 0.25: 1}),
    ({"activation": "step", "convention": ">="}, {-0.25: 0, 0: 1, 0.25: 1}),
    ({"activation": "heaviside", "value": 0.25}, {-0.5: 0, 0: 0.25, 0.5: 1}),
    ({"activation": "sign"}, {-0.5: -1, 0: 0, 0.5: 1}),
    ({"activation": "abs"}, {-0.5: 0.5, 0: 0, 0.25: 0.25}),
    ({"activation": "leaky", "slope": 0.5}, {-1.5: -0.75, 0: 0, 1: 1}),
    ({"activation": "prelu", "slopes": [0.5]}, {-1.5: -0.75, 0: 0, 1: 1}),
    ({"activation": "threshold", "threshold": 0.5, "value": -3}, {0: -3, 0.5: -3, 0.75: 0.75}),
    ({"activation": "relu6"}, {-1: 0, 0: 0, 3: 3, 6: 6, 7: 6}),
    (limits("hardtanh", -0.5, 0.75), {-1: -0.5, -0.5: -0.5, 0.25: 0.25, 0.75: 0.75, 1: 0.75}),
    (limits("clamp", 0.25, None), {0: 0.25, 0.25: 0.25, 2: 2}),
    (limits("clamp", None, 0.25), {-1: -1, 0.25: 0.25, 2: 0.25}),
    (limits("clamp", 0.25, 0.25), {0: 0.25, 0.25: 0.25, 2: 0.25}),
    (limits("clamp", 0.5, 0.25), {0: 0.25, 0.25: 0.25, 0.375: 0.25, 0.5: 0.25, 2: 0.25}),
    (where(">", None, 0.25), {0: 0.25, 0.5: 0.25, 0.75: 0.75}),
    (where(">=", None, 0.25), {0: 0.25, 0.5: 0.5, 0.75: 0.75}),
    (where(">", 3, None), {0: 0, 0.5: 0.5, 0.75: 3}),
    (where(">=", 3, None), {0: 0, 0.5: 3, 0.75: 3}),
    (where(">=", 3, None), {0: 0, 1: 3}),
    (where(">=", None, 0.25), {0: 0.25, 1: 1}),
]


def evaluates_to(data, readout, *outputs):
    """Return whether these are a network's outputs where its only input is 0, as bits all 1."""
    width = len(outputs)
    task = table(f"in x:1,out y:{width}|0,0|1,0")
    example = {
        "input": {"x": 0}, "expected": {"y": 0}, "got": {"y": (1 << width) - 1},
        "output": [str(checker.Fraction(value)) for value in outputs],
    }  # fmt: skip
    return answer(data, task, verdict="refuted", counterexample=example, readout=readout)


@pytest.mark.parametrize(("options", "values"), ACTIVATIONS)
def test_an_activation_below_at_and_above_its_knots(options, values):
    """On a row, and as a diagram over one bit that takes the sum from one value to the next."""
    record, readout = threshold(-100)
    for total, value in values.items():
        data = network(([[0]], [total], options), readout=record)
        assert evaluates_to(data, readout, value) is True, total
        assert evaluates_to(data, readout, value + 2.0**-6) is False, total
    points = sorted(values.items())
    for (total, value), (after, other) in pairwise(points):
        own = {**options, "inputs": ["input"]}
        data = network(([[after - total]], [total], own), ([[1]], None, {"inputs": ["input"]}))
        for error in (0, 1):
            step = int(64 * (other - value)) + error
            evidence = {"order": ["x"], "nodes": [[0, 0, 0, step], [0, 0, 0, 1]], "layers": [
                {"exponent": -6, "units": [[int(64 * value), 1]]},
                {"exponent": 0, "units": [[0, 2]]},
            ]}  # fmt: skip
            is_valid = answer(data, "parity:1", method="diagram", evidence=evidence)
            assert is_valid is not bool(error), (total, after)


def test_each_unit_has_its_slope():
    record, readout = threshold(-100)
    options = {"activation": "prelu", "slopes": [0.5, 0.25]}
    data = network(([[0], [0]], [-1, -1], options), readout=record)
    assert evaluates_to(data, readout, -0.5, -0.25) is True
    assert evaluates_to(data, readout, -0.25, -0.5) is False


@pytest.mark.parametrize(("options", "values"), ACTIVATIONS)
def test_an_activation_that_rounds_is_right_in_no_format(options, values):
    own = {**options, "inputs": ["input"]}
    data = network(([[1]], None, own), ([[1]], None, {"inputs": ["input"]}))
    is_right = options["activation"] not in ("leaky", "prelu", "logit")
    assert answer(data, SAME) is True
    assert answer(data, SAME, semantics=["exact", "fp32"]) is is_right


# -- rows ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weight", "rows", "is_valid"),
    [
        ([[1], [0]], "0,0,0|1,1,0", True),
        ([[2], [0]], "0,0,0|1,0,0", False),
        ([[-1], [0]], "0,0,0|1,0,0", False),
        ([[0.5], [0]], "0,0,0|1,0,0", False),
        ([[2], [0]], "0,0,0|1,*,0", True),
        ([[0.5], [0]], "0,0,0|1,*,0", True),
        ([[1], [0]], "0,0,0|1,*,0", True),
        ([[2], [2]], "0,0,0|1,*,0", False),
        ([[2], [1]], "0,0,0|1,*,0", False),
        ([[2], [1]], "0,0,0|1,*,1", True),
    ],
)  # fmt: skip
def test_an_output_that_matters_is_the_bit_itself(weight, rows, is_valid):
    data = network((weight, None, {}))
    assert answer(data, table(f"in x:1,out y:1,out z:1|{rows}")) is is_valid


@pytest.mark.parametrize(
    ("weight", "rows", "of_0", "of_1", "others"),
    [
        ([1, 0.25], "0,0,0|0,1,0|1,0,1|1,1,1", "1/4", "1/2", [("1/2", "1/2"), ("1/4", "3/4")]),
        ([1, 0.25], "0,0,0|0,1,*|1,0,1|1,1,1", "1/2", "1/2", [("1/4", "1/2")]),
        ([1, 0.75], "0,0,0|0,1,*|1,0,1|1,1,1", "1/2", "1/2", [("1/2", "1/4")]),
        ([1, -0.25], "0,0,0|0,1,0|1,0,1|1,1,*", "1/2", "1/2", [("1/2", "1/4")]),
        ([1, -0.75], "0,0,0|0,1,0|1,0,1|1,1,*", "1/2", "1/2", [("1/4", "1/2")]),
        ([0, 0.25], "0,0,0|0,1,0|1,0,0|1,1,0", "1/4", None, [("1/4", "1/4"), (None, "1/4")]),
        ([-2, -2], "0,0,*|0,1,*|1,0,*|1,1,*", None, None, [("1/2", None)]),
    ],
)  # fmt: skip
def test_any_value_has_no_margin(weight, rows, of_0, of_1, others):
    record, readout = threshold(0.5)
    data = network(([weight], None, {}), readout=record)
    task = table(f"in a:1,in b:1,out y:1|{rows}")
    assert answer(data, task, readout=readout, margin={"of_0": of_0, "of_1": of_1}) is True
    for pair in others:
        margin = dict(zip(("of_0", "of_1"), pair, strict=True))
        assert answer(data, task, readout=readout, margin=margin) is False, pair


@pytest.mark.parametrize(
    ("convention", "bias", "other", "of_0", "of_1"),
    [(">", 2, ">=", "0", "1"), (">=", 1, ">", "1", "0")],
)
@pytest.mark.parametrize("method", ["solver", "diagram"])
def test_an_output_on_the_threshold(convention, bias, other, of_0, of_1, method):
    """It is a 1 where the convention says so, and its distance is 0."""
    diagram = {"order": ["x"], "nodes": [[0, 0, 0, 1]],
               "layers": [{"exponent": 0, "units": [[bias, 1]]}]}  # fmt: skip
    claims = {"method": method, "evidence": diagram if method == "diagram" else {}}
    for own in (convention, other):
        record, readout = threshold(2, own)
        data = network(([[1]], [bias], {}), readout=record)
        claims["readout"] = readout
        assert answer(data, "parity:1", **claims) is (own == convention)
        for pair in ((of_0, of_1), (of_1, of_0), (of_0, "1/2"), ("1/2", of_1)):
            margin = dict(zip(("of_0", "of_1"), pair, strict=True))
            is_valid = own == convention and pair == (of_0, of_1)
            assert answer(data, "parity:1", margin=margin, **claims) is is_valid, pair
    row = 2 - bias
    example = {"input": {"x": row}, "expected": {"p": row}, "got": {"p": 1 - row}, "output": ["2"]}
    claims = {**claims, "verdict": "refuted", "counterexample": example, "evidence": {}}
    assert answer(data, "parity:1", **claims) is True
    data = network(([[1]], [bias], {}), readout=threshold(2, convention)[0])
    claims["readout"] = threshold(2, convention)[1]
    assert answer(data, "parity:1", **claims) is False


# -- domains ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "is_valid"),
    [
        ([0, 0, 0, 5], True),
        ([1 << 40, 0, 0, 5], True),
        ([0, 2, 0, 5], True),
        ([0, 1, 0, 5], False),  # the variable of the node below it
        ([0, 0, 1, 5], False),
        ([-1, 1, 0, 5], False),
        ([0, 3, 0, 5], False),  # itself
        ([0, 0, 3, 5], False),
        ([0, -1, 0, 5], False),  # counted from the end
        ([0, 0, -1, 5], False),
        ([0, 0, 0, 5, 0], False),
        ([0, 0, 0], False),
        ([0, 0, 0, 5.0], False),
        ([0, 0, False, 5], False),
        ({}, False),
    ],
)
def test_a_node_that_nothing_uses_is_one(node, is_valid):
    data = network(([[1]], None, {}))
    evidence = {"order": ["x"], "nodes": [[0, 0, 0, 1], [1 << 40, 0, 0, 5], node],
                "layers": [{"exponent": 0, "units": [[0, 1]]}]}  # fmt: skip
    assert answer(data, "parity:1", method="diagram", evidence=evidence) is is_valid


def test_diagrams_are_of_all_combinations():
    """Of three of four values there are none, whatever the diagrams say."""
    data = network(([[1, 0]], None, {}))
    evidence = {"order": ["d1", "d0"], "nodes": [[0, 0, 0, 1]],
                "layers": [{"exponent": 0, "units": [[0, 1]]}]}  # fmt: skip
    bounded = table("in d:2<3,out y:1|0,0|1,0|2,1")
    assert answer(data, bounded) is True
    valid, reason = checker.check(
        claims_of(data, bounded, method="diagram", evidence=evidence), data
    )
    assert (valid, reason) == (False, "diagrams are of all combinations of bits")


@pytest.mark.parametrize(
    ("name", "words", "expected", "got", "output"),
    [
        ("half-adder", {"a": 2, "b": 0}, {"c": 2}, {"c": 0}, ["0", "0"]),
        ("half-adder", {"a": 0, "b": -1}, {"c": -1}, {"c": 1}, ["0", "1"]),
        ("parity:2", {"x": 4}, {"p": 1}, {"p": 0}, ["0"]),
        ("parity:2", {"x": -4}, {"p": 1}, {"p": 0}, ["0"]),
    ],
)
def test_a_counterexample_beyond_the_domain_is_none(name, words, expected, got, output):
    """Its lowest bits are those of another row, on which the network is right."""
    data, certificate, (valid, _) = certified(build(name).network, task_named(name))
    assert valid is True
    example = {"input": words, "expected": expected, "got": got, "output": output}
    forged = sealed(certificate, verdict="refuted", counterexample=example, evidence={},
                    semantics=["exact"], margin=None)  # fmt: skip
    assert checker.check(forged, data) == (False, "the counterexample is outside the domain")


def test_a_counterexample_is_one_of_a_bounded_domain():
    """Of rows that are made by hand: past the last one the padding asks for a 1."""
    data = network(([[0, 0]], None, {}))
    words = {"in": [["d", 2, 3]], "out": [["y", 1]]}
    rows = b"\x10\xf0"
    digest = hashlib.sha256(json.dumps(words, separators=(",", ":")).encode() + rows).hexdigest()
    entry = {**words, "rows": base64.b64encode(rows).decode(), "sha256": digest}
    task = {"name": checker.TABLE + digest, "inputs": words["in"], "outputs": words["out"],
            "order": {"inputs": None, "outputs": None}, "table": entry}  # fmt: skip
    example = {"input": {"d": 3}, "expected": {"y": 1}, "got": {"y": 0}, "output": ["0"]}
    assert answer(data, task) is True
    assert answer(data, task, verdict="refuted", counterexample=example) is False
    example = {"input": {"d": 2}, "expected": {"y": 0}, "got": {"y": 1}, "output": ["1"]}
    wrong = network(([[1, 0]], None, {}))
    assert answer(wrong, task, verdict="refuted", counterexample=example) is True
