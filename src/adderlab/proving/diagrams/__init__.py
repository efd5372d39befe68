"""Verdicts by decision diagrams: all inputs at once, far beyond enumeration."""

from adderlab.proving.diagrams.engine import (
    MOST_NODES,
    ORDERS,
    DiagramResult,
    States,
    decide,
    states_of,
    variable_order,
)
from adderlab.proving.diagrams.table import CapReached, Diagrams, Function

__all__ = [
    "MOST_NODES",
    "ORDERS",
    "CapReached",
    "DiagramResult",
    "Diagrams",
    "Function",
    "States",
    "decide",
    "states_of",
    "variable_order",
]
