"""What is said of a file after it was run: whether it computes what the network computes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Comparison:
    """A file beside its network.

    Attributes:
        equal: whether both compute the same on every row; ``None`` where nothing here could run it.
        rows: how many rows were compared.
        by: what ran the file: ``Node.js v24``.
        reason: of what is not equal, or could not be run.
    """

    equal: bool | None
    rows: int = 0
    by: str = ""
    reason: str = ""
