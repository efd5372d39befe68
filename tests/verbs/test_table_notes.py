"""What the reading of a table assumed is said by every verb that takes one."""

from __future__ import annotations

import pytest

import adderlab
from adderlab.blocks import Line
from adderlab.blocks.markdown import to_markdown

XOR = {"a": [0, 0, 1, 1], "b": [0, 1, 0, 1], "y": [0, 1, 1, 0]}
NOTE = "the inputs are a, b, the outputs y"
VERBS = {
    "train": lambda net: adderlab.train(XOR, steps=2),
    "map": lambda net: adderlab.map(XOR, size=2, steps=2),
    "prove": lambda net: adderlab.prove(net, XOR),
    "show": lambda net: adderlab.show(net, XOR),
    "run": lambda net: adderlab.run(net, "1,1", task=XOR),
    "explain": lambda net: adderlab.explain(net, XOR, input="1,1"),
}


@pytest.mark.parametrize("verb", VERBS)
def test_what_a_table_assumed_is_said(verb):
    net = adderlab.network([[[1, 1], [1, 1]], [[1, -2]]], [[0, -1], [0]])
    result = VERBS[verb](net)
    lines = [str(block.text) for block in result.blocks() if isinstance(block, Line)]
    assert any(NOTE in line for line in [*lines, to_markdown(result.blocks())])
    data = result.to_dict()
    notes = data.get("notes") or data["proof"]["notes"]
    assert any(note.startswith(NOTE) for note in notes)
