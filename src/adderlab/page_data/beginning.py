"""What a page begins with: its tasks, networks to choose from, and the network that is shown."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adderlab.building import lecture_network, printed_network
from adderlab.errors import OptionError
from adderlab.exercises import exercises
from adderlab.nets import Network, network
from adderlab.nets.importing import NetworkFile
from adderlab.nets.sources import read_source, task_of
from adderlab.page_data import chapters, networks, tasks
from adderlab.page_data import exercises as page_exercises
from adderlab.tasks import Task, TaskLike, task_named

if TYPE_CHECKING:
    from torch import nn

HALF_ADDER: Final = "half-adder"

TASKS: Final = (
    HALF_ADDER,
    "full-adder",
    "adder:2",
    "subtractor:2",
    "comparator:2",
    "multiplier:2",
    "parity:2",
    "parity:3",
    "majority:3",
    "popcount:3",
)
"""Tasks of the catalog that can be chosen on every page."""

FAILING_SEED: Final = 5
"""Of 2-3-2 networks that the page trains itself: no unit tells 0 + 0 from 0 + 1 at the end."""


@dataclass(frozen=True, slots=True)
class Start:
    """What a page shows first.

    Attributes:
        network: the network.
        task: what it is held against.
        notes: what had to be assumed in reading it.
    """

    network: Network
    task: Task
    notes: tuple[str, ...] = ()


def start_of(
    model: Network | str | Path | NetworkFile | nn.Module | None = None,
    task: TaskLike | None = None,
) -> Start:
    """Return the network that a page shows first, with its task.

    Args:
        model: a network, the path of its file, or a PyTorch module; the lecture's network unless
            given.
        task: a task, its name or a table; the network's own unless given.

    Raises:
        OptionError: a task is named without a network.
        TaskError: no task is known, or it does not fit the network.
    """
    if model is None and task is not None:
        raise OptionError(
            "there is no network for it", where="task", remedy="name the file of one: `model`"
        )
    if model is None:
        half_adder = task_named(HALF_ADDER)
        return Start(lecture_network(half_adder), half_adder)
    source = read_source(model, task)
    return Start(source.network, task_of(source.network, task), source.notes)


def beginning(net: Network, task: Task, *, has_prover: bool = True) -> dict[str, Any]:
    """Return what a page begins with, as JSON has it.

    Args:
        net: the network that is shown.
        task: what it is held against.
        has_prover: whether Python answers the page.

    Raises:
        NetworkError: the network is beyond the page.
        TaskError: the task is.
    """
    start = networks.to_page(net)
    others = [task_named(name) for name in TASKS if name != task.name]
    return {
        "tasks": [tasks.to_page(each) for each in (task, *others)],
        "presets": presets(),
        "chapters": chapters.to_page(),
        "exercises": [page_exercises.to_page(each) for each in exercises()],
        "version": metadata.version("adderlab"),
        "start": {"task": tasks.to_page(task), "network": start},
        "record": task.record,
        "prover": has_prover,
    }


def presets() -> list[dict[str, Any]]:
    """Return the networks of the lesson: each with its weights, or with the run that makes it."""
    half_adder = task_named(HALF_ADDER)
    lecture = lecture_network(half_adder)
    shown = (
        ("lecture", "the lecture's, set by hand", lecture),
        ("repaired", "the lecture's, one weight repaired", _repaired()),
        ("three-bytes", "2 hidden units in INT2: 3 bytes", _three_bytes()),
        ("printed", "the 17 weights that the lecture printed", printed_network()),
    )
    weights = [
        {"name": name, "title": title, "task": HALF_ADDER, "network": networks.to_page(net)}
        for name, title, net in shown
    ]
    run = {"seed": FAILING_SEED, "hidden": 3, "steps": 1000, "lr": 0.1}
    title = f"a training run that fails: seed {FAILING_SEED}"
    return [*weights, {"name": "failing", "title": title, "task": HALF_ADDER, "run": run}]


def _repaired() -> Network:
    """Return the lecture's network with -4 for its ``fc2.weight[1,2]``."""
    return network(
        [[[1, 1], [1, 1], [1, 1]], [[1, 0, 0], [0, 1, -4]]],
        [[-1.5, -0.5, -1.5], [0, 0]],
        readout=0.0,
    )


def _three_bytes() -> Network:
    """Return ``c1 = relu(a + b - 1)`` and ``c0 = relu(a + b) - 2 c1``, in 12 numbers of 2 bits."""
    return network(
        [[[1, 1], [1, 1]], [[0, 1], [1, -2]]], [[0, -1], [0, 0]], readout="exact", format="int2"
    )
