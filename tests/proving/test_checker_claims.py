"""Claims of named tasks, of tables and of diagrams, each with the nearest that does not hold."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from sealing import answer, certified, network, table

from adderlab import checker
from adderlab.limits import Budget
from adderlab.nets.files import from_bytes
from adderlab.proving.certificates import diagram_evidence
from adderlab.tasks import task_named
from adderlab.verbs.build import build

NAMES = [
    "half-adder", "full-adder", "adder:2", "subtractor:2", "comparator:2", "multiplier:2",
    "parity:3", "majority:3", "majority:4", "popcount:3",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_row_of_a_named_task(name):
    net = build(name, method="table").network
    assert certified(net, task_named(name), engine="enumeration")[2][0] is True


HALF_ADDER = ([[1, 1]], [-1], {"activation": "relu"})
COMPARATOR = ([[-1, 1], [1, -1]], None, {"activation": "relu"})
BOTH = {"inputs": ["input", "fc1"]}


@pytest.mark.parametrize(
    ("name", "layers", "is_valid"),
    [
        ("half-adder", [HALF_ADDER, ([[0, 0, 1], [1, 1, -2]], None, BOTH)], True),
        # one more than the sum, on every row
        ("half-adder", [HALF_ADDER, ([[1, 1, -1], [-1, -1, 2]], [0, 1], BOTH)], False),
        ("comparator:1", [COMPARATOR, ([[1, 0], [-1, -1], [0, 1]], [0, 1, 0], {})], True),
        ("comparator:1", [COMPARATOR, ([[1, 0], [0, 0], [0, 1]], [0, 0, 0], {})], False),
        ("comparator:1", [COMPARATOR, ([[0, 0], [-1, -1], [0, 1]], [0, 1, 0], {})], False),
        ("comparator:1", [COMPARATOR, ([[1, 0], [-1, -1], [0, 0]], [0, 1, 0], {})], False),
    ],
)
def test_diagrams_of_all_outputs_are_those_of_the_task(name, layers, is_valid):
    data = network(*layers)
    evidence = diagram_evidence(from_bytes(data), task_named(name), Budget.of())
    assert answer(data, name, method="diagram", evidence=evidence) is is_valid


@pytest.mark.parametrize(
    ("exponent", "units", "is_valid"),
    [
        (0, [[0, 1]], True),
        (-1, [[0, 2]], True),
        (0, [[0, 2]], False),
        (0, [[1, 1]], False),
        (0, [[0, -2]], False),  # counted from the end
        (0, [[0, 3]], False),
        (0, [[0, 1, 0]], False),
        (0, [[False, 1]], False),
        (0, [[0, 1], [0, 1]], False),
        (0, [], False),
        (False, [[0, 1]], False),
    ],
)
def test_evidence_of_a_unit(exponent, units, is_valid):
    data = network(([[1]], None, {}))
    layers = [{"exponent": exponent, "units": units}]
    evidence = {"order": ["x"], "nodes": [[0, 0, 0, 1], [0, 0, 0, 2]], "layers": layers}
    assert answer(data, "parity:1", method="diagram", evidence=evidence) is is_valid
    more = {**evidence, "layers": layers * 2}
    assert answer(data, "parity:1", method="diagram", evidence=more) is False


@pytest.mark.parametrize("power", [65536, -65536, 65537, -65537])
def test_an_exponent_of_evidence_is_65536_at_most(power):
    unused = ([[0]], None, {"inputs": ["input"]})
    data = network(unused, ([[1]], None, {"inputs": ["input"]}))
    layers = [{"exponent": power, "units": [[0, 0]]}, {"exponent": 0, "units": [[0, 1]]}]
    evidence = {"order": ["x"], "nodes": [[0, 0, 0, 1]], "layers": layers}
    is_valid = answer(data, "parity:1", method="diagram", evidence=evidence)
    assert is_valid is (True if abs(power) == 65536 else None)


def test_a_task_of_any_width_is_composed():
    """Its cell's rows alone are the task of another name."""
    net = ([[1, 1]], [-1], {"activation": "relu"}), ([[1, 1, -2]], None, BOTH)
    data = network(*net)
    assert answer(data, "cell:parity") is True
    assert answer(data, "parity:any") is False
    assert answer(data, "cell:parity", method="composed") is False


