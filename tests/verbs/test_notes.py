"""What had to be assumed of a file of weights is said by every verb that judges or shows it."""

from __future__ import annotations

import numpy as np
import pytest

import adderlab


@pytest.fixture
def file(tmp_path):
    """Write the weights of a full adder, and nothing of what goes between them."""
    state = adderlab.to_state_dict(adderlab.build("full-adder").network)
    path = tmp_path / "cell.npz"
    np.savez(path, **state)
    return path


VERBS = {
    "prove": lambda file: adderlab.prove(file, "full-adder"),
    "show": lambda file: adderlab.show(file, "full-adder"),
    "run": lambda file: adderlab.run(file, "1,1,1", task="full-adder"),
    "explain": lambda file: adderlab.explain(file, "full-adder", input="1,1,1"),
    "explain_why": lambda file: adderlab.explain_why(file, "full-adder"),
    "quantize": lambda file: adderlab.quantize(file, "int3", "full-adder"),
    "table": lambda file: adderlab.quantization_table(file, "full-adder", formats=("int3",)),
    "compare": lambda file: adderlab.compare(file, file, "full-adder"),
    "repair": lambda file: adderlab.repair(file, "full-adder"),
    "add": lambda file: adderlab.add(1, 2, file),
}


@pytest.mark.parametrize("verb", VERBS)
def test_what_was_assumed_is_said(verb, file):
    texts = [getattr(block, "text", "") for block in VERBS[verb](file).blocks()]
    assert any("relu" in text and "> 0.5" in text for text in texts), texts


@pytest.mark.parametrize("verb", ["show", "run"])
def test_argmax_is_a_readout_of_every_verb(verb, file):
    choice = adderlab.NetworkFile(file, readout="argmax")
    assert adderlab.run(choice, "1,1,0").rows[0].got == {"y": 0}  # the carry is the larger output
    assert VERBS[verb](adderlab.NetworkFile(file, readout="> 0.25")).blocks()
