"""Chapter: the data set of the training notebook."""

from __future__ import annotations

import numpy as np

from adderlab.blocks import Chapter, Paragraph, Table
from adderlab.demo.workshop import Workshop
from adderlab.tasks import sample

SAMPLES = 1000


def data_set(shop: Workshop) -> Chapter:
    """Return the chapter on the 1000 random samples."""
    task = shop.task
    drawn = sample(task, SAMPLES, seed=0)
    counts = np.bincount(drawn.words["a"] * 2 + drawn.words["b"], minlength=4)
    rows = zip(drawn.inputs.tolist(), drawn.outputs.tolist(), strict=True)
    shop.write_csv("data.csv", (*task.input_bits, *task.output_bits), [[*x, *y] for x, y in rows])
    return Chapter(
        slug="data",
        title="The data set",
        blocks=(
            Paragraph(
                f"The training notebook draws {SAMPLES} random pairs of bits and labels each with "
                "its sum. Only four different rows exist, so the data set is a truth table with "
                "a count for each row:"
            ),
            Table(
                ("a", "b", "c1 c0", "samples", "share"),
                tuple(
                    (
                        str(row >> 1),
                        str(row & 1),
                        f"{(row >> 1) + (row & 1):02b}",
                        str(counts[row]),
                        f"{counts[row] / SAMPLES:.1%}",
                    )
                    for row in range(4)
                ),
                caption="Seed 0",
            ),
            Paragraph(
                "No rows are held out for testing, and none need to be: a network can be proved "
                "right on all four rows, which are all the inputs there are."
            ),
        ),
        results={"seed": 0, "samples": SAMPLES, "counts": counts.tolist()},
    )
