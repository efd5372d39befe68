"""Chapter: the 17 weights that the training notebook printed."""

from __future__ import annotations

from typing import Final

import numpy as np

from adderlab.blocks import Chapter, Command, Paragraph, Remark
from adderlab.building import printed_network
from adderlab.building.pruning import without_units
from adderlab.demo.workshop import (
    TRAINING,
    Workshop,
    verdict_blocks,
)
from adderlab.figures import activations_picture, network_picture
from adderlab.nets import outputs
from adderlab.nets.weights_table import weights_table
from adderlab.training.networks import dead_units

PRINTED_ROWS: Final = ((0.2950, 0.3536), (-0.1639, 0.7644), (0.0182, 1.0013), (0.8698, -0.1142))
"""What the notebook printed for its four rows."""


def printed(shop: Workshop) -> Chapter:
    """Return the chapter on the notebook's own trained network and its unused unit."""
    net = printed_network()
    verdict = shop.keep(net, "printed")
    dead = dead_units(net, shop.task)
    smaller = without_units(net, dead)
    smaller_verdict = shop.keep(smaller, "printed-smaller")
    raw = outputs(net, next(shop.task.blocks()).inputs).to_floats()
    off = float(np.abs(raw - PRINTED_ROWS).max())
    units = ", ".join(map(str, dead))
    assert verdict.margin is not None
    sides = [verdict.margin.of_0, verdict.margin.of_1]
    zeros, ones = (float(side) if side is not None else 0.0 for side in sides)
    return Chapter(
        slug="printed-weights",
        title="The 17 weights that the notebook printed",
        blocks=(
            Paragraph(
                "The notebook's own run worked, and its parameters stand there to four decimals. "
                f"Loaded as printed, they give its four rows to within {off:.4f}:"
            ),
            weights_table(net.layers),
            shop.truth_table(net),
            *verdict_blocks(verdict),
            shop.draw(
                network_picture(net, shop.task, name="printed-network"),
                caption="The network that training found.",
            ),
            shop.draw(
                activations_picture(net, shop.task, name="printed-activations"),
                caption="Its hidden units, row by row.",
            ),
            Paragraph(
                f"The zeros stay {zeros:.4f} below 0.5, the ones {ones:.4f} above it. Hidden unit "
                f"{units} is off on every row: its sum is never above 0. Without it the network "
                f"is {smaller.shape}, {smaller.parameters} parameters instead of "
                f"{net.parameters}, and nothing changes:"
            ),
            shop.truth_table(smaller),
            *verdict_blocks(smaller_verdict),
            Remark(
                "batch size =1 , the only input is [1,0]",
                TRAINING,
                "Here too all four rows go in at once. That they are all correct is so this time.",
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
