"""Numbers of any length, added by a cell."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import adderlab
from adderlab.blocks.numbers import digits
from adderlab.errors import TaskError
from adderlab.tasks.task import decimal_number

BINARY = adderlab.build("full-adder").network
DECIMAL = adderlab.build("cell:decimal-adder", method="table").network


@pytest.mark.parametrize("cell", [BINARY, DECIMAL], ids=["binary", "decimal"])
@settings(max_examples=50, deadline=None)
@given(x=st.integers(0, 10**40), y=st.integers(0, 10**40))
def test_sums_are_those_of_python(cell, x, y):
    assert adderlab.add(x, str(y), cell).sum == str(x + y)


@pytest.mark.parametrize("cell", [BINARY, DECIMAL], ids=["binary", "decimal"])
def test_ten_thousand_digits_are_added(cell):
    draw = random.Random(1)
    x, y = ("".join(draw.choices("0123456789", k=10_000)) for _ in range(2))
    total = adderlab.add(x, y, cell)
    assert total.sum == digits(decimal_number(x) + decimal_number(y))
    assert "10000 digits" in repr(total) or "10001 digits" in repr(total)


def test_a_carry_runs_through_every_cell():
    total = adderlab.add("9" * 300, 1, DECIMAL)
    assert (total.sum, total.cells, total.wiring) == ("1" + "0" * 300, 300, "decimal-adder:any")
    total = adderlab.add(2**500 - 1, 1, BINARY)
    assert (total.sum, total.cells, total.wiring) == (str(2**500), 500, "adder:any")
    assert [adderlab.add(0, "000", cell).sum for cell in (BINARY, DECIMAL)] == ["0", "0"]


def test_a_cell_that_is_not_proved_is_refused_with_its_verdict():
    wrong = adderlab.from_state_dict(
        {**adderlab.to_state_dict(BINARY)}, readout=1.5, task="full-adder"
    )
    total = adderlab.add(1, 1, wrong)
    assert not total
    assert total.sum is None
    assert total.verdict.counterexample is not None
    assert total.to_dict()["sum"] is None
    assert "refused" in repr(total)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ("12x", "x: 'x' at place 3 is no decimal digit; give a whole number, not below 0"),
        ("", "x: got no digits"),
        (-1, "x: '-' at place 1 is no decimal digit"),
        ("1_000", "x: '_' at place 2"),
        ("٣", "x: '٣' at place 1"),
        (True, "x: got no digits"),
        (1.5, "x: got no digits"),
        (None, "x: got no digits"),
    ],
)
def test_what_is_no_whole_number_is_refused(x, message):
    with pytest.raises(TaskError) as refused:
        _ = adderlab.add(x, 1, BINARY)
    assert str(refused.value).startswith(message)


def test_what_is_no_cell_of_an_adder_is_refused():
    with pytest.raises(TaskError, match="2 inputs and 2 outputs is no cell of an adder"):
        _ = adderlab.add(1, 1, adderlab.build("half-adder"))
    with pytest.raises(TaskError, match="parity:any adds no numbers; one of adder:any"):
        _ = adderlab.add(1, 1, BINARY, task="parity:any")
