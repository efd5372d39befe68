"""Chapter: the network whose weights are set by hand."""

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
    """Return the chapter on the hand-set weights, their formula, and the row they get wrong."""
    net = lecture_network(shop.task)
    verdict = shop.keep(net, "lecture")
    compiled = compile_formula(FORMULA, shop.task, where="the notebook")
    _ = (shop.folder / "formula.txt").write_text(FORMULA, encoding="utf-8")
    same = all(
        (tensor.exact().to_floats() == other.exact().to_floats()).all()
        for (_, tensor), (_, other) in zip(net.tensors(), compiled.network.tensors(), strict=True)
    )
    assert same, "the formula's weights are the lecture's"
    return Chapter(
        slug="hand-set",
        title="A network set by hand",
        blocks=(
            Paragraph(
                "Two bits go in, a and b; their sum comes out as two bits, c1 c0. The notebook "
                "derives one step function for each output bit:"
            ),
            Code(FORMULA.rstrip()),
            Paragraph(
                "The part in 1 ( … ) says what is wanted, the rest how it is computed. Before "
                "any weight is set, the two are compared on every row:"
            ),
            Table(
                ("output", "on all four rows"),
                tuple((check.output, check.finding()) for check in compiled.checks),
                marks=tuple(check.holds for check in compiled.checks),
                left=("output", "on all four rows"),
            ),
            Paragraph(
                "Compiled, the two lines give exactly the 17 numbers that the notebook sets:"
            ),
            weights_table(net.layers),
            shop.draw(
                network_picture(net, shop.task, row={"a": 1, "b": 1}, name="lecture-network"),
                caption="The network, and what every unit says on 1 + 1.",
            ),
            shop.truth_table(net, caption="The four rows that the notebook prints"),
            *verdict_blocks(verdict),
            shop.draw(
                *surface_pictures(net, shop.task, name="lecture-surface"),
                caption="Each output over the unit square. A row is right if its corner lies on "
                "the right side of the thick line; for c0 the corner 1, 1 does not.",
            ),
            Remark(
                "all correct!",
                HAND_SET,
                "Three of four rows are: 1 + 1 comes out as 11, three, where 10 is two.",
            ),
            Remark(
                "batch size =1 , the only input is [1,0]",
                HAND_SET,
                "The tensor has four rows, so the batch size is 4, and every input is in it.",
            ),
            Command("adderlab build half-adder --method lecture -o lecture.safetensors"),
            Command("adderlab prove lecture.safetensors"),
        ),
        results={
            "verdict": verdict.to_dict(),
            "checks": [check.to_dict() for check in compiled.checks],
        },
    )
