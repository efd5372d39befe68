"""Figures on matplotlib's own axes, under one style sheet; each kind is ``plot_<what>``.

matplotlib is loaded when the first figure is drawn, not before, and nowhere else.
"""

from adderlab.blocks.picture import PALETTE, Picture
from adderlab.figures.activations import activations_picture, plot_activations
from adderlab.figures.failure import Failure, FailureRow, failure_picture, plot_failure
from adderlab.figures.loss_quantiles import loss_quantiles_picture, plot_loss_quantiles
from adderlab.figures.losses import losses_picture, plot_losses
from adderlab.figures.network import network_picture, plot_network
from adderlab.figures.operations import operations_picture, plot_operations
from adderlab.figures.picture import PNG_SCALE, render
from adderlab.figures.style import styled
from adderlab.figures.success_rates import RatePoint, plot_success_rates, success_rates_picture
from adderlab.figures.surface import plot_surface, surface_pictures
from adderlab.figures.trainability_map import (
    MapAxis,
    MapView,
    map_picture,
    map_png,
    map_text,
    plot_map,
)
from adderlab.figures.truth_table import plot_truth_table, truth_table_picture

__all__ = [
    "PALETTE",
    "PNG_SCALE",
    "Failure",
    "FailureRow",
    "MapAxis",
    "MapView",
    "Picture",
    "RatePoint",
    "activations_picture",
    "failure_picture",
    "loss_quantiles_picture",
    "losses_picture",
    "map_picture",
    "map_png",
    "map_text",
    "network_picture",
    "operations_picture",
    "plot_activations",
    "plot_failure",
    "plot_loss_quantiles",
    "plot_losses",
    "plot_map",
    "plot_network",
    "plot_operations",
    "plot_success_rates",
    "plot_surface",
    "plot_truth_table",
    "render",
    "styled",
    "success_rates_picture",
    "surface_pictures",
    "truth_table_picture",
]
