"""Chapter: a map of training over learning rate and initial scale."""

from __future__ import annotations

from math import isqrt
from typing import Final

from adderlab.blocks import Chapter, Command, Paragraph
from adderlab.demo.workshop import Workshop
from adderlab.verbs.map import map as make_map

MEMBER: Final = 1
LARGEST: Final = 256
X: Final = "lr=0.1:3:log"
Y: Final = "init=0.1:10:log"


def trainability(shop: Workshop) -> Chapter:
    """Return the chapter with the map of learning rate and initial scale."""
    side = max(8, min(LARGEST, isqrt(shop.networks)))
    total = side * side
    done = 0

    def on_progress(pixels: int) -> None:
        nonlocal done
        done += pixels
        shop.on_progress(f"training {total} networks", min(done / total, 1.0))

    trained = make_map(
        shop.task,
        x=X,
        y=Y,
        size=side,
        member=MEMBER,
        out=shop.folder / "map.png",
        on_progress=on_progress,
    )
    converged = float((trained.measure < 0).mean())
    return Chapter(
        slug="trainability",
        title="One initial network, many learning rates",
        blocks=(
            Paragraph(
                f"Each pixel is a training run. All {trained.networks:,} use the data and the "
                f"initial weights of member {MEMBER} of seed 0, the weights times a factor; the "
                "learning rate grows to the right, the factor upwards. "
                f"{converged:.1%} end with a lower loss than they started with, "
                f"and {float(trained.success.mean()):.1%} are right on all four rows. For "
                "larger networks Sohl-Dickstein (2024) showed that the border of what converges "
                "is a fractal. Narrower ranges zoom in."
            ),
            shop.draw(
                trained.picture(name="map-convergence"),
                trained.picture(name="map-success", shows="success"),
                caption="Where training converges, and where the trained network is right.",
            ),
            Command(
                f"adderlab map half-adder --x {X} --y {Y} --size {side} --member {MEMBER} "
                "-o map.png"
            ),
        ),
        results={
            "networks": trained.networks,
            "converged": int((trained.measure < 0).sum()),
            "successes": int(trained.success.sum()),
            "x": trained.grid.x.to_dict(),
            "y": trained.grid.y.to_dict(),
            "member": MEMBER,
        },
    )
