"""Chapter: the data set that the training notebook draws."""

from __future__ import annotations

import numpy as np

from adderlab.blocks import Chapter, Paragraph, Table
from adderlab.demo.workshop import Workshop
from adderlab.tasks import sample

SAMPLES = 1000


def data_set(shop: Workshop) -> Chapter:
    """Return the chapter on the 1000 random pairs."""
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
                "its sum. Only four different rows exist, so it is a table of four rows, each "
                "with a weight:"
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
                "No row is held back to test on, and none needs to be: the four rows are all "
                "there is, and they can be proved instead."
            ),
        ),
        results={"seed": 0, "samples": SAMPLES, "counts": counts.tolist()},
    )
