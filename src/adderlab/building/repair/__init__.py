"""Repairing a network by changing a single parameter."""

from adderlab.building.repair.intervals import Interval, Intervals
from adderlab.building.repair.rows import Parameter
from adderlab.building.repair.search import (
    COLUMNS,
    WORDS,
    Candidate,
    Repair,
    Repairs,
    find_repairs,
    repair_to,
    short,
)

__all__ = [
    "COLUMNS",
    "WORDS",
    "Candidate",
    "Interval",
    "Intervals",
    "Parameter",
    "Repair",
    "Repairs",
    "find_repairs",
    "repair_to",
    "short",
]