def test_a_refutation_has_no_evidence():
    data = network(([[0]], None, {}))
    example = {"input": {"x": 1}, "expected": {"p": 1}, "got": {"p": 0}, "output": ["0"]}
    claims = {"verdict": "refuted", "counterexample": example}
    assert answer(data, "parity:1", **claims) is True
    assert answer(data, "parity:1", **claims, evidence={"rows_sha256": ""}) is False


def test_what_a_counterexample_gives_is_none_where_an_output_is_no_bit():
    data = network(([[1], [0.5]], None, {}))
    task = table("in x:1,out y:1,out z:1|0,0,0|1,0,0")
    for y, z, is_valid in ((1, None, True), (None, None, False), (None, 1, False), (1, 0, False)):
        example = {"input": {"x": 1}, "expected": {"y": 0, "z": 0}, "got": {"y": y, "z": z},
                   "output": ["1", "1/2"]}  # fmt: skip
        assert answer(data, task, verdict="refuted", counterexample=example) is is_valid


def rows_task(inputs, outputs, rows):
    """Return a certificate's entry of a table, whatever its words and rows are."""
    words = {"in": inputs, "out": outputs}
    digest = hashlib.sha256(json.dumps(words, separators=(",", ":")).encode() + rows).hexdigest()
    entry = {**words, "rows": base64.b64encode(rows).decode(), "sha256": digest}
    return {"name": checker.TABLE + digest, "inputs": inputs, "outputs": outputs,
            "order": {"inputs": None, "outputs": None}, "table": entry}  # fmt: skip


@pytest.mark.parametrize(
    ("inputs", "outputs", "rows", "is_valid"),
    [
        ([["a", 2, None], ["b", 1, None]], [["y", 1]], b"\0\xff", True),
        ([["a", 2, 3], ["b", 1, None]], [["y", 1]], b"\0\xff", True),
        ([["a", 2, 5], ["b", 1, None]], [["y", 1]], bytes(4), False),
        ([["a", 2, None], ["a", 1, None]], [["y", 1]], b"\0\xff", False),
        ([["a", 2, None], ["a1", 1, None]], [["y", 1]], b"\0\xff", False),
        ([["a", 2, None], ["b", 1, None]], [["b", 1]], b"\0\xff", False),
        ([["a", 2, None], ["b", 1, None]], [["y", 1]], b"\0", False),  # no row matters
        ([["a", 2, None], ["b", 1, None]], [["y", 1]], b"\0\xff\0", False),
    ],
)
def test_a_table_has_all_rows_of_its_words(inputs, outputs, rows, is_valid):
    data = network(([[0, 0, 0]], None, {}))
    assert answer(data, rows_task(inputs, outputs, rows)) is is_valid


def test_layers_that_read_the_input_read_all_of_it():
    first = table("in a:1,in b:1,out y:1|0,0,0|0,1,0|1,0,1|1,1,1")
    reading = ([[1, 0]], None, {"inputs": ["input"]})
    for weight, is_valid in (([[1, 1]], True), ([[1]], False)):
        data = network((weight, None, {"inputs": ["input"]}), reading)
        assert answer(data, first) is is_valid


@pytest.mark.parametrize(
    ("name", "is_valid"),
    [("parity:1", True), ("parity:", False), ("parity", False), ("parity:01", False),
     ("parity:1 ", False), ("parity:\u0661", False), ("cell:parity:1", False)],
)  # fmt: skip
def test_a_task_has_one_name(name, is_valid):
    data = network(([[1]], None, {}))
    words = {"inputs": [["x", 1, None]], "outputs": [["p", 1]], "table": None}
    task = {"name": name, "order": {"inputs": None, "outputs": None}, **words}
    assert answer(data, task) is is_valid


@pytest.mark.parametrize(
    ("name", "is_valid"), [("half-adder", True), ("half-adder:", False), ("half-adder:1", False)]
)
def test_a_task_of_one_width_has_none_in_its_name(name, is_valid):
    data = network(HALF_ADDER, ([[0, 0, 1], [1, 1, -2]], None, BOTH))
    words = {"inputs": [["a", 1, None], ["b", 1, None]], "outputs": [["c", 2]], "table": None}
    task = {"name": name, "order": {"inputs": None, "outputs": None}, **words}
    assert answer(data, task) is is_valid
