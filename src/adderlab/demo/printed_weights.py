"""Chapter: the 17 parameters that the training notebook printed."""

from __future__ import annotations

from typing import Final

import numpy as np

from adderlab.blocks import Chapter, Command, Paragraph, Remark
from adderlab.building import printed_network
from adderlab.building.pruning import without_units
from adderlab.demo.workshop import TRAINING, Workshop, verdict_blocks
from adderlab.figures import activations_picture, network_picture
from adderlab.nets import outputs
from adderlab.nets.weights_table import weights_table
from adderlab.training.networks import dead_units

PRINTED_ROWS: Final = ((0.2950, 0.3536), (-0.1639, 0.7644), (0.0182, 1.0013), (0.8698, -0.1142))
"""The outputs that the notebook printed for its four rows."""


def printed(shop: Workshop) -> Chapter:
    """Return the chapter on the notebook's trained network and its dead unit."""
    net = printed_network()
    verdict = shop.keep(net, "printed")
    dead = dead_units(net, shop.task)
    smaller = without_units(net, dead)
    smaller_verdict = shop.keep(smaller, "printed-smaller")
    raw = outputs(net, next(shop.task.blocks()).inputs).to_floats()
    error = float(np.abs(raw - PRINTED_ROWS).max())
    units = ", ".join(map(str, dead))
    assert verdict.margin is not None
    sides = [verdict.margin.of_0, verdict.margin.of_1]
    zeros, ones = (float(side) if side is not None else 0.0 for side in sides)
    return Chapter(
        slug="printed-weights",
        title="The 17 weights that the notebook printed",
        blocks=(
            Paragraph(
                "The notebook's own run succeeded, and the notebook prints its parameters to four "
                f"decimals. Loaded as printed, they reproduce its four rows to within {error:.4f}:"
            ),
            weights_table(net.layers),
            shop.truth_table(net),
            *verdict_blocks(verdict),
            shop.draw(
                network_picture(net, shop.task, name="printed-network"),
                caption="The trained network.",
            ),
            shop.draw(
                activations_picture(net, shop.task, name="printed-activations"),
                caption="Its hidden units, row by row.",
            ),
            Paragraph(
                f"Outputs for 0 are at least {zeros:.4f} below 0.5, outputs for 1 at least "
                f"{ones:.4f} above it. Hidden unit {units} is dead: its output is 0 on every row. "
                f"Without it the network is {smaller.shape}, with {smaller.parameters} parameters "
                f"instead of {net.parameters}, and computes the same:"
            ),
            shop.truth_table(smaller),
            *verdict_blocks(smaller_verdict),
            Remark(
                "batch size =1 , the only input is [1,0]",
                TRAINING,
                "Here too the batch holds all four rows. This time all of them are correct.",
            ),
            Command("adderlab prove printed.safetensors"),
        ),
        results={
            "verdict": verdict.to_dict(),
            "dead_units": list(dead),
            "parameters": net.parameters,
            "smaller": {
                "parameters": smaller.parameters,
                "verdict": smaller_verdict.to_dict(),
            },
        },
    )
