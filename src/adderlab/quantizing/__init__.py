"""A network in fewer bits: rounded, searched, snapped or tuned, and how small it can get."""

from adderlab.quantizing.clock import Clock
from adderlab.quantizing.methods import METHODS, WORDS, default_scheme, fits, rounded
from adderlab.quantizing.one_bit import OneBitCensus, one_bit_census
from adderlab.quantizing.population import SURVEYED, Survival, survival
from adderlab.quantizing.rounding import Rounded
from adderlab.quantizing.scheme import GROUPS, PLAIN, SCALES, SCHEMES, Scheme, target_format
from adderlab.quantizing.smallest import Attempt, Smallest, smallest, table

__all__ = [
    "GROUPS",
    "METHODS",
    "PLAIN",
    "SCALES",
    "SCHEMES",
    "SURVEYED",
    "WORDS",
    "Attempt",
    "Clock",
    "OneBitCensus",
    "Rounded",
    "Scheme",
    "Smallest",
    "Survival",
    "default_scheme",
    "fits",
    "one_bit_census",
    "rounded",
    "smallest",
    "survival",
    "table",
    "target_format",
]
