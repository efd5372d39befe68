"""Formulas in three notations at once: text for terminals, LaTeX, and MathML for pages.

Rule: a formula is put together from parts, never parsed, and every name in it is escaped for
the notation it is written into. Brackets are set where the text needs them, in all three alike.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction
from html import escape
from typing import Final

SUM, PRODUCT, ATOM = range(3)
"""A formula's precedence: a sum is bracketed within a product, not conversely."""

LONGEST: Final = 40
"""Characters of a fraction that is written out; a longer one is written as a decimal."""

MOST_BITS: Final = 14_000
"""Bits of a whole number that Python writes in decimal."""

_NUMBERED: Final = re.compile(r"([A-Za-z]+)([0-9][0-9.]*)('*)\Z")
_EXPONENT: Final = re.compile(r"\^([0-9]+)")
_LATEX: Final = {
    "\\": r"\backslash ",
    "{": r"\{",
    "}": r"\}",
    "_": r"\_",
    "^": r"\hat{}",
    "~": r"\sim ",
    **{character: f"\\{character}" for character in "#$%&"},
}


@dataclass(frozen=True, slots=True)
class Formula:
    """One formula, written three times.

    Attributes:
        text: for terminals, JSON and screen readers.
        latex: without the dollar signs.
        mathml: presentation MathML, without the ``math`` element around it.
        level: :data:`SUM`, :data:`PRODUCT` or :data:`ATOM`.
        terms: of a sum, the MathML of each term with its sign: a page may break lines between them.
    """

    text: str
    latex: str
    mathml: str
    level: int = ATOM
    terms: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Formula({self.text!r})"

    def __html__(self) -> str:
        """Return the ``math`` elements, which templates that escape text insert unchanged."""
        terms = self.terms or (self.mathml,)
        return " ".join(f'<math displaystyle="true">{term}</math>' for term in terms)


def words(text: str) -> Formula:
    """Return plain words as a formula."""
    return Formula(text, rf"\text{{{to_latex(text)}}}", f"<mtext>{escape(text)}</mtext>")


def symbol(name: str, *indices: int | str) -> Formula:
    """Return a name; digits at its end, or the indices, are set below the line.

    Examples:
        >>> symbol("h1").latex, symbol("fc1.weight", 0, 1).text
        ('h_{1}', 'fc1.weight[0,1]')
    """
    match = _NUMBERED.match(name)
    base, low, primes = (match[1], match[2], match[3]) if match and not indices else (name, "", "")
    joined = ",".join(map(str, indices))
    below = joined or low
    upright = "." in base
    latex = to_latex(base)
    if len(base) > 1:
        latex = rf"\mathrm{{{latex}}}" if upright else rf"\mathit{{{latex}}}"
    mathml = (
        f'<mi mathvariant="normal">{escape(base)}</mi>' if upright else f"<mi>{escape(base)}</mi>"
    )
    if below:
        latex += f"_{{{to_latex(below)}}}"
        parts = "<mo>,</mo>".join(f"<mn>{escape(part)}</mn>" for part in below.split(","))
        mathml = f"<msub>{mathml}<mrow>{parts}</mrow></msub>"
    if primes:
        latex += primes
        mathml = f"<mrow>{mathml}<mo>{escape(primes)}</mo></mrow>"
    return Formula(name + (f"[{joined}]" if joined else ""), latex, mathml)


def indexed(base: str, index: str) -> Formula:
    """Return a name with a letter below the line: ``wi``, the i-th of the w."""
    mathml = f"<msub><mi>{escape(base)}</mi><mi>{escape(index)}</mi></msub>"
    return Formula(base + index, f"{to_latex(base)}_{{{to_latex(index)}}}", mathml)


def number(value: Fraction | float) -> Formula:
    """Return a number: an exact one as a fraction, a float, or too long a fraction, as a decimal.

    Examples:
        >>> number(Fraction(-1, 2)).text, number(Fraction(3, 2**20)).text, number(0.25).text
        ('-1/2', '3/2^20', '0.25')
    """
    if not isinstance(value, Fraction):
        text = f"{value:.6g}"
        return _decimal(text)
    text = fraction_text(value)
    if not text or len(text) > LONGEST:
        return _decimal(near_text(value))
    over, _, under = text.lstrip("-").partition("/")
    sign = "-" if value < 0 else ""
    level = SUM if sign else ATOM
    if not under:
        return _decimal(text)
    shown = under.strip("()").replace("*", r" \cdot ")
    shown = _EXPONENT.sub(r"^{\1}", shown)
    latex = rf"{sign}\frac{{{over}}}{{{shown}}}"
    below = "<mo>·</mo>".join(
        f"<msup><mn>{base}</mn><mn>{power}</mn></msup>" if power else f"<mn>{base}</mn>"
        for base, _, power in (part.partition("^") for part in under.strip("()").split("*"))
    )
    mathml = f"<mfrac><mn>{over}</mn><mrow>{below}</mrow></mfrac>"
    return Formula(text, latex, f"<mo>−</mo>{mathml}" if sign else mathml, level)


def fraction_text(value: Fraction) -> str:
    """Return an exact number as text, large powers of two in its denominator as such.

    A number of thousands of digits gives no text at all: Python writes 4,300 of them at most.
    """
    under = value.denominator
    if max(value.numerator.bit_length(), under.bit_length()) > MOST_BITS:
        return ""
    twos = (under & -under).bit_length() - 1
    odd = under >> twos
    if under == 1:
        return str(value.numerator)
    if twos <= 10:
        return f"{value.numerator}/{under}"
    below = f"2^{twos}" if odd == 1 else f"({odd}*2^{twos})"
    return f"{value.numerator}/{below}"


