"""Verdicts by decision diagrams: all inputs at once, far beyond enumeration."""

from adderlab.proving.diagrams.engine import (
    MOST_NODES,
    ORDERS,
    DiagramResult,
    States,
    decide,
    layers_of,
    states_of,
    variable_order,
)
from adderlab.proving.diagrams.specification import is_specified
from adderlab.proving.diagrams.table import Diagrams, Function

__all__ = [
    "MOST_NODES",
    "ORDERS",
    "DiagramResult",
    "Diagrams",
    "Function",
    "States",
    "decide",
    "is_specified",
    "layers_of",
    "states_of",
    "variable_order",
]
