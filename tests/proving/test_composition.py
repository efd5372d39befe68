"""Composed verdicts: a cell's rows decide every width."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

import adderlab
from adderlab.building.truth_table import table_network
from adderlab.nets.tensors import Dense
from adderlab.proving.composition import cell_of
from adderlab.tasks.wirings import WIRINGS


@pytest.mark.parametrize("wiring", WIRINGS.values(), ids=str)
def test_a_right_cell_is_proved_at_every_width(wiring):
    cell = table_network(wiring.cell, "int4")
    verdict = adderlab.prove(cell, wiring.name)
    assert (verdict.verdict, verdict.method, verdict.rows) == ("proved", "composed", None)
    assert verdict.cell_rows == wiring.cell.rows
    assert verdict.composition[2].endswith(wiring.induction.step)
    assert "at every width" in verdict.sentence()
    assert verdict.to_dict()["cell_rows"] == wiring.cell.rows
    assert cell_of(cell, wiring) == wiring.table()


def test_a_cell_is_judged_in_its_own_format_too():
    cell = adderlab.build("full-adder").network
    assert adderlab.prove(cell, "adder:any").semantics == "exact, fp32"
    assert adderlab.prove(cell, "adder:any", formats="int2").verdict == "unknown"
    loud = replace(cell.layers[0], weight=Dense(np.full((3, 3), 3e38, dtype=np.float32)))
    overflowing = replace(cell, layers=(loud, *cell.layers[1:]))
    assert not adderlab.prove(overflowing, "adder:any")


def mutants():
    cell = adderlab.build("full-adder").network
    for at, layer in enumerate(cell.layers):
        for index in np.ndindex(layer.weight.shape):
            numbers = np.array(layer.weight.numbers)
            numbers[index] += 1
            changed = replace(layer, weight=Dense(numbers))
            layers = [changed if place == at else old for place, old in enumerate(cell.layers)]
            yield replace(cell, layers=tuple(layers), readout=adderlab.Readout())


def test_a_wrong_cell_is_refuted_with_the_shortest_numbers_that_go_wrong():
    """Held against trying all numbers of each length, with the mutant's own table."""
    wiring = WIRINGS["adder:any"]
    wrong = 0
    for cell in mutants():
        verdict = adderlab.prove(cell, "adder:any")
        table = cell_of(cell, wiring)
        if verdict:
            assert table == wiring.table()
            continue
        (text,) = verdict.composition
        length = int(text.split()[3])
        a, b = (int(part.split(" = ")[1]) for part in text.partition(": ")[2].split(", "))
        assert not is_right(wiring, table, a, b, length)
        shorter = range(1, length)
        assert all(
            is_right(wiring, table, x, y, n)
            for n in shorter
            for x, y in product(range(2**n), repeat=2)
        )
        wrong += 1
    assert wrong > 5


def is_right(wiring, table, a, b, length):
    digits, carry = wiring.run(table, [[n >> at & 1 for at in range(length)] for n in (a, b)])
    return sum(bit << at for at, bit in enumerate([*digits, carry])) == a + b


def test_a_network_that_is_no_cell_is_refused():
    with pytest.raises(adderlab.AdderlabError, match="full-adder"):
        _ = adderlab.prove(adderlab.build("half-adder"), "adder:any")
