"""``train --replay``: train a network again from its own record and compare the bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from adderlab.blocks import Block, Line, Result
from adderlab.checking import checked
from adderlab.nets import Network, sha256, to_bytes
from adderlab.nets.sources import read_source
from adderlab.training import Settings
from adderlab.training.replay import first_difference, recorded, train_again
from adderlab.training.settings import settings_text

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, repr=False)
class Replay(Result):
    """The result of training again from a record.

    Attributes:
        agrees: whether the bytes of the file came out again, all of them.
        weights_agree: whether every parameter did, bit for bit.
        first_difference: the first parameter that did not, with both values.
        largest_difference: over all parameters.
        changed: record entries that differ, with both values (versions, say).
        settings: what the record says.
        sha256: of the file, and of what came out.
        seconds: how long training took.
    """

    agrees: bool
    weights_agree: bool
    first_difference: tuple[str, float, float] | None
    largest_difference: float
    changed: dict[str, tuple[Any, Any]]
    settings: Settings
    sha256: tuple[str, str]
    seconds: float

    def __bool__(self) -> bool:
        return self.agrees

    def blocks(self) -> tuple[Block, ...]:
        """Return what the record says, and whether the bytes agree."""
        return (
            Line(f"the record says: {settings_text(self.settings)}"),
            Line(self.summary(), "good" if self.agrees else "bad"),
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "agrees": self.agrees,
            "weights_agree": self.weights_agree,
            "first_difference": _numbers(self.first_difference),
            "largest_difference": _number(self.largest_difference),
            "changed": {name: list(pair) for name, pair in self.changed.items()},
            "sha256": {"file": self.sha256[0], "replayed": self.sha256[1]},
            "seconds": round(self.seconds, 6),
        }

    def __repr__(self) -> str:
        return f"Replay: {self.summary()}"

    def summary(self) -> str:
        """Return one line that says whether the bytes agree, and what differs if not."""
        if self.agrees:
            return "the bytes agree: training again gives the same file"
        if self.weights_agree:
            names = ", ".join(
                f"{name} ({a} then, {b} now)" for name, (a, b) in self.changed.items()
            )
            return f"the weights agree bit for bit, the record does not: {names}"
        if self.first_difference is None:
            return "the bytes differ: training again gives non-finite weights"
        name, then, now = self.first_difference
        return (
            f"the bytes differ: {name} is {then!r} in the file, {now!r} when trained again "
            f"(largest difference {self.largest_difference:.3g})"
        )


@checked
def replay(
    model: Network | str | Path,
    *,
    on_loss: Callable[[int, float], None] = lambda step, loss: None,
) -> Replay:
    """Train a network again from the record in its file and say whether the bytes agree.

    Args:
        model: a trained network, or the path of its file.
        on_loss: called with step and loss every 100 steps.

    Raises:
        NetworkFileError: the file has no training record, or one that can't be followed.
    """
    source = read_source(model)
    net = source.network
    where = str(model) if isinstance(model, str | Path) else "network"
    _, settings = recorded(net, where)
    again, seconds = train_again(net, where, on_loss=on_loss)
    if again is None:
        empty = (source.sha256, "")
        return Replay(False, False, None, float("inf"), {}, settings, empty, seconds)
    then, now = dict(net.training or {}), dict(again.training or {})
    changed = {
        name: (then.get(name), now.get(name))
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    }
    first, largest = first_difference(net, again)
    data = to_bytes(again)
    return Replay(
        agrees=data == source.data,
        weights_agree=first is None,
        first_difference=first,
        largest_difference=largest,
        changed=changed,
        settings=settings,
        sha256=(source.sha256, sha256(data)),
        seconds=seconds,
    )


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _numbers(difference: tuple[str, float, float] | None) -> list[Any] | None:
    return (
        None
        if difference is None
        else [difference[0], _number(difference[1]), _number(difference[2])]
    )
