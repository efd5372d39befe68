"""A function whose diagram is large, though it says little more than a majority."""

from __future__ import annotations

import numpy as np


def noisy_majority(count: int) -> tuple[int, list[tuple[int, int]]]:
    """Return a sum whose parts differ in every subset, though they decide a simple majority."""
    rng = np.random.default_rng(count)
    noise = rng.integers(-9000, 9001, count).tolist()
    terms = [(variable, 1_000_000 + extra) for variable, extra in enumerate(noise)]
    return -1_000_000 * (count // 2) - 500_000, terms
