"""One input's way through a network as blocks: every product, sum and activation.

Of a wide network, whose sums nobody reads one by one, the units that are on, and the words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from adderlab.blocks import Block, Heading, Line, Table
from adderlab.blocks.numbers import counted, decimal, decimal_apart, is_written_exactly
from adderlab.tasks.wording import named, sum_of

if TYPE_CHECKING:
    from adderlab.nets.readout import Readout
    from adderlab.nets.walk import Enclosed, LayerWalk, OutputStep, Product, UnitStep, Walk

PLACES: Final = 6
"""Decimals that are shown: a weight stored in fp32 comes out as it was written down."""

MOST_TERMS: Final = 6
"""Of a unit with more terms, those that are 0 are left out."""

MOST_UNITS: Final = 64
"""Units of a layer up to which each is shown; of a wider network those that are on are named."""

MOST_GROUPS: Final = 6
"""Groups of neighboring units of one value that are named in a layer."""

MOST_WRONG: Final = 8
"""Wrong outputs of a wide network that are shown."""

_SIGNS: Final = {">": (">", "≤"), ">=": ("≥", "<")}
"""How an output that reads as 1 is written, and one that reads as 0."""


def value_text(value: Enclosed, places: int = 4) -> str:
    """Return a value as a decimal; with ``≈`` where only two bounds of it are known."""
    return ("" if value.is_exact else "≈") + decimal(value.middle, places)


def readout_text(readout: Readout, output: OutputStep, places: int = 4) -> str:
    """Return how an output becomes a bit: ``0.5 > 0 → 1``, ``0 ≤ 0 → 0``."""
    mark = "" if output.raw.is_exact else "≈"
    bit = "no bit" if output.got is None else str(output.got)
    if readout.kind == "exact":
        near = Fraction(round(output.raw.middle))
        return f"{mark}{decimal_apart(output.raw.middle, near, places)} → {bit}"
    limit = Fraction(readout.threshold)
    sign_of_1, sign_of_0 = _SIGNS[readout.convention]
    sign = sign_of_1 if output.got else sign_of_0
    if output.got is None:
        sign, bit = "near", "open"
    raw = decimal_apart(output.raw.middle, limit, places)
    return f"{mark}{raw} {sign} {decimal(limit, places)} → {bit}"


def walk_blocks(walk: Walk) -> tuple[Block, ...]:
    """Return each layer's sums as a table, then how each output becomes a bit."""
    is_wide = any(len(layer.units) > MOST_UNITS for layer in walk.layers)
    is_listed = all(layer.units[0].products for layer in walk.layers)
    if is_wide or not is_listed:
        return _wide_blocks(walk)
    shown: list[Block] = [Heading(f"{sum_of(walk.input)}, step by step")]
    shown += [_layer_table(layer) for layer in walk.layers]
    shown.append(_outputs_table(walk, walk.outputs))
    if any(value is not None for value in walk.expected.values()):
        shown += _words_lines(walk)
    if any(not is_written_exactly(value, PLACES) for value in _numbers(walk)):
        rounded = f"rounded to {PLACES} decimals here; computed and decided exactly, as in the JSON"
        shown.append(Line(rounded, "quiet"))
    return tuple(shown)


def _wide_blocks(walk: Walk) -> tuple[Block, ...]:
    """Return the units that are on, layer by layer, the words, and outputs that are wrong."""
    table = Table(
        ("layer", "units", "on", "units that are on, with their value where it is not 1"),
        tuple(
            (layer.name, str(len(layer.units)), str(len(_on(layer))), _on_text(layer))
            for layer in walk.layers
        ),
        left=("layer", "units that are on, with their value where it is not 1"),
    )
    shown: list[Block] = [Heading(f"{sum_of(walk.input)}, layer by layer"), table]
    wrong = [output for output in walk.outputs if not output.is_right]
    if wrong:
        shown.append(_outputs_table(walk, wrong[:MOST_WRONG]))
    if len(wrong) > MOST_WRONG:
        more = counted(len(wrong) - MOST_WRONG, "more output")
        shown.append(Line(f"… {more} that are wrong, in the JSON", "quiet"))
    return (*shown, *_words_lines(walk))


def _on(layer: LayerWalk) -> list[int]:
    """Return the places of the units whose value is not 0."""
    return [at for at, unit in enumerate(layer.units) if unit.value.low or unit.value.high]


