"""Safe widths: the derived ones are those that the proofs give, and one more bit goes wrong."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from adderlab.building.adders.widths import REQUIREMENTS, exact_width, exact_widths
from adderlab.building.methods import METHODS
from adderlab.formats import FORMATS
from adderlab.proving.diagrams import decide
from adderlab.proving.grid import sum_bounds
from adderlab.tasks import task_named
from adderlab.verbs.prove import prove

FLOATS = [name for name, form in FORMATS.items() if form.kind == "float"]


def adder(method, width, format="wide"):
    return METHODS[method].build(task_named(f"adder:{width}"), format)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6, 7, 9, 16, 33, 64])
@pytest.mark.parametrize("method", REQUIREMENTS)
def test_the_largest_sum_is_the_one_that_diagrams_find(method, width):
    """With each unit's exact least and largest value, over all inputs at once."""
    net = adder(method, width)
    decision = decide(net, net.task)
    bounds = sum_bounds(net, decision.ranges, decision.exponents)
    largest = max(bound.units * Fraction(2) ** bound.exponent for bound in bounds)
    assert largest == REQUIREMENTS[method].largest_sum(width)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 8, 17, 64])
@pytest.mark.parametrize("method", REQUIREMENTS)
def test_a_format_that_holds_the_hardest_numbers_holds_all_that_are_stored(method, width):
    net = adder(method, width)
    stored = {int(value) for _, values in net.entries() for value in values.integers} | {0}
    hardest = REQUIREMENTS[method].values(width)
    for form in FORMATS.values():
        assert all(map(form.holds, stored)) == all(map(form.holds, hardest)), form.name
    settled = REQUIREMENTS[method].settled
    if settled is not None and width > settled:
        assert set(hardest) == set(REQUIREMENTS[method].values(settled))
        assert REQUIREMENTS[method].largest_sum(width) == REQUIREMENTS[method].largest_sum(settled)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("method", REQUIREMENTS)
def test_proofs_give_the_width_that_is_derived(method, name):
    """Proved there, and not one bit wider; every width is tried by benchmarks/safe_widths.py."""
    limit = exact_width(method, name)
    verdicts = {
        width: prove(adder(method, width), formats=name, engine="diagram").verdict
        for width in ([40, 41] if limit is None else [limit, limit + 1])
        if width
    }
    assert verdicts.pop(limit or 40, "proved") == "proved"
    ((_, beyond),) = verdicts.items()
    assert (beyond == "proved") == (limit is None)


@pytest.mark.parametrize("name", FLOATS)
def test_one_bit_wider_some_order_of_summation_is_wrong(name):
    """Which is why no larger width is safe: positive terms first, small ones first, all ones."""
    form = FORMATS[name]
    limit = exact_width("one-layer", name)
    assert outputs_in(form, adder("one-layer", limit)) == [1] * limit + [0]
    net = adder("one-layer", limit + 1)
    assert outputs_in(form, net) != [1] * (limit + 1) + [0]
    assert outputs_in(FORMATS["fp64"], net) == [1] * (limit + 1) + [0] or name == "fp64"


def outputs_in(form, net):
    """Return the outputs for operands of all ones, each partial sum rounded to the format."""
    values = [1] * net.n_in
    for layer in net.layers:
        ends = layer.weight.indptr
        weights = [int(value) for value in layer.weight.values.exact().integers]
        biases = [0] * layer.n_out
        if layer.bias is not None:
            biases = [int(value) for value in layer.bias.exact().integers]
        sums = []
        for row, bias in enumerate(biases):
            entries = range(int(ends[row]), int(ends[row + 1]))
            terms = [weights[at] * values[int(layer.weight.indices[at])] for at in entries]
            total = 0
            for term in sorted([*terms, bias], key=lambda entry: (entry < 0, abs(entry))):
                assert form.holds(term)
                total = rounded(form, total + term)
            sums.append(total)
        relu = layer.activation.kind == "relu"
        values = [max(total, 0) if relu else total for total in sums]
    return values


def rounded(form, total):
    """Return a whole number that double holds exactly, or that is rounded once, in a format."""
    if form.name == "fp64":
        return int(float(total))
    return int(form.round(np.array([float(total)]))[0])


def test_widths_are_told_by_format_from_the_widest_to_the_narrowest():
    widths = exact_widths("one-layer")
    assert list(widths) == list(FORMATS)
    assert [widths[name] for name in FLOATS] == [51, 22, 9, 6, 2, 2]
    assert (widths["int32"], widths["int8"], widths["int2"]) == (29, 7, 1)
    assert (widths["ternary"], widths["binary"], widths["wide"]) == (0, 0, None)
    for method in ("ripple", "prefix"):
        small = exact_widths(method)
        assert {name for name, width in small.items() if width == 0} == {"ternary", "binary"}
        assert set(small.values()) == {0, None}
    assert exact_widths("lecture") == {}
