"""The exercises, which ``exercises.json`` has, for Python and the lab's page alike.

Rule: an exercise is data. What a solution must meet is a list of conditions, each a kind with its
options (:mod:`adderlab.exercises.conditions`); no exercise has code of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, Final

from adderlab.errors import OptionError
from adderlab.nets import Network
from adderlab.nets.importing import NetworkFile
from adderlab.nets.sources import read_data
from adderlab.reading import parse_json
from adderlab.tasks import Task, task_named

DATA: Final = "exercises.json"


@dataclass(frozen=True, slots=True)
class Field:
    """A number that is asked for.

    Attributes:
        name: in the answer.
        label: as it is shown.
        is_whole: whether it is a whole number.
        least: the smallest number that is taken.
        most: the largest.
    """

    name: str
    label: str
    is_whole: bool
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Exercise:
    """What is to be done.

    Attributes:
        id: its name in links, in answers and on the command line.
        title: in a line.
        text: what is asked.
        task: what networks are held against.
        start: the network that it begins with; ``None`` for untrained weights of a seed.
        fields: the numbers that are asked for; none where a network is.
        conditions: what an answer must meet.
        run: of an exercise about training, the settings of its runs.
        entry: all of it as the file has it.
    """

    id: str
    title: str
    text: str
    task: Task
    start: Network | None
    fields: tuple[Field, ...]
    conditions: tuple[Mapping[str, Any], ...]
    run: Mapping[str, Any]
    entry: Mapping[str, Any]

    @property
    def asks_for_numbers(self) -> bool:
        """Whether the answer is numbers; else it is a network."""
        return bool(self.fields)

    @property
    def trains(self) -> bool:
        """Whether a condition trains a network, which takes PyTorch."""
        return bool(self.run)


@cache
def exercises() -> tuple[Exercise, ...]:
    """Return all exercises, in the order in which they are offered."""
    entries = parse_json((files("adderlab.exercises") / DATA).read_bytes())
    return tuple(map(_exercise, entries))


def exercise_named(name: str) -> Exercise:
    """Return the exercise of that id.

    Raises:
        OptionError: there is none.
    """
    by_id = {exercise.id: exercise for exercise in exercises()}
    if name in by_id:
        return by_id[name]
    near = get_close_matches(name, by_id, n=1)
    remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(by_id)}"
    raise OptionError(f"there is no exercise {name[:60]!r}", where="exercise", remedy=remedy)


def _exercise(entry: Mapping[str, Any]) -> Exercise:
    task = task_named(entry["task"])
    start = None
    if "start" in entry:
        data = json.dumps(entry["start"]).encode()
        start = read_data(data, NetworkFile(f"{entry['id']}.json")).network.for_task(task)
    return Exercise(
        id=entry["id"],
        title=entry["title"],
        text=entry["text"],
        task=task,
        start=start,
        fields=tuple(Field(**field) for field in entry.get("fields", [])),
        conditions=tuple(entry["conditions"]),
        run=entry.get("run", {}),
        entry=entry,
    )
