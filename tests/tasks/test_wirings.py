"""Wirings: what holds on the rows of a cell holds of numbers of any length."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from adderlab.errors import TaskError
from adderlab.tasks import Word, task_named
from adderlab.tasks.wirings import WIRINGS, cell_named, wiring_named


def number(digits, base):
    return sum(digit * base**place for place, digit in enumerate(digits))


MEANT = {
    "adder:any": lambda x, y, n: (x + y) % 2**n + ((x + y) >> n << n),
    "decimal-adder:any": lambda x, y, n: x + y,
    "subtractor:any": lambda x, y, n: (x - y) % 2**n + ((x < y) << n),
    "comparator:any": lambda x, y, n: (x < y) + 2 * (x > y),
    "parity:any": lambda x, n: x.bit_count() % 2,
}
"""What each wiring makes of numbers of n digits: the digits, then what is carried last."""


@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=str)
def test_a_wiring_of_right_cells_computes_what_it_is_named_for(wiring):
    draw = random.Random(0)
    for length in [0, 1, 2, 3, *(draw.randrange(4, 70) for _ in range(40))]:
        operands = [[draw.randrange(wiring.base) for _ in range(length)] for _ in wiring.operands]
        digits, carry = wiring.run(wiring.table(), operands)
        weight = wiring.base**length if wiring.digit else 1
        values = [number(own, wiring.base) for own in operands]
        got = number(digits if wiring.digit else [], wiring.base) + carry * weight
        assert got == MEANT[wiring.name](*values, length)


@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=str)
def test_the_induction_of_every_wiring_goes_through(wiring):
    assert list(wiring.faults()) == []


ADDER = WIRINGS["adder:any"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"first": 2}, "2 can't be carried into the first cell"),
        ({"carry": ("c0",), "digit": ("c1",)}, "on row 1 it does not hold that a + b + cin"),
        ({"base": 10}, "an operand's digits are not those of base 10"),
        ({"carried": "a"}, "an input word of the cell is fed nothing"),
        ({"carry": ("c1", "c0")}, "2 can't be carried into the next cell"),
        (
            {"cell": replace(ADDER.cell, rule=lambda words: {"c": words["a"] + words["b"]})},
            "on row 1 it does not hold that a + b + cin = the digit + 2 * c1",
        ),
    ],
)
def test_a_wiring_whose_induction_does_not_go_through_is_found(change, fault):
    assert any(fault in text for text in replace(ADDER, **change).faults())


def test_a_value_that_is_never_carried_is_found():
    """Else a cell that is wrong on it would be called wrong, and no number would show it."""
    compare = WIRINGS["comparator:any"]
    words = (*compare.cell.inputs[:2], Word("before", 2))
    rule = compare.cell.rule
    cell = replace(
        compare.cell,
        inputs=words,
        rule=lambda words: rule({**words, "before": words["before"] % 3}),
    )
    induction = replace(compare.induction, holds=lambda words, digit, carry: True)
    changed = replace(compare, cell=cell, induction=induction)
    assert "3 is never carried, though the cell's word takes it" in list(changed.faults())


def test_cells_are_tasks_and_what_they_make_is_none():
    assert cell_named("cell:decimal-adder") == task_named("cell:decimal-adder")
    assert task_named("cell:adder").name == "full-adder"
    assert task_named("cell:decimal-adder").rows == 200
    assert wiring_named("adder:4") is None
    with pytest.raises(TaskError, match="a cell makes at every width; prove a cell with it"):
        _ = task_named("adder:any")
    with pytest.raises(TaskError, match="no wiring makes 'adder:all:any' of a cell; one of adder"):
        _ = task_named("adder:all:any")
    with pytest.raises(TaskError, match="no wiring makes"):
        _ = task_named("cell:sorter")
