"""Chapter: one start under many learning rates and scales, as a map."""

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
    """Return the chapter with the map of learning rate and scale."""
    side = max(8, min(LARGEST, isqrt(shop.networks)))
    total = side * side
    done = 0

    def on_progress(pixels: int) -> None:
        nonlocal done
        done += pixels
        shop.on_progress(f"training {total} networks", min(done / total, 1.0))

    trained_map = make_map(shop.task, x=X, y=Y, size=side, member=MEMBER, on_progress=on_progress)
    converged = float((trained_map.measure < 0).mean())
    return Chapter(
        slug="trainability",
        title="One start, every learning rate",
        blocks=(
            Paragraph(
                f"Each pixel is one network. All {trained_map.networks:,} have the same start, but "
                "for a factor, and the same data; to the right the learning rate grows, upwards "
                f"the factor. {converged:.1%} end with a smaller loss than they began with, "
                f"{float(trained_map.success.mean()):.1%} are right on all four rows. Where "
                "training begins to fail the border is ragged; of larger networks Sohl-Dickstein "
                "(2024) found that it is a fractal. Narrower ranges zoom in."
            ),
            shop.draw(
                trained_map.picture(name="map-convergence"),
                trained_map.picture(name="map-success", shows="success"),
                caption="Where training converges, and where the network is right at the end.",
            ),
            Command(f"adderlab map half-adder --x {X} --y {Y} --member {MEMBER} -o map.png"),
        ),
        results={
            "networks": trained_map.networks,
            "converged": int((trained_map.measure < 0).sum()),
            "successes": int(trained_map.success.sum()),
            "x": trained_map.grid.x.to_dict(),
            "y": trained_map.grid.y.to_dict(),
            "member": MEMBER,
        },
    )
