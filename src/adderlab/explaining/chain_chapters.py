"""The chain rule in symbols, as chapters."""

from __future__ import annotations

from fractions import Fraction

from adderlab.blocks import Block, Chapter, Equations, Figures, Paragraph, Picture, Table
from adderlab.blocks.numbers import counted
from adderlab.explaining.chain import NUDGE, Chain, ChainValues, chain_formula, marked
from adderlab.explaining.results import decimal_text
from adderlab.notation import Formula, equal, indexed, minus, number, partial, product, symbol

WITH, WITHOUT = "with reuse", "without"
FEW = 8
"""Lengths up to which every count is listed."""


def chain_chapters(chain: Chain, picture: Picture | None = None) -> tuple[Chapter, ...]:
    """Return the chapters on a chain: the derivation, what it costs, and its values.

    Args:
        chain: the chain.
        picture: of the operations, if it is shown.
    """
    chapters = [_derivation(chain), _costs(chain, picture)]
    if chain.values is not None:
        chapters.append(_values(chain, chain.values))
    return tuple(chapters)


def _derivation(chain: Chain) -> Chapter:
    loss, x = symbol("l"), symbol("x")
    return Chapter(
        "chain",
        f"The chain rule for {counted(chain.length, 'function')}",
        (
            Equations(
                (
                    chain_formula(chain.length),
                    equal(_of(indexed("f", "i"), x), product(indexed("w", "i"), x)),
                    equal(
                        partial(loss, symbol("f1")),
                        product(number(Fraction(2)), minus(symbol("f1"), symbol("y"))),
                    ),
                ),
                caption="With dfi/dwi = x and dfi/dx = wi:",
            ),
            Equations(
                tuple(
                    equal(partial(loss, line.weight), line.local, line.formula)
                    for line in chain.lines
                ),
                caption="The chain rule, factor by factor:",
            ),
            Equations(
                tuple(marked(chain.lines)),
                caption="The same with what is known from the line above marked: dl/df1, dl/df2, …",
            ),
            Paragraph(
                "Derived factor by factor, and compared by SymPy with the derivative of the whole "
                "expression: equal, for every weight."
            ),
        ),
    )


def _of(name: Formula, argument: Formula) -> Formula:
    return Formula(
        f"{name}({argument})",
        rf"{name.latex}\left({argument.latex}\right)",
        f"{name.mathml}<mo>(</mo>{argument.mathml}<mo>)</mo>",
    )


def _costs(chain: Chain, picture: Picture | None) -> Chapter:
    last = chain.costs[-1]
    n = chain.length
    shown = chain.costs if n <= FEW else (*chain.costs[: FEW - 1], last)
    blocks: list[Block] = [
        Paragraph(
            "The marked factor of each line is that of the line above times one more weight. "
            "Kept, all derivatives of N functions take 3N + 1 operations: N multiplications "
            "forward, 2 operations for dl/df1, 2N - 1 back. From scratch, dl/dwk takes "
            "N + 2 + k: a forward pass of its own, 2 for dl/df1, k back; all of them take "
            "(3N^2 + 5N) / 2. Solving each part once and keeping it is dynamic programming; "
            "backpropagation is that. Counted while they were done:"
        ),
        Table(
            ("N", WITH, WITHOUT),
            tuple(
                (str(cost.length), str(cost.with_reuse), str(cost.without_reuse)) for cost in shown
            ),
            caption="Multiplications and subtractions for all derivatives",
        ),
    ]
    if picture is not None:
        blocks.append(Figures((picture,), "Operations for all derivatives, by the chain's length."))
    return Chapter("operations", "Why it is done backwards, and kept", tuple(blocks))


def _values(chain: Chain, values: ChainValues) -> Chapter:
    inputs = ", ".join(f"{name} = {value}" for name, value in values.inputs.items())
    outputs = ", ".join(f"{name} = {value}" for name, value in values.outputs.items())
    return Chapter(
        "values",
        "With numbers",
        (
            Paragraph(f"{inputs}."),
            Paragraph(f"Forward: {outputs}, l = {values.loss}."),
            Table(
                ("derivative", "formula", "exact", "decimal", "finite difference"),
                tuple(
                    (
                        partial(symbol("l"), line.weight),
                        line.formula,
                        number(exact),
                        decimal_text(exact),
                        f"{nudged:.9g}",
                    )
                    for line, exact, nudged in zip(
                        chain.lines, values.derivatives, values.finite_differences, strict=True
                    )
                ),
                left=("derivative", "formula"),
            ),
            Paragraph(
                "Compared with PyTorch's autograd in float64: the largest difference is "
                f"{values.autograd_difference:.3g}. "
                f"Finite differences, (l(w + h) - l(w - h)) / 2h with h = {NUDGE:.3g} "
                f"max(1, |w|): at most {values.finite_difference_error:.3g} off."
            ),
        ),
    )
