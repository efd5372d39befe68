"""Formulas in three notations: what is escaped, where brackets stand, and well-formed MathML."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MANY

from adderlab.notation import (
    ATOM,
    PRODUCT,
    SUM,
    bracketed,
    call,
    equal,
    fraction_text,
    minus,
    number,
    partial,
    power,
    product,
    ratio,
    shared,
    symbol,
    total,
    words,
)

F = Fraction
a, b = symbol("a"), symbol("b")


@pytest.mark.parametrize(
    ("formula", "text", "latex"),
    [
        (symbol("h1"), "h1", "h_{1}"),
        (symbol("h1.2"), "h1.2", "h_{1.2}"),
        (symbol("z1'"), "z1'", "z_{1}'"),
        (symbol("carry_in"), "carry_in", r"\mathit{carry\_in}"),
        (symbol("fc1.weight", 0, 1), "fc1.weight[0,1]", r"\mathrm{fc1.weight}_{0,1}"),
        (words("50 % & more"), "50 % & more", r"\text{50 \% \& more}"),
        (total(a, number(F(-3, 2)), b), "a - 3/2 + b", r"a - \frac{3}{2} + b"),
        (minus(a, minus(a, b)), "a - (a - b)", r"a - \left(a - b\right)"),
        (minus(a, number(F(-1))), "a - (-1)", r"a - \left(-1\right)"),
        (product(a, total(a, b)), "a*(a + b)", r"a \cdot \left(a + b\right)"),
        (product(a, number(F(-2))), "a*(-2)", r"a \cdot \left(-2\right)"),
        (power(minus(a, b), 2), "(a - b)^2", r"\left(a - b\right)^{2}"),
        (ratio(total(a, b), number(F(2))), "(a + b)/2", r"\frac{a + b}{2}"),
        (partial(symbol("L"), symbol("w1")), "dL/dw1", r"\frac{\partial L}{\partial w_{1}}"),
        (call("relu", a), "relu(a)", r"\mathrm{relu}\left(a\right)"),
        (equal(a, b, sign="≈"), "a ≈ b", r"a \approx b"),
        (shared(product(a, b), symbol("d")), "[a*b]", r"\underbrace{a \cdot b}_{d}"),
        (number(F(3, 2**20)), "3/2^20", r"\frac{3}{2^{20}}"),
        (number(F(1, 5 * 2**20)), "1/(5*2^20)", r"\frac{1}{5 \cdot 2^{20}}"),
        (number(1e-7), "1e-07", r"1 \cdot 10^{-7}"),
    ],
    ids=str,
)
def test_a_formula_reads_so(formula, text, latex):
    assert (formula.text, formula.latex, str(formula)) == (text, latex, text)
    assert repr(formula) == f"Formula({text!r})"


nodes = st.recursive(
    st.sampled_from([a, b, symbol("<&>"), symbol("h1", 2)]) | st.fractions().map(number)
    | st.floats(allow_nan=False, allow_infinity=False).map(number),
    lambda inner: st.one_of(
        st.builds(total, inner, inner, inner), st.builds(product, inner, inner),
        st.builds(minus, inner, inner), st.builds(ratio, inner, inner),
        st.builds(power, inner, st.just(2)), st.builds(lambda term: call("relu", term), inner),
        st.builds(shared, inner, inner), st.builds(bracketed, inner),
    ),
    max_leaves=8,
)  # fmt: skip


@MANY
@given(nodes)
def test_every_formula_is_well_formed_mathml_and_balanced_latex(formula):
    root = ElementTree.fromstring(f"<td>{formula.__html__()}</td>")
    assert len(root)
    assert all(entry.tag == "math" for entry in root)
    assert formula.latex.count("{") == formula.latex.count("}")
    assert formula.latex.count(r"\left(") == formula.latex.count(r"\right)")
    assert formula.level in (SUM, PRODUCT, ATOM)


@MANY
@given(st.fractions())
def test_an_exact_number_as_text_is_that_number(value):
    text = fraction_text(value)
    top, _, bottom = text.partition("/")
    under = 1
    for part in bottom.strip("()").split("*") if bottom else ():
        base, _, exponent = part.partition("^")
        under *= int(base) ** int(exponent or 1)
    assert F(int(top), under) == value


def test_sums_and_products_of_numbers_compute_to_what_they_say():
    """Brackets are where they must be: Python reads the text as the same number."""
    x, y = number(F(-3)), number(F(2))
    for formula, value in (
        (product(x, minus(y, x)), -15),
        (minus(y, total(x, y)), 3),
        (minus(y, product(x, y)), 8),
        (product(total(y, y), total(x, x)), -24),
        (ratio(minus(y, x), number(F(5))), 1),
    ):
        assert eval(formula.text.replace("^", "**")) == value, formula


def test_a_number_of_thousands_of_digits_is_written_by_its_size():
    assert number(F(10**5000)).text == "2^16609"
    assert fraction_text(F(10**5000)) == ""
