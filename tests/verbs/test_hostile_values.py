"""Every verb takes or refuses any value for any argument, by an error of ours, in a short line."""

from __future__ import annotations

import inspect
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import adderlab
from adderlab.building import lecture_network
from adderlab.errors import AdderlabError

LECTURE = lecture_network(adderlab.task_named("half-adder"))


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


ITSELF = []
ITSELF.append(ITSELF)

VALUES = {
    "a huge number": 10**5000,
    "a huge fraction": Fraction(10**5000, 3),
    "many digits": "9" * 5000,
    "a long text": "a" * 100_000,
    "not a number": math.nan,
    "bytes": b"\xff",
    "an object": object(),
    "a class": dict,
    "a set": {1},
    "a deep list": nested(3000),
    "itself": ITSELF,
    "a deep table": {"x": nested(3000)},
    "a list of None": [None, 1],
    "a list of huge numbers": [10**5000],
    "a decimal": Decimal("NaN"),
    "a complex number": 1j,
    "an array": np.ones((2, 2)),
    "objects": np.array([object()], dtype=object),
    "a scalar": np.float64("nan"),
    "a surrogate": "\ud800",
    "a null byte": "a\0b",
}

VERBS = {
    "build": {"method": "one-layer", "timeout_s": 1.0},
    "compare": {"first": LECTURE, "second": LECTURE},
    "count": {"net": LECTURE},
    "explain": {"model": LECTURE, "input": "1,1"},
    "explain_chain": {"length": 2},
    "explain_slots": {"model": LECTURE},
    "explain_symbols": {"model": LECTURE},
    "Network": {"layers": LECTURE.layers},
    "Readout": {},
    "from_lists": {"values": [[[1, 1]], [0]]},
    "from_state_dict": {"state_dict": {"fc1.weight": [[1, 1]]}},
    "network": {"weights": [[[1, 1]], [[1]]], "biases": [[0], [0]]},
    "table": {"source": {"a": [0, 1], "out b": [0, 1]}},
    "to_module": {"network": LECTURE},
    "to_state_dict": {"network": LECTURE},
    "prove": {"model": LECTURE, "timeout_s": 1.0},
    "quantize": {"model": LECTURE, "to": "int4", "method": "nearest"},
    "repair": {"model": LECTURE},
    "show": {"model": LECTURE},
    "train": {"steps": 1, "samples": 2, "hidden": 3, "lr": 0.1, "seed": 0, "activation": "relu"},
}
"""Each verb, and what makes its arguments, with what it is called with."""

ARGUMENTS = [
    (verb, name)
    for verb, options in VERBS.items()
    for name in {**inspect.signature(getattr(adderlab, verb)).parameters, **options}
    if not name.startswith("on_") and name != "settings"
]


@pytest.mark.parametrize(("verb", "name"), ARGUMENTS)
def test_a_value_of_any_kind_is_taken_or_refused_by_name(verb, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for kind, value in VALUES.items():
        try:
            _ = getattr(adderlab, verb)(**{**VERBS[verb], name: value})
        except AdderlabError as error:
            assert len(str(error)) < 6000, kind
