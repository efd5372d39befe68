"""One input's way through a network on the terminal: every product, sum and activation."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from rich.text import Text

from adderlab.cli.output import mark
from adderlab.nets.walk import LayerWalk, OutputStep, Product, UnitStep, Walk
from adderlab.proving.verdict import named, sum_of
from adderlab.report.figures.numbers import decimal, is_written_exactly
from adderlab.report.figures.wording import readout_text, value_text

if TYPE_CHECKING:
    from adderlab.cli.output import Screen

PLACES: Final = 6
"""Decimals that are printed: a weight stored in fp32 comes out as it was written down."""

MOST_TERMS: Final = 6
"""Of a unit with more terms, those that are 0 are left out."""

TERMS_A_LINE: Final = 8
MOST_UNITS: Final = 64


def print_walk(screen: Screen, walk: Walk) -> None:
    """Print each unit in two lines, what is multiplied and what comes out, then the readout."""
    screen.heading(f"{sum_of(walk.input)}, step by step")
    for layer in walk.layers:
        kind = layer.activation
        screen.say(layer.name + ("" if kind.kind == "identity" else f", {kind}"))
        for line in _layer_lines(layer):
            screen.say(line)
    screen.say("readout")
    wide = max(len(output.name) for output in walk.outputs)
    texts = [readout_text(walk.readout, output, PLACES) for output in walk.outputs]
    for output, text in zip(walk.outputs, texts, strict=True):
        line = Text(f"  {output.name:>{wide}}  {text:>{max(map(len, texts))}}")
        if output.expected is not None:
            _ = line.append(f", expected {output.expected}  ").append_text(_mark(output))
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


def _layer_lines(layer: LayerWalk) -> list[str]:
    """Return two lines a unit, the terms of all units in columns."""
    units = layer.units[:MOST_UNITS]
    wide = max(len(unit.name) for unit in units)
    shown = [_terms(unit) for unit in units]
    widths = [
        max(len(_factors(terms[at])) for terms in shown if at < len(terms))
        for at in range(max(map(len, shown)))
    ]
    lines: list[str] = []
    for unit, terms in zip(units, shown, strict=True):
        left_out = len(unit.products) - len(terms)
        upper = _joined(
            [(term.weight < 0, _factors(term)) for term in terms], widths, unit.bias, left_out
        )
        lower = _joined(
            [(term.value.middle < 0, value_text(term.value, PLACES).lstrip("≈-")) for term in terms],
            widths,
            unit.bias,
            left_out,
        )
        total = value_text(unit.sum, PLACES)
        lower[-1] += f" = {total}"
        if layer.activation.kind != "identity":
            lower[-1] += f"   {layer.activation.kind}({total}) = {value_text(unit.value, PLACES)}"
        heads = [f"  {unit.name:>{wide}} = ", f"  {'':>{wide}} = "]
        blank = " " * len(heads[0])
        for head, parts in zip(heads, (upper, lower), strict=True):
            lines += [(blank if at else head) + part for at, part in enumerate(parts)]
    if len(layer.units) > len(units):
        lines.append(f"  … {len(layer.units) - len(units)} more units, see --json")
    return lines


def _terms(unit: UnitStep) -> list[Product]:
    if len(unit.products) <= MOST_TERMS:
        return list(unit.products)
    return [one for one in unit.products if one.value.low or one.value.high]


def _joined(
    terms: list[tuple[bool, str]], widths: list[int], bias: Fraction | None, left_out: int
) -> list[str]:
    """Return a sum in lines of a few terms: signs between them, the bias and what is 0 last."""
    cells = [
        ("- " if negative else "+ " if at else "  ") + f"{text:>{widths[at]}}"
        for at, (negative, text) in enumerate(terms)
    ]
    if not cells and bias is None:
        cells = ["  0"]
    if bias is not None:
        sign = "- " if bias < 0 else "+ " if cells else "  "
        cells.append(sign + decimal(abs(bias), PLACES))
    if left_out:
        cells.append(f"({left_out} that are 0)")
    return [
        " ".join(cells[start : start + TERMS_A_LINE])
        for start in range(0, len(cells), TERMS_A_LINE)
    ]


def _factors(term: Product) -> str:
    return f"{decimal(abs(term.weight), PLACES)} * {value_text(term.factor, PLACES)}"


def _mark(output: OutputStep) -> Text:
    return mark(right=output.is_right)


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
