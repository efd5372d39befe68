"""A solution of every exercise and answers that miss it: what Python and the page both judge."""

from __future__ import annotations

from typing import Any

HALF = {"kind": "threshold", "threshold": 0.5, "convention": ">"}
ZERO = {"kind": "threshold", "threshold": 0, "convention": ">"}


def net(*layers, readout=HALF, activation="relu"):
    """Return a network as the page has it, of pairs of weights and biases."""
    last = len(layers) - 1
    return {
        "layers": [
            {"weight": weight, "bias": bias, "activation": "identity" if n == last else activation}
            for n, (weight, bias) in enumerate(layers)
        ],
        "readout": readout,
        "format": "fp32",
    }


def lecture(**changes):
    """Return the lecture's network with other numbers in its second layer."""
    weight = [[1, 0, 0], [0, 1, changes.get("last", -2)]]
    bias = [0, changes.get("bias", 0)]
    return net(([[1, 1]] * 3, [-1.5, -0.5, -1.5]), (weight, bias), readout=ZERO)


SUM2 = ([[1, 1], [1, 1]], [0, -1])
SUM3 = ([[1, 1, 1]] * 3, [0, -1, -2])
TWO_UNITS = net(SUM2, ([[0, 1], [1, -2]], [0, 0]))
PADDED = net(([[1, 1]] * 3, [0, -1, 0]), ([[0, 1, 0], [1, -2, 0]], [0, 0]))

WRONG_SUM = "1 + 1 gives c = 3, expected c = 2"

CASES: list[tuple[str, dict[str, Any], list[str], str]] = [
    ("and", net(([[1, 1]], [-1.5]), readout=ZERO), ["met", "met"], ""),
    (
        "and",
        net(([[1, 1]], [-0.5]), readout=ZERO),
        ["unmet", "met"],
        "0 + 1 gives y = 1, expected y = 0",
    ),
    ("xor", net(SUM2, ([[1, -2]], [0])), ["met", "met"], ""),
    (
        "xor",
        net(([[1, 1]] * 3, [0, -1, 0]), ([[1, -2, 0]], [0])),
        ["met", "unmet"],
        "it has 3",
    ),
    ("half-adder", TWO_UNITS, ["met"], ""),
    ("half-adder", lecture(), ["unmet"], WRONG_SUM),
    ("two-units", TWO_UNITS, ["met", "met"], ""),
    ("two-units", PADDED, ["met", "unmet"], "it has 3"),
    ("int2", PADDED, ["met", "met"], ""),
    (
        "int2",
        net(SUM2, ([[0, 2], [1, -2.5]], [0, 0])),
        ["met", "unmet"],
        "2 of 12 are other numbers",
    ),
    ("repair", lecture(last=-4), ["met", "met"], ""),
    ("repair", lecture(last=-4, bias=-0.25), ["met", "unmet"], "2 differ"),
    ("repair", TWO_UNITS, ["met", "unmet"], "its layers are not those of the start"),
    (
        "repair",
        {**lecture(last=-4), "readout": HALF},
        ["unmet", "unmet"],
        "its readout is not that of the start",
    ),
    ("failing-seed", {"seed": 5, "unit": 3}, ["met", "met"], ""),
    (
        "failing-seed",
        {"seed": 5, "unit": 2},
        ["met", "unmet"],
        "unit 2 is on for some row, with seed 5",
    ),
    ("failing-seed", {"seed": 8, "unit": 2}, ["unmet", "met"], "the run of seed 8 ends right"),
    ("full-adder", net(SUM3, ([[0, 1, -1], [1, -2, 2]], [0, 0])), ["met"], ""),
    (
        "full-adder",
        net(SUM3, ([[0, 1, -1], [1, -2, 1]], [0, 0])),
        ["unmet"],
        "a = 1, b = 1, cin = 1 gives c = 2, expected c = 3",
    ),
    ("majority", net(([[1, 1, 1]], [-1.5]), readout=ZERO), ["met", "met"], ""),
    (
        "majority",
        net(([[1, 1, 1]], [-2.5]), readout=ZERO),
        ["unmet", "met"],
        "x = 3 gives m = 0, expected m = 1",
    ),
    ("parity", net(SUM3, ([[1, -2, 2]], [0])), ["met", "met"], ""),
    (
        "parity",
        net(SUM3, ([[1, -2, 1]], [0])),
        ["unmet", "met"],
        "x = 7 gives p = 0, expected p = 1",
    ),
    ("fc1-size", {"parameters": 9, "bytes": 36}, ["met", "met"], ""),
    ("fc1-size", {"parameters": 9, "bytes": 72}, ["met", "unmet"], "another number is right"),
    ("sgd-step", {"w1": 0.45, "w2": 0.925, "b": -0.1}, ["met", "met", "met"], ""),
    (
        "sgd-step",
        {"w1": 0.45, "w2": 0.924, "b": 0.1},
        ["met", "unmet", "unmet"],
        "another number is right",
    ),
]
"""The exercise, the answer, the state of each condition, and what is said of one that is unmet."""


def answer(exercise, value):
    """Return the object of an answer file."""
    part = "network" if "layers" in value else "numbers"
    return {"exercise": exercise, part: value, "versions": {"adderlab": "0"}}
