"""Weights from the lecture's notation: ``c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))``."""

from adderlab.building.formula.compile import CompiledFormula, compile_formula
from adderlab.building.formula.meaning import Check, Difference

__all__ = ["Check", "CompiledFormula", "Difference", "compile_formula"]
