"""The text of a number keeps what distinguishes it from its neighbors."""

from __future__ import annotations

import math
import re
from fractions import Fraction as F
from pathlib import Path

import adderlab
from adderlab.blocks.numbers import compact, counted, decimal, decimal_apart, fixed


def test_a_plural_is_written_by_counted_alone() -> None:
    """A noun with an s that depends on a count is what ``counted`` is for."""
    by_hand = re.compile(r"""\{\s*["']s["']\s*(\*|if\b)""")
    assert by_hand.search("{n} row{'s' if n != 1 else ''}")
    source = Path(adderlab.__file__).parent
    faults = [
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if by_hand.search(path.read_text(encoding="utf-8"))
    ]
    assert faults == []


def test_the_text_of_a_number() -> None:
    cases = {
        decimal(F(1, 3)): "0.3333",
        decimal(F(-1, 2)): "-0.5",
        decimal(0.0): "0",
        decimal(-0.00004): "-4e-05",
        decimal(F(10) ** 400): "2^1328",
        decimal(-F(1, 10**400)): "-2^-1328",
        decimal(math.inf): "∞",
        compact(1234567): "1.2e+06",
        compact(123.456): "123.5",
        fixed(-0.0): "0.0000",
        counted(1, "row"): "1 row",
        counted(0, "row"): "0 rows",
        counted(1 << 40, "class", "classes"): "2^40 classes",
        fixed(1e-9): "1e-09",
        fixed(0.5): "0.5000",
        decimal_apart(F(1, 2) + F(1, 10**7), F(1, 2)): "0.5000001",
        decimal_apart(F(1, 2) + F(1, 10**40), F(1, 2)): "0.5 + 1e-40",
        decimal_apart(F(1, 2), F(1, 2)): "0.5",
    }
    assert {text: expected for text, expected in cases.items() if text != expected} == {}
