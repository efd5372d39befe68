"""Figures: the network, its truth table, decision surfaces, activations, loss curves, wide adders.

matplotlib is loaded when the first figure is drawn, not before, and nowhere else.
"""

from adderlab.blocks.picture import PALETTE, Picture
from adderlab.figures.activations import activations_picture
from adderlab.figures.cliffs import State, cliffs_picture
from adderlab.figures.depths import Size, depths_picture
from adderlab.figures.losses import losses_picture
from adderlab.figures.network import network_picture
from adderlab.figures.operations import operations_picture
from adderlab.figures.picture import PNG_SCALE
from adderlab.figures.surfaces import surface_pictures
from adderlab.figures.survival import survival_picture
from adderlab.figures.truth_table import truth_table_picture

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
