"""``explain --why``: analyze a network; replay its training run, and try what would have helped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from adderlab.errors import NetworkFileError, ResourceError
from adderlab.explaining.design import Comparison, compare_with
from adderlab.explaining.history import History, find_inactivity, inactivity_of, separability
from adderlab.explaining.units import unit_meanings, whole_table
from adderlab.nets import Network, network
from adderlab.nets.sources import task_of
from adderlab.nets.truth import truth_rows
from adderlab.training import Settings
from adderlab.training.loop import train_network
from adderlab.training.replay import first_difference, recorded, train_again
from adderlab.verbs.prove import prove
from adderlab.verbs.why import DESIGNED, Attempt, Why

if TYPE_CHECKING:
    from torch import nn

    from adderlab.tasks import Task

LARGEST_HISTORY: Final = 1 << 28
"""Bytes that the weights of all steps may take."""

RATIOS: Final = (2.0, 0.5, 4.0, 0.25)
OTHER_SEEDS: Final = 8


def why(
    net: Network,
    *,
    where: str = "network",
    on_progress: Callable[[str, float], None] = lambda what, share: None,
) -> Why:
    """Return why a network works or fails; with a training record, from its own run.

    Args:
        net: with a task.
        where: its name in an error.
        on_progress: called with the activity and the share done, 0 to 1.

    Raises:
        NetworkFileError: it has a record that can't be followed.
        TaskError: no task is known.
        ResourceError: too many rows, or too long a run to keep the weights of all its steps.
    """
    if net.training is None:
        return _without_record(net)
    task, settings = recorded(net, where)
    block = whole_table(task)
    verdict = prove(net, task)
    on_progress("training again", 0.0)
    history, again = replayed(net, where)
    _check_same_shape(net, history, where)
    _, largest = first_difference(net, again)
    inactivity = find_inactivity(net, task, block, history, loss=settings.loss)
    attempts: list[Attempt] = []
    if not verdict:
        for number, (change, option, changed) in enumerate(nearby(settings)):
            on_progress(f"trying {change}", min(0.1 + 0.04 * number, 0.95))
            keeps = (changed.hidden, changed.seed) == (settings.hidden, settings.seed)
            if changed.seed != settings.seed and any(attempt.works for attempt in attempts):
                break  # other seeds are tried only if nothing else helped
            attempts.append(_attempt(task, change, option, changed, keeps_start=keeps))
            if attempts[-1].works and (keeps or changed.seed != settings.seed):
                break
    return Why(
        net,
        task,
        settings,
        verdict,
        tuple(truth_rows(net, task)),
        largest == 0,
        largest,
        inactivity,
        separability(net, task, block),
        tuple(attempts),
        unit_meanings(net, task),
        _comparisons(net),
    )


def _without_record(net: Network) -> Why:
    """Return what the weights alone say."""
    task = task_of(net, None)
    block = whole_table(task)
    return Why(
        net,
        task,
        None,
        prove(net, task),
        tuple(truth_rows(net, task)),
        None,
        None,
        inactivity_of(net, task, block),
        separability(net, task, block),
        (),
        unit_meanings(net, task),
        _comparisons(net),
    )


def _comparisons(net: Network) -> tuple[Comparison, ...]:
    compared = (compare_with(net, *pair) for pair in _designs(net))
    return tuple(comparison for comparison in compared if comparison)


def replayed(net: Network, where: str = "network") -> tuple[History, Network | None]:
    """Train again by the lecture's loop, keeping the weights of every step.

    Raises:
        ResourceError: they would take too much memory.
    """
    _, settings = recorded(net, where)
    kept: list[dict[str, Any]] = []

    def on_step(step: int, model: nn.Module) -> None:
        _ = step
        kept.append(
            {
                name: parameter.detach().numpy().copy()
                for name, parameter in model.named_parameters()
            }
        )
        if step == 0:
            size = sum(array.nbytes for array in kept[0].values()) * (settings.steps + 1)
            if size > LARGEST_HISTORY:
                raise ResourceError(
                    f"the weights of {settings.steps} steps take {size / 1e6:.0f} MB",
                    where="why",
                    remedy=f"look at a shorter run, of up to {LARGEST_HISTORY >> 20} MB",
                )

    again, _ = train_again(net, where, on_step=on_step)
    tensors = [f"fc{at // 2 + 1}.{('weight', 'bias')[at % 2]}" for at in range(len(kept[0]))]
    names = dict(zip(kept[0], tensors, strict=True))  # a Sequential calls its layers otherwise
    stacked = {
        names[name]: np.stack([step_weights[name] for step_weights in kept]) for name in kept[0]
    }
    return History(stacked), again


def _check_same_shape(net: Network, history: History, where: str) -> None:
    """Refuse a record that trains another network than the one in the file.

    Raises:
        NetworkFileError: with the tensor.
    """
    for name, tensor in net.tensors():
        trained = history.arrays[name].shape[1:] if name in history.arrays else None
        if trained != tensor.shape:
            raise NetworkFileError(
                f"its training record makes {name} of shape {list(trained or ())}, the file has "
                f"{list(tensor.shape)}",
                where=where,
                remedy="look at the network as it was trained, before it was changed",
            )


def nearby(settings: Settings) -> Iterator[tuple[str, str, Settings]]:
    """Yield settings with one thing changed, the nearest first, each with its option.

    Numbers come first, those changed by the smallest ratio before the others; then another
    activation, then another optimizer; another seed is no change of method and comes last.
    """
    numbers: list[tuple[float, str, str, Settings]] = []

    def add(name: str, now: float, new: float, option: str) -> None:
        distance = abs(np.log2(new / now))
        changed = replace(settings, **{name: type(now)(new)})
        numbers.append((distance, f"{name} {now:g} -> {new:g}", f"--{option} {new:g}", changed))

    if isinstance(settings.hidden, int):
        for more in (1, 2, 3, 5):
            add("hidden", settings.hidden, settings.hidden + more, "hidden")
    for ratio in RATIOS:
        add("lr", settings.lr, settings.lr * ratio, "lr")
    for ratio in (2, 4):
        if settings.steps:
            add("steps", settings.steps, settings.steps * ratio, "steps")
    for _, change, option, new_settings in sorted(numbers, key=lambda entry: entry[0]):
        yield change, option, new_settings
    for name, choices in (
        ("activation", ("leaky:0.125", "tanh")),
        ("optimizer", ("momentum", "adam")),
    ):
        now = getattr(settings, name)
        for new in choices:
            if new != now:
                yield f"{name} {now} -> {new}", f"--{name} {new}", replace(settings, **{name: new})
    for more in range(1, OTHER_SEEDS + 1):
        seed = (settings.seed + more) % (1 << 32)
        of_member = "" if settings.member is None else f", member {settings.member}"
        change = f"seed {settings.seed} -> {seed}{of_member}"
        yield change, f"--seed {seed}", replace(settings, seed=seed)


def _attempt(
    task: Task, change: str, option: str, settings: Settings, *, keeps_start: bool
) -> Attempt:
    trained = train_network(task, settings).network
    if trained is None:
        return Attempt(change, option, "diverged", 0, keeps_start)
    verdict = prove(trained, task)
    return Attempt(change, option, verdict.verdict, verdict.rows_right or 0, keeps_start)


def _designs(net: Network) -> Iterator[tuple[Network, str]]:
    """Yield the hand-set networks for the same task, each with its name."""
    from adderlab.building import lecture_network

    if net.task is None or net.task.name not in DESIGNED:
        return
    yield lecture_network(net.task), "the hand-set network of the lecture"
    two_units = network([[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]], task=net.task)
    yield two_units, "the two units relu(a + b), relu(a + b - 1)"
