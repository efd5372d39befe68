"""Chapter: the hand-set network repaired by one weight."""

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

TRIED = (-2.0, -2.5, -3.0, -4.0)


def with_last_weight(net: Network, value: float) -> Network:
    """Return the network with fc2.weight[1,2], the notebook's -2, set to ``value``."""
    second = net.layers[1]
    assert isinstance(second.weight, Dense)
    weight: Any = np.array(second.weight.numbers)
    weight[1, 2] = value
    return replace(net, layers=(net.layers[0], replace(second, weight=Dense(weight))))


def repaired(shop: Workshop) -> Chapter:
    """Return the chapter on the repair by hand."""
    lecture = lecture_network(shop.task)
    tried = [(value, prove(with_last_weight(lecture, value))) for value in TRIED]
    repairs = find_repairs(lecture, shop.task, prove=prove)
    net = with_last_weight(lecture, -4.0)
    verdict = shop.keep(net, "repaired")
    roomy = replace(net, readout=Readout("threshold", 0.25, ">"))
    roomy_verdict = shop.keep(roomy, "repaired-threshold")
    return Chapter(
        slug="repair",
        title="The repair: one weight",
        blocks=(
            Paragraph(
                "On 1 + 1 the low bit is computed as 1.5 - 2 * 0.5 = 0.5, and 0.5 is above 0, so "
                "the step says 1. The weight -2, fc2.weight[1,2], is too weak. Tried by hand:"
            ),
            Table(
                ("fc2.weight[1,2]", "output c0 on 1 + 1", "rows right", "verdict"),
                tuple(
                    (
                        f"{value:g}",
                        f"{1.5 + value * 0.5:g}",
                        f"{judged.rows_right} of 4",
                        judged.verdict,
                    )
                    for value, judged in tried
                ),
                marks=tuple(bool(judged) for _, judged in tried),
                left=("verdict",),
            ),
            Paragraph("At -4 the network adds, and this is no longer a matter of looking:"),
            shop.truth_table(net),
            *verdict_blocks(verdict),
            shop.draw(
                *(
                    picture
                    for picture in surface_pictures(net, shop.task, name="repaired-surface")
                    if picture.name.endswith("c0")
                ),
                caption="The low bit after the repair: a band, with 1, 1 beyond it.",
            ),
            Paragraph(
                "Its margin is 0, because on 0 + 0 both outputs are exactly 0, exactly on the "
                "threshold: right under > 0, wrong under >= 0. With the threshold at 0.25 every "
                f"output keeps a distance of {_margin(roomy_verdict)}."
            ),
            *verdict_blocks(roomy_verdict),
            Paragraph(
                f"Searched exactly: {len(repairs.repairs)} parameters repair the network alone, "
                "each with the set of values that work. No other does, the threshold included:"
            ),
            Table(COLUMNS, tuple(repair.cells() for repair in repairs.repairs), left=WORDS),
            Command("adderlab repair lecture.safetensors -o repaired.safetensors"),
            Command("adderlab prove repaired.safetensors"),
        ),
        results={
            "verdict": verdict.to_dict(),
            "with_threshold": roomy_verdict.to_dict(),
            "repairs": repairs.to_dict()["repairs"],
            "tried": {f"{value:g}": judged.verdict for value, judged in tried},
        },
    )


def _margin(verdict: Verdict) -> str:
    assert verdict.margin is not None
    assert verdict.margin.min is not None
    return f"{float(verdict.margin.min):g}"
