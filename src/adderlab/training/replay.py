"""A training run repeated from the record in a network file."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from adderlab.errors import NetworkFileError, OptionError
from adderlab.training.choice import ENSEMBLE, LANES, WIDE
from adderlab.training.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from adderlab.nets import Network
    from adderlab.tasks import Task

LOOP: Final = "torch-loop"
PATHS: Final = (LOOP, LANES, WIDE, ENSEMBLE)
"""The engines that a record may name."""


def recorded(net: Network, where: str) -> tuple[Task, Settings]:
    """Return the task and the settings in a network's training record.

    Args:
        net: a network.
        where: what to call it in an error.

    Raises:
        NetworkFileError: there is no record, or one that can't be followed.
    """
    if net.training is None or net.task is None:
        raise NetworkFileError(
            "it has no training record",
            where=where,
            remedy="take a network that was trained, by `train(out=…)`",
        )
    if not net.is_chain:
        raise NetworkFileError(
            "its training record trains a chain of layers, and the network is no chain",
            where=where,
            remedy="look at the network as it was trained, before it was changed",
        )
    try:
        settings = Settings.from_record(net.training)
    except OptionError as error:
        raise _refused(error, where) from None
    path = net.training.get("path")
    if path not in PATHS:
        raise NetworkFileError(
            f"its training path {str(path)[:40]!r} is not known",
            where=where,
            remedy=f"this version follows {', '.join(PATHS)}",
        )
    if path != LOOP and settings.member is None:
        raise NetworkFileError(
            "the training record names a population and no member",
            where=where,
            remedy="train the network again",
        )
    return net.task, settings


def train_again(
    net: Network,
    where: str,
    *,
    on_loss: Callable[[int, float], None] = lambda step, loss: None,
    on_step: Callable[[int, nn.Module], None] | None = None,
) -> tuple[Network | None, float]:
    """Train a network again from its record, along the same path.

    Args:
        net: a network with a training record.
        where: what to call it in an error.
        on_loss: called with step and loss every 100 steps of the notebook's loop.
        on_step: called with step and model after every step; the notebook's loop is taken then,
            whatever the record's path.

    Returns:
        The network, ``None`` if it diverged, and the seconds that it took.

    Raises:
        NetworkFileError: there is no record, or one that can't be followed.
    """
    task, settings = recorded(net, where)
    assert net.training is not None
    path = str(net.training["path"])
    try:
        if path == LOOP or on_step is not None:
            from adderlab.training.loop import train_network

            watch = on_step or (lambda step, model: None)
            run = train_network(task, settings, on_loss=on_loss, on_step=watch)
            return run.network, run.seconds
        from adderlab.training.members import train_members

        assert settings.member is not None
        start = time.perf_counter()
        members = train_members(task, settings, [settings.member], path=path)
        return members.network(0), time.perf_counter() - start
    except OptionError as error:
        raise _refused(error, where) from None


def start_of(net: Network, where: str) -> Network:
    """Return the network from which a trained one started: its own run, ended before step 1.

    Args:
        net: a network with a training record.
        where: what to call it in an error.

    Raises:
        NetworkFileError: there is no record, or one that can't be followed.
    """
    from adderlab.training.loop import train_network

    task, settings = recorded(net, where)
    start = train_network(task, replace(settings, steps=0)).network
    if start is None:
        raise NetworkFileError(
            "its training started from non-finite weights",
            where=where,
            remedy="take a network with a smaller start",
        )
    return start


def first_difference(
    net: Network, again: Network | None
) -> tuple[tuple[str, float, float] | None, float]:
    """Return the first parameter that differs with both values, and the largest difference."""
    first: tuple[str, float, float] | None = None
    largest = 0.0
    if again is None:
        return None, float("inf")
    for (name, tensor), (_, other) in zip(net.tensors(), again.tensors(), strict=False):
        if tensor.shape != other.shape:
            shape = f"{name} of shape {list(tensor.shape)}"
            return (shape, float("nan"), float("nan")), float("inf")
        then, now = tensor.exact().to_floats(), other.exact().to_floats()
        places = np.argwhere(then != now)
        if places.size and first is None:
            index = tuple(int(i) for i in places[0])
            first = (f"{name}{list(index)}", float(then[index]), float(now[index]))
        largest = max(largest, float(np.abs(then - now).max(initial=0.0)))
    return first, largest


def _refused(error: OptionError, where: str) -> NetworkFileError:
    is_record = error.where == "training"
    what = error.what if is_record else f"the training record: {error.where} {error.what}"
    return NetworkFileError(what, where=where, remedy=error.remedy)
