"""What a comparison with a limit does on the limit itself: ``>`` or ``>=``."""

from __future__ import annotations

from typing import Any, Final, Literal, TypeAlias

Convention: TypeAlias = Literal[">", ">="]
CONVENTIONS: Final = (">", ">=")


def is_above(values: Any, limit: Any, convention: str) -> Any:
    """Return ``values > limit`` or ``values >= limit``, of whatever compares: tensors too."""
    return values > limit if convention == ">" else values >= limit
