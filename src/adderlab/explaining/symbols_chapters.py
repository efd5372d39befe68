"""Gradients in symbols, as chapters: one for each set of active units."""

from __future__ import annotations

from collections.abc import Sequence

from adderlab.blocks import Block, Chapter, Equations, Paragraph
from adderlab.explaining.symbols import Pattern
from adderlab.notation import equal, partial, symbol
from adderlab.tasks.wording import sum_of


def symbols_chapters(patterns: Sequence[Pattern]) -> tuple[Chapter, ...]:
    """Return a chapter for each set of active units.

    Args:
        patterns: the sets, with their gradients.
    """
    return tuple(_chapter(pattern, at, len(patterns)) for at, pattern in enumerate(patterns, 1))


def _chapter(pattern: Pattern, number: int, patterns: int) -> Chapter:
    loss = symbol("L")
    shared = [equal(partial(loss, name), formula) for name, formula in pattern.deltas]
    alive = [gradient for gradient in pattern.gradients if gradient.formula.text != "0"]
    silent = [gradient.name.text for gradient in pattern.gradients if gradient.formula.text == "0"]
    text = f"On {'; '.join(map(sum_of, pattern.rows))}. {_active(pattern)}"
    blocks: list[Block] = [
        Paragraph(f"{text} t_{pattern.outputs[0]} is what {pattern.outputs[0]} should be."),
        Equations(tuple(shared), caption="What arrives at each unit's sum; the weights share it:"),
        Equations(
            tuple(equal(partial(loss, gradient.name), gradient.formula) for gradient in alive),
            caption="Written out for every parameter:",
        ),
    ]
    if silent:
        blocks.append(
            Paragraph(
                f"The gradient is 0 for {', '.join(silent)}: the unit they feed, or come from, "
                "is off."
            )
        )
    blocks.append(
        Paragraph(
            "SymPy differentiated; with the numbers of the first of these rows put in, every "
            "formula gives the gradient of the step by step table."
        )
    )
    title = "Gradients in symbols" + (f", {number} of {patterns}" if patterns > 1 else "")
    return Chapter(f"symbols{number}", title, tuple(blocks))


def _active(pattern: Pattern) -> str:
    on = ", ".join(pattern.active) or "none"
    off = f" Off: {', '.join(pattern.inactive)}." if pattern.inactive else ""
    return f"Active units: {on}.{off}"
