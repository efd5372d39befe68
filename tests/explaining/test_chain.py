"""The notebook's derivation, letter for letter, and its numbers three ways."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies import FEW, refused

from adderlab.errors import OptionError
from adderlab.explaining.chain import (
    LONGEST_CHAIN,
    chain_formula,
    chain_rule,
    chain_values,
    cost_of,
    marked,
    with_reuse,
    without_reuse,
)

F = Fraction


def test_three_functions_give_what_the_notebook_wrote():
    chain = chain_rule(3)
    assert str(chain_formula(3)) == "l = (f1(f2(f3(x))) - y)^2"
    assert chain.derivatives == (
        "2*(f1 - y)*f2",
        "2*(f1 - y)*w1*f3",
        "2*(f1 - y)*w1*w2*x",
    )
    assert [str(line.local) for line in chain.lines] == [
        "dl/df1*df1/dw1",
        "dl/df1*df1/df2*df2/dw2",
        "dl/df1*df1/df2*df2/df3*df3/dw3",
    ]


def test_each_lines_shared_factor_is_the_one_above_times_one_weight():
    chain = chain_rule(4)
    for at, (line, following) in enumerate(zip(chain.lines, chain.lines[1:], strict=False), 1):
        assert following.shared.text == f"{line.shared.text}*w{at}"
        assert following.formula.text.startswith(following.shared.text)
    assert str(marked(chain.lines)[1]) == "dl/dw2 = [2*(f1 - y)*w1]*f3"


@pytest.mark.parametrize("length", [1, 2, 5, 9])
def test_the_texts_are_the_derivatives_of_the_whole_expression(length):
    """Parsed back, with every f replaced by what it is, each is SymPy's own derivative."""
    names = sp.symbols(f"w1:{length + 1} x y")
    *w, x, y = names
    inside = {sp.Symbol(f"f{i + 1}"): sp.Mul(*w[i:], x) for i in range(length)}
    loss = (sp.Mul(*w, x) - y) ** 2
    chain = chain_rule(length)
    for weight, text, expanded in zip(
        w, chain.derivatives, chain.to_dict()["expanded"], strict=True
    ):
        derivative = sp.sympify(text).subs(inside)
        assert sp.expand(derivative - sp.diff(loss, weight)) == 0
        assert sp.expand(sp.sympify(expanded) - sp.diff(loss, weight)) == 0


@pytest.mark.parametrize("length", [1, 2, 3, 7, LONGEST_CHAIN])
def test_operations_grow_with_the_length_and_with_its_square(length):
    cost = cost_of(length)
    assert cost.with_reuse == 3 * length + 1
    assert cost.without_reuse == (3 * length * length + 5 * length) // 2
    assert cost.without_reuse == sum(length + 2 + k for k in range(1, length + 1))


TOO_LARGE = (
    "values: the numbers are outside the range of float64, in which they are checked; "
    "give smaller ones"
)
numbers = st.fractions(-5, 5, max_denominator=12)


@FEW
@given(st.lists(numbers, min_size=1, max_size=6), numbers, numbers)
def test_with_numbers_exact_autograd_and_finite_differences_agree(w, x, y):
    inputs = {f"w{i}": number for i, number in enumerate(w, 1)} | {"x": x, "y": y}
    values = chain_values(len(w), inputs)
    assert list(values.derivatives) == with_reuse(w, x, y) == without_reuse(w, x, y)
    size = max(1.0, *(abs(float(number)) for number in values.derivatives), float(values.loss))
    assert values.autograd_difference <= 2.0**-46 * size
    assert values.finite_difference_error <= 2.0**-26 * size


def test_numbers_by_hand():
    values = chain_values(2, {"w1": F(2), "w2": F(3), "x": F(1, 2), "y": F(1)})
    assert values.outputs == {"f1": F(3), "f2": F(3, 2)}
    assert values.loss == 4
    assert values.derivatives == (F(6), F(4))  # 2 (3 - 1) 3/2 and 2 (3 - 1) 2 1/2


def test_what_can_not_be_derived_is_refused():
    for length in (0, -1, LONGEST_CHAIN + 1):
        with refused(OptionError, f"length: got {length}; give a whole number in 1..64"):
            _ = chain_rule(length)
    with refused(OptionError, "values: w2, y missing; give w1 to w2, x and y: w1=2,…,x=3,y=1"):
        _ = chain_values(2, {"w1": F(1), "x": F(1)})
    with refused(OptionError, "values: unknown z; give w1, x and y: w1=2,…,x=3,y=1"):
        _ = chain_values(1, {"w1": F(1), "x": F(1), "y": F(1), "z": F(1)})
    with refused(OptionError, TOO_LARGE):
        _ = chain_values(1, {"w1": F(10) ** 99, "x": F(10) ** 99, "y": F(0)})


@given(st.lists(st.sampled_from([F(0), F(1), F(10) ** 99]), min_size=1, max_size=6))
@FEW
def test_numbers_are_checked_in_full_or_refused(w):
    """Infinity times 0 is NaN, which has no difference to compare."""
    inputs = {f"w{i}": number for i, number in enumerate(w, 1)} | {"x": F(1), "y": F(0)}
    try:
        values = chain_values(len(w), inputs)
    except OptionError as error:
        assert (
            error.what == "the numbers are outside the range of float64, in which they are checked"
        )
        assert F(10) ** 99 in w
    else:
        assert all(map(math.isfinite, values.finite_differences))


def test_an_overflow_that_meets_a_zero_is_refused():
    big = F(10) ** 99
    inputs = {"w1": big, "w2": big, "w3": big, "w4": big, "w5": F(0), "x": F(1), "y": F(0)}
    with refused(OptionError, TOO_LARGE):
        _ = chain_values(5, inputs)


def test_a_derivative_beyond_float64_is_refused_where_autograd_underflows_to_zero():
    w = [F(10) ** 99] * 8 + [F(1, 10**99)] * 4
    inputs = {f"w{i}": number for i, number in enumerate(w, 1)} | {"x": F(1), "y": F(0)}
    with refused(OptionError, TOO_LARGE):
        _ = chain_values(len(w), inputs)
