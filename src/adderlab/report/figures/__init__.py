"""Figures: the network, its truth table, decision surfaces, activations, loss curves, wide adders.

matplotlib is loaded when the first figure is drawn, not before, and nowhere else.
"""

from adderlab.report.figures.activations import activations_picture
from adderlab.report.figures.cliffs import State, cliffs_picture
from adderlab.report.figures.depths import Size, depths_picture
from adderlab.report.figures.losses import losses_picture
from adderlab.report.figures.network import network_picture
from adderlab.report.figures.operations import operations_picture
from adderlab.report.figures.picture import PALETTE, PNG_SCALE, Picture
from adderlab.report.figures.surfaces import surface_pictures
from adderlab.report.figures.survival import survival_picture
from adderlab.report.figures.truth_table import truth_table_picture

__all__ = [
    "PALETTE",
    "PNG_SCALE",
    "Picture",
    "Size",
    "State",
    "activations_picture",
    "cliffs_picture",
    "depths_picture",
    "losses_picture",
    "network_picture",
    "operations_picture",
    "surface_pictures",
    "survival_picture",
    "truth_table_picture",
]
