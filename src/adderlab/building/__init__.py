"""Weights from argument: a construction or a formula gives them, no data needed."""

from adderlab.building.adders.widths import exact_widths
from adderlab.building.formula import Check, CompiledFormula, RoundedParameter, compile_formula
from adderlab.building.lecture import lecture_network, printed_network
from adderlab.building.methods import (
    FULL_ADDER,
    METHODS,
    chosen_method,
    construct,
    weight_text,
)

__all__ = [
    "FULL_ADDER",
    "METHODS",
    "Check",
    "CompiledFormula",
    "RoundedParameter",
    "chosen_method",
    "compile_formula",
    "construct",
    "exact_widths",
    "lecture_network",
    "printed_network",
    "weight_text",
]
