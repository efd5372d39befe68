"""What training would take at least, and from where on it is refused before it begins.

Rule: an estimate of time is at rates above any that was measured, and the limit is beyond any
patience, so that days and weeks are the user's own decision.
"""

from __future__ import annotations

from typing import Final

from adderlab.errors import ResourceError

LARGEST_BYTES: Final = 8 << 30

YEAR_S: Final = 365.25 * 86400
LONGEST_S: Final = 100 * YEAR_S

PRODUCTS_PER_S: Final = 1e11
"""Products of a weight and a value; ``benchmarks/populations.py`` measured 4e10 on two cores."""

LOOP_LAYERS_PER_S: Final = 1e5
"""Layers of one network by itself, once forward and back; the notebook's loop does 8e3."""

MODULE_BYTES: Final = 1 << 14
"""What a layer of a PyTorch module takes besides its parameters."""

EVENT_BYTES: Final = 256
"""What a step of the schedule takes, as a number in tuples and sets."""


def products(parameters: int, rows: int) -> int:
    """Return the products of a weight and a value in a step, forward alone."""
    return parameters * rows


def check_time(work: float, loop_layers: float = 0) -> None:
    """Refuse training that nobody could wait for.

    Args:
        work: products of a weight and a value, over all steps and networks.
        loop_layers: layers that one network by itself goes through, over all steps.

    Raises:
        ResourceError: with the estimate.
    """
    seconds = max(work / PRODUCTS_PER_S, loop_layers / LOOP_LAYERS_PER_S)
    if seconds > LONGEST_S:
        raise ResourceError(
            f"training would take at least {seconds / YEAR_S:.2g} years, "
            f"over {LONGEST_S / YEAR_S:.0f}",
            where="train",
            remedy="take fewer steps, networks, hidden units or samples",
        )


def check_bytes(estimate: float) -> None:
    """Refuse training that would take more memory than it may.

    Raises:
        ResourceError: with the estimate.
    """
    if estimate > LARGEST_BYTES:
        raise ResourceError(
            f"training would take about {estimate / 1e9:.3g} GB, over {LARGEST_BYTES >> 30} GB",
            where="train",
            remedy="take fewer hidden units, samples or members, or fewer steps of a batch",
        )
