"""The activations: one table entry for each, and everything that is computed of them."""

from adderlab.nets.activations.activation import Activation
from adderlab.nets.activations.piecewise import Pieces
from adderlab.nets.activations.rounding import DOUBLE_UNIT, NO_GRID, SLACK, Rounding, lowest_bits
from adderlab.nets.activations.rule import Rule
from adderlab.nets.activations.smooth import TANH_ERROR, tanh
from adderlab.nets.activations.table import RULES
from adderlab.nets.activations.text import activation_named

__all__ = [
    "DOUBLE_UNIT",
    "NO_GRID",
    "RULES",
    "SLACK",
    "TANH_ERROR",
    "Activation",
    "Pieces",
    "Rounding",
    "Rule",
    "activation_named",
    "lowest_bits",
    "tanh",
]
