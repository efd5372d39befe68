"""Weights from the lecture's notation: ``c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))``."""

from adderlab.building.formula.check import Check, Difference
from adderlab.building.formula.compile import CompiledFormula, RoundedParameter, compile_formula

__all__ = ["Check", "CompiledFormula", "Difference", "RoundedParameter", "compile_formula"]
