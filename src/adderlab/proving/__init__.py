"""Verdicts: what a network does on every input, in exact arithmetic and in number formats."""

from adderlab.proving.decide import decide
from adderlab.proving.verdict import Counterexample, FormatVerdict, Margin, Verdict

__all__ = ["Counterexample", "FormatVerdict", "Margin", "Verdict", "decide"]
