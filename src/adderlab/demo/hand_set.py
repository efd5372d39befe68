"""Chapter: the network with weights set by hand."""

from __future__ import annotations

from adderlab.blocks import Chapter, Code, Command, Paragraph, Remark, Table
from adderlab.building import compile_formula, lecture_network
from adderlab.demo.workshop import HAND_SET, Workshop, verdict_blocks
from adderlab.figures import network_picture, surface_pictures
from adderlab.nets.weights_table import weights_table

FORMULA = """\
c1 = 1 ( a + b >= 2 ) = step(ReLU( a + b - 1.5 ))
c0 = 1 ( a + b = 1 ) = step(ReLU( a + b - 0.5 ) - 2 * ReLU( a + b - 1.5))
"""


def hand_set(shop: Workshop) -> Chapter:
    """Return the chapter on the hand-set weights, their formula, and the row that is wrong."""
    net = lecture_network(shop.task)
    verdict = shop.keep(net, "lecture")
    compiled = compile_formula(FORMULA, shop.task, where="the notebook")
    _ = (shop.folder / "formula.txt").write_text(FORMULA, encoding="utf-8")
    weights = zip(net.tensors(), compiled.network.tensors(), strict=True)
    assert all(
        (by_hand.exact().to_floats() == by_formula.exact().to_floats()).all()
        for (_, by_hand), (_, by_formula) in weights
    ), "the formula's weights are the lecture's"
    return Chapter(
        slug="hand-set",
        title="A network set by hand",
        blocks=(
            Paragraph(
                "The network reads two bits, a and b, and returns their sum as two bits, c1 c0. "
                "The notebook derives a formula for each output bit:"
            ),
            Code(FORMULA.rstrip()),
            Paragraph(
                "On each line, 1 ( … ) is the condition for the bit to be 1, and the right-hand "
                "side is how it is computed. The two can be compared on every row before any "
                "weight is set:"
            ),
            Table(
                ("output", "on all four rows"),
                tuple((check.output, check.finding()) for check in compiled.checks),
                marks=tuple(check.holds for check in compiled.checks),
                left=("output", "on all four rows"),
            ),
            Paragraph(
                "Compiled into a network, the two lines give the 17 numbers that the notebook sets:"
            ),
            weights_table(net.layers),
            shop.draw(
                network_picture(net, shop.task, row={"a": 1, "b": 1}, name="lecture-network"),
                caption="The network, with the value of every unit on 1 + 1.",
            ),
            shop.truth_table(net, caption="The four rows that the notebook prints"),
            *verdict_blocks(verdict),
            shop.draw(
                *surface_pictures(net, shop.task, name="lecture-surface"),
                caption="Each output over the unit square. A bit is right if the row's corner lies "
                "on the correct side of the thick line; for c0 the corner 1, 1 does not.",
            ),
            Remark(
                FORMULA.splitlines()[1],
                HAND_SET,
                "On 1 + 1 the condition a + b = 1 is false, and the formula gives step(1.5 - 2 * "
                "0.5) = step(0.5) = 1. With 3 or more in place of 2 it gives 0.",
            ),
            Remark(
                "all correct!",
                HAND_SET,
                "Three of the four rows are correct. On 1 + 1 the output is 11, three; the sum is "
                "10, two.",
            ),
            Remark(
                "batch size =1 , the only input is [1,0]",
                HAND_SET,
                "The tensor has four rows: the batch size is 4, and the batch holds every input.",
            ),
            Command("adderlab build half-adder --method lecture -o lecture.safetensors"),
            Command("adderlab prove lecture.safetensors"),
        ),
        results={
            "verdict": verdict.to_dict(),
            "checks": [check.to_dict() for check in compiled.checks],
        },
    )
