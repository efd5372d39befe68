"""What a ``config.json`` beside weight files says: how they are packed, and what is tied."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adderlab.counting.config_file import read_config
from adderlab.counting.config_keys import LARGEST_CONFIG_BYTES, read_json
from adderlab.counting.packed import Hint
from adderlab.counting.quantized_config import quantization_entries
from adderlab.errors import OptionError

NAME: Final = "config.json"


@dataclass(frozen=True, slots=True)
class Beside:
    """What is known of weight files from their configuration.

    Attributes:
        hint: how packed weights are to be read.
        tied: whether the output head is the embedding; ``None`` where that is not known.
        notes: what has to be said, one sentence each.
    """

    hint: Hint = field(default_factory=Hint)
    tied: bool | None = None
    notes: tuple[str, ...] = ()


def read_beside(folder: Path) -> Beside:
    """Return what the ``config.json`` of a folder says; nothing where there is none.

    One that can't be read is no reason to count nothing: that it was not used is said.
    """
    path = folder / NAME
    if not path.is_file():
        return Beside()
    try:
        entries = read_json(path, LARGEST_CONFIG_BYTES)
    except OptionError as error:
        return Beside(notes=(f"{NAME} beside it was not used: {error.what}",))
    if not isinstance(entries, dict):
        return Beside(notes=(f"{NAME} beside it was not used: not a JSON object",))
    return Beside(_hint(entries), _tied(entries, str(path)))


def _hint(entries: dict[str, Any]) -> Hint:
    named = quantization_entries(entries)
    if named is None:
        return Hint()
    method, values = named
    bits, group = _pair(values)
    groups = values.get("config_groups")
    if isinstance(groups, dict):
        weights = [group.get("weights") for group in groups.values() if isinstance(group, dict)]
        sizes = [_pair(entry) for entry in weights if isinstance(entry, dict)]
        if len(set(sizes)) == 1:
            bits, group = sizes[0]
    own = {name: _pair(value) for name, value in values.items() if isinstance(value, dict)}
    own = {name: pair for name, pair in own.items() if pair[0] is not None}
    return Hint(method, bits, group, own)


def _pair(values: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return bits and group size, where they are sizes."""
    bits, group = values.get("bits", values.get("num_bits")), values.get("group_size")
    return (
        bits if type(bits) is int and 0 < bits <= 64 else None,
        group if type(group) is int and 0 < group < 1 << 24 else None,
    )


def _tied(entries: dict[str, Any], where: str) -> bool | None:
    try:
        return read_config(entries, where).architecture.tied
    except OptionError:  # of an unknown type, say: then the files alone count
        return None
