"""The weights in what was saved: a ``state_dict`` alone, or beside what else a checkpoint holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from adderlab.errors import NetworkFileError

USUAL: Final = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
"""Keys under which checkpoints keep a ``state_dict``, the most usual first."""


@dataclass(frozen=True, slots=True)
class Entries:
    """Weights by name, and what was assumed to get them."""

    weights: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def weights_in(value: Any, is_array: Callable[[Any], bool], where: str) -> Entries:
    """Return the ``state_dict`` that a checkpoint is or holds.

    Args:
        value: what the file holds.
        is_array: whether an entry of a ``state_dict`` may be this.
        where: names the file in errors.

    Raises:
        NetworkFileError: it holds none, or several under names that don't say which is meant.
    """
    if _is_state_dict(value, is_array):
        return Entries(value)
    if not isinstance(value, Mapping):
        raise NetworkFileError(
            f"it holds a {type(value).__name__}, no state_dict",
            where=where,
            remedy="save the weights alone: torch.save(model.state_dict(), PATH)",
        )
    inner = [str(key) for key, entry in value.items() if _is_state_dict(entry, is_array)]
    usual = [key for key in USUAL if key in inner]
    if not usual and len(inner) != 1:
        what = f"several state_dicts: {', '.join(inner[:6])}" if inner else "no state_dict"
        raise NetworkFileError(
            f"it holds {what}",
            where=where,
            remedy="save the weights alone: torch.save(model.state_dict(), PATH)",
        )
    key = (usual or inner)[0]
    others = [str(other) for other in value if str(other) != key]
    beside = f", not its {', '.join(others[:6])}" if others else ""
    return Entries(value[key], (f"read: its {key!r}{beside}"[:200],))


def _is_state_dict(value: Any, is_array: Callable[[Any], bool]) -> bool:
    return (
        isinstance(value, Mapping)
        and len(value) > 0
        and all(isinstance(key, str) and is_array(entry) for key, entry in value.items())
    )
