"""Adders of any width: one hidden layer with growing weights, or many with weights in -2..1."""

from adderlab.building.adders.one_layer import one_layer_adder
from adderlab.building.adders.prefix import prefix_adder
from adderlab.building.adders.ripple import ripple_adder

__all__ = ["one_layer_adder", "prefix_adder", "ripple_adder"]
