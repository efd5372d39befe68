"""Why a network computes what it does and how it learns: backprop, step by step."""

from adderlab.explaining.results import NOT_COMPUTED, Backprop, RowBackprop, Step
from adderlab.explaining.rows import Example, backprop_rows, example

__all__ = [
    "NOT_COMPUTED",
    "Backprop",
    "Example",
    "RowBackprop",
    "Step",
    "backprop_rows",
    "example",
]