def _on_text(layer: LayerWalk) -> str:
    """Return the units that are on: ``h1.2 to h1.9, h1.12 = 3``."""
    texts: list[str] = []
    groups = 0
    for at in _on(layer):
        unit = layer.units[at]
        before = layer.units[at - 1] if at else None
        if before is not None and before.value == unit.value:
            first = texts[-1].partition(" ")[0] if groups <= MOST_GROUPS else ""
            name = f"{first} to {unit.name}"
        else:
            groups += 1
            name = unit.name
            texts += [""] if groups <= MOST_GROUPS else []
        if groups <= MOST_GROUPS:
            is_plain = unit.value.is_exact and unit.value.low == 1
            texts[-1] = name + ("" if is_plain else f" = {value_text(unit.value)}")
    more = [f"and {counted(groups - MOST_GROUPS, 'more range')}"] if groups > MOST_GROUPS else []
    return ", ".join([*texts, *more]) or "none"


def _outputs_table(walk: Walk, outputs: Sequence[OutputStep]) -> Table:
    is_judged = any(output.expected is not None for output in walk.outputs)
    return Table(
        ("output", "readout", *(["expected"] if is_judged else [])),
        tuple(
            (
                output.name,
                readout_text(walk.readout, output, PLACES),
                *([_expected(output)] if is_judged else []),
            )
            for output in outputs
        ),
        marks=tuple(output.is_right for output in outputs) if is_judged else (),
        left=("output", "readout"),
    )


def _words_lines(walk: Walk) -> list[Line]:
    """Return the words that came out, beside the expected ones where there are any."""
    got = f"got {named(walk.got, other='no whole number')}"
    is_judged = any(value is not None for value in walk.expected.values())
    return [Line(f"{got}, expected {named(walk.expected)}" if is_judged else got)]


def _expected(output: OutputStep) -> str:
    return "any" if output.expected is None else str(output.expected)


def _layer_table(layer: LayerWalk) -> Table:
    """Return a layer's units: the terms of each sum, their products, the sum, what comes out."""
    kind = layer.activation.kind
    columns = ("unit", "weight * input", "products", "sum")
    return Table(
        (*columns, *([kind] if kind != "identity" else [])),
        tuple(
            (
                unit.name,
                _sum_text([(term.weight < 0, _factors(term)) for term in _terms(unit)], unit),
                _sum_text([_signed(term.value.middle) for term in _terms(unit)], unit),
                value_text(unit.sum, PLACES),
                *([value_text(unit.value, PLACES)] if kind != "identity" else []),
            )
            for unit in layer.units
        ),
        caption=layer.name
        + ("" if kind == "identity" else f", {layer.activation}")
        + (f", reads {', '.join(layer.reads)}" if layer.reads else ""),
        left=columns[:3],
    )


def _terms(unit: UnitStep) -> list[Product]:
    if len(unit.products) <= MOST_TERMS:
        return list(unit.products)
    return [term for term in unit.products if term.value.low or term.value.high]


def _sum_text(terms: list[tuple[bool, str]], unit: UnitStep) -> str:
    """Return a sum with its signs; each term comes with whether it is taken off."""
    terms = [*terms, *([_signed(unit.bias)] if unit.bias is not None else [])]
    text = "".join(
        (" - " if is_negative else " + ") + term if at else ("-" if is_negative else "") + term
        for at, (is_negative, term) in enumerate(terms)
    )
    left_out = len(unit.products) - len(_terms(unit))
    return (text or "0") + (
        f" ({counted(left_out, 'term')} {'is' if left_out == 1 else 'are'} 0)" if left_out else ""
    )


def _signed(value: Fraction) -> tuple[bool, str]:
    return value < 0, decimal(abs(value), PLACES)


def _factors(term: Product) -> str:
    return f"{decimal(abs(term.weight), PLACES)} * {decimal(term.factor.middle, PLACES)}"


def _numbers(walk: Walk) -> Iterator[Fraction]:
    """Yield every number that is shown."""
    for layer in walk.layers:
        for unit in layer.units:
            values = [unit.sum, unit.value, *(term.value for term in unit.products)]
            yield from (value.middle for value in values if value.is_exact)
            yield from (term.weight for term in unit.products)
            if unit.bias is not None:
                yield unit.bias
