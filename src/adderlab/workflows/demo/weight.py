"""Chapter: what the parameters weigh."""

from __future__ import annotations

from adderlab.building import lecture_network
from adderlab.counting import count
from adderlab.formats import FORMATS
from adderlab.report import Chapter, Paragraph, Table, Try
from adderlab.workflows.demo.workshop import Workshop

SHOWN = ("fp32", "fp16", "int8", "int6", "int4", "int3", "int2")


def weight(shop: Workshop) -> Chapter:
    """Return the chapter on parameters and bytes."""
    found = count(lecture_network(shop.task))
    return Chapter(
        slug="bytes",
        title="How many parameters, how many bytes?",
        blocks=(
            Paragraph("The notebook asks, layer by layer:"),
            Table(
                ("layer", "weights + biases", "parameters", "bytes in fp32"),
                (
                    *(
                        (
                            layer.name,
                            layer.arithmetic.partition(" = ")[0],
                            str(layer.parameters),
                            f"{layer.parameters} * 4 = {layer.parameters * 4}",
                        )
                        for layer in found.layers
                    ),
                    ("all", "", str(found.raw), str(found.bytes["fp32"])),
                ),
                left=("layer",),
            ),
            Paragraph(
                "and walks from fp32 down to two bits. As arithmetic, whole bytes; whether the "
                "network still adds in a format is another question, for prove --format:"
            ),
            Table(
                ("format", "bits each", f"bytes of {found.raw} parameters"),
                tuple((name, str(FORMATS[name].bits), str(found.bytes[name])) for name in SHOWN),
                left=("format",),
            ),
            Try("adderlab count lecture.safetensors"),
        ),
        results=found.to_dict(),
    )
