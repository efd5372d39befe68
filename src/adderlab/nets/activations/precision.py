"""The precision of Arb's balls, which python-flint keeps once for the whole process.

Rule: who computes with balls has the precision alone until the block ends, so that verdicts in
several threads are those that each would reach by itself.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from threading import RLock
from typing import Final

_ALONE: Final = RLock()


@contextmanager
def ball_precision(bits: int) -> Generator[None]:
    """Let balls have so many bits within the block."""
    from flint import ctx  # only curves need it

    with _ALONE, ctx.workprec(bits):
        yield
