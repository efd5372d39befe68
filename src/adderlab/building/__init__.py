"""Weights from argument: a construction or a formula gives them, no data needed."""

from adderlab.building.formula import Check, CompiledFormula, compile_formula
from adderlab.building.lecture import lecture_network, printed_network
from adderlab.building.methods import METHODS, construct

__all__ = [
    "METHODS",
    "Check",
    "CompiledFormula",
    "compile_formula",
    "construct",
    "lecture_network",
    "printed_network",
]
