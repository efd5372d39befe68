"""The entries of a ``config.json``, read with all faults collected and named at once."""

from __future__ import annotations

import codecs
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adderlab.errors import OptionError
from adderlab.reading import JsonError, Refusals, parse_json, read_file

LARGEST_CONFIG_BYTES: Final = 16 << 20
LARGEST_SIZE: Final = 1 << 40
LAYER_KINDS: Final = {"full_attention": False, "sliding_attention": True}
"""The values of ``layer_types``, and whether such a layer sees a window alone."""


@dataclass(slots=True)
class Keys:
    """The entries of a configuration, with the faults of those that were read.

    Attributes:
        entries: the JSON object.
        defaults: sizes that its model type's own class takes where a key is absent; of a
            configuration inside another, which is written without them.
        missing: keys that are needed and absent.
        wrong: what is wrong with a value, one sentence each.
        assumed: what was taken from ``defaults``, as ``head_dim 256``.
    """

    entries: dict[str, Any]
    defaults: dict[str, int] = field(default_factory=dict[str, int])
    missing: list[str] = field(default_factory=list[str])
    wrong: list[str] = field(default_factory=list[str])
    assumed: list[str] = field(default_factory=list[str])

    def size(
        self, *names: str, default: int | None = None, derived: bool = False, zero: bool = False
    ) -> int:
        """Return a whole number above 0; 1 and a fault where there is none.

        Args:
            names: its key, and others that mean the same; the first that is there counts.
            default: what the model type's own class takes where the key is absent or null.
            derived: whether null means the default, which follows from other keys.
            zero: whether it may be 0.
        """
        key = next((name for name in names if self.entries.get(name) is not None), names[0])
        value = self.entries.get(key)
        if value is None and key not in self.entries and key in self.defaults:
            self.assumed.append(f"{key} {self.defaults[key]}")
            return self.defaults[key]
        if value is None and (default is not None or derived):
            return default or 0
        if key not in self.entries:
            self.missing.append(key)
            return 1
        least = 0 if zero else 1
        if (
            not isinstance(value, int)
            or isinstance(value, bool)
            or not least <= value <= LARGEST_SIZE
        ):
            rule = "no whole number" if zero else "no whole number above 0"
            self.wrong.append(f"{key} is {_shown(value)}, {rule}")
            return 1
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a truth value; the default where it is absent."""
        value = self.entries.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong.append(f"{key} is {_shown(value)}, neither true nor false")
            return default
        return value

    def windowed(self, layers: int) -> int | None:
        """Return how many layers ``layer_types`` gives a sliding window; ``None`` without it."""
        kinds = self.entries.get("layer_types")
        if kinds is None:
            return None
        is_list = isinstance(kinds, list) and all(isinstance(kind, str) for kind in kinds)
        if not is_list or len(kinds) != layers:
            self.wrong.append(f"layer_types does not name the kind of each of {layers} layers")
            return 0
        unknown = [kind for kind in kinds if kind not in LAYER_KINDS]
        if unknown:
            known = " and ".join(LAYER_KINDS)
            self.wrong.append(f"layer_types names {_shown(unknown[0])}; {known} are known")
        return sum(LAYER_KINDS.get(kind, False) for kind in kinds)


def _shown(value: Any) -> str:
    return json.dumps(value)[:40]


def shared_head_width(keys: Keys, width: int, heads: int, *names: str) -> int:
    """Return the channels of a head where heads share the width out; a fault where they can't."""
    if width % heads and not (keys.missing or keys.wrong):
        keys.wrong.append(f"{names[0]} {width} is no multiple of {names[1]} {heads}")
    return max(width // heads, 1)


def read_json(path: Path, largest_bytes: int) -> Any:
    """Return the JSON in a regular file of at most ``largest_bytes``.

    Raises:
        OptionError: it is missing, no regular file, too large, or no JSON.
    """
    remedy = "name a model's JSON file"
    raw = read_file(path, largest_bytes, Refusals(OptionError, too_large=remedy, ending=".json"))
    try:
        return parse_json(raw.removeprefix(codecs.BOM_UTF8), is_finite=False)
    except JsonError as error:
        raise OptionError(f"it {error}", where=str(path), remedy=remedy) from None
