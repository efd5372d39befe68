"""Verdicts: what a network does on every input, in exact arithmetic and in number formats."""

from adderlab.proving.prove import prove
from adderlab.proving.verdict import Counterexample, FormatVerdict, Margin, Verdict

__all__ = ["Counterexample", "FormatVerdict", "Margin", "Verdict", "prove"]
