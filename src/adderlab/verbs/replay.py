"""``train --replay``: train a network again from its own record and compare the bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.errors import NetworkFileError, OptionError
from adderlab.nets import Network, sha256, to_bytes
from adderlab.nets.sources import read_source
from adderlab.training import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from adderlab.tasks import Task


@dataclass(frozen=True, slots=True)
class Replay:
    """What training again gave.

    Attributes:
        agrees: whether the bytes of the file came out again, all of them.
        weights_agree: whether every parameter did, bit for bit.
        first_difference: the first parameter that did not, with both values.
        largest_difference: over all parameters.
        changed: record entries that came out otherwise, with both values (versions, say).
        settings: what the record told.
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

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
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
            return "the bytes differ: training again leaves the finite numbers"
        name, then, now = self.first_difference
        return (
            f"the bytes differ: {name} is {then!r} in the file, {now!r} when trained again "
            f"(largest difference {self.largest_difference:.3g})"
        )


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
    if net.training is None or net.task is None:
        raise NetworkFileError(
            "it has no training record", where=where, remedy="replay a network that was trained"
        )
    try:
        settings = Settings.from_record(net.training)
    except OptionError as error:
        raise NetworkFileError(
            f"the training record: {error.where} {error.what}", where=where, remedy=error.remedy
        ) from None
    train_again = PATHS.get(str(net.training.get("path")))
    if train_again is None:
        raise NetworkFileError(
            f"its training path {str(net.training.get('path'))[:40]!r} is not known",
            where=where,
            remedy=f"this version follows {', '.join(PATHS)}",
        )
    try:
        again, seconds = train_again(net.task, settings, on_loss)
    except OptionError as error:
        raise NetworkFileError(
            f"the training record: {error.where} {error.what}", where=where, remedy=error.remedy
        ) from None
    if again is None:
        empty = (source.sha256, "")
        return Replay(False, False, None, float("inf"), {}, settings, empty, seconds)
    then, now = dict(net.training), dict(again.training or {})
    changed = {
        name: (then.get(name), now.get(name))
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    }
    first, largest = _difference(net, again)
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


def _numbers(found: tuple[str, float, float] | None) -> list[Any] | None:
    return None if found is None else [found[0], _number(found[1]), _number(found[2])]


def _by_loop(
    task: Task, settings: Settings, on_loss: Callable[[int, float], None]
) -> tuple[Network | None, float]:
    from adderlab.training.loop import train_network

    run = train_network(task, settings, on_loss=on_loss)
    return run.network, run.seconds


def _by_engine(path: str) -> Callable[..., tuple[Network | None, float]]:
    """Return what trains a member of a population again, along the same path."""

    def train_again(
        task: Task, settings: Settings, on_loss: Callable[[int, float], None]
    ) -> tuple[Network | None, float]:
        from adderlab.training.members import train_members

        _ = on_loss  # a population's losses are looked at when it is done
        start = time.perf_counter()
        if settings.member is None:
            from adderlab.training.seeded import train_seeded

            return train_seeded(task, settings), time.perf_counter() - start
        members = train_members(task, settings, [settings.member], path=path)
        return members.network(0), time.perf_counter() - start

    return train_again


PATHS: Final = {
    "torch-loop": _by_loop,
    **{path: _by_engine(path) for path in ("numba-lanes", "numba-wide", "torch-ensemble")},
}
"""How a network is trained again, by the path in its record."""


def _difference(net: Network, again: Network) -> tuple[tuple[str, float, float] | None, float]:
    """Return the first parameter that differs with both values, and the largest difference."""
    first = None
    largest = 0.0
    for (name, one), (_, two) in zip(net.tensors(), again.tensors(), strict=False):
        if one.shape != two.shape:
            return (f"{name} of shape {list(one.shape)}", float("nan"), float("nan")), float("inf")
        then, now = one.exact().to_floats(), two.exact().to_floats()
        apart = np.argwhere(then != now)
        if apart.size and first is None:
            index = tuple(int(i) for i in apart[0])
            first = (f"{name}{list(index)}", float(then[index]), float(now[index]))
        largest = max(largest, float(np.abs(then - now).max(initial=0.0)))
    return first, largest
