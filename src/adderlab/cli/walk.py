"""One input's way through a network on the terminal: every product, sum and activation."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from rich.text import Text

from adderlab.cli.output import mark
from adderlab.nets.walk import Enclosed, LayerWalk, Product, UnitStep, Walk
from adderlab.proving.verdict import named, sum_of
from adderlab.report.figures.numbers import decimal, is_written_exactly
from adderlab.report.figures.wording import readout_text

if TYPE_CHECKING:
    from adderlab.cli.output import Screen

PLACES: Final = 6
"""Decimals that are printed: a weight stored in fp32 comes out as it was written down."""

MOST_TERMS: Final = 6
"""Of a unit with more terms, those that are 0 are left out."""

NARROWEST: Final = 60
MOST_UNITS: Final = 64


def print_walk(screen: Screen, walk: Walk) -> None:
    """Print each unit in two lines, what is multiplied and what comes out, then the readout."""
    screen.heading(f"{sum_of(walk.input)}, step by step")
    for layer in walk.layers:
        kind = layer.activation
        screen.say(layer.name + ("" if kind.kind == "identity" else f", {kind}"))
        for line in _layer_lines(layer, max(screen.console.width, NARROWEST)):
            screen.say(line)
    screen.say("readout")
    wide = max(len(output.name) for output in walk.outputs)
    texts = [readout_text(walk.readout, output, PLACES) for output in walk.outputs]
    for output, text in zip(walk.outputs, texts, strict=True):
        line = Text(f"  {output.name:>{wide}}  {text:>{max(map(len, texts))}}")
        if output.expected is not None:
            _ = line.append(f", expected {output.expected}  ").append_text(
                mark(right=output.is_right)
            )
        screen.say(line)
    if any(value is not None for value in walk.expected.values()):
        screen.say(f"  got {named_bits(walk)}, expected {named(walk.expected)}")
    if any(not is_written_exactly(value, PLACES) for value in _numbers(walk)):
        screen.say(
            f"  (rounded to {PLACES} decimals here; computed and decided exactly, see --json)",
            style="dim",
        )


def named_bits(walk: Walk) -> str:
    """Return the words that came out; of one with an output that is no bit, that."""
    return ", ".join(
        f"{name} = {'no whole number' if value is None else value}"
        for name, value in walk.got.items()
    )


def _layer_lines(layer: LayerWalk, width: int) -> list[str]:
    """Return two lines a unit, the terms of all units in columns; longer ones are folded."""
    units = layer.units[:MOST_UNITS]
    name = max(len(unit.name) for unit in units)
    shown = [_terms(unit) for unit in units]
    uppers = [[(one.weight < 0, _factors(one)) for one in terms] for terms in shown]
    lowers = [
        [(one.value.middle < 0, decimal(abs(one.value.middle), PLACES)) for one in terms]
        for terms in shown
    ]
    for unit, upper, lower in zip(units, uppers, lowers, strict=True):
        if unit.bias is not None:
            term = (unit.bias < 0, decimal(abs(unit.bias), PLACES))
            upper.append(term)
            lower.append(term)
    widths = [
        max(len(line[at][1]) for line in (*uppers, *lowers) if at < len(line))
        for at in range(max(map(len, uppers)))
    ]
    lead = any(line[0][0] for line in (*uppers, *lowers) if line)
    sums = [decimal(unit.sum.middle, PLACES) for unit in units]
    lines: list[str] = []
    for unit, upper, lower, terms, total in zip(units, uppers, lowers, shown, sums, strict=True):
        end = f"{_equals(unit.sum)} {total:>{max(map(len, sums))}}"
        if layer.activation.kind != "identity":
            value = f"{_equals(unit.value)} {decimal(unit.value.middle, PLACES)}"
            end += f"   {layer.activation.kind}({total}) {value}"
        left_out = len(unit.products) - len(terms)
        both = [_cells(line, widths, lead=lead) for line in (upper, lower)]
        both[0] += [f"({left_out} that are 0)"] if left_out else []
        both[1].append(end)
        for head, cells in zip((unit.name, ""), both, strict=True):
            for at, part in enumerate(_folded(cells, width - name - 5)):
                lines.append(f"  {'' if at else head:>{name}} {' ' if at else '='} {part}")
    if len(layer.units) > len(units):
        lines.append(f"  … {len(layer.units) - len(units)} more units, see --json")
    return lines


def _terms(unit: UnitStep) -> list[Product]:
    if len(unit.products) <= MOST_TERMS:
        return list(unit.products)
    return [one for one in unit.products if one.value.low or one.value.high]


def _cells(terms: list[tuple[bool, str]], widths: list[int], *, lead: bool) -> list[str]:
    """Return the terms of a sum with the signs between them.

    Args:
        terms: each with whether it is taken off.
        widths: of the columns.
        lead: whether room is left for a sign before the first term.
    """
    cells = [
        ("- " if negative else "+ " if at else "  ") + f"{text:>{widths[at]}}"
        for at, (negative, text) in enumerate(terms)
    ]
    if cells and not lead:
        cells[0] = cells[0][2:]
    return cells or ["0"]


def _folded(cells: list[str], width: int) -> list[str]:
    """Return the cells in lines that are no wider than ``width``."""
    lines = [cells[0]]
    for cell in cells[1:]:
        if len(lines[-1]) + 1 + len(cell) <= width:
            lines[-1] += f" {cell}"
        else:
            lines.append(cell)
    return lines


def _factors(term: Product) -> str:
    return f"{decimal(abs(term.weight), PLACES)} * {decimal(term.factor.middle, PLACES)}"


def _equals(value: Enclosed) -> str:
    return "=" if value.is_exact else "≈"


def _numbers(walk: Walk) -> list[Fraction]:
    """Return every number that is printed."""
    found: list[Fraction] = []
    for layer in walk.layers:
        for unit in layer.units:
            values = [unit.sum, unit.value, *(term.value for term in unit.products)]
            found += [value.middle for value in values if value.is_exact]
            found += [term.weight for term in unit.products]
            found += [unit.bias] if unit.bias is not None else []
    return found