def near_text(value: Fraction, digits: int = 6) -> str:
    """Return an exact number of any size to ``digits`` significant digits."""
    try:
        near = float(value)
    except OverflowError:
        near = math.inf
    if math.isfinite(near) and (near or not value):
        return f"{near:.{digits}g}"
    power = abs(value.numerator).bit_length() - value.denominator.bit_length()
    return f"{'-' if value < 0 else ''}2^{power}"


def total(*terms: Formula) -> Formula:
    """Return a sum; a term that begins with a minus sign is taken off."""
    if len(terms) == 1:
        return terms[0]
    first, *rest = terms
    text, latex, parts = first.text, first.latex, [first.mathml]
    for term in rest:
        minus = term.text.startswith("-")
        text += f" - {term.text[1:]}" if minus else f" + {term.text}"
        latex += f" - {term.latex[1:]}" if minus else f" + {term.latex}"
        parts.append(term.mathml if minus else f'<mo form="infix">+</mo>{term.mathml}')
    return Formula(text, latex, "".join(parts), SUM, tuple(parts))


def minus(left: Formula, right: Formula) -> Formula:
    """Return the difference."""
    other = bracketed(right) if right.level == SUM else right
    return Formula(
        f"{left.text} - {other.text}",
        f"{left.latex} - {other.latex}",
        f"{left.mathml}<mo>−</mo>{other.mathml}",
        SUM,
    )


def product(*factors: Formula) -> Formula:
    """Return a product; factors that are sums, or negative, are bracketed."""
    if len(factors) == 1:
        return factors[0]
    held = [bracketed(factor) if factor.level == SUM else factor for factor in factors]
    return Formula(
        "*".join(factor.text for factor in held),
        r" \cdot ".join(factor.latex for factor in held),
        "<mo>·</mo>".join(factor.mathml for factor in held),
        PRODUCT,
    )


def ratio(above: Formula, below: Formula) -> Formula:
    """Return a quotient, as a fraction where there is room."""
    over = bracketed(above) if above.level == SUM else above
    under = bracketed(below) if below.level != ATOM else below
    return Formula(
        f"{over.text}/{under.text}",
        rf"\frac{{{above.latex}}}{{{below.latex}}}",
        f"<mfrac><mrow>{above.mathml}</mrow><mrow>{below.mathml}</mrow></mfrac>",
        PRODUCT,
    )


def power(base: Formula, exponent: int) -> Formula:
    """Return a power."""
    held = base if base.level == ATOM else bracketed(base)
    return Formula(
        f"{held.text}^{exponent}",
        f"{held.latex}^{{{exponent}}}",
        f"<msup><mrow>{held.mathml}</mrow><mn>{exponent}</mn></msup>",
    )


def call(name: str, *arguments: Formula) -> Formula:
    """Return a function of its arguments."""
    latex = ", ".join(argument.latex for argument in arguments)
    return Formula(
        f"{name}({', '.join(argument.text for argument in arguments)})",
        rf"\mathrm{{{to_latex(name)}}}\left({latex}\right)",
        f"<mi>{escape(name)}</mi><mo>(</mo>"
        + "<mo>,</mo>".join(argument.mathml for argument in arguments)
        + "<mo>)</mo>",
    )


def partial(of: Formula, by: Formula) -> Formula:
    """Return a derivative: ``dL/dw``."""
    return Formula(
        f"d{of.text}/d{by.text}",
        rf"\frac{{\partial {of.latex}}}{{\partial {by.latex}}}",
        f"<mfrac><mrow><mo>∂</mo>{of.mathml}</mrow><mrow><mo>∂</mo>{by.mathml}</mrow></mfrac>",
    )


def equal(*sides: Formula, sign: str = "=") -> Formula:
    """Return an equation of two or more sides, joined by ``sign``."""
    latex_sign = {"≈": r"\approx"}.get(sign, sign)
    return Formula(
        f" {sign} ".join(side.text for side in sides),
        f" {latex_sign} ".join(side.latex for side in sides),
        f"<mo>{escape(sign)}</mo>".join(side.mathml for side in sides),
        SUM,
    )


def shared(inner: Formula, label: Formula) -> Formula:
    """Return a part that is marked as known already, under the name ``label``."""
    # a line, not a brace: a brace stretches only where a mathematical font is installed
    line = "border-bottom:0.1em solid currentColor;padding-bottom:0.15em"
    return Formula(
        f"[{inner.text}]",
        rf"\underbrace{{{inner.latex}}}_{{{label.latex}}}",
        f'<munder><mrow style="{line}">{inner.mathml}</mrow>'
        f'<mstyle scriptlevel="0">{label.mathml}</mstyle></munder>',
    )


def bracketed(inner: Formula) -> Formula:
    """Return the formula in brackets."""
    return Formula(
        f"({inner.text})",
        rf"\left({inner.latex}\right)",
        f"<mrow><mo>(</mo>{inner.mathml}<mo>)</mo></mrow>",
    )


def to_latex(text: str) -> str:
    """Return a name with what LaTeX gives a meaning to escaped."""
    return "".join(_LATEX.get(character, character) for character in text)


def _decimal(text: str) -> Formula:
    level = SUM if text.startswith("-") else ATOM
    bare = text.lstrip("-")
    digits, _, exponent = bare.partition("e")
    latex = (
        text if not exponent else text.replace(f"e{exponent}", rf" \cdot 10^{{{int(exponent)}}}")
    )
    body = f"<mn>{escape(digits)}</mn>"
    if exponent:
        body = f"{body}<mo>·</mo><msup><mn>10</mn><mn>{int(exponent)}</mn></msup>"
    return Formula(text, latex, f"<mo>−</mo>{body}" if level == SUM else body, level)


DOTS: Final = Formula("…", r"\dots", "<mo>…</mo>")
