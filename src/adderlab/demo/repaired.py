"""Chapter: the hand-set network, repaired by changing one weight."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from adderlab.blocks import Chapter, Command, Paragraph, Table
from adderlab.building import lecture_network
from adderlab.building.repair import COLUMNS, WORDS, find_repairs
from adderlab.demo.workshop import Workshop, verdict_blocks
from adderlab.figures import surface_pictures
from adderlab.nets import Network, Readout
from adderlab.nets.tensors import Dense
from adderlab.proving import Verdict
from adderlab.verbs.prove import prove

CANDIDATES = (-2.0, -2.5, -3.0, -4.0)


def with_last_weight(net: Network, value: float) -> Network:
    """Return the network with fc2.weight[1,2], the notebook's -2, set to ``value``."""
    second = net.layers[1]
    assert isinstance(second.weight, Dense)
    weight: Any = np.array(second.weight.numbers)
    weight[1, 2] = value
    return replace(net, layers=(net.layers[0], replace(second, weight=Dense(weight))))


def repaired(shop: Workshop) -> Chapter:
    """Return the chapter on the repair by hand and on the search for all repairs."""
    lecture = lecture_network(shop.task)
    verdicts = [(value, prove(with_last_weight(lecture, value))) for value in CANDIDATES]
    search = find_repairs(lecture, shop.task, prove=prove)
    net = with_last_weight(lecture, -4.0)
    verdict = shop.keep(net, "repaired")
    with_threshold = replace(net, readout=Readout("threshold", 0.25, ">"))
    threshold_verdict = shop.keep(with_threshold, "repaired-threshold")
    return Chapter(
        slug="repair",
        title="The repair: one weight",
        blocks=(
            Paragraph(
                "On 1 + 1 the output c0 is 1.5 - 2 * 0.5 = 0.5, which is above the threshold 0, "
                "so the bit is 1. The weight -2, fc2.weight[1,2], is too small in magnitude. "
                "Larger ones:"
            ),
            Table(
                ("fc2.weight[1,2]", "output c0 on 1 + 1", "rows right", "verdict"),
                tuple(
                    (
                        f"{value:g}",
                        f"{1.5 + value * 0.5:g}",
                        f"{verdict.rows_right} of 4",
                        verdict.verdict,
                    )
                    for value, verdict in verdicts
                ),
                marks=tuple(bool(verdict) for _, verdict in verdicts),
                left=("verdict",),
            ),
            Paragraph("With -4 the network adds correctly, and this is proved:"),
            shop.truth_table(net),
            *verdict_blocks(verdict),
            shop.draw(
                *(
                    picture
                    for picture in surface_pictures(net, shop.task, name="repaired-surface")
                    if picture.name.endswith("c0")
                ),
                caption="The output c0 after the repair: it is 1 in a band, and the corner 1, 1 "
                "lies outside.",
            ),
            Paragraph(
                "The margin is 0: on 0 + 0 both outputs are exactly 0, which is the threshold. "
                "That is right under > 0 and wrong under >= 0. With the threshold 0.25, every "
                f"output is at least {_margin(threshold_verdict)} away from it."
            ),
            *verdict_blocks(threshold_verdict),
            Paragraph(
                "An exact search over all parameters and the threshold finds "
                f"{len(search.repairs)} that repair the network on their own, each with the set "
                "of values that work:"
            ),
            Table(COLUMNS, tuple(repair.cells() for repair in search.repairs), left=WORDS),
            Command(
                'adderlab repair lecture.safetensors --parameter "fc2.weight[1,2]" --to -4 '
                "-o repaired.safetensors"
            ),
            Command("adderlab prove repaired.safetensors"),
        ),
        results={
            "verdict": verdict.to_dict(),
            "with_threshold": threshold_verdict.to_dict(),
            "repairs": search.to_dict()["repairs"],
            "tried": {f"{value:g}": verdict.verdict for value, verdict in verdicts},
        },
    )


def _margin(verdict: Verdict) -> str:
    assert verdict.margin is not None
    assert verdict.margin.min is not None
    return f"{float(verdict.margin.min):g}"
