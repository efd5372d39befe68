"""The axes of a map: which setting, from where to where, in which steps.

Examples:
    >>> str(parse_axis("lr=0.01:10:log", "x"))
    'lr=0.01:10:log'
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.blocks.numbers import exact
from adderlab.errors import OptionError
from adderlab.training.settings import LARGEST, SMALLEST

if TYPE_CHECKING:
    from jaxtyping import Float64

LARGEST_SIDE: Final = 4096
SCALES: Final = ("linear", "log")


@dataclass(frozen=True, slots=True)
class Kind:
    """A setting that can be an axis.

    Attributes:
        setting: the field of the settings it changes.
        least: the smallest value.
        below: what the values must stay below.
        whole: whether they are whole numbers.
    """

    setting: str
    least: float
    below: float = LARGEST
    whole: bool = False


KINDS: Final = {
    "lr": Kind("lr", 0.0),
    "init": Kind("init_scale", 0.0),
    "hidden": Kind("hidden", 1, 1 << 12, whole=True),
    "steps": Kind("steps", 1, 1 << 31, whole=True),
    "momentum": Kind("momentum", 0.0, 1.0),
    "batch": Kind("batch", 1, 1 << 20, whole=True),
}
"""By the name on the command line."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a map.

    Attributes:
        name: the name of the setting.
        low: its first value.
        high: its last.
        scale: ``linear`` or ``log``.
    """

    name: str
    low: float
    high: float
    scale: str = "linear"

    @property
    def kind(self) -> Kind:
        """The kind of the setting."""
        return KINDS[self.name]

    def values(self, count: int) -> Float64[np.ndarray, " place"]:
        """Return the values at ``count`` places from the first to the last, both included."""
        if self.scale == "log":
            points = np.geomspace(self.low, self.high, count)
        else:
            points = np.linspace(self.low, self.high, count)
        points[-1] = self.high if count > 1 else self.low
        return np.rint(points) if self.kind.whole else points

    def to_dict(self) -> dict[str, Any]:
        """Return the name, the ends ``low`` and ``high``, and the ``scale``."""
        return {"name": self.name, "low": self.low, "high": self.high, "scale": self.scale}

    def __str__(self) -> str:
        return f"{self.name}={exact(self.low)}:{exact(self.high)}:{self.scale}"


def parse_axis(text: str, option: str) -> Axis:
    """Return the axis that ``NAME=LOW:HIGH`` names, with ``:log`` for equal ratios.

    Args:
        text: the axis as text.
        option: ``x`` or ``y``, for the message.

    Raises:
        OptionError: it is not of that form, or beyond what the setting can be.
    """

    def refused(remedy: str) -> OptionError:
        return OptionError(f"got {text!r}", where=option, remedy=remedy)

    name, _, rest = text.partition("=")
    parts = rest.split(":")
    if name not in KINDS or len(parts) not in (2, 3):
        names = ", ".join(KINDS)
        raise refused(f"give NAME=LOW:HIGH or NAME=LOW:HIGH:log with a NAME of {names}")
    scale = {"lin": "linear"}.get(parts[2], parts[2]) if len(parts) == 3 else "linear"
    if scale not in SCALES:
        raise refused("end it with :linear or :log")
    try:
        low, high = float(parts[0]), float(parts[1])
    except ValueError:
        raise refused("give two numbers, like 0.01:10") from None
    kind = KINDS[name]
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise refused("give two finite numbers, the smaller first")
    if kind.whole and not (low.is_integer() and high.is_integer()):
        raise refused("give whole numbers")
    if low < kind.least or high >= kind.below:
        raise refused(f"give numbers from {kind.least:g} to below {kind.below:g}")
    if low <= 0 and (scale == "log" or name in ("lr", "init")):
        raise refused("begin above 0")
    if low > 0 and not np.float32(low) and name in ("lr", "init"):
        raise refused(f"begin at {SMALLEST:.2g} or above, the smallest number of fp32")
    return Axis(name, low, high, scale)


def parse_size(text: str | int) -> tuple[int, int]:
    """Return columns and rows: ``256`` for a square, ``640x480`` for another.

    Raises:
        OptionError: it is neither, or too large.
    """
    parts = str(text).lower().split("x")
    if len(parts) not in (1, 2) or not all(part.isdecimal() for part in parts):
        raise OptionError(
            f"got {text}", where="size", remedy="give a whole number, or two: 640x480"
        )
    sides = [int(part) for part in parts]
    columns, rows = sides[0], sides[-1]
    if min(columns, rows) < 2:
        raise OptionError(f"got {text}", where="size", remedy="give at least 2")
    return columns, rows
