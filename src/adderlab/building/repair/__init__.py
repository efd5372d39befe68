"""Every single parameter that can be changed so that a network becomes right."""

from adderlab.building.repair.intervals import Interval, Intervals
from adderlab.building.repair.repair import find_repairs
from adderlab.building.repair.results import COLUMNS, WORDS, Candidate, Repair, Repairs, short

__all__ = [
    "COLUMNS",
    "WORDS",
    "Candidate",
    "Interval",
    "Intervals",
    "Repair",
    "Repairs",
    "find_repairs",
    "short",
]
